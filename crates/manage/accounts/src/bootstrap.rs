//! The first start: an instance without users gets its administrator.

use kernel::db::Sql;
use kernel::{App, Result, auth};

use crate::hooks::{create_user_in, hash};
use crate::{Actor, NewUser};

/// Makes the administrator `root` if there is no user; gives the password that was thought up.
///
/// `keep` is called with the password before anything is true, so that it can't be lost.
pub async fn first_admin(app: &App, keep: impl FnOnce(&str) -> Result<()>) -> Result<bool> {
    if count(app.db().conn()).await? > 0 {
        return Ok(false);
    }
    let password = auth::random_token("", 24);
    let hash = hash(&password).await?;
    let tx = app.begin().await?;
    if count(&*tx).await? > 0 {
        return Ok(false); // Another process was faster.
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
    tx.commit().await?;
    Ok(true)
}

async fn count(conn: &impl Sql) -> Result<i64> {
    Ok(conn.scalar("SELECT COUNT(*) FROM users", []).await?.unwrap_or(0))
}
