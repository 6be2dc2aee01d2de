//! Addresses: the first one, in the user's row, and others beside it.

use std::collections::HashMap;

use kernel::db::Sql;
use kernel::{Error, Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::User;
use crate::user::is_email;

const MAX_EMAILS: usize = 50;

/// An address beside the first one.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Email {
    /// The id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The address, in lower case.
    pub email: String,
    /// When it was confirmed to be theirs.
    pub confirmed_at: Option<Time>,
}

const COLUMNS: &str = "id, user_id, email, confirmed_at";

impl Email {
    /// Adds an address to a user.
    pub async fn create<C: ConnectionTrait>(conn: &C, user_id: i64, email: &str, confirmed: bool) -> Result<Self> {
        let email = email.trim().to_lowercase();
        if !is_email(&email) {
            return Err(Error::invalid("email", "is invalid"));
        }
        if owner(conn, &email).await?.is_some() {
            return Err(Error::invalid("email", "has already been taken"));
        }
        if Self::of_user(conn, user_id).await?.len() >= MAX_EMAILS {
            return Err(Error::invalid("email", format!("is one too many (maximum is {MAX_EMAILS} addresses)")));
        }
        let sql = format!(
            "INSERT INTO emails (user_id, email, confirmed_at, created_at) VALUES ($1, $2, $3, $4) RETURNING {COLUMNS}"
        );
        let now = Time::now();
        let values = [user_id.into(), email.into(), confirmed.then_some(now).into(), now.into()];
        conn.one(&sql, values).await?.ok_or_else(|| Error::internal(std::io::Error::other("no row was given back")))
    }

    /// All addresses of a user beside the first.
    pub async fn of_user<C: ConnectionTrait>(conn: &C, user_id: i64) -> Result<Vec<Self>> {
        conn.all(&format!("SELECT {COLUMNS} FROM emails WHERE user_id = $1 ORDER BY id"), [user_id.into()]).await
    }

    /// One address of a user.
    pub async fn find<C: ConnectionTrait>(conn: &C, user_id: i64, id: i64) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM emails WHERE user_id = $1 AND id = $2");
        conn.one(&sql, [user_id.into(), id.into()]).await
    }

    /// Removes it.
    pub async fn delete<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("DELETE FROM emails WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }
}

/// Whose address this is, confirmed or not.
pub(crate) async fn owner<C: ConnectionTrait>(conn: &C, email: &str) -> Result<Option<i64>> {
    let sql = "SELECT id FROM users WHERE email = $1 UNION ALL SELECT user_id AS id FROM emails WHERE email = $1";
    conn.scalar(sql, [email.to_lowercase().into()]).await
}

/// The users behind addresses, as in commits: by the address in lower case. Unconfirmed ones stand for nobody.
pub async fn users_by_email<C: ConnectionTrait>(conn: &C, emails: &[String]) -> Result<HashMap<String, User>> {
    let mut wanted: Vec<String> = emails.iter().map(|e| e.to_lowercase()).collect();
    wanted.sort();
    wanted.dedup();
    let mut found = HashMap::new();
    for chunk in wanted.chunks(500) {
        let places: Vec<String> = (1..=chunk.len()).map(|n| format!("${n}")).collect();
        let places = places.join(", ");
        #[derive(FromQueryResult)]
        struct Row {
            email: String,
            user_id: i64,
        }
        let sql = format!(
            "SELECT email, id AS user_id FROM users WHERE email IN ({places})
             UNION ALL SELECT email, user_id FROM emails WHERE confirmed_at IS NOT NULL AND email IN ({places})"
        );
        let rows: Vec<Row> = conn.all(&sql, chunk.iter().map(|e| e.as_str().into()).collect::<Vec<_>>()).await?;
        let users = User::by_ids(conn, rows.iter().map(|r| r.user_id)).await?;
        let users: HashMap<i64, User> = users.into_iter().map(|u| (u.id, u)).collect();
        found.extend(rows.into_iter().filter_map(|r| Some((r.email, users.get(&r.user_id)?.clone()))));
    }
    Ok(found)
}
