//! Deleting projects and groups. The rows go at once; what lies outside the database goes in a job.

use accounts::{Actor, audit};
use kernel::db::Sql;
use kernel::jobs::{Job, When};
use kernel::{App, Error, Result, Tx};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::namespace::Namespace;
use crate::project::{Project, ProjectDeleted};

/// Removes objects that nothing refers to any more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RemoveObjects {
    pub(crate) keys: Vec<String>,
}

impl Job for RemoveObjects {
    const KIND: &'static str = "project.remove_objects";

    async fn run(self, app: App) -> Result<()> {
        for key in &self.keys {
            app.objects().delete(key).await?;
        }
        Ok(())
    }
}

#[derive(FromQueryResult)]
struct Key {
    key: String,
}

impl Project {
    /// Deletes the project. The caller has checked that the actor may.
    pub async fn delete(&self, tx: &Tx, actor: &Actor) -> Result<()> {
        remove(tx, &[self.id]).await?;
        let details = json!({ "path": self.full_path });
        audit::record(&**tx, actor, "project.deleted", ("project", self.id), details).await
    }
}

impl Namespace {
    /// Deletes the namespace with all groups and projects in it. The caller has checked that the actor may.
    pub async fn delete(&self, tx: &Tx, actor: &Actor) -> Result<()> {
        #[derive(FromQueryResult)]
        struct Id {
            id: i64,
        }
        let inside = "SELECT namespace_id FROM namespace_ancestors WHERE ancestor_id = $1";
        let sql = format!("SELECT id FROM projects WHERE namespace_id IN ({inside})");
        let projects: Vec<i64> = tx.all::<Id>(&sql, [self.id.into()]).await?.iter().map(|p| p.id).collect();
        remove(tx, &projects).await?;
        let sql = format!("SELECT avatar AS key FROM namespaces WHERE avatar IS NOT NULL AND id IN ({inside})");
        let keys = tx.all::<Key>(&sql, [self.id.into()]).await?.into_iter().map(|k| k.key).collect();
        tx.enqueue(&RemoveObjects { keys }, When::default()).await?;
        tx.run(&format!("DELETE FROM namespaces WHERE id IN ({inside})"), [self.id.into()]).await?;
        let details = json!({ "path": self.full_path });
        audit::record(&**tx, actor, "group.deleted", ("group", self.id), details).await
    }
}

async fn remove(tx: &Tx, ids: &[i64]) -> Result<()> {
    for ids in ids.chunks(500) {
        let list = id_list(ids);
        let sql = format!(
            "SELECT avatar AS key FROM projects WHERE avatar IS NOT NULL AND id IN ({list})
             UNION ALL SELECT 'uploads/' || secret AS key FROM uploads WHERE project_id IN ({list})"
        );
        let keys: Vec<String> = tx.all::<Key>(&sql, []).await?.into_iter().map(|k| k.key).collect();
        if !keys.is_empty() {
            tx.enqueue(&RemoveObjects { keys }, When::default()).await?;
        }
        tx.run(&format!("UPDATE projects SET forked_from_id = NULL WHERE forked_from_id IN ({list})"), []).await?;
        tx.run(&format!("DELETE FROM projects WHERE id IN ({list})"), []).await?;
        for id in ids {
            tx.publish(&ProjectDeleted { project_id: *id }).await?;
        }
    }
    Ok(())
}

/// Numbers for `IN (…)`; an empty list matches nothing.
pub(crate) fn id_list(ids: &[i64]) -> String {
    if ids.is_empty() {
        return "NULL".into();
    }
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// Refuses a deletion for which the path was asked and is not the right one.
pub(crate) fn check_confirmation(given: Option<&str>, full_path: &str) -> Result<()> {
    match given {
        Some(text) if text.trim() != full_path => Err(Error::bad_request(format!(
            "`full_path` is incorrect. You must enter the complete path for the project or group: {full_path}"
        ))),
        _ => Ok(()),
    }
}
