//! The first start: an instance without users gets its administrator.

use kernel::db::Sql;
use kernel::{App, Result, Tx, auth};

use crate::hooks::{create_user_in, hash};
use crate::{Actor, NewUser, User};

/// Makes the administrator `root` if there is no user. `keep` puts the password that was thought up where it can be
/// found, before anything is committed: an administrator whose password nobody knows would be the end of the instance.
pub async fn first_admin(app: &App, keep: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    if count(app.db().conn()).await? > 0 {
        return Ok(());
    }
    let password = auth::random_token("", 24);
    let hash = hash(&password).await?;
    let tx = app.begin().await?;
    if count(&*tx).await? > 0 {
        return Ok(()); // Another process was faster.
    }
    let root = NewUser {
        username: "root".into(),
        name: "Administrator".into(),
        email: "admin@example.com".into(),
        admin: true,
        ..NewUser::default()
    };
    create_user_in(&tx, &Actor::nobody(), root, hash).await?;
    keep(&password)?;
    tx.commit().await
}

/// Makes a user with all that belongs to it on behalf of whoever runs the server.
pub async fn create_user(tx: &Tx, new: NewUser) -> Result<User> {
    let hash = hash(&new.password).await?;
    create_user_in(tx, &Actor::nobody(), new, hash).await
}

async fn count(conn: &impl Sql) -> Result<i64> {
    Ok(conn.scalar("SELECT COUNT(*) FROM users", []).await?.unwrap_or(0))
}
