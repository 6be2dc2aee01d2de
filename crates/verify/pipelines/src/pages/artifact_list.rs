//! The list of a project's artifacts.

use axum::extract::State;
use kernel::http::Query;
use kernel::{App, Error, Result, Time};
use projects::ProjectAccess;
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::menu::Confirm;
use ui::parts::{self, Button, Empty};
use ui::{Markup, format, html};

use super::{at, commit_link, page, ref_link};
use crate::visibility::{reads_artifacts, sees_pipelines};

const SIZE: usize = 30;

#[derive(FromQueryResult)]
struct Row {
    build_id: i64,
    name: String,
    ref_name: String,
    sha: String,
    size: i64,
    access: String,
    expires_at: Option<Time>,
    created_at: Time,
    user_id: Option<i64>,
}

#[derive(FromQueryResult)]
struct Sum {
    bytes: i64,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn list(State(app): State<App>, access: ProjectAccess, Query(asked): Query<Asked>) -> Result<Markup> {
    sees_pipelines(&access)?;
    if !reads_artifacts(&access) {
        return Err(Error::not_found("Artifacts"));
    }
    let before = asked.before.unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT a.build_id, b.name, p.ref_name, p.sha, a.size, a.access, a.expires_at, a.created_at, b.user_id
         FROM build_artifacts a JOIN builds b ON b.id = a.build_id JOIN pipelines p ON p.id = b.pipeline_id
         WHERE a.project_id = $1 AND a.kind = 'archive' AND a.build_id < $2 AND (a.expires_at IS NULL OR a.expires_at > $3)
         ORDER BY a.build_id DESC LIMIT {}",
        SIZE + 1
    );
    let mut rows: Vec<Row> = app.db().all(&sql, [access.project.id.into(), before.into(), Time::now().into()]).await?;
    let more = rows.len() > SIZE;
    rows.truncate(SIZE);
    let sum = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM build_artifacts WHERE project_id = $1";
    let sum = app.db().one::<Sum>(sum, [access.project.id.into()]).await?.map_or(0, |s| s.bytes);
    let next = rows.last().filter(|_| more).map(|r| at(&access, format_args!("/-/artifacts?before={}", r.build_id)));
    let mut page = page(&app, &access, "Artifacts", "artifacts", &[("Artifacts", at(&access, "/-/artifacts"))]);
    page.body = html! {
        (parts::head(&html! { "Artifacts" }, &html! {}, &html! {
            span.faint.num { (format::bytes(sum.try_into().unwrap_or(0))) " in all, logs not counted" }
        }))
        @if rows.is_empty() {
            (Empty { icon: "box", title: "No artifacts", text: "Files that a job keeps with the keyword artifacts are found here until they expire.", ..Empty::default() }.render())
        } @else {
            section.panel aria-label="Artifacts" { (table(&access, &rows)) }
            (parts::pages_keyset(None, next.as_deref()))
        }
    };
    Ok(page.render())
}

fn may_delete(access: &ProjectAccess, row: &Row) -> bool {
    let maintains = access.level >= projects::level::MAINTAINER;
    access.can(projects::Permission::EraseJob)
        && (maintains || (row.user_id.is_some() && row.user_id == access.actor.id()))
}

fn readable(access: &ProjectAccess, row: &Row) -> bool {
    let least = match row.access.as_str() {
        "all" => projects::level::NONE,
        "developer" => projects::level::DEVELOPER,
        "maintainer" => projects::level::MAINTAINER,
        _ => return false,
    };
    access.level >= least
}

fn table(access: &ProjectAccess, rows: &[Row]) -> Markup {
    html! {
        div.scroll {
            table.data {
                caption.vh { "Artifacts, the newest first" }
                thead { tr {
                    th scope="col" { "Job" } th.wide-only scope="col" { "Commit" } th.r scope="col" { "Size" }
                    th.r.wide-only scope="col" { "Made" } th.r.wide-only scope="col" { "Kept until" } th scope="col" { span.vh { "Actions" } }
                } }
                tbody { @for row in rows { (line(access, row)) } }
            }
        }
    }
}

fn line(access: &ProjectAccess, row: &Row) -> Markup {
    let job = at(access, format_args!("/-/jobs/{}", row.build_id));
    let id = format!("delete-{}", row.build_id);
    let readable = readable(access, row);
    html! {
        tr {
            th scope="row" { a.plain href=(job) { (row.name) } " " span.faint.num { "#" (row.build_id) } }
            td.wide-only { span.line.fix { (commit_link(access, &row.sha)) (ref_link(access, &row.ref_name)) } }
            td.r.num { (format::bytes(row.size.try_into().unwrap_or(0))) }
            td.r.faint.wide-only { (format::time(row.created_at.0)) }
            td.r.faint.wide-only { @match row.expires_at { Some(at) => { (format::date(at.0)) }, None => { "for good" } } }
            td.r {
                span.line.fix {
                    @if readable {
                        a.btn.small.quiet.icon href={ (job) "/artifacts/browse" } aria-label={ "Browse the artifacts of " (row.name) } title="Browse" { (ui::icon("folder")) }
                        a.btn.small.quiet.icon href={ (job) "/artifacts/download" } download aria-label={ "Download the artifacts of " (row.name) } title="Download" { (ui::icon("save")) }
                    }
                    @if may_delete(access, row) {
                        (Button { label: "Delete", icon: "trash", class: "small quiet", icon_only: true, dialog: Some(&id), ..Button::default() }.render())
                        (Confirm { id: &id, title: &format!("Delete the artifacts of {}?", row.name), text: "Nobody can bring them back. The log stays.",
                            action: &format!("{job}/artifacts/delete"), act: "Delete artifacts", ..Confirm::default() }.render())
                    }
                }
            }
        }
    }
}
