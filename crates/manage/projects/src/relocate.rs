//! Renames and transfers: every full path below changes and every old one leads to the new, in one transaction.

use accounts::user::{check_path, check_username};
use kernel::db::Sql;
use kernel::{Error, Result, Time, Tx};

use crate::namespace::{MAX_DEPTH, Namespace, path_taken};
use crate::project::Project;
use crate::visibility::Visibility;

const BELOW: &str = "SELECT namespace_id FROM namespace_ancestors WHERE ancestor_id";

impl Namespace {
    /// Gives the namespace another path below `parent`, its own parent for a rename. The caller has checked that the
    /// actor may.
    pub async fn relocate(&self, tx: &Tx, parent: Option<&Self>, path: &str) -> Result<Self> {
        if parent.is_none() { check_username(path) } else { check_path(path) }
            .map_err(|why| Error::invalid("path", why))?;
        if let Some(parent) = parent {
            self.check_parent(tx, parent).await?;
        }
        let full_path = parent.map_or_else(|| path.to_owned(), |p| format!("{}/{path}", p.full_path));
        if full_path == self.full_path {
            return Ok(self.clone());
        }
        if full_path.to_lowercase() != self.full_path_key {
            if path_taken(&**tx, &full_path).await? {
                return Err(Error::invalid("path", "has already been taken"));
            }
            self.leave_redirects(tx).await?;
        }
        self.write_paths(tx, path, parent.map(|p| p.id), &full_path).await?;
        if parent.map(|p| p.id) != self.parent_id {
            self.write_ancestors(tx, parent).await?;
        }
        if let Some(parent) = parent {
            lower_visibility(tx, self.id, parent.visibility()).await?;
        }
        Self::find(&**tx, self.id).await?.ok_or_else(|| Error::not_found("Group"))
    }

    async fn check_parent(&self, tx: &Tx, parent: &Self) -> Result<()> {
        if !parent.is_group() || !self.is_group() {
            return Err(Error::invalid("parent_id", "is not a group"));
        }
        let sql = "SELECT COUNT(*) FROM namespace_ancestors WHERE namespace_id = $1 AND ancestor_id = $2";
        if tx.scalar::<i64>(sql, [parent.id.into(), self.id.into()]).await? != Some(0) {
            return Err(Error::bad_request("Cannot transfer group to itself or one of its subgroups."));
        }
        let sql = "SELECT CAST(COALESCE(MAX(depth), 0) AS BIGINT) FROM namespace_ancestors WHERE ancestor_id = $1";
        let below = tx.scalar::<i64>(sql, [self.id.into()]).await?.unwrap_or(0);
        let above = parent.full_path.split('/').count();
        if above + usize::try_from(below).unwrap_or(0) + 1 > MAX_DEPTH {
            return Err(Error::invalid("parent_id", format!("is nested too deep (maximum is {MAX_DEPTH} groups)")));
        }
        Ok(())
    }

    /// Notes where this and all below it were.
    async fn leave_redirects(&self, tx: &Tx) -> Result<()> {
        let target = "ON CONFLICT (path_key) DO UPDATE SET namespace_id = excluded.namespace_id, project_id = excluded.project_id";
        let groups = format!(
            "INSERT INTO redirects (path_key, namespace_id) SELECT full_path_key, id FROM namespaces
             WHERE id IN ({BELOW} = $1) {target}"
        );
        let projects = format!(
            "INSERT INTO redirects (path_key, project_id) SELECT full_path_key, id FROM projects
             WHERE namespace_id IN ({BELOW} = $1) {target}"
        );
        for sql in [groups, projects] {
            tx.run(&sql, [self.id.into()]).await?;
        }
        Ok(())
    }

    async fn write_paths(&self, tx: &Tx, path: &str, parent_id: Option<i64>, full_path: &str) -> Result<()> {
        let now = Time::now();
        for (table, column) in [("namespaces", "id"), ("projects", "namespace_id")] {
            let sql = format!(
                "UPDATE {table} SET full_path = $2 || SUBSTR(full_path, CAST($3 AS INTEGER)),
                 full_path_key = $4 || SUBSTR(full_path_key, CAST($3 AS INTEGER)), updated_at = $5 WHERE {column} IN ({BELOW} = $1)"
            );
            let from = i64::try_from(self.full_path.len() + 1).unwrap_or(1);
            let key = full_path.to_lowercase();
            tx.run(&sql, [self.id.into(), full_path.into(), from.into(), key.into(), now.into()]).await?;
            // What is there again no longer leads elsewhere.
            let sql = format!(
                "DELETE FROM redirects WHERE path_key IN (SELECT full_path_key FROM {table} WHERE {column} IN ({BELOW} = $1))"
            );
            tx.run(&sql, [self.id.into()]).await?;
        }
        let sql = "UPDATE namespaces SET path = $2, parent_id = $3 WHERE id = $1";
        tx.run(sql, [self.id.into(), path.into(), parent_id.into()]).await?;
        Ok(())
    }

    async fn write_ancestors(&self, tx: &Tx, parent: Option<&Self>) -> Result<()> {
        let sql = format!(
            "DELETE FROM namespace_ancestors WHERE namespace_id IN ({BELOW} = $1) AND ancestor_id NOT IN ({BELOW} = $1)"
        );
        tx.run(&sql, [self.id.into()]).await?;
        let sql = "INSERT INTO namespace_ancestors (namespace_id, ancestor_id, depth)
                   SELECT below.namespace_id, above.ancestor_id, below.depth + above.depth + 1
                   FROM namespace_ancestors below CROSS JOIN namespace_ancestors above
                   WHERE below.ancestor_id = $1 AND above.namespace_id = $2";
        tx.run(sql, [self.id.into(), parent.map_or(0, |p| p.id).into()]).await?;
        Ok(())
    }
}

/// Brings what is inside a namespace down to a visibility that the new parent allows.
async fn lower_visibility(tx: &Tx, namespace_id: i64, most: Visibility) -> Result<()> {
    for (table, column) in [("namespaces", "id"), ("projects", "namespace_id")] {
        let sql = format!("UPDATE {table} SET visibility = $2 WHERE {column} IN ({BELOW} = $1) AND visibility > $2");
        tx.run(&sql, [namespace_id.into(), most.number().into()]).await?;
    }
    Ok(())
}

impl Project {
    /// Gives the project another path in a namespace, its own for a rename. The caller has checked that the actor may.
    pub async fn relocate(&self, tx: &Tx, namespace: &Namespace, path: &str) -> Result<Self> {
        check_path(path).map_err(|why| Error::invalid("path", why))?;
        let full_path = format!("{}/{path}", namespace.full_path);
        if full_path == self.full_path {
            return Ok(self.clone());
        }
        let key = full_path.to_lowercase();
        if key != self.full_path_key {
            if path_taken(&**tx, &full_path).await? {
                return Err(Error::invalid("path", "has already been taken"));
            }
            let sql = "INSERT INTO redirects (path_key, project_id) VALUES ($1, $2)
                       ON CONFLICT (path_key) DO UPDATE SET namespace_id = NULL, project_id = excluded.project_id";
            tx.run(sql, [self.full_path_key.as_str().into(), self.id.into()]).await?;
            tx.run("DELETE FROM redirects WHERE path_key = $1", [key.as_str().into()]).await?;
        }
        let most = if namespace.is_group() { namespace.visibility } else { Visibility::Public.number() };
        let sql =
            "UPDATE projects SET namespace_id = $2, path = $3, full_path = $4, full_path_key = $5, visibility = $6,
                   updated_at = $7 WHERE id = $1";
        let visibility = self.visibility.min(most);
        let values = [
            self.id.into(),
            namespace.id.into(),
            path.into(),
            full_path.into(),
            key.into(),
            visibility.into(),
            Time::now().into(),
        ];
        tx.run(sql, values).await?;
        Self::find(&**tx, self.id).await?.ok_or_else(|| Error::not_found("Project"))
    }
}
