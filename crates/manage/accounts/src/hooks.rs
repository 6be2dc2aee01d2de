//! The life of a user, from creation to deletion, and who takes part in it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::db::Sql;
use kernel::events::Event;
use kernel::{App, Error, Result, Time, Tx, auth};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::user::{check_password, check_username};
use crate::{Actor, NewUser, User, audit};

/// What another area does when users come, change their name and go. All in the transaction of the change.
#[async_trait]
pub trait UserHook: Send + Sync {
    /// Makes what belongs to a new user, such as the namespace.
    async fn created(&self, tx: &Tx, user: &User) -> Result<()>;

    /// Carries on a new username; `user` has it already.
    async fn renamed(&self, tx: &Tx, user: &User, old: &str) -> Result<()>;

    /// Removes what belongs to a user whose row goes next; a conflict where that can't be. `hard` removes contributions too.
    async fn deleting(&self, tx: &Tx, user: &User, hard: bool) -> Result<()>;

    /// The namespaces of users.
    async fn namespace_ids(&self, _app: &App, _users: &[i64]) -> Result<HashMap<i64, i64>> {
        Ok(HashMap::new())
    }

    /// How much belongs to a user: the field of GitLab's answer and the count.
    async fn associations(&self, _app: &App, _user: i64) -> Result<Vec<(&'static str, i64)>> {
        Ok(vec![])
    }
}

/// Who takes part in the life of a user; registered when the program is composed.
#[derive(Default)]
pub struct UserHooks(pub Vec<Arc<dyn UserHook>>);

/// A user was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserCreated {
    /// The user.
    pub user_id: i64,
}

impl Event for UserCreated {
    const NAME: &'static str = "user.created";
}

/// A user was removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserDeleted {
    /// The user that was.
    pub user_id: i64,
}

impl Event for UserDeleted {
    const NAME: &'static str = "user.deleted";
}

fn hooks(app: &App) -> Vec<Arc<dyn UserHook>> {
    app.get::<UserHooks>().map(|h| h.0.clone()).unwrap_or_default()
}

/// Makes a user with all that belongs to it.
pub async fn create_user(app: &App, actor: &Actor, new: NewUser) -> Result<User> {
    let hash = hash(&new.password).await?;
    let tx = app.begin().await?;
    let user = create_user_in(&tx, actor, new, hash).await?;
    tx.commit().await?;
    Ok(user)
}

/// The hash of a new user's password, empty for none; made before the transaction, as it takes its time.
pub async fn hash(password: &str) -> Result<String> {
    if password.is_empty() {
        return Ok(String::new());
    }
    check_password(password)?;
    auth::hash_password(password).await
}

/// The same as [`create_user`] in a transaction of the caller's.
pub async fn create_user_in(tx: &Tx, actor: &Actor, new: NewUser, hash: String) -> Result<User> {
    let created_by = actor.id();
    let user = User::create(&**tx, new, hash, created_by).await?;
    for hook in hooks(tx.app()) {
        hook.created(tx, &user).await.map_err(path_is_username)?;
    }
    audit::record(&**tx, actor, "user.created", ("User", user.id), json!({ "username": user.username })).await?;
    tx.publish(&UserCreated { user_id: user.id }).await?;
    Ok(user)
}

/// Gives a user another name, which moves the namespace too.
pub async fn rename_user(tx: &Tx, actor: &Actor, user: User, username: &str) -> Result<User> {
    if user.username == username {
        return Ok(user);
    }
    check_username(username).map_err(|why| Error::invalid("username", why))?;
    if User::by_username(&**tx, username).await?.is_some_and(|other| other.id != user.id) {
        return Err(Error::invalid("username", "has already been taken"));
    }
    let old = user.username.clone();
    let mut row = user.into_active_model();
    row.username = Set(username.to_owned());
    row.username_key = Set(username.to_lowercase());
    row.updated_at = Set(Time::now());
    let user = row.update(&**tx).await?;
    for hook in hooks(tx.app()) {
        hook.renamed(tx, &user, &old).await.map_err(path_is_username)?;
    }
    let details = json!({ "from": old, "to": user.username });
    audit::record(&**tx, actor, "user.renamed", ("User", user.id), details).await?;
    Ok(user)
}

/// Removes a user and all that belongs to it. The picture goes too, once the caller has committed.
pub async fn delete_user(tx: &Tx, actor: &Actor, user: &User, hard: bool) -> Result<()> {
    if user.admin && other_admins(tx, user).await? == 0 {
        return Err(Error::Conflict("The last administrator cannot be removed; make another user one first".into()));
    }
    for hook in hooks(tx.app()) {
        hook.deleting(tx, user, hard).await?;
    }
    tx.run("DELETE FROM users WHERE id = $1", [user.id.into()]).await?;
    let details = json!({ "username": user.username, "hard_delete": hard });
    audit::record(&**tx, actor, "user.deleted", ("User", user.id), details).await?;
    tx.publish(&UserDeleted { user_id: user.id }).await
}

/// How many administrators there are that could act, beside `user`.
pub(crate) async fn other_admins(tx: &Tx, user: &User) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM users WHERE admin AND state = 'active' AND id <> $1";
    Ok(tx.scalar(sql, [user.id.into()]).await?.unwrap_or(0))
}

/// The namespaces of users, where there are any.
pub(crate) async fn namespace_ids(app: &App, users: &[i64]) -> Result<HashMap<i64, i64>> {
    let mut found = HashMap::new();
    for hook in hooks(app) {
        found.extend(hook.namespace_ids(app, users).await?);
    }
    Ok(found)
}

/// How much belongs to a user.
pub(crate) async fn associations(app: &App, user: i64) -> Result<Vec<(&'static str, i64)>> {
    let mut found = vec![];
    for hook in hooks(app) {
        found.extend(hook.associations(app, user).await?);
    }
    Ok(found)
}

/// A namespace complains about its path where the person chose a username.
fn path_is_username(error: Error) -> Error {
    let Error::Invalid(fields) = error else { return error };
    let rename = |field: String| if field == "path" { "username".to_owned() } else { field };
    Error::Invalid(fields.into_iter().map(|(field, why)| (rename(field), why)).collect())
}
