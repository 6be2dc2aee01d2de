//! The artifacts of the last pipeline that passed on a branch or tag stay while the project's setting says so
//! (`keep_latest_artifact`), whatever their own time.

use std::time::Duration;

use kernel::{App, Result, Time};
use projects::Project;
use sea_orm::FromQueryResult;

/// Looks this far ahead, so that nothing is gone between two looks.
const AHEAD: Duration = Duration::from_secs(3600);
const LONGER: Duration = Duration::from_secs(24 * 3600);

#[derive(FromQueryResult)]
struct Latest {
    build_id: i64,
    project_id: i64,
    ref_name: String,
    tag: bool,
}

/// Gives the latest artifacts of each ref another day before they would go.
pub(crate) async fn postpone(app: &App) -> Result<()> {
    let sql = "SELECT DISTINCT a.build_id, p.project_id, p.ref_name, p.tag FROM build_artifacts a
               JOIN builds b ON b.id = a.build_id JOIN pipelines p ON p.id = b.pipeline_id
               WHERE a.expires_at <= $1 AND p.id = (SELECT MAX(q.id) FROM pipelines q
                 WHERE q.project_id = p.project_id AND q.ref_name = p.ref_name AND q.tag = p.tag AND q.status = 'success')
               ORDER BY p.project_id, a.build_id";
    let now = Time::now();
    let found: Vec<Latest> = app.db().all(sql, [(now + AHEAD).into()]).await?;
    for of_project in found.chunk_by(|a, b| a.project_id == b.project_id) {
        let Some(project) = Project::find(app.db().conn(), of_project[0].project_id).await? else { continue };
        if !project.settings()?.keep_latest_artifact {
            continue;
        }
        let repo = repositories::open(app, &project).await?;
        for latest in of_project {
            let name = match latest.tag {
                true => git::RefName::tag(&latest.ref_name),
                false => git::RefName::branch(&latest.ref_name),
            };
            // What was run for a branch that is gone is nobody's latest.
            let Ok(name) = name else { continue };
            if repo.find_ref(&name).await.is_ok() {
                let sql = "UPDATE build_artifacts SET expires_at = $2 WHERE build_id = $1 AND expires_at <= $2";
                app.db().run(sql, [latest.build_id.into(), (now + LONGER).into()]).await?;
            }
        }
    }
    Ok(())
}
