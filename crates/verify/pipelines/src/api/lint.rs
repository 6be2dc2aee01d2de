//! The check of a configuration.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ci_yaml::AllowFailure;
use git::{Oid, Repo};
use kernel::api::Api;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::create::{CONFIG_PATH, Wanted, config_text};
use crate::lint::{Linted, LintedJob, check, dry_run};
use crate::permit;

pub(crate) fn api() -> Api {
    Api::new("CI lint")
        .get("/projects/{id}/ci/lint", "Checks the configuration in a project", check_stored)
        .takes::<Stored>()
        .gives::<LintEntity>()
        .post("/projects/{id}/ci/lint", "Checks a configuration as if it lay in a project", check_given)
        .takes::<Given>()
        .gives::<LintEntity>()
        .status(200)
}

/// What a check found.
#[derive(Debug, Serialize, JsonSchema)]
struct LintEntity {
    valid: bool,
    errors: Vec<String>,
    warnings: Vec<String>,
    merged_yaml: Option<String>,
    includes: Vec<Include>,
    /// Present with `include_jobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<Vec<LintJob>>,
}

/// An included file.
#[derive(Debug, Serialize, JsonSchema)]
struct Include {
    #[serde(rename = "type")]
    kind: &'static str,
    location: String,
    blob: Option<String>,
    raw: Option<String>,
    extra: Value,
    context_project: String,
    context_sha: Option<String>,
}

/// A job that was found.
#[derive(Debug, Serialize, JsonSchema)]
struct LintJob {
    name: String,
    stage: String,
    before_script: Vec<String>,
    script: Vec<String>,
    after_script: Vec<String>,
    tag_list: Vec<String>,
    environment: Option<String>,
    when: &'static str,
    allow_failure: bool,
    only: Option<Value>,
    except: Option<Value>,
    needs: Option<Value>,
}

impl LintJob {
    fn of(job: LintedJob) -> Self {
        let (spec, refs) = (job.spec, |refs: Option<Vec<String>>| refs.map(|r| json!({ "refs": r })));
        let needs = spec.needs.map(|n| {
            n.into_iter().map(|n| json!({ "name": n.job, "artifacts": n.artifacts, "optional": n.optional })).collect()
        });
        Self {
            name: spec.name,
            stage: spec.stage,
            before_script: spec.options.before_script,
            script: spec.options.script,
            after_script: spec.options.after_script,
            tag_list: spec.options.tags,
            environment: spec.options.environment.map(|e| e.name),
            when: spec.when.word(),
            allow_failure: spec.allow_failure == AllowFailure::Yes,
            only: refs(job.only),
            except: refs(job.except),
            needs,
        }
    }
}

impl LintEntity {
    fn of(access: &ProjectAccess, app: &App, sha: Option<Oid>, linted: Linted, with_jobs: bool) -> Self {
        let place = |path: &str, kind| sha.map(|s| access.project.url(app, &format!("/-/{kind}/{s}/{path}")));
        let include = |location: &String| Include {
            kind: "local",
            location: location.clone(),
            blob: place(location, "blob"),
            raw: place(location, "raw"),
            extra: json!({}),
            context_project: access.project.full_path.clone(),
            context_sha: sha.map(|s| s.to_string()),
        };
        Self {
            valid: linted.is_valid(),
            includes: linted.includes.iter().map(include).collect(),
            errors: linted.errors.iter().map(ToString::to_string).collect(),
            warnings: linted.warnings.iter().map(ToString::to_string).collect(),
            merged_yaml: linted.merged,
            jobs: with_jobs.then(|| linted.jobs.into_iter().map(LintJob::of).collect()),
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Stored {
    /// The commit, branch or tag that has the configuration.
    content_ref: Option<String>,
    /// The same, as it used to be called.
    sha: Option<String>,
    /// Works out the pipeline of a push instead of looking at the text alone.
    #[serde(default)]
    dry_run: bool,
    /// The branch or tag that is supposed to be pushed.
    dry_run_ref: Option<String>,
    /// The same, as it used to be called.
    #[serde(rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    include_jobs: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Given {
    content: String,
    /// Works out the pipeline of a push instead of looking at the text alone.
    #[serde(default)]
    dry_run: bool,
    /// The branch or tag that is supposed to be pushed.
    #[serde(rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    include_jobs: bool,
}

async fn check_stored(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Stored>,
) -> Result<Json<LintEntity>> {
    access.may(Permission::ReadCode)?;
    let repo = repositories::open(&app, &access.project).await?;
    if repo.is_empty().await.map_err(repositories::status_of)? {
        return Err(Error::not_found("Repository"));
    }
    let wanted = asked.content_ref.or(asked.sha);
    let name = wanted.as_deref().unwrap_or(access.project.branch());
    let sha = repo.resolve(name).await.map_err(|_| Error::not_found("Commit"))?.commit;
    let Some(text) = config_text(&repo, &access.project, sha).await? else {
        let why = format!("{CONFIG_PATH} is not there; add it to the repository to run pipelines");
        let linted = Linted { errors: vec![ci_yaml::Problem::new(why)], ..Linted::default() };
        return Ok(Json(LintEntity::of(&access, &app, Some(sha), linted, asked.include_jobs)));
    };
    let reference = asked.dry_run_ref.or(asked.reference).filter(|_| asked.dry_run);
    let simulated = asked.dry_run.then(|| reference.unwrap_or_else(|| access.project.branch().to_owned()));
    let linted = lint(&app, &access, &repo, Some(sha), simulated, text).await?;
    Ok(Json(LintEntity::of(&access, &app, Some(sha), linted, asked.include_jobs)))
}

async fn check_given(
    State(app): State<App>,
    access: ProjectAccess,
    Params(asked): Params<Given>,
) -> Result<Json<LintEntity>> {
    access.may(Permission::CreatePipeline)?;
    let repo = repositories::open(&app, &access.project).await?;
    let branch = access.project.branch();
    let sha = repo.resolve(branch).await.ok().map(|r| r.commit);
    let simulated = asked.dry_run.then(|| asked.reference.unwrap_or_else(|| branch.to_owned()));
    let linted = lint(&app, &access, &repo, sha, simulated, asked.content).await?;
    Ok(Json(LintEntity::of(&access, &app, sha, linted, asked.include_jobs)))
}

/// Checks the text; with `simulated`, a branch or tag, works out its pipeline too.
async fn lint(
    app: &App,
    access: &ProjectAccess,
    repo: &Repo,
    sha: Option<Oid>,
    simulated: Option<String>,
    text: String,
) -> Result<Linted> {
    let Some(name) = simulated else { return check(repo, &access.project, sha, text).await };
    access.may(Permission::CreatePipeline)?;
    let Some((ref_name, tag, tip)) = super::pipeline_actions::find_ref(repo, &name).await? else {
        let errors = vec![ci_yaml::Problem::new("Reference not found")];
        return Ok(Linted { errors, ..Linted::default() });
    };
    // Rules see protected variables, so that who may not run the pipeline may not try them out.
    if !permit::may_run_on(app, access, &ref_name, tag).await? {
        let why = format!("You do not have sufficient permission to run a pipeline on '{ref_name}'");
        return Ok(Linted { errors: vec![ci_yaml::Problem::new(why)], ..Linted::default() });
    }
    let user = access.actor.known().cloned().map(Arc::new);
    let (sha, before) = (sha.unwrap_or(tip), Oid::zero());
    let wanted = Wanted { ref_name, tag, sha, before, source: "push", user, variables: vec![] };
    dry_run(app, repo, &access.project, &wanted, text).await
}
