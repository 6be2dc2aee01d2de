//! Who contributed to a branch.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::stats::WEEKS;
use kernel::{App, Result, Time};
use projects::ProjectAccess;
use ui::{Page, chart, format, html, parts};

use crate::people::People;
use crate::place::{OrNothing, Rest, Spot};
use crate::{links, switcher, tree};

const SHOWN: usize = 200;

pub(crate) async fn show(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    if let Some(home) = tree::nothing_yet(&access, &rest) {
        return Ok(home);
    }
    let spot = Spot::of_ref(&app, access, &rest).await?;
    let (found, weeks, switch) = tokio::join!(
        spot.repo.contributors(spot.commit(), false),
        spot.repo.commits_per_week(spot.commit(), Time::now().seconds()),
        switcher::refs(&spot, "graphs")
    );
    let (found, weeks) = (found.or_404()?, weeks.or_404()?);
    let people =
        People::by_email(&app, found.iter().take(SHOWN).map(|c| c.email.lossy().into_owned()).collect()).await?;
    let most = found.first().map_or(1, |c| c.commits);
    let bars: Vec<chart::Bar<'_>> = weeks.iter().map(|n| (*n as f64, "k1")).collect();
    let total: u64 = weeks.iter().sum();
    let finding = format!("Commits per week over {WEEKS} weeks, {total} in all");
    let row = |one: &git::stats::Contributor| {
        let email = one.email.lossy();
        let user = people.user(&email);
        let name = user.map_or_else(|| one.name.lossy().into_owned(), |u| u.name.clone());
        let picture = user.and_then(accounts::User::avatar_path);
        let who = html! { span.line.fix { (parts::avatar(&name, picture.as_deref())) @if let Some(user) = user { a.plain.cut href={ "/" (user.username) } { (name) } } @else { span.cut { (name) } } } };
        let href = format!("{}?author={}", spot.links.at("commits", &spot.reference, ""), links::query(&email));
        let count = i64::try_from(one.commits).unwrap_or(i64::MAX);
        vec![
            who,
            parts::progress(&name, one.commits, most),
            html! { a.plain href=(href) { (format::plural(count, "commit")) } },
        ]
    };
    let rows: Vec<_> = found.iter().take(SHOWN).map(row).collect();
    let body = html! {
        (parts::head(&html! { "Contributors" }, &html! {}, &html! { p.soft { @if found.len() == 1 { "1 person" } @else { (found.len()) " people" } ", by number of commits without merges" } }))
        div.stack {
            div.line { (switch?) }
            section.panel aria-labelledby="weeks" { header { h2 id="weeks" { "Commits per week" } span.push.faint { (WEEKS) " weeks" } } div.body { (chart::bars(&finding, 96, &bars)) } }
            section.panel aria-label="People" { (parts::table("Contributors with their commits", &["Who", "Share", "Commits"], &[2], &rows)) }
        }
    };
    Ok(Page { body, ..spot.page(&app, "graphs", "Contributors", "contributors") }.render().into_response())
}
