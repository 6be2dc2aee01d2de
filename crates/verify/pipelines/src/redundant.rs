//! A newer pipeline of the same ref makes older ones redundant (`workflow:auto_cancel:on_new_commit`).

use ci_yaml::AutoCancel;
use kernel::{App, Result};
use sea_orm::FromQueryResult;

use crate::actions::cancel_builds;
use crate::advance::change;
use crate::build::Build;
use crate::pipeline::Pipeline;
use crate::status::Status;

#[derive(FromQueryResult)]
struct Older {
    id: i64,
    auto_cancel: String,
}

/// Cancels what may be cancelled of the unfinished older pipelines of the same branch.
pub(crate) async fn cancel_older(app: &App, newer: &Pipeline) -> Result<()> {
    if newer.tag {
        return Ok(());
    }
    let sql = "SELECT id, auto_cancel FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND tag = FALSE AND id < $3 AND sha <> $4
               AND status IN ('created', 'pending', 'running', 'scheduled') ORDER BY id";
    let values = [newer.project_id.into(), newer.ref_name.as_str().into(), newer.id.into(), newer.sha.as_str().into()];
    for older in app.db().all::<Older>(sql, values).await? {
        let mode: AutoCancel = serde_json::from_str(&older.auto_cancel).unwrap_or_default();
        let mode = mode.on_new_commit.unwrap_or_else(|| "conservative".into());
        change(app, older.id, async |tx| {
            let builds = Build::of_pipeline(&**tx, older.id).await?;
            let begun = |b: &&Build| b.started_at.is_some() && !b.interruptible;
            let chosen: Vec<&Build> = match mode.as_str() {
                "none" => vec![],
                "interruptible" => builds.iter().filter(|b| b.interruptible).collect(),
                _ if builds.iter().any(|b| begun(&b)) => vec![],
                _ => builds.iter().collect(),
            };
            let chosen = chosen.into_iter().filter(|b| b.status.is_cancelable() && b.status != Status::Manual);
            cancel_builds(tx, &chosen.map(|b| b.id).collect::<Vec<_>>()).await
        })
        .await?;
    }
    Ok(())
}
