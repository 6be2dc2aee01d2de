//! The page of a pipeline, and its live changes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use accounts::User;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::events::Signals;
use kernel::http::Query;
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::menu::Confirm;
use ui::pipeline::Arrange;
use ui::{Item, Markup, html, parts};

use super::critical::{Critical, critical};
use super::pipeline_parts as part;
use super::sse::{self, Gone, Reader};
use super::{at, definition, manages, page, pipelines::title, tests_tab};
use crate::build::{Build, Need, needs_of_pipeline};
use crate::pipeline::Pipeline;
use crate::status::Status;
use crate::visibility::{reads_logs, sees_pipelines};

/// Changes are sent no closer than this.
const PACE: Duration = Duration::from_millis(400);
/// A lost wake-up costs no more than this; the times of running jobs move on as often.
const PATIENCE: Duration = Duration::from_secs(5);
/// Failed jobs whose last lines are shown.
const FAILURES: usize = 8;

#[derive(Clone, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    view: String,
    #[serde(default)]
    arrange: String,
}

/// Everything that the page shows.
pub(super) struct View {
    pub(super) access: ProjectAccess,
    pub(super) pipeline: Pipeline,
    pub(super) builds: Vec<Build>,
    pub(super) needs: HashMap<i64, Vec<Need>>,
    pub(super) user: Option<User>,
    /// Seconds that each job took, takes so far, or is likely to take.
    pub(super) weights: Vec<f64>,
    pub(super) critical: Critical,
    pub(super) arrange: Arrange,
    /// Failed jobs with their last lines.
    pub(super) failures: Vec<(Build, Markup)>,
    /// Whether the actor may retry, cancel and play.
    pub(super) manages: bool,
}

#[derive(FromQueryResult)]
struct Usual {
    name: String,
    seconds: f64,
}

impl View {
    async fn of(app: &App, access: ProjectAccess, pipeline: Pipeline, asked: &Asked) -> Result<Self> {
        let conn = app.db().conn();
        let builds = Build::of_pipeline(conn, pipeline.id).await?;
        let needs = needs_of_pipeline(conn, pipeline.id).await?;
        let user = match pipeline.user_id {
            Some(id) => User::find(conn, id).await?,
            None => None,
        };
        let usual = if pipeline.status.is_complete() { HashMap::new() } else { usual(app, &pipeline).await? };
        let weights: Vec<f64> = builds.iter().map(|b| weight(b, &usual)).collect();
        let critical = critical(&builds, &needs, &weights);
        let arrange = match asked.arrange.as_str() {
            "stages" => Arrange::Stages,
            "needs" => Arrange::Needs,
            _ if builds.iter().any(|b| b.dag) => Arrange::Needs,
            _ => Arrange::Stages,
        };
        let failures = failures(app, &access, &builds).await?;
        let manages = manages(app, &access, &pipeline).await?;
        Ok(Self { access, pipeline, builds, needs, user, weights, critical, arrange, failures, manages })
    }

    /// The address of this pipeline and the rest.
    pub(super) fn href(&self, rest: &str) -> String {
        at(&self.access, format_args!("/-/pipelines/{}{rest}", self.pipeline.id))
    }

    /// The parts that change, each in an element of its own.
    fn parts(&self) -> Vec<Markup> {
        vec![
            html! { div id="p-head" { (part::head(self)) } },
            html! { div id="p-failures" { (part::failures(self)) } },
            html! { div id="p-graph" { (part::graph(self)) } },
            html! { div id="p-jobs" { (part::jobs(self)) } },
        ]
    }
}

/// How long the jobs of the project's last pipelines took on average.
async fn usual(app: &App, pipeline: &Pipeline) -> Result<HashMap<String, f64>> {
    let sql = "SELECT name, CAST(AVG(finished_at - started_at) / 1000000.0 AS DOUBLE PRECISION) AS seconds FROM builds
               WHERE status = 'success' AND started_at IS NOT NULL AND pipeline_id IN
                 (SELECT id FROM pipelines WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT 10)
               GROUP BY name";
    let found: Vec<Usual> = app.db().all(sql, [pipeline.project_id.into(), pipeline.id.into()]).await?;
    Ok(found.into_iter().map(|u| (u.name, u.seconds)).collect())
}

fn weight(build: &Build, usual: &HashMap<String, f64>) -> f64 {
    let expected = usual.get(&build.name).copied().unwrap_or(0.0);
    match build.status {
        Status::Skipped | Status::Manual => 0.0,
        status if status.is_complete() => build.duration().unwrap_or(0.0),
        Status::Running | Status::Canceling => build.duration().unwrap_or(0.0).max(expected),
        _ => expected,
    }
}

async fn failures(app: &App, access: &ProjectAccess, builds: &[Build]) -> Result<Vec<(Build, Markup)>> {
    let mut out = vec![];
    let mut failed: Vec<&Build> = builds.iter().filter(|b| b.status == Status::Failed).collect();
    failed.sort_by_key(|b| b.allow_failure);
    for build in failed.into_iter().take(FAILURES) {
        let shown = reads_logs(access) && crate::permit::read_trace(access, build).is_ok();
        let lines = if shown { super::job_log::tail(app, build, 10).await? } else { Markup::default() };
        out.push((build.clone(), lines));
    }
    Ok(out)
}

/// The pipeline that the address names; a 404 where there is none or the actor may not know of it.
pub(super) async fn find(app: &App, access: &ProjectAccess, id: &str) -> Result<Pipeline> {
    sees_pipelines(access)?;
    let unknown = || Error::not_found("Pipeline");
    let id = match id {
        "latest" => None,
        id => Some(id.parse().map_err(|_| unknown())?),
    };
    let conn = app.db().conn();
    let found = match id {
        Some(id) => Pipeline::find(conn, access.project.id, id).await?,
        None => Pipeline::latest(conn, access.project.id, access.project.branch()).await?,
    };
    found.ok_or_else(unknown)
}

pub(super) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Markup> {
    let pipeline = find(&app, &access, &id).await?;
    let view = View::of(&app, access, pipeline, &asked).await?;
    let pipeline = &view.pipeline;
    let steps = [("Pipelines", at(&view.access, "/-/pipelines")), (&*format!("#{}", pipeline.id), view.href(""))];
    let heading = format!("{} (#{})", title(pipeline), pipeline.id);
    let mut page = page(&app, &view.access, &heading, "pipelines", &steps);
    let live = (!pipeline.status.is_complete()).then(|| view.href(&format!("/stream?arrange={}", asked.arrange)));
    let parts = view.parts();
    page.body = html! {
        (parts[0])
        (part::refused(&app, &view).await?)
        (tabs(&view, &asked, tests_tab::reports(&app, pipeline).await?))
        @match asked.view.as_str() {
            "definition" => { (definition::body(&app, &view.access, pipeline).await?) },
            "tests" if reads_logs(&view.access) => { (tests_tab::body(&app, &view.access, pipeline).await?) },
            _ => { div.stack.wide data-live=[live] { (parts[1]) (parts[2]) (parts[3]) } },
        }
        (delete_dialog(&view))
        // Live changes bring states that the page may not show yet; their icons have to be there.
        div hidden { @for icon in ["wait", "run", "ok", "bad", "warn", "stop", "skip", "play", "clock", "retry"] { (ui::icon(icon)) } }
    };
    Ok(page.render())
}

fn tabs(view: &View, asked: &Asked, reports: i64) -> Markup {
    let tab = |word: &str, key: &str| Item::new(word, view.href(&format!("?view={key}"))).current(asked.view == key);
    let jobs = !matches!(asked.view.as_str(), "definition" | "tests");
    let mut items = vec![Item::new("Jobs", view.href("")).badge(view.builds.len().to_string()).current(jobs)];
    if reads_logs(&view.access) && reports > 0 {
        items.push(tab("Tests", "tests"));
    }
    if view.access.can(Permission::ReadCode) {
        items.push(tab("Definition", "definition"));
    }
    parts::tabs("Pipeline", &items)
}

fn delete_dialog(view: &View) -> Markup {
    if !view.access.can(Permission::DeletePipeline) {
        return Markup::default();
    }
    Confirm {
        id: "delete-pipeline",
        title: "Delete this pipeline?",
        text: "Its jobs, logs and artifacts go with it. Nobody can bring them back.",
        action: &view.href("/delete"),
        act: "Delete pipeline",
        ..Confirm::default()
    }
    .render()
}

/// What changes on the page, until the pipeline has ended.
pub(super) async fn stream(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let pipeline = find(&app, &access, &id).await?;
    let app_too = app.clone();
    Ok(sse::serve(&app, |reader| follow(app_too, access, pipeline, asked, reader)))
}

async fn follow(app: App, access: ProjectAccess, pipeline: Pipeline, asked: Asked, reader: Reader) -> Result<(), Gone> {
    let mut signals = app.signals().subscribe();
    let topic = Pipeline::topic(pipeline.id);
    let mut known: Vec<u64> = vec![];
    loop {
        let Ok(Some(now)) = Pipeline::find(app.db().conn(), pipeline.project_id, pipeline.id).await else {
            return reader.end().await;
        };
        let ended = now.status.is_complete();
        let Ok(view) = View::of(&app, access.clone(), now, &asked).await else { return reader.end().await };
        for (at, part) in view.parts().iter().enumerate() {
            let print = fingerprint(part);
            if known.get(at) != Some(&print) {
                reader.send("replace", part, None).await?;
            }
            match known.get_mut(at) {
                Some(old) => *old = print,
                None => known.push(print),
            }
        }
        if ended {
            return reader.end().await;
        }
        tokio::time::sleep(PACE).await;
        let _either_way_it_looks = tokio::time::timeout(PATIENCE, Signals::wait(&mut signals, &[&topic])).await;
    }
}

fn fingerprint(markup: &Markup) -> u64 {
    let mut hasher = DefaultHasher::new();
    markup.0.hash(&mut hasher);
    hasher.finish()
}

/// When the pipeline is likely to end, if anything is known of its jobs.
pub(super) fn expected_end(view: &View) -> Option<Time> {
    let started = view.pipeline.started_at.filter(|_| !view.pipeline.status.is_complete())?;
    let whole = (view.critical.seconds > 0.0).then(|| Duration::from_secs_f64(view.critical.seconds))?;
    Some(started + whole).filter(|end| *end > Time::now())
}
