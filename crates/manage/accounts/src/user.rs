//! People (and bots): the type, its names' rules and its SQL.

use kernel::db::Sql;
use kernel::{App, Error, Result, Time, auth};
use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;

/// A user's row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The id; 1 is the first administrator.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name in paths and mentions, as the user writes it.
    pub username: String,
    /// The same in lower case, unique.
    pub username_key: String,
    /// The name to show.
    pub name: String,
    /// The address, in lower case, unique.
    pub email: String,
    /// Argon2id, in PHC form; empty where no password is set.
    pub password_hash: String,
    /// `active`, `blocked`, `deactivated`, `banned` or `blocked_pending_approval`.
    pub state: String,
    /// Administers the instance.
    pub admin: bool,
    /// Sees internal things only where a member.
    pub external: bool,
    /// Belongs to a token rather than a person.
    pub bot: bool,
    /// Hides the profile.
    pub private_profile: bool,
    /// May create groups at the top.
    pub can_create_group: bool,
    /// How many projects the user's own namespace may hold.
    pub projects_limit: i64,
    /// Profile text.
    pub bio: String,
    /// Profile text.
    pub location: String,
    /// Profile text.
    pub website_url: String,
    /// Profile text.
    pub linkedin: String,
    /// Profile text.
    pub twitter: String,
    /// Profile text.
    pub discord: String,
    /// Profile text.
    pub github: String,
    /// Profile text.
    pub job_title: String,
    /// Profile text.
    pub pronouns: String,
    /// Profile text.
    pub organization: String,
    /// The address shown to others; empty for none.
    pub public_email: String,
    /// A note of administrators.
    pub note: String,
    /// `system`, `light` or `dark`.
    pub scheme: String,
    /// The key of the uploaded picture among the objects.
    pub avatar: Option<String>,
    /// Failed sign-ins since the last good one.
    pub failed_attempts: i64,
    /// Until when sign-in is refused.
    pub locked_until: Option<Time>,
    /// When the account was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// When the address was confirmed.
    pub confirmed_at: Option<Time>,
    /// The sign-in before the current one.
    pub last_sign_in_at: Option<Time>,
    /// The last sign-in.
    pub current_sign_in_at: Option<Time>,
    /// The last request or push.
    pub last_activity_at: Option<Time>,
    /// Who made the account; `None` for people who registered.
    pub created_by: Option<i64>,
    /// How often the user signed in.
    pub sign_in_count: i64,
    /// Where the last sign-in came from.
    pub current_sign_in_ip: String,
    /// Where the sign-in before came from.
    pub last_sign_in_ip: String,
}

/// A user.
pub type User = Model;

impl ActiveModelBehavior for ActiveModel {}

/// What it takes to make a user.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The name in paths.
    pub username: String,
    /// The name to show; the username where empty.
    pub name: String,
    /// The address.
    pub email: String,
    /// The password in the clear; empty for none.
    pub password: String,
    /// Makes an administrator.
    pub admin: bool,
    /// Waits for an administrator's approval.
    pub pending: bool,
    /// Sees internal things only where a member.
    pub external: bool,
    /// Hides the profile.
    pub private_profile: bool,
    /// May not create groups at the top.
    pub no_groups: bool,
    /// How many projects the own namespace may hold; the usual number where absent.
    pub projects_limit: Option<i64>,
    /// A note of administrators.
    pub note: String,
}

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 8;
const MAX_PASSWORD: usize = 128;

impl User {
    /// Finds a user by id.
    pub async fn find<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        Ok(Entity::find_by_id(id).one(conn).await?)
    }

    /// Finds a user by name, in any case of letters.
    pub async fn by_username<C: ConnectionTrait>(conn: &C, username: &str) -> Result<Option<Self>> {
        Ok(Entity::find().filter(Column::UsernameKey.eq(username.to_lowercase())).one(conn).await?)
    }

    /// Finds a user by name or address, as typed at sign-in.
    pub async fn by_login<C: ConnectionTrait>(conn: &C, login: &str) -> Result<Option<Self>> {
        let login = login.trim().to_lowercase();
        let either = Column::UsernameKey.eq(&login).or(Column::Email.eq(&login));
        Ok(Entity::find().filter(either).one(conn).await?)
    }

    /// Finds users by id, in no order.
    pub async fn by_ids<C: ConnectionTrait>(conn: &C, ids: impl IntoIterator<Item = i64>) -> Result<Vec<Self>> {
        Ok(Entity::find().filter(Column::Id.is_in(ids)).all(conn).await?)
    }

    /// Makes a user; gives the row. The caller makes the namespace that goes with it, in the same transaction.
    pub(crate) async fn create<C: ConnectionTrait>(
        conn: &C,
        new: NewUser,
        password_hash: String,
        created_by: Option<i64>,
    ) -> Result<Self> {
        new.validate(conn).await?;
        let now = Time::now();
        let user = ActiveModel {
            username_key: ActiveValue::Set(new.username.to_lowercase()),
            name: ActiveValue::Set(if new.name.trim().is_empty() {
                new.username.clone()
            } else {
                new.name.trim().into()
            }),
            username: ActiveValue::Set(new.username),
            email: ActiveValue::Set(new.email.trim().to_lowercase()),
            password_hash: ActiveValue::Set(password_hash),
            state: ActiveValue::Set(if new.pending { "blocked_pending_approval" } else { "active" }.into()),
            admin: ActiveValue::Set(new.admin),
            created_at: ActiveValue::Set(now),
            updated_at: ActiveValue::Set(now),
            confirmed_at: ActiveValue::Set(Some(now)),
            created_by: ActiveValue::Set(created_by),
            external: ActiveValue::Set(new.external),
            private_profile: ActiveValue::Set(new.private_profile),
            can_create_group: ActiveValue::Set(!new.no_groups),
            projects_limit: ActiveValue::Set(new.projects_limit.unwrap_or(100_000)),
            note: ActiveValue::Set(new.note),
            ..Default::default()
        };
        Ok(user.insert(conn).await?)
    }

    /// Whether the account may be used.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// The path of the uploaded picture; `None` where initials stand for it.
    pub fn avatar_path(&self) -> Option<String> {
        let file = self.avatar.as_deref()?.rsplit('/').next()?;
        Some(format!("/uploads/-/system/user/avatar/{}/{file}", self.id))
    }

    /// The path of the profile.
    pub fn path(&self) -> String {
        format!("/{}", self.username)
    }

    /// Whether sign-in is refused for now after too many failures.
    pub fn is_locked(&self) -> bool {
        self.locked_until.is_some_and(|until| until > Time::now())
    }

    /// Sets a new password and ends all sessions but `keep`.
    pub async fn set_password<C: ConnectionTrait>(&self, conn: &C, password: &str, keep: Option<i64>) -> Result<()> {
        check_password(password)?;
        self.set_password_hash(conn, &auth::hash_password(password).await?, keep).await
    }

    /// The same with the password's hash, for transactions that should be short.
    pub(crate) async fn set_password_hash<C: ConnectionTrait>(
        &self,
        conn: &C,
        hash: &str,
        keep: Option<i64>,
    ) -> Result<()> {
        let sql = "UPDATE users SET password_hash = $2, failed_attempts = 0, locked_until = NULL, updated_at = $3 WHERE id = $1";
        conn.run(sql, [self.id.into(), hash.into(), Time::now().into()]).await?;
        let sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
        conn.run(sql, [self.id.into(), keep.unwrap_or(0).into()]).await?;
        Ok(())
    }

    /// Notes that the user was here.
    pub async fn note_activity<C: ConnectionTrait>(conn: &C, id: i64) -> Result<()> {
        conn.run("UPDATE users SET last_activity_at = $2 WHERE id = $1", [id.into(), Time::now().into()]).await?;
        Ok(())
    }

    /// Takes a picture that is among the objects, or none, and removes the one before.
    pub(crate) async fn set_avatar(&self, app: &App, key: Option<&str>) -> Result<()> {
        let sql = "UPDATE users SET avatar = $2, updated_at = $3 WHERE id = $1";
        app.db().run(sql, [self.id.into(), key.map(str::to_owned).into(), Time::now().into()]).await?;
        let old = self.avatar.as_deref().filter(|old| Some(*old) != key);
        crate::avatar::forget(app, old).await
    }
}

impl NewUser {
    async fn validate<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        let mut wrong = vec![];
        if let Err(why) = check_username(&self.username) {
            wrong.push(("username".to_owned(), why.to_owned()));
        }
        if !is_email(self.email.trim()) {
            wrong.push(("email".to_owned(), "is invalid".to_owned()));
        }
        if self.name.chars().count() > 255 {
            wrong.push(("name".to_owned(), "is too long (maximum is 255 characters)".to_owned()));
        }
        if User::by_username(conn, &self.username).await?.is_some() {
            wrong.push(("username".to_owned(), "has already been taken".to_owned()));
        }
        if crate::email::owner(conn, self.email.trim()).await?.is_some() {
            wrong.push(("email".to_owned(), "has already been taken".to_owned()));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }
}

/// Checks the length of a password.
pub fn check_password(password: &str) -> Result<()> {
    match password.chars().count() {
        n if n < MIN_PASSWORD => {
            Err(Error::invalid("password", format!("is too short (minimum is {MIN_PASSWORD} characters)")))
        }
        n if n > MAX_PASSWORD => {
            Err(Error::invalid("password", format!("is too long (maximum is {MAX_PASSWORD} characters)")))
        }
        _ => Ok(()),
    }
}

/// Checks a username, which is the path of a namespace too.
pub fn check_username(username: &str) -> Result<(), &'static str> {
    check_path(username)?;
    let taken = RESERVED.contains(&username.to_ascii_lowercase().as_str());
    if taken { Err("is a reserved name") } else { Ok(()) }
}

/// Checks one segment, not the first, of a namespace's or project's path (GitLab, "Limitations on usernames, project and group names").
pub fn check_path(path: &str) -> Result<(), &'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match path {
        "" => Err("can't be blank"),
        p if p.len() > 255 => Err("is too long (maximum is 255 characters)"),
        p if p.len() < 2 => Err("is too short (minimum is 2 characters)"),
        p if !p.chars().all(good) => Err("can contain only letters, digits, '_', '-' and '.'"),
        p if p.starts_with(['-', '.']) || p.ends_with('.') => {
            Err("must not start with '-' or '.' and not end with '.'")
        }
        p if p.ends_with(".git") || p.ends_with(".atom") => Err("must not end in '.git' or '.atom'"),
        p if RESERVED_BELOW.contains(&p.to_ascii_lowercase().as_str()) => Err("is a reserved name"),
        _ => Ok(()),
    }
}

/// Segments that would be read as a part of a project's URLs.
const RESERVED_BELOW: &[&str] =
    &["-", "blame", "blob", "builds", "commits", "find_file", "raw", "refs", "tree", "uploads", "wikis"];

/// First segments that belong to the program.
const RESERVED: &[&str] = &[
    "-",
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "favicon.ico",
    "groups",
    "health",
    "help",
    "login",
    "oauth",
    "profile",
    "projects",
    "public",
    "robots.txt",
    "search",
    "settings",
    "sign_in",
    "sign_up",
    "snippets",
    "uploads",
    "user",
    "users",
    "v2",
];

pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = |s: &str| {
        !s.is_empty() && !s.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c))
    };
    text.len() <= 254 && clean(local) && clean(domain) && !domain.starts_with('.') && !domain.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_refused() {
        for bad in ["", "a", "-x", ".git", "a b", "a/b", "..", "x.git", "tree", "é", "a\0b", "ab."] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        for good in ["ab", "hello-world", "a.b", "_x", "X1"] {
            assert!(check_path(good).is_ok(), "{good:?}");
        }
        assert!(check_path("admin").is_ok() && check_username("Admin").is_err());
    }

    #[test]
    fn addresses() {
        assert!(is_email("a@b.example") && is_email("root@localhost"));
        assert!(!is_email("a@b@") && !is_email("a b@c") && !is_email("@c") && !is_email("a@"));
    }
}
