//! Branches: lists, and how far they have moved.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::ahead_behind::AheadBehind;
use git::refs::{RefOrder, RefPage, RefQuery};
use git::{Commit, Oid, RefInfo, Repo};
use kernel::http::Query;
use kernel::{App, Result, Time};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess, level};
use repositories::Protections;
use serde::Deserialize;
use ui::parts::{self, Button};
use ui::{Item, Markup, Page, form, format, html, icon, menu};

use crate::history::{self, micros};
use crate::links::{self, Links};
use crate::place::{OrNothing, code};

const PER_PAGE: usize = 20;
const IN_OVERVIEW: usize = 5;
/// A branch without commits for this long is stale.
const STALE_SECONDS: i64 = 90 * 24 * 3600;

/// Which branches are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Overview,
    Active,
    Stale,
    All,
}

const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Overview, "Overview", ""),
    (Tab::Active, "Active", "active"),
    (Tab::Stale, "Stale", "stale"),
    (Tab::All, "All", "all"),
];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    state: String,
    search: String,
    page: Option<usize>,
}

/// What all rows of a list need.
struct Desk {
    app: App,
    access: ProjectAccess,
    repo: Repo,
    links: Links,
    protections: Protections,
    default: Option<Oid>,
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let tab = TABS.iter().find(|t| t.2 == asked.state).map_or(Tab::All, |t| t.0);
    let tab = if asked.search.trim().is_empty() { tab } else { Tab::All };
    let default = repo.find_branch(access.project.branch()).await.ok().map(|b| b.target);
    let protections = Protections::of_project(app.db().conn(), access.project.id).await?;
    let desk = Desk { app, repo, links: Links::of(&access.project), access, protections, default };
    let body = html! {
        (parts::head(&html! { "Branches" }, &desk.actions(), &html! {}))
        div.stack {
            div.line { (desk.tabs(tab)) (form::search(&desk.links.page("branches"), "search", &asked.search, "Search branches", &[])) }
            (desk.lists(tab, &asked).await?)
        }
        (desk.confirm_merged())
    };
    Ok(Page { body, ..project_page(&desk.app, &desk.access, "Branches", "branches") }.render().into_response())
}

impl Desk {
    fn can_push(&self) -> bool {
        self.access.can(Permission::PushCode)
    }

    fn actions(&self) -> Markup {
        let merged =
            Button { label: "Delete merged", class: "danger", dialog: Some("delete-merged"), ..Button::default() };
        html! { @if self.can_push() { (merged.render()) (parts::primary_link(&self.links.page("branches/new"), "plus", "New branch")) } }
    }

    fn confirm_merged(&self) -> Markup {
        let default = self.access.project.branch();
        let text = format!(
            "All branches whose commits are in {default} already are deleted, but for protected ones. No commit is lost."
        );
        let action = self.links.page("merged_branches");
        let confirm = menu::Confirm {
            id: "delete-merged",
            title: "Delete the merged branches?",
            text: &text,
            action: &action,
            act: "Delete branches",
            keep: "Keep them",
            ..menu::Confirm::default()
        };
        html! { @if self.can_push() { (confirm.render()) } }
    }

    fn tabs(&self, current: Tab) -> Markup {
        let href = |key: &str| {
            if key.is_empty() {
                self.links.page("branches")
            } else {
                format!("{}?state={key}", self.links.page("branches"))
            }
        };
        let items: Vec<Item> =
            TABS.iter().map(|(tab, word, key)| Item::new(*word, href(key)).current(*tab == current)).collect();
        parts::segments("Which branches", &items)
    }

    async fn lists(&self, tab: Tab, asked: &Asked) -> Result<Markup> {
        let search = Some(asked.search.trim().to_owned()).filter(|s| !s.is_empty());
        let query = RefQuery { order: RefOrder::Newest, search, ..RefQuery::default() };
        let RefPage { items, .. } = self.repo.branches(query).await.or_404()?;
        if items.is_empty() {
            let title = if asked.search.is_empty() { "No branches yet" } else { "No branch has this in its name" };
            let text = "A branch is a line of work. The first push makes one.";
            return Ok(
                html! { section.panel { (parts::Empty { icon: "branch", title, text, ..parts::Empty::default() }.render()) } },
            );
        }
        let fresh = self.count_fresh(&items).await;
        let (active, stale) = items.split_at(fresh);
        let list = match tab {
            Tab::Overview => {
                let (few, old) = (&active[..active.len().min(IN_OVERVIEW)], &stale[..stale.len().min(IN_OVERVIEW)]);
                let few = self.panel("Active", "active", active.len(), few).await?;
                return Ok(html! { (few) (self.panel("Stale", "stale", stale.len(), old).await?) });
            }
            Tab::Active => active,
            Tab::Stale => stale,
            Tab::All => &items,
        };
        let page = asked.page.unwrap_or(1).max(1);
        let shown: Vec<RefInfo> =
            list.iter().skip((page - 1).saturating_mul(PER_PAGE)).take(PER_PAGE).cloned().collect();
        let pages = list.len().div_ceil(PER_PAGE);
        let rows = self.rows(&shown).await?;
        let href = |page: u64| {
            format!(
                "{}?state={}&search={}&page={page}",
                self.links.page("branches"),
                links::query(&asked.state),
                links::query(&asked.search)
            )
        };
        Ok(html! {
            @if shown.is_empty() { p.none.faint { "There are none here." } }
            @else { section.panel aria-label="Branches" { (rows) } }
            (parts::pages(page as u64, pages as u64, href))
        })
    }

    /// How many of the branches, newest first, are not stale; found by halving, as each look costs a read.
    async fn count_fresh(&self, items: &[RefInfo]) -> usize {
        let limit = Time::now().seconds() - STALE_SECONDS;
        let (mut low, mut high) = (0, items.len());
        while low < high {
            let middle = low.midpoint(high);
            let time = self.repo.commit(items[middle].target).await.map_or(i64::MIN, |c| c.committer.time);
            if time >= limit { low = middle + 1 } else { high = middle }
        }
        low
    }

    async fn panel(&self, title: &str, key: &str, total: usize, shown: &[RefInfo]) -> Result<Markup> {
        let rows = self.rows(shown).await?;
        Ok(html! {
            @if total > 0 {
                section.panel aria-labelledby=(key) {
                    header {
                        h2 id=(key) { (title) } (parts::badge(total))
                        @if total > shown.len() { a.push href={ (self.links.page("branches")) "?state=" (key) } { "All " (total) } }
                    }
                    (rows)
                }
            }
        })
    }

    async fn rows(&self, shown: &[RefInfo]) -> Result<Markup> {
        let tips: Vec<Oid> = shown.iter().map(|b| b.target).collect();
        let counts = match self.default {
            Some(default) => self.repo.ahead_behind(default, &tips).await.or_404()?,
            None => vec![],
        };
        let commits = self.repo.commits(tips.clone()).await.or_404()?;
        let states = history::statuses(&self.app, &self.access, &tips).await?;
        let most = counts.iter().map(|c| c.ahead.max(c.behind)).max().unwrap_or(0);
        Ok(html! {
            ul.rows {
                @for (at, (branch, commit)) in shown.iter().zip(&commits).enumerate() {
                    @let state = history::state(&self.links, &commit.id.to_string(), &states);
                    li { (self.row(branch, commit, counts.get(at), most, state.as_ref())) }
                }
            }
        })
    }

    fn row(
        &self,
        branch: &RefInfo,
        commit: &Commit,
        counts: Option<&AheadBehind>,
        most: u64,
        state: Option<&(ui::Status, String)>,
    ) -> Markup {
        let short = branch.name.short();
        let name = short.lossy();
        let is_default = self.access.project.default_branch.as_deref() == Some(&*name);
        let protected = self.protections.is_protected_branch(&name);
        html! {
            (icon("branch"))
            div.grow {
                span.line.tight {
                    a.plain.mono href=(self.links.at("tree", &short, "")) { b { (name) } } (parts::copy_button(&name, "branch name"))
                    @if is_default { span.tag.bare { "default" } }
                    @if protected { (parts::tag_icon("lock", "protected")) }
                }
                span.meta {
                    a.plain.mono href=(self.links.commit(commit.id)) { (commit.id.short()) }
                    span.cut { (history::title(commit)) } span { (format::time(micros(commit.committer.time))) }
                }
            }
            @if let Some((state, href)) = state { (ui::status::status_link(*state, href)) }
            @if let Some(counts) = counts.filter(|_| !is_default) { (distance(counts, most, self.access.project.branch())) }
            @if !is_default {
                a.btn.small.wide-only href=(self.links.compare(self.access.project.branch().as_bytes(), &short)) { "Compare" }
                @if self.can_push() && (!protected || self.access.level >= level::MAINTAINER) { (self.delete_form(branch, counts)) }
            }
        }
    }

    fn delete_form(&self, branch: &RefInfo, counts: Option<&AheadBehind>) -> Markup {
        let name = branch.name.short();
        let lost = match counts.map(|c| i64::try_from(c.ahead).unwrap_or(i64::MAX)) {
            Some(0) => "Its commits are in the default branch already.".to_owned(),
            Some(n) => format!("{} may be in no other branch.", format::plural(n, "commit")),
            None => String::new(),
        };
        html! {
            form.inline method="post" action=(self.links.at("delete_branch", &name, "")) data-confirm={ "Delete the branch " (name.lossy()) "? " (lost) } {
                button.btn.quiet.small.icon.danger type="submit" aria-label={ "Delete " (name.lossy()) } title="Delete" { (icon("trash")) }
            }
        }
    }
}

/// Two bars that show how far a branch has moved from the default branch.
fn distance(counts: &AheadBehind, most: u64, default: &str) -> Markup {
    let width = |n: u64| if n == 0 { 0 } else { (n.saturating_mul(40) / most.max(1)).max(2) };
    let words = format!(
        "{} behind {default}, {} ahead",
        format::plural(i64::try_from(counts.behind).unwrap_or(0), "commit"),
        counts.ahead
    );
    let (behind, ahead) = (width(counts.behind), width(counts.ahead));
    html! {
        span.line.tight.fix.num.wide-only title=(words) {
            span.faint { (counts.behind) }
            svg.distance width="84" height="10" role="img" aria-label=(words) {
                rect x=(41 - behind.min(41)) y="3" width=(behind) height="4" rx="1" {}
                line x1="42" x2="42" y1="0" y2="10" {}
                rect.k1 x="43" y="3" width=(ahead) height="4" rx="1" {}
            }
            span.faint { (counts.ahead) }
        }
    }
}
