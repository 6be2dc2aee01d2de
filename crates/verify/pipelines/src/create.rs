//! From a commit to a pipeline: reads the configuration, decides on the jobs, stores them.

use std::collections::HashMap;
use std::sync::Arc;

use accounts::User;
use ci_yaml::{AllowFailure, Context, Files, JobSpec, NoPipeline, Plan, Problem, RefKind};
use git::{Oid, Repo, RepoPath};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time, Tx};
use projects::Project;
use sea_orm::{FromQueryResult, Value};
use tokio::runtime::Handle;

use crate::advance::advance;
use crate::pipeline::Pipeline;
use crate::redundant;
use crate::status::Status;
use crate::variables::{CommitFacts, GivenVariable, JobVariable, configured, of_pipeline};

/// Where the configuration lies unless the project says otherwise.
pub const CONFIG_PATH: &str = ".gitlab-ci.yml";
const MAX_CONFIG: u64 = 2 << 20;
const MAX_FILES: usize = 200_000;
/// Rows of one `INSERT`; 16 columns stay well below the 32,766 parameters of SQLite.
const CHUNK: usize = 200;

/// What a pipeline is wanted for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The short name of the branch or tag.
    pub ref_name: String,
    /// Whether that is a tag.
    pub tag: bool,
    /// The commit.
    pub sha: Oid,
    /// The commit before, zeros for none.
    pub before: Oid,
    /// What asks: `push`, `web`, `api`, …
    pub source: &'static str,
    /// Who asks.
    pub user: Option<Arc<User>>,
    /// Variables given with the request.
    pub variables: Vec<GivenVariable>,
}

/// Why there is no pipeline.
#[derive(Clone, Debug)]
pub enum Nothing {
    /// The commit has no configuration.
    NoConfig,
    /// The rules left no job.
    Rules(NoPipeline),
}

impl std::fmt::Display for Nothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoConfig => f.write_str("Missing CI config file"),
            Self::Rules(why) => write!(f, "{why}"),
        }
    }
}

/// Makes the pipeline that the commit's configuration asks for. A configuration that is refused makes a failed
/// pipeline with the reasons, unless somebody waits for the answer and can be told.
pub async fn create(app: &App, project: &Project, wanted: Wanted) -> Result<Result<Pipeline, Nothing>> {
    let repo = repositories::open(app, project).await?;
    let Some(text) = config_text(&repo, project, wanted.sha).await? else { return Ok(Err(Nothing::NoConfig)) };
    let facts = commit_facts(&repo, &wanted).await?;
    let draft = draft(project, &wanted, &facts);
    match plan(app, repo, project, &wanted, &facts, text).await? {
        Ok(plan) => store(app, project, draft, plan, &wanted).await.map(Ok),
        Err(NoPipeline::Invalid(problems)) if !matches!(wanted.source, "api" | "web") => {
            refuse(app, draft, &problems).await.map(Ok)
        }
        Err(why) => Ok(Err(Nothing::Rules(why))),
    }
}

/// Works out the pipeline that `text` would make, and stores nothing.
pub(crate) async fn simulate(
    app: &App,
    repo: &Repo,
    project: &Project,
    wanted: &Wanted,
    text: String,
) -> Result<Result<Plan, NoPipeline>> {
    let facts = commit_facts(repo, wanted).await?;
    plan(app, repo.clone(), project, wanted, &facts, text).await
}

async fn plan(
    app: &App,
    repo: Repo,
    project: &Project,
    wanted: &Wanted,
    facts: &CommitFacts,
    text: String,
) -> Result<Result<Plan, NoPipeline>> {
    let protections = repositories::Protections::of_project(app.db().conn(), project.id).await?;
    let protected = match wanted.tag {
        true => protections.is_protected_tag(&wanted.ref_name),
        false => protections.is_protected_branch(&wanted.ref_name),
    };
    let predefined =
        of_pipeline(app, project, &draft(project, wanted, facts), facts, wanted.user.as_deref(), protected);
    let mut variables = configured(app.db().conn(), project, protected, None).await?;
    variables.extend(wanted.variables.iter().map(JobVariable::given));
    decide(repo, project.clone(), wanted.clone(), text, predefined, variables).await
}

/// The text of the configuration at a commit, if there is one.
pub async fn config_text(repo: &Repo, project: &Project, sha: Oid) -> Result<Option<String>> {
    let settings = project.settings()?;
    let path = settings.ci_config_path.as_deref().filter(|p| !p.is_empty()).unwrap_or(CONFIG_PATH);
    read_file(repo, sha, path).await
}

async fn read_file(repo: &Repo, sha: Oid, path: &str) -> Result<Option<String>> {
    let Ok(path) = RepoPath::new(path.trim_start_matches('/')) else { return Ok(None) };
    match repo.blob_at(sha, &path, MAX_CONFIG).await {
        Ok(blob) => Ok(Some(String::from_utf8_lossy(&blob.data).into_owned())),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(Error::internal(e)),
    }
}

pub(crate) async fn commit_facts(repo: &Repo, wanted: &Wanted) -> Result<CommitFacts> {
    let commit = repo.commit(wanted.sha).await.map_err(|_| Error::bad_request("the commit can't be read"))?;
    Ok(CommitFacts {
        message: commit.message.lossy().into_owned(),
        title: commit.title().lossy().into_owned(),
        description: commit.body().lossy().into_owned(),
        author: format!("{} <{}>", commit.author.name.lossy(), commit.author.email.lossy()),
        timestamp: Time::from_seconds(commit.author.time).rfc3339(),
        tag_message: None,
    })
}

fn draft(project: &Project, wanted: &Wanted, facts: &CommitFacts) -> Pipeline {
    let now = Time::now();
    Pipeline {
        id: 0,
        iid: 0,
        project_id: project.id,
        user_id: wanted.user.as_ref().map(|u| u.id),
        ref_name: wanted.ref_name.clone(),
        tag: wanted.tag,
        sha: wanted.sha.to_string(),
        before_sha: wanted.before.to_string(),
        source: wanted.source.to_owned(),
        status: Status::Created,
        name: None,
        yaml_errors: None,
        stages: "[]".into(),
        variables: serde_json::to_string(&wanted.variables).unwrap_or_else(|_| "[]".into()),
        auto_cancel: "{}".into(),
        commit_title: facts.title.clone(),
        coverage: None,
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    }
}

/// A repository at a commit, read from a thread that may block.
pub(crate) struct Tree {
    pub(crate) repo: Repo,
    pub(crate) sha: Oid,
    pub(crate) base: Oid,
    pub(crate) branch: String,
    pub(crate) handle: Handle,
    pub(crate) variables: HashMap<String, String>,
}

impl Files for Tree {
    fn read(&self, path: &str) -> Option<String> {
        self.handle.block_on(read_file(&self.repo, self.sha, path)).ok().flatten()
    }

    fn list(&self) -> Vec<String> {
        let listed = self.handle.block_on(self.repo.list_paths(self.sha, MAX_FILES));
        listed.map(|(paths, _)| paths.iter().map(|p| p.lossy().into_owned()).collect()).unwrap_or_default()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn changed(&self) -> Option<Vec<String>> {
        self.changed_since(None)
    }
}

impl Tree {
    /// The files that differ from `base`, or from the commit before; `None` where there is nothing to compare with.
    fn changed_since(&self, base: Option<&str>) -> Option<Vec<String>> {
        self.handle.block_on(async {
            let from = match base {
                Some(name) => {
                    self.repo.three_dot_base(self.repo.resolve(name).await.ok()?.commit, self.sha).await.ok()?
                }
                None if self.base.is_zero() => self.fork_point().await?,
                None => self.base,
            };
            let options = git::diff::DiffOptions { max_files: MAX_FILES, ..Default::default() };
            let changes = self.repo.changed_files(from, self.sha, &options).await.ok()?;
            let both =
                changes.files.iter().flat_map(|f| [f.old_path.lossy().into_owned(), f.new_path.lossy().into_owned()]);
            Some(both.collect())
        })
    }

    /// A new branch is compared with where it left the default branch; a new default branch with nothing.
    async fn fork_point(&self) -> Option<Oid> {
        let default = self.repo.find_branch(&self.branch).await.ok()?.commit?;
        if default == self.sha {
            return None;
        }
        self.repo.merge_base(default, self.sha).await.ok()?
    }
}

/// Parses and evaluates off the async threads, as both may read the repository.
async fn decide(
    repo: Repo,
    project: Project,
    wanted: Wanted,
    text: String,
    predefined: Vec<JobVariable>,
    variables: Vec<JobVariable>,
) -> Result<Result<Plan, NoPipeline>> {
    let handle = Handle::current();
    let decided = tokio::task::spawn_blocking(move || {
        let known = predefined.iter().chain(&variables).map(|v| (v.key.clone(), v.value.clone())).collect();
        let branch = project.branch().to_owned();
        let tree = Tree { repo, sha: wanted.sha, base: wanted.before, branch, handle, variables: known };
        let config = ci_yaml::parse(&text, &tree).map_err(NoPipeline::Invalid)?;
        let context = Context {
            kind: if wanted.tag { RefKind::Tag } else { RefKind::Branch },
            reference: &wanted.ref_name,
            source: wanted.source,
            project: &project.full_path,
            predefined: &predefined.iter().map(JobVariable::to_written).collect::<Vec<_>>(),
            variables: &variables.iter().map(JobVariable::to_written).collect::<Vec<_>>(),
            changed: &|base| tree.changed_since(base),
            files: &|| tree.list(),
        };
        ci_yaml::evaluate(&config, &context)
    });
    Ok(decided.await?)
}

async fn store(app: &App, project: &Project, draft: Pipeline, plan: Plan, wanted: &Wanted) -> Result<Pipeline> {
    let settings = project.settings()?;
    let tx = app.begin().await?;
    let stages = serde_json::to_string(&plan.stages)?;
    let name = plan.name.clone();
    let auto_cancel = serde_json::to_string(&plan.auto_cancel)?;
    let pipeline = insert(&tx, Pipeline { name, stages, auto_cancel, ..draft }).await?;
    let default = u64::try_from(settings.build_timeout).unwrap_or(3600);
    let ids = insert_builds(&tx, &pipeline, &plan.jobs, wanted.user.as_ref().map(|u| u.id), default).await?;
    insert_needs(&tx, &plan.jobs, &ids).await?;
    let pipeline = Pipeline::lock(&tx, pipeline.id).await?.ok_or_else(|| Error::not_found("Pipeline"))?;
    advance(&tx, &pipeline).await?;
    tx.commit().await?;
    if settings.auto_cancel_pending_pipelines {
        redundant::cancel_older(app, &pipeline).await?;
    }
    Pipeline::find(app.db().conn(), project.id, pipeline.id).await?.ok_or_else(|| Error::not_found("Pipeline"))
}

/// A pipeline without jobs that says why the configuration was refused.
async fn refuse(app: &App, draft: Pipeline, problems: &[Problem]) -> Result<Pipeline> {
    let lines = problems.iter().map(|p| match p.line {
        Some(line) => format!("{} (line {line})", p.message),
        None => p.message.clone(),
    });
    let yaml_errors = Some(lines.collect::<Vec<_>>().join("\n"));
    let tx = app.begin().await?;
    let now = Some(Time::now());
    let failed = Pipeline { yaml_errors, status: Status::Failed, started_at: now, finished_at: now, ..draft };
    let pipeline = insert(&tx, failed).await?;
    let event = crate::pipeline::PipelineChanged {
        project_id: pipeline.project_id,
        pipeline_id: pipeline.id,
        status: Status::Failed,
    };
    tx.publish(&event).await?;
    repositories::CommitStatus::set(&*tx, pipeline.commit_status(Status::Failed, None)).await?;
    tx.commit().await?;
    Ok(pipeline)
}

async fn insert(tx: &Tx, p: Pipeline) -> Result<Pipeline> {
    // Holding the project's row keeps two pipelines from taking one number.
    tx.run("UPDATE projects SET last_activity_at = $2 WHERE id = $1", [p.project_id.into(), p.created_at.into()])
        .await?;
    let sql = "INSERT INTO pipelines (iid, project_id, user_id, ref_name, tag, sha, before_sha, source, status, name, yaml_errors,
                 stages, variables, auto_cancel, commit_title, created_at, updated_at, started_at, finished_at)
               VALUES ((SELECT COALESCE(MAX(iid), 0) + 1 FROM pipelines WHERE project_id = $1), $1, $2, $3, $4, $5, $6, $7, $8, $9,
                 $10, $11, $12, $13, $14, $15, $15, $16, $17) RETURNING *";
    let values = [
        p.project_id.into(),
        p.user_id.into(),
        p.ref_name.into(),
        p.tag.into(),
        p.sha.into(),
        p.before_sha.into(),
        p.source.into(),
        p.status.into(),
        p.name.into(),
        p.yaml_errors.into(),
        p.stages.into(),
        p.variables.into(),
        p.auto_cancel.into(),
        p.commit_title.into(),
        p.created_at.into(),
        p.started_at.into(),
        p.finished_at.into(),
    ];
    tx.one(sql, values).await?.ok_or_else(|| Error::not_found("Pipeline"))
}

#[derive(FromQueryResult)]
struct Inserted {
    id: i64,
    name: String,
}

/// Stores the jobs; gives their ids by name.
async fn insert_builds(
    tx: &Tx,
    pipeline: &Pipeline,
    jobs: &[JobSpec],
    user: Option<i64>,
    timeout: u64,
) -> Result<HashMap<String, i64>> {
    let mut ids = HashMap::with_capacity(jobs.len());
    for (chunk_at, chunk) in jobs.chunks(CHUNK).enumerate() {
        let mut values: Vec<Value> = vec![];
        for (at, job) in chunk.iter().enumerate() {
            let position = i64::try_from(chunk_at * CHUNK + at).unwrap_or(i64::MAX);
            values.extend(build_values(pipeline, job, user, timeout, position)?);
        }
        let sql = format!(
            "INSERT INTO builds (project_id, pipeline_id, user_id, name, stage, stage_index, position, status, when_to_run,
               allow_failure, dag, interruptible, tags, spec, timeout, created_at) VALUES {} RETURNING id, name",
            rows(chunk.len(), values.len() / chunk.len())
        );
        ids.extend(tx.all::<Inserted>(&sql, values).await?.into_iter().map(|i| (i.name, i.id)));
    }
    Ok(ids)
}

fn build_values(
    pipeline: &Pipeline,
    job: &JobSpec,
    user: Option<i64>,
    timeout: u64,
    position: i64,
) -> Result<[Value; 16]> {
    let timeout = job.options.timeout.unwrap_or(timeout);
    Ok([
        pipeline.project_id.into(),
        pipeline.id.into(),
        user.into(),
        job.name.as_str().into(),
        job.stage.as_str().into(),
        i64::try_from(job.stage_index).unwrap_or(i64::MAX).into(),
        position.into(),
        Status::Created.into(),
        job.when.word().into(),
        (job.allow_failure == AllowFailure::Yes).into(),
        job.needs.is_some().into(),
        job.options.interruptible.unwrap_or(false).into(),
        serde_json::to_string(&job.options.tags)?.into(),
        serde_json::to_string(job)?.into(),
        i64::try_from(timeout).unwrap_or(i64::MAX).into(),
        pipeline.created_at.into(),
    ])
}

async fn insert_needs(tx: &Tx, jobs: &[JobSpec], ids: &HashMap<String, i64>) -> Result<()> {
    let mut all: Vec<[Value; 3]> = vec![];
    for job in jobs {
        let Some(id) = ids.get(&job.name) else { continue };
        for need in job.needs.iter().flatten() {
            all.push([(*id).into(), need.job.as_str().into(), need.artifacts.into()]);
        }
    }
    for chunk in all.chunks(1000) {
        let sql = format!(
            "INSERT INTO build_needs (build_id, needed_name, artifacts) VALUES {} ON CONFLICT (build_id, needed_name) DO NOTHING",
            rows(chunk.len(), 3)
        );
        tx.run(&sql, chunk.iter().flatten().cloned()).await?;
    }
    Ok(())
}

/// Placeholders for several rows: `($1, $2), ($3, $4)`.
fn rows(count: usize, columns: usize) -> String {
    let row = |r: usize| {
        let marks: Vec<_> = (1..=columns).map(|c| format!("${}", r * columns + c)).collect();
        format!("({})", marks.join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}
