//! One job of the embedded runner: what it is given, and where its log and artifacts go.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use accounts::User;
use async_trait::async_trait;
use ci_yaml::JobSpec;
use ci_yaml::expand::Variables;
use git::Oid;
use kernel::{App, Error, Result};
use projects::Project;
use sandbox::{Dependency, JobIo, JobPlan, Source, StoredArtifact};
use sea_orm::FromQueryResult;
use tokio::sync::Mutex;

use crate::artifacts::{self, Artifact, NewArtifact};
use crate::build::Build;
use crate::create::{Wanted, commit_facts};
use crate::pipeline::Pipeline;
use crate::trace;
use crate::variables::{JobVariable, configured, of_build, of_pipeline};

/// Bytes of log that are gathered before they are written, unless time runs out first.
const GATHER: usize = 16 << 10;
pub(crate) const GATHER_TIME: Duration = Duration::from_millis(120);

/// Everything that the sandbox needs to carry out a job.
pub(crate) async fn plan(app: &App, build: &Build, token: &str) -> Result<JobPlan> {
    let conn = app.db().conn();
    let gone = || Error::bad_request("its project or pipeline is gone");
    let project = Project::find(conn, build.project_id).await?.ok_or_else(gone)?;
    let pipeline = Pipeline::find(conn, project.id, build.pipeline_id).await?.ok_or_else(gone)?;
    let spec = build.spec()?;
    let variables = variables(app, &project, &pipeline, build, &spec, token).await?;
    let secrets = variables.iter().filter(|v| v.masked && v.value.len() >= 4).map(|v| v.value.clone()).collect();
    Ok(JobPlan {
        id: u64::try_from(build.id).unwrap_or(0),
        project_path: project.full_path.clone(),
        source: source(app, &project, &pipeline, &variables),
        secrets,
        dependencies: dependencies(app, build, &spec).await?,
        before_script: spec.options.before_script.clone(),
        script: spec.options.script.clone(),
        after_script: spec.options.after_script.clone(),
        artifacts: wanted_artifacts(&spec, &variables),
        timeout: Duration::from_secs(u64::try_from(build.timeout).unwrap_or(3600)),
        image: spec.options.image.as_ref().map(|i| i.name.clone()),
        executor: sandbox::Executor::Host,
        variables,
    })
}

/// All variables in GitLab's order of precedence, the highest last, expanded.
async fn variables(
    app: &App,
    project: &Project,
    pipeline: &Pipeline,
    build: &Build,
    spec: &JobSpec,
    token: &str,
) -> Result<Vec<sandbox::Variable>> {
    let conn = app.db().conn();
    let user = match build.user_id.or(pipeline.user_id) {
        Some(id) => User::find(conn, id).await?,
        None => None,
    };
    let protections = repositories::Protections::of_project(conn, project.id).await?;
    let protected = match pipeline.tag {
        true => protections.is_protected_tag(&pipeline.ref_name),
        false => protections.is_protected_branch(&pipeline.ref_name),
    };
    let repo = repositories::open(app, project).await?;
    let oid = |hex: &str| Oid::from_hex(hex.as_bytes()).map_err(Error::internal);
    let wanted = Wanted {
        ref_name: pipeline.ref_name.clone(),
        tag: pipeline.tag,
        sha: oid(&pipeline.sha)?,
        before: oid(&pipeline.before_sha)?,
        source: "",
        user: None,
        variables: vec![],
    };
    let facts = commit_facts(&repo, &wanted).await?;
    let environment = spec.options.environment.as_ref().map(|e| e.name.as_str());
    let mut all = of_pipeline(app, project, pipeline, &facts, user.as_ref(), protected);
    all.extend(of_build(app, project, build, spec, token));
    all.extend(spec.variables.iter().map(JobVariable::written));
    all.extend(configured(conn, project, protected, environment).await?);
    all.extend(pipeline.given_variables().iter().chain(&build.play_variables()).map(JobVariable::given));
    Ok(expanded(all))
}

/// The last of each name counts; references are expanded by the values that count.
fn expanded(all: Vec<JobVariable>) -> Vec<sandbox::Variable> {
    let mut table = Variables::default();
    for v in &all {
        table.set(&v.key, &v.value, v.raw);
    }
    let mut out: Vec<sandbox::Variable> = vec![];
    for v in all.into_iter().rev() {
        if out.iter().any(|o| o.key == v.key) {
            continue;
        }
        let value = if v.raw { v.value } else { table.expanded(&v.key).unwrap_or(v.value) };
        out.push(sandbox::Variable { key: v.key, value, file: v.file, masked: v.masked });
    }
    out.reverse();
    out
}

fn value<'a>(variables: &'a [sandbox::Variable], key: &str) -> Option<&'a str> {
    variables.iter().find(|v| v.key == key).map(|v| v.value.as_str())
}

fn source(app: &App, project: &Project, pipeline: &Pipeline, variables: &[sandbox::Variable]) -> Option<Source> {
    if matches!(value(variables, "GIT_STRATEGY"), Some("none" | "empty")) {
        return None;
    }
    let default = project.settings().map_or(20, |s| s.ci_default_git_depth);
    let depth = value(variables, "GIT_DEPTH").and_then(|d| d.trim().parse().ok());
    Some(Source {
        repository: project.repository_path(app),
        sha: pipeline.sha.clone(),
        ref_name: pipeline.ref_name.clone(),
        tag: pipeline.tag,
        depth: depth.unwrap_or_else(|| u32::try_from(default).unwrap_or(20)),
        url: Some(project.url(app, ".git")),
    })
}

#[derive(FromQueryResult)]
struct Earlier {
    id: i64,
    name: String,
}

/// The earlier jobs whose artifacts are unpacked: those that `dependencies` or `needs` name, else all of earlier stages.
async fn dependencies(app: &App, build: &Build, spec: &JobSpec) -> Result<Vec<Dependency>> {
    let sql = "SELECT b.id, b.name FROM builds b WHERE b.pipeline_id = $1 AND b.retried = FALSE AND b.id <> $2
                 AND b.stage_index <= $3 AND b.status IN ('success', 'failed')
                 AND EXISTS (SELECT 1 FROM build_artifacts a WHERE a.build_id = b.id AND a.kind = 'archive')
               ORDER BY b.stage_index, b.position";
    let values = [build.pipeline_id.into(), build.id.into(), build.stage_index.into()];
    let earlier: Vec<Earlier> = app.db().all(sql, values).await?;
    let stage = "SELECT id, name FROM builds WHERE pipeline_id = $1 AND stage_index < $2";
    let before: Vec<Earlier> = app.db().all(stage, [build.pipeline_id.into(), build.stage_index.into()]).await?;
    let chosen = |e: &&Earlier| match (&spec.dependencies, &spec.needs) {
        (Some(names), _) => names
            .iter()
            .any(|n| *n == e.name || e.name.starts_with(&format!("{n} ")) || e.name.starts_with(&format!("{n}: "))),
        (None, Some(needs)) => needs.iter().any(|n| n.job == e.name && n.artifacts),
        (None, None) => before.iter().any(|b| b.id == e.id),
    };
    let found = earlier.iter().filter(chosen);
    Ok(found.map(|e| Dependency { id: u64::try_from(e.id).unwrap_or(0), name: e.name.clone() }).collect())
}

fn wanted_artifacts(spec: &JobSpec, variables: &[sandbox::Variable]) -> Vec<sandbox::Artifact> {
    let Some(artifacts) = &spec.options.artifacts else { return vec![] };
    let mut table = Variables::default();
    for v in variables {
        table.set(&v.key, &v.value, true);
    }
    let expand = |list: &[String]| list.iter().map(|p| table.expand(p)).collect::<Vec<_>>();
    let mut out = vec![];
    if !artifacts.paths.is_empty() || artifacts.untracked {
        out.push(sandbox::Artifact {
            name: artifacts.name.as_deref().map(|n| table.expand(n)),
            paths: expand(&artifacts.paths),
            exclude: expand(&artifacts.exclude),
            untracked: artifacts.untracked,
            when: match artifacts.when {
                Some(ci_yaml::When::OnFailure) => sandbox::When::OnFailure,
                Some(ci_yaml::When::Always) => sandbox::When::Always,
                _ => sandbox::When::OnSuccess,
            },
            kind: "archive".into(),
            format: sandbox::Format::Zip,
        });
    }
    out.extend(artifacts.reports.iter().filter_map(|(kind, paths)| report(kind, paths, &expand)));
    out
}

/// A report is kept whatever the outcome, as the protocol has it.
fn report(
    kind: &str,
    paths: &serde_json::Value,
    expand: &dyn Fn(&[String]) -> Vec<String>,
) -> Option<sandbox::Artifact> {
    let (kind, paths) = match paths {
        serde_json::Value::Object(map) => ("cobertura", map.get("path")?),
        other => (kind, other),
    };
    let paths: Vec<String> = match paths {
        serde_json::Value::String(one) => vec![one.clone()],
        serde_json::Value::Array(many) => many.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect(),
        _ => return None,
    };
    Some(sandbox::Artifact {
        name: Some(kind.to_owned()),
        paths: expand(&paths),
        when: sandbox::When::Always,
        kind: kind.to_owned(),
        format: sandbox::Format::Gzip,
        ..sandbox::Artifact::default()
    })
}

/// The job's side of the program: its log and its artifacts.
pub(crate) struct Io {
    app: App,
    build: Build,
    gathered: Mutex<Gathered>,
}

struct Gathered {
    bytes: Vec<u8>,
    written: tokio::time::Instant,
}

impl Io {
    pub(crate) fn new(app: App, build: Build) -> Self {
        let gathered = Mutex::new(Gathered { bytes: vec![], written: tokio::time::Instant::now() });
        Self { app, build, gathered }
    }

    /// Writes what was gathered.
    pub(crate) async fn flush(&self) -> Result<()> {
        self.write(&mut *self.gathered.lock().await).await
    }

    async fn write(&self, gathered: &mut Gathered) -> Result<()> {
        if !gathered.bytes.is_empty() {
            trace::append(&self.app, self.build.id, &gathered.bytes).await?;
            gathered.bytes.clear();
        }
        gathered.written = tokio::time::Instant::now();
        Ok(())
    }
}

#[async_trait]
impl JobIo for Io {
    async fn log(&self, bytes: &[u8]) -> io::Result<()> {
        let mut gathered = self.gathered.lock().await;
        gathered.bytes.extend_from_slice(bytes);
        if gathered.bytes.len() < GATHER && gathered.written.elapsed() < GATHER_TIME {
            return Ok(());
        }
        self.write(&mut gathered).await.map_err(io::Error::other)
    }

    async fn fetch_artifact(&self, dependency: &Dependency) -> io::Result<Option<PathBuf>> {
        let id = i64::try_from(dependency.id).unwrap_or(0);
        let found = Artifact::archive_of(self.app.db().conn(), id).await.map_err(io::Error::other)?;
        let Some(artifact) = found else { return Ok(None) };
        let path = self.app.config().temporary().join(format!("{}-{id}.zip", self.build.id));
        artifacts::fetch(&self.app, &artifact, &path).await.map_err(io::Error::other)?;
        Ok(Some(path))
    }

    async fn store_artifact(&self, stored: StoredArtifact<'_>) -> io::Result<()> {
        let spec = self.build.spec().map_err(io::Error::other)?;
        let wanted = spec.options.artifacts.as_ref();
        let new = NewArtifact {
            build: &self.build,
            kind: &stored.artifact.kind,
            format: stored.artifact.format.as_str(),
            file_name: &stored.file_name,
            access: wanted.and_then(|a| a.access.as_deref()).unwrap_or("all"),
            expire_in: wanted.and_then(|a| a.expire_in.as_deref()),
            entries: &stored.entries,
        };
        artifacts::store(&self.app, new, stored.path).await.map_err(io::Error::other)
    }
}
