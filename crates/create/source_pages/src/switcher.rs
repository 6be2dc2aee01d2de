//! The menu that leads to the same page on another branch or tag.

use git::refs::{RefPage, RefQuery};
use kernel::Result;
use ui::Markup;
use ui::menu::Refs;

use crate::place::{OrNothing, Spot};

/// Branches and tags in the menu; the pages of branches and tags list all.
const MOST: usize = 200;

/// The menu; `kind` is the kind of page that its entries lead to.
pub(crate) async fn refs(spot: &Spot, kind: &str) -> Result<Markup> {
    let query = || RefQuery { limit: Some(MOST), ..RefQuery::default() };
    let (branches, tags) = tokio::join!(spot.repo.branches(query()), spot.repo.tags(query()));
    let (branches, tags) = (branches.or_404()?, tags.or_404()?);
    let more = (branches.total > MOST || tags.total > MOST).then(|| spot.links.page("branches"));
    let entries = |page: &RefPage| -> Vec<(String, String)> {
        let entry =
            |name: git::ByteString| (name.lossy().into_owned(), spot.links.at(kind, &name, spot.path.as_bytes()));
        page.items.iter().map(|r| entry(r.name.short())).collect()
    };
    let (branches, tags) = (first(entries(&branches), spot.access.project.branch()), entries(&tags));
    Ok(Refs { current: &spot.shown(), branches: &branches, tags: &tags, more_href: more.as_deref() }.render())
}

/// Puts the default branch first.
fn first(mut entries: Vec<(String, String)>, default: &str) -> Vec<(String, String)> {
    if let Some(at) = entries.iter().position(|(name, _)| name == default) {
        let entry = entries.remove(at);
        entries.insert(0, entry);
    }
    entries
}
