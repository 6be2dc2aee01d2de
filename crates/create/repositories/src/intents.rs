//! The rows that say which refs are about to move. They are written before and removed, with the events written, after.

use std::time::Duration;

use git::{Oid, RefName};
use kernel::db::Sql;
use kernel::{App, Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use crate::error::OrStatus;
use crate::events::{Origin, RefUpdate};

/// After this long without a sign of life, a push of another process counts as dead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Rows in one INSERT.
const CHUNK: usize = 100;

/// One ref of a push that has begun.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Intent {
    pub(crate) project_id: i64,
    pub(crate) actor_id: i64,
    pub(crate) ref_name: Vec<u8>,
    pub(crate) old_id: String,
    pub(crate) new_id: String,
    pub(crate) origin: String,
}

#[derive(FromQueryResult)]
struct Key {
    push_key: String,
}

impl Intent {
    pub(crate) fn update(&self) -> Result<RefUpdate> {
        Ok(RefUpdate {
            name: RefName::new(&self.ref_name).or_status()?,
            old: self.old_id.parse::<Oid>().or_status()?,
            new: self.new_id.parse::<Oid>().or_status()?,
        })
    }
}

pub(crate) async fn write(
    app: &App,
    key: &str,
    project_id: i64,
    actor_id: i64,
    origin: &Origin,
    updates: &[RefUpdate],
) -> Result<()> {
    let (origin, now) = (serde_json::to_string(origin)?, Time::now());
    let tx = app.begin().await?;
    for chunk in updates.chunks(CHUNK) {
        let mut values: Vec<Value> = vec![
            key.into(),
            project_id.into(),
            actor_id.into(),
            origin.as_str().into(),
            app.process().into(),
            now.into(),
        ];
        let mut rows = vec![];
        for update in chunk {
            let n = values.len();
            rows.push(format!("($1, $2, $3, ${}, ${}, ${}, $4, $5, $6)", n + 1, n + 2, n + 3));
            values.extend([
                update.name.as_bytes().to_vec().into(),
                update.old.to_string().into(),
                update.new.to_string().into(),
            ]);
        }
        let sql = format!(
            "INSERT INTO pending_ref_updates
               (push_key, project_id, actor_id, ref_name, old_id, new_id, origin, process, seen_at) VALUES {}",
            rows.join(", ")
        );
        tx.run(&sql, values).await?;
    }
    tx.commit().await
}

/// Removes the rows of a push; false if somebody else was faster.
pub(crate) async fn remove<C: ConnectionTrait>(conn: &C, key: &str) -> Result<bool> {
    Ok(conn.run("DELETE FROM pending_ref_updates WHERE push_key = $1", [key.into()]).await? > 0)
}

pub(crate) async fn of_push(app: &App, key: &str) -> Result<Vec<Intent>> {
    let sql = "SELECT project_id, actor_id, ref_name, old_id, new_id, origin FROM pending_ref_updates
               WHERE push_key = $1 ORDER BY id";
    app.db().all(sql, [key.into()]).await
}

/// Says that a push is still alive.
pub(crate) async fn renew(app: &App, key: &str) -> Result<()> {
    let sql = "UPDATE pending_ref_updates SET seen_at = $2 WHERE push_key = $1";
    app.db().run(sql, [key.into(), Time::now().into()]).await?;
    Ok(())
}

/// The pushes of processes that are gone, in a project or everywhere, the oldest first.
///
/// On SQLite there is one process, so every other one is gone; on PostgreSQL silence tells.
pub(crate) async fn dead(app: &App, project_id: Option<i64>) -> Result<Vec<String>> {
    let limit = if app.db().is_postgres() { Time::now() - PATIENCE } else { Time::now() };
    let sql = "SELECT push_key FROM pending_ref_updates
               WHERE process <> $1 AND seen_at <= $2 AND (project_id = $3 OR $3 = 0)
               GROUP BY push_key ORDER BY MIN(id)";
    let values = [app.process().into(), limit.into(), project_id.unwrap_or(0).into()];
    Ok(app.db().all::<Key>(sql, values).await?.into_iter().map(|k| k.push_key).collect())
}
