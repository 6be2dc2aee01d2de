//! Personal access tokens and their scopes.

use std::time::Duration;

use kernel::db::Sql;
use kernel::{App, Error, Result, Time, auth};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::json;

use crate::{Actor, User, audit};

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

/// The scopes that a person can give a token on the web, and what they open.
const ABOUT: &[(&str, &str)] = &[
    ("api", "Everything that you may do: the API, git over HTTP, registries."),
    ("read_api", "Reading everything that you may see through the API."),
    ("read_user", "Reading your own account and public profiles."),
    ("read_repository", "Cloning and fetching over HTTP, reading repository files."),
    ("write_repository", "Pushing over HTTP."),
    ("read_registry", "Pulling container images."),
    ("write_registry", "Pushing container images."),
    ("create_runner", "Creating runners."),
    ("manage_runner", "Managing runners."),
    ("self_rotate", "Rotating itself."),
];
const ABOUT_ADMIN: &[(&str, &str)] = &[
    ("sudo", "Acting as any user through the API."),
    ("admin_mode", "Acting as an administrator where that must be said."),
];
/// Scopes that only an administrator's token can have.
const ADMIN_SCOPES: &[&str] = &["sudo", "admin_mode", "read_service_ping"];

/// The longest that a token lives, in days; also how long where nothing else is said.
pub(crate) const MAX_LIFE: i64 = 365;
/// How long a rotated token lives where nothing else is said, in days.
pub(crate) const ROTATED_LIFE: i64 = 7;

/// The scopes to choose from, each with what it opens.
pub(crate) fn scopes_for(admin: bool) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ABOUT.iter().chain(ABOUT_ADMIN.iter().filter(move |_| admin))
}

/// Refuses scopes that a token of this user can't have.
pub(crate) fn check_scopes(user: &User, scopes: &[String]) -> Result<()> {
    match scopes.iter().find(|s| !user.admin && ADMIN_SCOPES.contains(&s.as_str())) {
        Some(scope) => {
            Err(Error::invalid("scopes", format!("can only contain available scopes; {scope} is for administrators")))
        }
        None => Ok(()),
    }
}

/// When a token ends: on the day asked for, or `default` days from now; refuses days that are past or too far away.
pub(crate) fn expiry_of(asked: Option<Time>, default: i64) -> Result<Time> {
    let now = Time::now();
    let day = |t: Time| Time::parse(&t.date()).unwrap_or(t);
    let after = |days: i64| Time::from_seconds(now.seconds() + days * 86_400);
    let chosen = day(asked.unwrap_or_else(|| after(default)));
    if chosen <= now {
        return Err(Error::invalid("expires_at", "must be in the future"));
    }
    let last = after(MAX_LIFE);
    if chosen > last {
        return Err(Error::invalid("expires_at", format!("must be before {}", day(after(MAX_LIFE + 1)).date())));
    }
    Ok(chosen)
}

/// Makes a token useless and says so in the audit log.
pub(crate) async fn revoke(app: &App, actor: &Actor, token: &AccessToken) -> Result<()> {
    let tx = app.begin().await?;
    token.revoke(&*tx).await?;
    let details = json!({ "name": token.name, "user_id": token.user_id });
    audit::record(&*tx, actor, "token.revoked", ("PersonalAccessToken", token.id), details).await?;
    tx.commit().await
}

/// Replaces a token by a new one of the same kind; gives it with its secret.
pub(crate) async fn rotate(
    app: &App,
    actor: &Actor,
    old: &AccessToken,
    expires_at: Option<Time>,
) -> Result<(AccessToken, String)> {
    let expires = expiry_of(expires_at, ROTATED_LIFE)?;
    let scopes: Vec<String> = old.scopes.split(' ').map(str::to_owned).collect();
    let tx = app.begin().await?;
    // Whoever comes second finds the token revoked.
    let taken = "UPDATE access_tokens SET revoked = TRUE WHERE id = $1 AND NOT revoked";
    if tx.run(taken, [old.id.into()]).await? == 0 {
        return Err(Error::bad_request("token already revoked"));
    }
    let made =
        AccessToken::create(&*tx, old.user_id, &old.name, &old.description, &scopes, Some(expires), old.impersonation)
            .await?;
    let details = json!({ "name": old.name, "user_id": old.user_id, "new_id": made.0.id });
    audit::record(&*tx, actor, "token.rotated", ("PersonalAccessToken", old.id), details).await?;
    tx.commit().await?;
    Ok(made)
}

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
    #[allow(clippy::too_many_arguments, reason = "a struct for them would repeat the token's fields")]
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
            User::note_activity(conn, self.user_id).await?;
        }
        Ok(())
    }
}

fn anyhow_missing() -> std::io::Error {
    std::io::Error::other("an INSERT … RETURNING gave no row")
}
