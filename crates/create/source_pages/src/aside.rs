//! What stands beside a project's files: pipeline, languages, activity, people, facts.

use std::time::Duration;

use git::log::LogQuery;
use git::refs::RefQuery;
use git::stats::WEEKS;
use git::tree::Entry;
use kernel::{App, Result, Time};
use projects::languages;
use ui::{Markup, chart, format, html, icon_with, parts, status};

use crate::history::{state, statuses};
use crate::licence;
use crate::people::People;
use crate::place::{OrNothing, Spot, within};

/// How long the page waits for figures that are counted over the whole history.
const PATIENCE: Duration = Duration::from_millis(250);
const FACES: usize = 6;

/// All parts beside the files of the default branch.
pub(crate) async fn of(app: &App, spot: &Spot, entries: &[Entry]) -> Result<Markup> {
    let (pipeline, languages, activity, people, facts) = tokio::join!(
        pipeline(app, spot),
        languages(app, spot),
        activity(spot),
        people(app, spot),
        facts(spot, entries)
    );
    Ok(html! { (pipeline?) (languages?) (activity) (people?) (facts?) })
}

async fn pipeline(app: &App, spot: &Spot) -> Result<Markup> {
    let found = statuses(app, &spot.access, &[spot.commit()]).await?;
    let state = state(&spot.links, &spot.commit().to_string(), &found);
    Ok(html! {
        @if let Some((state, href)) = state {
            section { h2 { "Pipeline on " (spot.shown()) } div.line { (status::status_link(state, &href)) } }
        }
    })
}

async fn languages(app: &App, spot: &Spot) -> Result<Markup> {
    let (repo, commit) = (spot.repo.clone(), spot.commit());
    let found = within(PATIENCE, async move { repo.languages(commit).await }).await;
    let shares: Vec<(String, f64)> = match found {
        Some(shares) => shares.iter().map(|s| (s.name.to_owned(), s.percent)).collect(),
        None => {
            let known = languages::of_project(app.db().conn(), spot.access.project.id).await?;
            known.into_iter().map(|s| (s.name, s.share)).collect()
        }
    };
    Ok(html! { @if !shares.is_empty() { section { h2 { "Languages" } (chart::shares("Languages", &shares)) } } })
}

async fn activity(spot: &Spot) -> Markup {
    let (repo, commit) = (spot.repo.clone(), spot.commit());
    let weeks = within(PATIENCE, async move { repo.commits_per_week(commit, Time::now().seconds()).await }).await;
    let Some(weeks) = weeks.filter(|w| w.iter().any(|n| *n > 0)) else { return Markup::default() };
    let (least, most, last) = (weeks.iter().min(), weeks.iter().max(), weeks.last());
    let number = |n: Option<&u64>| n.copied().unwrap_or(0);
    let finding = format!(
        "Commits per week over {WEEKS} weeks: between {} and {}, {} in the last week",
        number(least),
        number(most),
        number(last)
    );
    let bars: Vec<chart::Bar<'_>> = weeks.iter().map(|n| (*n as f64, "k1")).collect();
    html! {
        section {
            h2 { "Commits" a.faint.push href=(spot.links.at("graphs", &spot.reference, "")) { (WEEKS) " weeks" } }
            (chart::bars(&finding, 44, &bars))
        }
    }
}

async fn people(app: &App, spot: &Spot) -> Result<Markup> {
    let (repo, commit) = (spot.repo.clone(), spot.commit());
    let Some(found) = within(PATIENCE, async move { repo.contributors(commit, false).await }).await else {
        return Ok(Markup::default());
    };
    let emails = found.iter().take(FACES).map(|c| c.email.lossy().into_owned()).collect();
    let known = People::by_email(app, emails).await?;
    let rest = found.len().saturating_sub(FACES);
    Ok(html! {
        @if !found.is_empty() {
            section {
                h2 { "People" a.push href=(spot.links.at("graphs", &spot.reference, "")) { (found.len()) } }
                div.line {
                    span.line.tight {
                        @for one in found.iter().take(FACES) {
                            @let user = known.user(&one.email.lossy());
                            @let name = user.map_or_else(|| one.name.lossy().into_owned(), |u| u.name.clone());
                            @let picture = user.and_then(accounts::User::avatar_path);
                            @if let Some(user) = user { a href={ "/" (user.username) } { (parts::avatar_named(&name, picture.as_deref())) } }
                            @else { (parts::avatar_named(&name, None)) }
                        }
                    }
                    @if rest > 0 { span.soft { "and " (rest) " more" } }
                }
            }
        }
    })
}

async fn facts(spot: &Spot, entries: &[Entry]) -> Result<Markup> {
    let (repo, commit) = (spot.repo.clone(), spot.commit());
    let count = within(PATIENCE, async move { repo.count_commits(&LogQuery::of(commit, 0)).await });
    let none = || RefQuery { limit: Some(0), ..RefQuery::default() };
    let (licence, count, branches, tags) =
        tokio::join!(licence::of(spot, entries), count, spot.repo.branches(none()), spot.repo.tags(none()));
    let (licence, branches, tags) = (licence?, branches.or_404()?.total, tags.or_404()?.total);
    let count = count.and_then(|n| i64::try_from(n).ok()).unwrap_or(spot.access.project.commit_count);
    let size = u64::try_from(spot.access.project.repository_size).unwrap_or(0);
    let line = |picture: &'static str, words: Markup| html! { li.line.fix { (icon_with(picture, "faint")) (words) } };
    let plural = |n: usize, noun: &str| match (i64::try_from(n).unwrap_or(i64::MAX), noun) {
        (1, "branch") => "1 branch".to_owned(),
        (n, "branch") => format!("{} branches", format::count(n)),
        (n, noun) => format::plural(n, noun),
    };
    Ok(html! {
        section {
            h2 { "About" }
            ul.stack.tight {
                @if let Some((path, name)) = &licence { (line("scale", html! { a.plain href=(spot.other("blob", path)) { (name) } })) }
                @if count > 0 { (line("commit", html! { a.plain href=(spot.links.at("commits", &spot.reference, "")) { (format::plural(count, "commit")) } })) }
                (line("branch", html! { a.plain href=(spot.links.page("branches")) { (plural(branches, "branch")) } }))
                (line("tag", html! { a.plain href=(spot.links.page("tags")) { (plural(tags, "tag")) } }))
                @if size > 0 { (line("server", html! { span { (format::bytes(size)) } })) }
            }
        }
    })
}
