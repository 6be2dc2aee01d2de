//! How far branches have moved apart.

use std::sync::LazyLock;

use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use serde::Serialize;

use crate::error::corrupt;
use crate::{Oid, Repo, Result};

/// Branches counted at the same time.
const PARALLEL: usize = 4;

static COUNTED: LazyLock<Cache<(Oid, Oid), AheadBehind>> = LazyLock::new(|| Cache::new(50_000));

/// Counts commits that only one of two revisions reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AheadBehind {
    /// Commits that only the branch has.
    pub ahead: u64,
    /// Commits that only the base has.
    pub behind: u64,
}

impl Repo {
    /// Counts the commits from `tip` back to `base` where they are a single line of at most `limit`; nothing otherwise.
    pub async fn linear_distance(&self, tip: Oid, base: Oid, limit: u64) -> Result<Option<u64>> {
        self.read(move |repo| {
            let (mut at, mut count) = (tip.0, 0);
            while at != base.0 {
                let commit = repo.find_object(at)?.try_into_commit().map_err(corrupt)?;
                let mut parents = commit.parent_ids();
                let (Some(parent), None) = (parents.next(), parents.next()) else { return Ok(None) };
                (at, count) = (parent.detach(), count + 1);
                if count > limit {
                    return Ok(None);
                }
            }
            Ok(Some(count))
        })
        .await
    }

    /// Compares several commits with `base`, in the order given.
    pub async fn ahead_behind(&self, base: Oid, tips: &[Oid]) -> Result<Vec<AheadBehind>> {
        // Collected first: a closure that lives while this waits makes the future hard to prove `Send` for callers.
        let counts: Vec<_> = tips.iter().map(|tip| self.compare(base, *tip)).collect();
        stream::iter(counts).buffered(PARALLEL).try_collect().await
    }

    async fn compare(&self, base: Oid, tip: Oid) -> Result<AheadBehind> {
        if base == tip {
            return Ok(AheadBehind::default());
        }
        if let Some(known) = COUNTED.get(&(base, tip)) {
            return Ok(known);
        }
        let range = format!("{base}...{tip}");
        let output = self.git("rev-list").args(["--left-right", "--count", &range, "--"]).run().await?;
        let counted = parse(&output).ok_or_else(|| corrupt("rev-list printed no counts"))?;
        COUNTED.insert((base, tip), counted);
        Ok(counted)
    }
}

fn parse(output: &[u8]) -> Option<AheadBehind> {
    let text = std::str::from_utf8(output).ok()?;
    let mut numbers = text.split_whitespace().map(|number| number.parse().ok());
    Some(AheadBehind { behind: numbers.next()??, ahead: numbers.next()?? })
}
