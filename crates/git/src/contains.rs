//! Which refs hold a commit, and which branches are merged.

use std::collections::HashSet;

use crate::command::Git;
use crate::{ByteString, Oid, RefName, Repo, Result};

impl Repo {
    /// Names the branches that `base` has in its history, by their full names.
    pub async fn merged_branches(&self, base: Oid) -> Result<HashSet<ByteString>> {
        let command = self.git("for-each-ref").arg(format!("--merged={base}")).arg("refs/heads/");
        Ok(names(command).await?.map(ByteString::from).collect())
    }

    /// Names the branches and tags that have `commit` in their history, branches first.
    pub async fn refs_containing(&self, commit: Oid) -> Result<Vec<RefName>> {
        let command = self.git("for-each-ref").arg(format!("--contains={commit}"));
        let found = names(command.args(["refs/heads/", "refs/tags/"])).await?;
        Ok(found.map(|name| RefName::trusted(&name)).collect())
    }
}

async fn names(command: Git) -> Result<impl Iterator<Item = Vec<u8>>> {
    let output = command.arg("--format=%(refname)").run().await?;
    let lines: Vec<Vec<u8>> = output.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    Ok(lines.into_iter().filter(|line| !line.is_empty()))
}
