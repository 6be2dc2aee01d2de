//! The namespaces that come, move and go with users.

use std::collections::HashMap;

use accounts::hooks::UserHook;
use accounts::{Actor, User};
use async_trait::async_trait;
use kernel::db::Sql;
use kernel::{App, Error, Result, Tx};
use sea_orm::FromQueryResult;

use crate::delete::id_list;
use crate::namespace::Namespace;

/// Gives every user a namespace; registered with accounts when the program is composed.
pub struct UserNamespaces;

#[derive(FromQueryResult)]
struct Owned {
    id: i64,
    owner_id: i64,
}

#[async_trait]
impl UserHook for UserNamespaces {
    async fn created(&self, tx: &Tx, user: &User) -> Result<()> {
        Namespace::create_for_user(&**tx, user).await?;
        Ok(())
    }

    async fn renamed(&self, tx: &Tx, user: &User, _old: &str) -> Result<()> {
        if let Some(namespace) = Namespace::of_user(&**tx, user.id).await? {
            namespace.relocate(tx, None, &user.username).await?;
        }
        Ok(())
    }

    async fn deleting(&self, tx: &Tx, user: &User, hard: bool) -> Result<()> {
        let groups = sole_owned_groups(tx, user.id).await?;
        if let Some(group) = groups.first().filter(|_| !hard) {
            let why = format!("{} is the only owner of the group {}; make someone else an owner first", user.username, group.full_path);
            return Err(Error::Conflict(why));
        }
        for gone in groups.iter().chain(&Namespace::of_user(&**tx, user.id).await?) {
            gone.delete(tx, &Actor::nobody()).await?;
        }
        Ok(())
    }

    async fn namespace_ids(&self, app: &App, users: &[i64]) -> Result<HashMap<i64, i64>> {
        let sql = format!("SELECT id, owner_id FROM namespaces WHERE owner_id IN ({})", id_list(users));
        let owned: Vec<Owned> = app.db().all(&sql, []).await?;
        Ok(owned.into_iter().map(|o| (o.owner_id, o.id)).collect())
    }

    async fn associations(&self, app: &App, user: i64) -> Result<Vec<(&'static str, i64)>> {
        let count = async |sql: &str| Ok::<_, Error>(app.db().conn().scalar::<i64>(sql, [user.into()]).await?.unwrap_or(0));
        let groups = count("SELECT COUNT(*) FROM members WHERE user_id = $1 AND namespace_id IS NOT NULL").await?;
        let projects = count("SELECT COUNT(*) FROM members WHERE user_id = $1 AND project_id IS NOT NULL").await?;
        Ok(vec![("groups_count", groups), ("projects_count", projects)])
    }
}

/// The groups that nobody else owns, the topmost ones only, as what is below goes with them.
async fn sole_owned_groups(tx: &Tx, user_id: i64) -> Result<Vec<Namespace>> {
    let sql = "SELECT n.* FROM namespaces n JOIN members m ON m.namespace_id = n.id
               WHERE m.user_id = $1 AND m.access_level = 50 AND n.parent_id IS NULL
                 AND NOT EXISTS (SELECT 1 FROM members o WHERE o.namespace_id = n.id AND o.access_level = 50 AND o.user_id <> $1)";
    tx.all(sql, [user_id.into()]).await
}
