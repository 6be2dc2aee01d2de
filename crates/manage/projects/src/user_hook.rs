//! What a user's life means for namespaces, projects and memberships.

use std::collections::HashMap;

use accounts::hooks::UserHook;
use accounts::{Actor, User};
use async_trait::async_trait;
use kernel::db::Sql;
use kernel::{App, Error, Result, Tx};
use sea_orm::FromQueryResult;

use crate::api::entity::numbers;
use crate::delete::id_list;
use crate::namespace::Namespace;

/// Makes, renames and removes the namespaces of users; registered with accounts when the program is composed.
pub struct UserNamespaces;

/// Groups that have no other owner than this user.
async fn sole_groups(tx: &Tx, user_id: i64) -> Result<Vec<Namespace>> {
    let sql = "SELECT n.* FROM namespaces n JOIN members m ON m.namespace_id = n.id
               WHERE m.user_id = $1 AND m.access_level = 50 AND NOT EXISTS (
                 SELECT 1 FROM namespace_ancestors a JOIN members o ON o.namespace_id = a.ancestor_id
                 WHERE a.namespace_id = n.id AND o.access_level = 50 AND o.user_id <> $1)
               ORDER BY n.full_path_key";
    tx.all(sql, [user_id.into()]).await
}

#[async_trait]
impl UserHook for UserNamespaces {
    async fn created(&self, tx: &Tx, user: &User) -> Result<()> {
        Namespace::create_for_user(&**tx, user).await?;
        Ok(())
    }

    async fn renamed(&self, tx: &Tx, user: &User, _old: &str) -> Result<()> {
        let Some(own) = Namespace::of_user(&**tx, user.id).await? else { return Ok(()) };
        own.relocate(tx, None, &user.username).await?;
        tx.run("UPDATE namespaces SET name = $2 WHERE id = $1", [own.id.into(), user.name.as_str().into()]).await?;
        Ok(())
    }

    async fn deleting(&self, tx: &Tx, user: &User, hard: bool) -> Result<()> {
        let sole = sole_groups(tx, user.id).await?;
        if !sole.is_empty() && !hard {
            let names: Vec<&str> = sole.iter().map(|g| g.full_path.as_str()).collect();
            return Err(Error::Conflict(format!(
                "User cannot be removed while being the only owner of: {}. Make someone else an owner or delete the groups first",
                names.join(", ")
            )));
        }
        let nobody = Actor::nobody();
        for group in sole {
            // One above may have taken it along.
            if Namespace::find(&**tx, group.id).await?.is_some() {
                group.delete(tx, &nobody).await?;
            }
        }
        if let Some(own) = Namespace::of_user(&**tx, user.id).await? {
            own.delete(tx, &nobody).await?;
        }
        let sql = "UPDATE projects SET star_count = star_count - 1 WHERE id IN (SELECT project_id FROM stars WHERE user_id = $1)";
        tx.run(sql, [user.id.into()]).await?;
        Ok(())
    }

    async fn namespace_ids(&self, app: &App, users: &[i64]) -> Result<HashMap<i64, i64>> {
        let sql = format!("SELECT owner_id AS id, id AS n FROM namespaces WHERE owner_id IN ({})", id_list(users));
        numbers(app, &sql).await
    }

    async fn associations(&self, app: &App, user: i64) -> Result<Vec<(&'static str, i64)>> {
        #[derive(FromQueryResult)]
        struct Counts {
            groups: i64,
            projects: i64,
        }
        let sql = "SELECT (SELECT COUNT(*) FROM members WHERE user_id = $1 AND namespace_id IS NOT NULL) AS groups,
                          (SELECT COUNT(*) FROM members WHERE user_id = $1 AND project_id IS NOT NULL) AS projects";
        let counts: Option<Counts> = app.db().one(sql, [user.into()]).await?;
        let (groups, projects) = counts.map_or((0, 0), |c| (c.groups, c.projects));
        Ok(vec![
            ("groups_count", groups),
            ("projects_count", projects),
            ("issues_count", 0),
            ("merge_requests_count", 0),
        ])
    }
}
