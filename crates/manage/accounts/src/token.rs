//! Personal access tokens and their scopes.

use std::time::Duration;

use kernel::db::Sql;
use kernel::{Error, Result, Time, auth};
use sea_orm::{ConnectionTrait, FromQueryResult};

/// The scopes that a token can have, as GitLab names them.
pub const SCOPES: &[&str] = &[
    "api",
    "read_api",
    "read_user",
    "create_runner",
    "manage_runner",
    "k8s_proxy",
    "self_rotate",
    "read_repository",
    "write_repository",
    "read_registry",
    "write_registry",
    "read_virtual_registry",
    "write_virtual_registry",
    "ai_features",
    "sudo",
    "admin_mode",
    "read_service_ping",
];

/// A token of a user, without its secret.
#[derive(Clone, Debug, FromQueryResult)]
pub struct AccessToken {
    /// The id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether an administrator made it to act as the user.
    pub impersonation: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Time>,
    /// From when on it is refused.
    pub expires_at: Option<Time>,
}

const COLUMNS: &str =
    "id, user_id, name, description, scopes, revoked, impersonation, created_at, last_used_at, expires_at";

impl AccessToken {
    /// Makes a token; gives it with its secret, which is stored hashed and can't be shown again.
    pub async fn create<C: ConnectionTrait>(
        conn: &C,
        user_id: i64,
        name: &str,
        description: &str,
        scopes: &[String],
        expires_at: Option<Time>,
        impersonation: bool,
    ) -> Result<(Self, String)> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 255 {
            return Err(Error::invalid("name", if name.is_empty() { "can't be blank" } else { "is too long" }));
        }
        if scopes.is_empty() {
            return Err(Error::invalid("scopes", "can't be blank"));
        }
        if let Some(unknown) = scopes.iter().find(|s| !SCOPES.contains(&s.as_str())) {
            return Err(Error::invalid("scopes", format!("can only contain available scopes; {unknown} is none")));
        }
        let secret = auth::random_token("tmpat-", 20);
        let sql = format!(
            "INSERT INTO access_tokens (user_id, name, description, token_hash, scopes, impersonation, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {COLUMNS}"
        );
        let values = [
            user_id.into(),
            name.into(),
            description.into(),
            auth::hash_token(&secret).into(),
            scopes.join(" ").into(),
            impersonation.into(),
            Time::now().into(),
            expires_at.into(),
        ];
        let made = conn.one(&sql, values).await?.ok_or_else(|| Error::internal(anyhow_missing()))?;
        Ok((made, secret))
    }

    /// The token with this secret, dead or alive.
    pub async fn by_secret<C: ConnectionTrait>(conn: &C, secret: &str) -> Result<Option<Self>> {
        conn.one(
            &format!("SELECT {COLUMNS} FROM access_tokens WHERE token_hash = $1"),
            [auth::hash_token(secret).into()],
        )
        .await
    }

    /// A token by its id.
    pub async fn find<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        conn.one(&format!("SELECT {COLUMNS} FROM access_tokens WHERE id = $1"), [id.into()]).await
    }

    /// All tokens of a user, the newest first.
    pub async fn of_user<C: ConnectionTrait>(conn: &C, user_id: i64) -> Result<Vec<Self>> {
        conn.all(&format!("SELECT {COLUMNS} FROM access_tokens WHERE user_id = $1 ORDER BY id DESC"), [user_id.into()])
            .await
    }

    /// Makes the token useless from now on.
    pub async fn revoke<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("UPDATE access_tokens SET revoked = TRUE WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }

    /// Refuses a token that was revoked or has expired.
    pub fn check(&self) -> Result<()> {
        if self.revoked {
            return Err(Error::InvalidToken("Token was revoked. You have to re-authorize from the user.".into()));
        }
        if self.expires_at.is_some_and(|e| e <= Time::now()) {
            return Err(Error::InvalidToken(
                "Token is expired. You can either do re-authorization or token refresh.".into(),
            ));
        }
        Ok(())
    }

    /// Whether it can be used.
    pub fn is_active(&self) -> bool {
        self.check().is_ok()
    }

    /// Whether it has a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|s| s == scope)
    }

    /// Notes that it was used, at most once a minute.
    pub(crate) async fn touch<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        let now = Time::now();
        if self.last_used_at.is_none_or(|t| now.since(t) > Duration::from_secs(60)) {
            let sql = "UPDATE access_tokens SET last_used_at = $2 WHERE id = $1";
            conn.run(sql, [self.id.into(), now.into()]).await?;
        }
        Ok(())
    }
}

fn anyhow_missing() -> std::io::Error {
    std::io::Error::other("an INSERT … RETURNING gave no row")
}
