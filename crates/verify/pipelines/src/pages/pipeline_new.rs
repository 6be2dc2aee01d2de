//! The form that runs a pipeline.

use std::collections::HashMap;
use std::sync::Arc;

use accounts::shell::redirect;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ci_yaml::DefaultVariable;
use git::refs::{RefOrder, RefQuery};
use git::{Oid, Repo};
use http::StatusCode;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess};
use serde::Deserialize;
use ui::form::Field;
use ui::{Tone, html, parts};

use super::job_actions::written;
use super::{at, page};
use crate::create::{Tree, Wanted, config_text, create};
use crate::permit;
use crate::variables::GivenVariable;

/// Names of branches and of tags that the form mentions.
const OFFERED: usize = 10;

#[derive(Default, Deserialize)]
pub(super) struct Form {
    #[serde(rename = "ref", default)]
    ref_name: String,
    #[serde(default)]
    var: HashMap<String, String>,
    #[serde(default)]
    variables: String,
}

/// A branch or tag with its commit.
struct Place {
    name: String,
    tag: bool,
    sha: Oid,
}

async fn find_place(repo: &Repo, name: &str) -> Result<Place> {
    let unknown = || Error::invalid("ref", format!("is no branch or tag: {name}"));
    let found = repo.resolve(name).await.map_err(|_| unknown())?;
    let full = found.refname.filter(|r| r.is_branch() || r.is_tag()).ok_or_else(unknown)?;
    Ok(Place { name: full.short().lossy().into_owned(), tag: full.is_tag(), sha: found.commit })
}

pub(super) async fn new(State(app): State<App>, access: ProjectAccess, Query(form): Query<Form>) -> Result<Response> {
    access.may(Permission::CreatePipeline)?;
    show(&app, &access, &form, None).await
}

async fn show(app: &App, access: &ProjectAccess, form: &Form, error: Option<&Error>) -> Result<Response> {
    let repo = repositories::open(app, &access.project).await?;
    let wanted = if form.ref_name.is_empty() { access.project.branch() } else { &form.ref_name };
    let names = names(&repo).await?;
    let offered = offered(access, &repo, wanted).await;
    let wrong = match error {
        Some(Error::Invalid(fields)) => fields.iter().find(|(f, _)| f == "ref").map(|(_, why)| format!("This {why}.")),
        _ => None,
    };
    let here = at(access, "/-/pipelines/new");
    let mut page = page(
        app,
        access,
        "Run pipeline",
        "pipelines",
        &[("Pipelines", at(access, "/-/pipelines")), ("New", here.clone())],
    );
    page.body = html! {
        (parts::head(&html! { "Run pipeline" }, &html! {}, &html! { span.soft { "It runs the jobs that the configuration at the branch or tag asks for." } }))
        @if let (Some(error), None) = (error, &wrong) { (parts::alert(Tone::Bad, &html! { (sentence(&error.to_string())) })) }
        div.stack.wide {
        form.stack action=(here) {
            (Field { name: "ref", label: "Branch or tag", value: wanted, error: wrong.as_deref(), mono: true, required: true, ..Field::default() }.input())
            @if names.len() > 1 { p.hint { "There are " (names.join(", ")) "." } }
            div.line { button.btn type="submit" { "Read its variables" } }
        }
        form.stack method="post" action=(at(access, "/-/pipelines")) {
            (ui::form::hidden("ref", wanted))
            @for variable in &offered { (field(variable, form.var.get(&variable.key))) }
            (Field { name: "variables", label: "Further variables", rows: 4, mono: true, value: &form.variables, placeholder: "KEY=value",
                hint: "One a line. They rank above all others, and those who see the pipeline can read them in its logs.", ..Field::default() }.textarea())
            (ui::form::actions(&format!("Run pipeline on {wanted}"), Some((&at(access, "/-/pipelines"), "Cancel"))))
        }
        }
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page.render()).into_response())
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

async fn names(repo: &Repo) -> Result<Vec<String>> {
    let query = RefQuery { limit: Some(OFFERED), order: RefOrder::Newest, ..RefQuery::default() };
    let branches = repo.branches(query.clone()).await.map(|p| p.items).unwrap_or_default();
    let tags = repo.tags(query).await.map(|p| p.items).unwrap_or_default();
    Ok(branches.iter().chain(&tags).map(|r| r.name.short().lossy().into_owned()).collect())
}

/// The variables that the configuration describes.
async fn offered(access: &ProjectAccess, repo: &Repo, ref_name: &str) -> Vec<DefaultVariable> {
    let Ok(place) = find_place(repo, ref_name).await else { return vec![] };
    let Ok(Some(text)) = config_text(repo, &access.project, place.sha).await else { return vec![] };
    let handle = tokio::runtime::Handle::current();
    let tree = Tree {
        repo: repo.clone(),
        sha: place.sha,
        base: Oid::zero(),
        branch: access.project.branch().to_owned(),
        handle,
        variables: HashMap::new(),
    };
    let parsed =
        tokio::task::spawn_blocking(move || ci_yaml::parse(&text, &tree).map(|c| c.variables).unwrap_or_default())
            .await;
    parsed.unwrap_or_default().into_iter().filter(|v| v.description.is_some()).collect()
}

fn field(variable: &DefaultVariable, given: Option<&String>) -> ui::Markup {
    let name = format!("var[{}]", variable.key);
    let value = given.or(variable.value.as_ref()).map_or("", String::as_str);
    let hint = variable.description.as_deref().unwrap_or_default();
    let field = Field { name: &name, label: &variable.key, value, hint, mono: true, ..Field::default() };
    match variable.options.as_slice() {
        [] => field.input(),
        options => field.select(&options.iter().map(|o| (o.as_str(), o.as_str())).collect::<Vec<_>>()),
    }
}

pub(super) async fn run(State(app): State<App>, access: ProjectAccess, Params(form): Params<Form>) -> Result<Response> {
    access.may(Permission::CreatePipeline)?;
    match start(&app, &access, &form).await {
        Ok(id) => Ok(redirect(&at(&access, format_args!("/-/pipelines/{id}")))),
        Err(e @ (Error::Invalid(_) | Error::BadRequest(_) | Error::BadParameter(_))) => {
            show(&app, &access, &form, Some(&e)).await
        }
        Err(e) => Err(e),
    }
}

async fn start(app: &App, access: &ProjectAccess, form: &Form) -> Result<i64> {
    let repo = repositories::open(app, &access.project).await?;
    let place = find_place(&repo, &form.ref_name).await?;
    if !permit::may_run_on(app, access, &place.name, place.tag).await? {
        return Err(Error::bad_request(format!(
            "{} is protected, and you may neither push nor merge to it",
            place.name
        )));
    }
    let mut variables: Vec<GivenVariable> = form.var.iter().map(|(k, v)| GivenVariable::new(k, v)).collect();
    variables.sort_by(|a, b| a.key.cmp(&b.key));
    variables.extend(written(&form.variables)?);
    variables.iter().try_for_each(GivenVariable::check)?;
    let user = Some(Arc::new(access.actor.user()?.clone()));
    let wanted = Wanted {
        ref_name: place.name,
        tag: place.tag,
        sha: place.sha,
        before: Oid::zero(),
        source: "web",
        user,
        variables,
    };
    match create(app, &access.project, wanted).await? {
        Ok(pipeline) => Ok(pipeline.id),
        Err(nothing) => Err(Error::bad_request(nothing.to_string())),
    }
}
