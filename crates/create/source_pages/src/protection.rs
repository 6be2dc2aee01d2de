//! Settings of a repository: protected branches and tags.

use accounts::audit;
use accounts::shell::redirect_with;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess, level};
use repositories::protected::{NO_ONE, NewProtectedBranch};
use repositories::{Grant, ProtectedBranch, ProtectedTag, Protections};
use serde::Deserialize;
use serde_json::json;
use ui::form::{Field, checkbox};
use ui::{Markup, Page, Tone, html, icon, parts};

use crate::links::Links;
use crate::place::code;
use crate::target::sentence;

const HERE: &str = "settings/repository";
const LEVELS: &[(&str, &str)] = &[("40", "Maintainers"), ("30", "Developers and maintainers"), ("0", "No one")];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct BranchRule {
    name: String,
    push: Option<i64>,
    merge: Option<i64>,
    force: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct TagRule {
    name: String,
    create: Option<i64>,
}

pub(crate) async fn show(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.sees(Permission::ReadProtectedRefs, "Settings")?;
    access.may(Permission::EditProject)?;
    let repo = code(&app, &access).await?;
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let links = Links::of(&access.project);
    let may = access.can(Permission::ManageProtectedRefs);
    let names = repo.branches(git::refs::RefQuery { limit: Some(500), ..Default::default() }).await;
    let names: Vec<String> =
        names.map(|p| p.items.iter().map(|b| b.name.short().lossy().into_owned()).collect()).unwrap_or_default();
    let body = html! {
        (parts::head(&html! { "Repository" }, &html! {}, &html! {}))
        div.stack.wide {
            section.panel aria-labelledby="branches" {
                header { h2 id="branches" { "Protected branches" } }
                p.body.soft { "Only those named here may push to or merge into these branches, and nobody deletes them by a push." }
                (branch_rows(&links, &rules, may))
                @if may { (branch_form(&links, &names)) }
            }
            section.panel aria-labelledby="tags" {
                header { h2 id="tags" { "Protected tags" } }
                p.body.soft { "Only those named here may create these tags, and nobody moves them." }
                (tag_rows(&links, &rules, may))
                @if may { (tag_form(&links)) }
            }
        }
    };
    Ok(Page { body, ..project_page(&app, &access, "Repository settings", "repository") }.render().into_response())
}

/// Whom a rule lets through, in words.
fn through(rules: &Protections, action: &str, of: impl Fn(&repositories::protected::GrantRow) -> bool) -> String {
    let words: Vec<String> =
        rules.grants.iter().filter(|g| g.action == action && of(g)).map(|g| g.description()).collect();
    if words.is_empty() { "No one".into() } else { words.join(", ") }
}

fn branch_rows(links: &Links, rules: &Protections, may: bool) -> Markup {
    let row = |rule: &ProtectedBranch| {
        let of = |g: &repositories::protected::GrantRow| g.branch_id == Some(rule.id);
        let action = links.page(&format!("protected_branches/{}/delete", rule.id));
        vec![
            html! { code { (rule.name) } },
            html! { (through(rules, "push", of)) },
            html! { (through(rules, "merge", of)) },
            html! { (if rule.allow_force_push { "Allowed" } else { "Refused" }) },
            html! { @if may { (unprotect(&action, &rule.name)) } },
        ]
    };
    let rows: Vec<_> = rules.branches.iter().map(row).collect();
    html! {
        @if rows.is_empty() { p.none.faint { "No branch is protected." } }
        @else { (parts::table("Protected branches", &["Branch", "May push", "May merge", "Force push", "Action"], &[4], &rows)) }
    }
}

fn tag_rows(links: &Links, rules: &Protections, may: bool) -> Markup {
    let row = |rule: &ProtectedTag| {
        let of = |g: &repositories::protected::GrantRow| g.tag_id == Some(rule.id);
        let action = links.page(&format!("protected_tags/{}/delete", rule.id));
        vec![
            html! { code { (rule.name) } },
            html! { (through(rules, "create", of)) },
            html! { @if may { (unprotect(&action, &rule.name)) } },
        ]
    };
    let rows: Vec<_> = rules.tags.iter().map(row).collect();
    html! {
        @if rows.is_empty() { p.none.faint { "No tag is protected." } }
        @else { (parts::table("Protected tags", &["Tag", "May create", "Action"], &[2], &rows)) }
    }
}

fn unprotect(action: &str, name: &str) -> Markup {
    html! {
        form.inline method="post" action=(action) data-confirm={ "Take the protection of " (name) " away?" } {
            button.btn.quiet.small type="submit" { (icon("x")) "Unprotect" }
        }
    }
}

fn branch_form(links: &Links, names: &[String]) -> Markup {
    html! {
        form.body.stack method="post" action=(links.page("protected_branches")) {
            div.field {
                label for="branch-name" { "Branch" }
                input.in.mono id="branch-name" name="name" required list="branch-names" autocomplete="off" aria-describedby="branch-hint";
                p.hint id="branch-hint" { "A name, or a pattern with * such as release/*." }
                datalist id="branch-names" { @for name in names { option value=(name) {} } }
            }
            (Field { name: "push", label: "May push", value: "40", ..Field::default() }.select(LEVELS))
            (Field { name: "merge", label: "May merge", value: "40", ..Field::default() }.select(LEVELS))
            (checkbox("force", "Allow force push", false, "Those who may push may also rewrite the branch."))
            div.line { button.btn type="submit" { "Protect branch" } }
        }
    }
}

fn tag_form(links: &Links) -> Markup {
    html! {
        form.body.stack method="post" action=(links.page("protected_tags")) {
            (Field { name: "name", id: "tag-name", label: "Tag", required: true, mono: true, hint: "A name, or a pattern with * such as v*.", ..Field::default() }.input())
            (Field { name: "create", label: "May create", value: "40", ..Field::default() }.select(LEVELS))
            div.line { button.btn type="submit" { "Protect tag" } }
        }
    }
}

/// Accepts the levels that are offered; anything else is for maintainers.
fn grant(level: Option<i64>) -> Grant {
    Grant::Level(
        level.filter(|l| [NO_ONE, level::DEVELOPER, level::MAINTAINER].contains(l)).unwrap_or(level::MAINTAINER),
    )
}

pub(crate) async fn protect_branch(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<BranchRule>,
) -> Result<Response> {
    may_manage(&access)?;
    let tx = app.begin().await?;
    let new = NewProtectedBranch {
        name: wanted.name.trim().to_owned(),
        allow_force_push: wanted.force,
        code_owner_approval_required: false,
        push: vec![grant(wanted.push)],
        merge: vec![grant(wanted.merge)],
        unprotect: vec![],
    };
    match ProtectedBranch::protect(&*tx, access.project.id, new).await {
        Ok(rule) => {
            let details = json!({ "name": rule.name });
            audit::record(&*tx, &access.actor, "protected_branch.created", ("project", access.project.id), details)
                .await?;
            tx.commit().await?;
            Ok(back(&access, Tone::Ok, &format!("{} is protected.", rule.name)))
        }
        Err(e) => refused(&access, e),
    }
}

pub(crate) async fn protect_tag(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<TagRule>,
) -> Result<Response> {
    may_manage(&access)?;
    let tx = app.begin().await?;
    match ProtectedTag::protect(&*tx, access.project.id, wanted.name.trim(), &[grant(wanted.create)]).await {
        Ok(rule) => {
            let details = json!({ "name": rule.name });
            audit::record(&*tx, &access.actor, "protected_tag.created", ("project", access.project.id), details)
                .await?;
            tx.commit().await?;
            Ok(back(&access, Tone::Ok, &format!("{} is protected.", rule.name)))
        }
        Err(e) => refused(&access, e),
    }
}

pub(crate) async fn unprotect_branch(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Response> {
    may_manage(&access)?;
    let tx = app.begin().await?;
    let rules = ProtectedBranch::of_project(&*tx, access.project.id).await?;
    let rule = rules.into_iter().find(|r| r.id == id).ok_or_else(|| Error::not_found(""))?;
    rule.unprotect(&*tx).await?;
    let details = json!({ "name": rule.name });
    audit::record(&*tx, &access.actor, "protected_branch.removed", ("project", access.project.id), details).await?;
    tx.commit().await?;
    Ok(back(&access, Tone::Ok, &format!("{} is no longer protected.", rule.name)))
}

pub(crate) async fn unprotect_tag(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Response> {
    may_manage(&access)?;
    let tx = app.begin().await?;
    let rules = ProtectedTag::of_project(&*tx, access.project.id).await?;
    let rule = rules.into_iter().find(|r| r.id == id).ok_or_else(|| Error::not_found(""))?;
    rule.unprotect(&*tx).await?;
    let details = json!({ "name": rule.name });
    audit::record(&*tx, &access.actor, "protected_tag.removed", ("project", access.project.id), details).await?;
    tx.commit().await?;
    Ok(back(&access, Tone::Ok, &format!("{} is no longer protected.", rule.name)))
}

fn may_manage(access: &ProjectAccess) -> Result<()> {
    access.sees(Permission::ReadCode, "Repository")?;
    access.may(Permission::ManageProtectedRefs)
}

fn back(access: &ProjectAccess, tone: Tone, text: &str) -> Response {
    redirect_with(&Links::of(&access.project).page(HERE), tone, text)
}

fn refused(access: &ProjectAccess, error: Error) -> Result<Response> {
    match error {
        Error::Conflict(_) => Ok(back(access, Tone::Bad, "There is a rule with this name already.")),
        Error::Invalid(_) => Ok(back(access, Tone::Bad, &sentence(&error))),
        other => Err(other),
    }
}
