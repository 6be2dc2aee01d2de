//! Users and what is theirs, as GitLab's API shows them.

use std::collections::HashMap;

use kernel::{App, Result, Time};
use schemars::JsonSchema;
use serde::Serialize;

use crate::email::Email;
use crate::{AccessToken, Actor, SshKey, User, hooks};

/// A user in a few words.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserBasic {
    id: i64,
    username: String,
    public_email: Option<String>,
    name: String,
    state: String,
    locked: bool,
    avatar_url: Option<String>,
    web_url: String,
}

impl UserBasic {
    /// What anybody may know of a user.
    pub fn of(app: &App, user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.clone(),
            public_email: filled(&user.public_email),
            name: user.name.clone(),
            state: user.state.clone(),
            locked: user.is_locked(),
            avatar_url: user.avatar_path().map(|p| app.config().link(&p)),
            web_url: app.config().link(&user.path()),
        }
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|t| !t.is_empty())
}

/// A user with their profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserProfile {
    #[serde(flatten)]
    basic: UserBasic,
    /// Absent where the profile is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    bio: String,
    location: Option<String>,
    linkedin: String,
    twitter: String,
    discord: String,
    website_url: String,
    github: String,
    job_title: Option<String>,
    pronouns: Option<String>,
    organization: Option<String>,
    bot: bool,
    work_information: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    followers: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    following: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_followed: Option<bool>,
    local_time: Option<String>,
}

impl UserProfile {
    /// What `actor` may know of a user.
    pub fn of(app: &App, actor: &Actor, user: &User) -> Self {
        let open = !user.private_profile || actor.is_admin() || actor.id() == Some(user.id);
        let work = match (filled(&user.job_title), filled(&user.organization)) {
            (Some(job), Some(place)) => Some(format!("{job} at {place}")),
            (job, place) => job.or(place),
        };
        Self {
            basic: UserBasic::of(app, user),
            created_at: open.then_some(user.created_at),
            bio: user.bio.clone(),
            location: filled(&user.location),
            linkedin: user.linkedin.clone(),
            twitter: user.twitter.clone(),
            discord: user.discord.clone(),
            website_url: user.website_url.clone(),
            github: user.github.clone(),
            job_title: filled(&user.job_title),
            pronouns: filled(&user.pronouns),
            organization: filled(&user.organization),
            bot: user.bot,
            work_information: work,
            followers: open.then_some(0),
            following: open.then_some(0),
            is_followed: open.then_some(false),
            local_time: None,
        }
    }
}

/// A user as they see themselves.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserPublic {
    #[serde(flatten)]
    profile: UserProfile,
    last_sign_in_at: Option<Time>,
    confirmed_at: Option<Time>,
    last_activity_on: Option<String>,
    email: String,
    theme_id: Option<i64>,
    color_scheme_id: i64,
    projects_limit: i64,
    current_sign_in_at: Option<Time>,
    identities: Vec<Identity>,
    can_create_group: bool,
    can_create_project: bool,
    two_factor_enabled: bool,
    external: bool,
    private_profile: bool,
    commit_email: String,
    preferred_language: Option<String>,
}

/// An account elsewhere that signs in a user here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Identity {
    provider: String,
    extern_uid: String,
}

impl UserPublic {
    /// What a user and administrators know of them.
    pub fn of(app: &App, actor: &Actor, user: &User) -> Self {
        Self {
            profile: UserProfile::of(app, actor, user),
            last_sign_in_at: user.last_sign_in_at,
            confirmed_at: user.confirmed_at,
            last_activity_on: user.last_activity_at.map(Time::date),
            email: user.email.clone(),
            theme_id: None,
            color_scheme_id: 1,
            projects_limit: user.projects_limit,
            current_sign_in_at: user.current_sign_in_at,
            identities: vec![],
            can_create_group: user.can_create_group,
            can_create_project: user.projects_limit > 0,
            two_factor_enabled: false,
            external: user.external,
            private_profile: user.private_profile,
            commit_email: user.email.clone(),
            preferred_language: Some("en".into()),
        }
    }
}

/// A user as administrators see them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserAdmin {
    #[serde(flatten)]
    public: UserPublic,
    is_admin: bool,
    note: Option<String>,
    namespace_id: Option<i64>,
    created_by: Option<UserBasic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(flatten)]
    detail: Option<AdminDetail>,
}

/// What administrators see of one user besides.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AdminDetail {
    current_sign_in_ip: Option<String>,
    last_sign_in_ip: Option<String>,
    sign_in_count: i64,
}

impl UserAdmin {
    /// Users for administrators, in the order given.
    pub(crate) async fn list(app: &App, actor: &Actor, users: &[User]) -> Result<Vec<Self>> {
        let ids: Vec<i64> = users.iter().map(|u| u.id).collect();
        let namespaces = hooks::namespace_ids(app, &ids).await?;
        let makers = User::by_ids(app.db().conn(), users.iter().filter_map(|u| u.created_by)).await?;
        let makers: HashMap<i64, UserBasic> = makers.iter().map(|u| (u.id, UserBasic::of(app, u))).collect();
        let one = |user: &User| Self {
            public: UserPublic::of(app, actor, user),
            is_admin: user.admin,
            note: filled(&user.note),
            namespace_id: namespaces.get(&user.id).copied(),
            created_by: user.created_by.and_then(|id| makers.get(&id).cloned()),
            detail: None,
        };
        Ok(users.iter().map(one).collect())
    }

    /// One user for administrators.
    pub(crate) async fn of(app: &App, actor: &Actor, user: &User) -> Result<Self> {
        let list = Self::list(app, actor, std::slice::from_ref(user)).await?;
        list.into_iter().next().ok_or_else(|| kernel::Error::not_found("User"))
    }

    /// The same with where the user signed in from.
    pub(crate) async fn detailed(app: &App, actor: &Actor, user: &User) -> Result<Self> {
        let detail = AdminDetail {
            current_sign_in_ip: filled(&user.current_sign_in_ip),
            last_sign_in_ip: filled(&user.last_sign_in_ip),
            sign_in_count: user.sign_in_count,
        };
        Ok(Self { detail: Some(detail), ..Self::of(app, actor, user).await? })
    }
}

/// An SSH key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeyEntity {
    id: i64,
    title: String,
    created_at: Time,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
    key: String,
    usage_type: String,
}

impl KeyEntity {
    /// A key, with its owner's name as its comment.
    pub(crate) fn of(app: &App, owner: &User, key: &SshKey) -> Self {
        let host = app.config().url.host_str().unwrap_or("localhost");
        Self {
            id: key.id,
            title: key.title.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            key: format!("{} {} ({host})", key.key, owner.name),
            usage_type: key.usage_type.clone(),
        }
    }
}

/// An SSH key and whose it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeyWithUser {
    #[serde(flatten)]
    pub(crate) key: KeyEntity,
    pub(crate) user: UserPublic,
}

/// A personal access token, without its secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TokenEntity {
    id: i64,
    name: String,
    revoked: bool,
    created_at: Time,
    description: Option<String>,
    scopes: Vec<String>,
    user_id: i64,
    last_used_at: Option<Time>,
    active: bool,
    expires_at: Option<String>,
    /// Present for impersonation tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    impersonation: Option<bool>,
    /// The secret; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl TokenEntity {
    /// A token.
    pub(crate) fn of(token: &AccessToken) -> Self {
        Self {
            id: token.id,
            name: token.name.clone(),
            revoked: token.revoked,
            created_at: token.created_at,
            description: filled(&token.description),
            scopes: token.scopes.split(' ').map(str::to_owned).collect(),
            user_id: token.user_id,
            last_used_at: token.last_used_at,
            active: token.is_active(),
            expires_at: token.expires_at.map(Time::date),
            impersonation: token.impersonation.then_some(true),
            token: None,
        }
    }

    /// A token that was just made.
    pub(crate) fn with_secret((token, secret): (AccessToken, String)) -> Self {
        Self { token: Some(secret), ..Self::of(&token) }
    }
}

/// An address beside the first one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EmailEntity {
    id: i64,
    email: String,
    confirmed_at: Option<Time>,
}

impl EmailEntity {
    /// An address.
    pub(crate) fn of(email: &Email) -> Self {
        Self { id: email.id, email: email.email.clone(), confirmed_at: email.confirmed_at }
    }
}
