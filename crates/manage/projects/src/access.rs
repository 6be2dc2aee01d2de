//! What an actor may do to a project or group: loaded together, through the actor's visibility.

use accounts::{Actor, Via};
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use http::request::Parts;
use http::{Method, Uri};
use kernel::db::Sql;
use kernel::http::is_api;
use kernel::{App, Error, Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::level;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::Project;
use crate::settings::{FeatureLevel, ProjectSettings};
use crate::visibility::Visibility;

/// A project that the actor may see, and what the actor may do to it. As an extractor it takes `{id}` (number or path)
/// or `{project}` (path) from the route; what the actor may not see is a 404.
#[derive(Clone, Debug)]
pub struct ProjectAccess {
    /// The project.
    pub project: Project,
    /// Its settings.
    pub settings: ProjectSettings,
    /// Who asks.
    pub actor: Actor,
    /// The actor's level as a member, 0 for none.
    pub level: i64,
}

/// A group (or a user's namespace) that the actor may see, and what the actor may do to it. As an extractor it takes
/// `{id}` or `{group}` from the route.
#[derive(Clone, Debug)]
pub struct GroupAccess {
    /// The namespace.
    pub group: Namespace,
    /// Who asks.
    pub actor: Actor,
    /// The actor's level as a member, 0 for none.
    pub level: i64,
}

#[derive(FromQueryResult)]
struct Level {
    level: Option<i64>,
}

/// The highest level that a user has in a namespace: own, or as a member of it or of a group above.
pub async fn namespace_level<C: ConnectionTrait>(conn: &C, user_id: i64, namespace_id: i64) -> Result<i64> {
    let sql = "SELECT MAX(level) AS level FROM (
                 SELECT m.access_level AS level FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.ancestor_id
                 WHERE a.namespace_id = $1 AND m.user_id = $2 AND (m.expires_at IS NULL OR m.expires_at > $3)
                 UNION ALL SELECT CAST(50 AS BIGINT) AS level FROM namespaces WHERE id = $1 AND owner_id = $2) AS levels";
    let row: Option<Level> = conn.one(sql, [namespace_id.into(), user_id.into(), Time::now().into()]).await?;
    Ok(row.and_then(|r| r.level).unwrap_or(level::NONE))
}

/// The highest level that a user has in a project: direct, or inherited from its namespace.
pub async fn project_level<C: ConnectionTrait>(conn: &C, user_id: i64, project: &Project) -> Result<i64> {
    let sql = "SELECT MAX(access_level) AS level FROM members WHERE project_id = $1 AND user_id = $2
               AND (expires_at IS NULL OR expires_at > $3)";
    let row: Option<Level> = conn.one(sql, [project.id.into(), user_id.into(), Time::now().into()]).await?;
    let inherited = namespace_level(conn, user_id, project.namespace_id).await?;
    Ok(row.and_then(|r| r.level).unwrap_or(level::NONE).max(inherited))
}

/// Whether somebody who is not a member sees a thing of this visibility.
fn visible_to(actor: &Actor, visibility: Visibility) -> bool {
    match visibility {
        Visibility::Public => true,
        Visibility::Internal => actor.known().is_some_and(|u| !u.external),
        Visibility::Private => false,
    }
}

impl ProjectAccess {
    /// The actor's access to a project; a 404 where the actor may not see it.
    pub async fn of(app: &App, actor: Actor, project: Project) -> Result<Self> {
        let level = match (actor.known(), actor.via()) {
            _ if actor.is_admin() => level::OWNER,
            // A job is a member of its own project only, whatever its user is a member of.
            (_, Via::Job { project_id, .. }) if *project_id != project.id => level::NONE,
            (Some(user), _) => project_level(app.db().conn(), user.id, &project).await?,
            (None, _) => level::NONE,
        };
        let settings = project.settings()?;
        let access = Self { project, settings, actor, level };
        if access.can(Permission::ReadProject) { Ok(access) } else { Err(Error::not_found("Project")) }
    }

    /// The access to the project at a path; a 404 where there is none or the actor may not see it, a redirect to the new
    /// path where it has moved. `Err(Moved)` holds the new full path.
    pub async fn by_path(app: &App, actor: Actor, path: &str) -> Result<Self> {
        if let Some(project) = Project::by_path(app.db().conn(), path).await? {
            return Self::of(app, actor, project).await;
        }
        match moved_project(app, path).await? {
            Some(project) => Err(Error::Moved(Self::of(app, actor, project).await?.project.full_path)),
            None => Err(Error::not_found("Project")),
        }
    }

    /// Whether the actor may.
    pub fn can(&self, permission: Permission) -> bool {
        let rule = permission.rule();
        if rule.writes && self.project.archived {
            return false;
        }
        if let Via::Job { project_id, .. } = self.actor.via()
            && *project_id != self.project.id
            && rule.writes
        {
            return false;
        }
        // Code of a private project is for reporters; of one that is visible anyway, for guests too.
        let visitor = rule.visitor && visible_to(&self.actor, self.project.visibility());
        let member = self.level >= rule.member || (visitor && self.level >= level::GUEST);
        match rule.feature.map(|f| self.settings.level_of(f)) {
            Some(FeatureLevel::Disabled) => false,
            Some(FeatureLevel::Private) => member,
            _ => member || visitor,
        }
    }

    /// Refuses what the actor may not do: 401 where signing in might help, else 403.
    pub fn may(&self, permission: Permission) -> Result<()> {
        if self.can(permission) {
            return Ok(());
        }
        if self.actor.known().is_none() {
            return Err(Error::Unauthenticated);
        }
        if permission.rule().writes && self.project.archived {
            return Err(Error::forbidden("the project is archived and can only be read"));
        }
        Err(Error::Forbidden(String::new()))
    }

    /// Hides what the actor may not even know of, such as the code of a project whose code is for members: a 404.
    pub fn sees(&self, permission: Permission, what: &str) -> Result<()> {
        if self.can(permission) { Ok(()) } else { Err(Error::not_found(what)) }
    }
}

impl GroupAccess {
    /// The actor's access to a namespace; a 404 where the actor may not see it.
    pub async fn of(app: &App, actor: Actor, group: Namespace) -> Result<Self> {
        let level = match actor.known() {
            _ if actor.is_admin() => level::OWNER,
            Some(user) => namespace_level(app.db().conn(), user.id, group.id).await?,
            None => level::NONE,
        };
        let inside = level == level::NONE
            && !visible_to(&actor, group.visibility())
            && member_below(app, &actor, group.id).await?;
        let access = Self { group, actor, level: if inside { level::MINIMAL } else { level } };
        if access.can(Permission::ReadGroup) { Ok(access) } else { Err(Error::not_found("Group")) }
    }

    /// The access to the namespace at a path, as [`ProjectAccess::by_path`].
    pub async fn by_path(app: &App, actor: Actor, path: &str) -> Result<Self> {
        if let Some(group) = Namespace::by_path(app.db().conn(), path).await? {
            return Self::of(app, actor, group).await;
        }
        let sql = "SELECT n.* FROM redirects r JOIN namespaces n ON n.id = r.namespace_id WHERE r.path_key = $1";
        match app.db().one::<Namespace>(sql, [path.to_lowercase().into()]).await? {
            Some(group) => Err(Error::Moved(Self::of(app, actor, group).await?.group.full_path)),
            None => Err(Error::not_found("Group")),
        }
    }

    /// Whether the actor may.
    pub fn can(&self, permission: Permission) -> bool {
        let rule = permission.rule();
        self.level >= rule.member || (rule.visitor && visible_to(&self.actor, self.group.visibility()))
    }

    /// Refuses what the actor may not do: 401 where signing in might help, else 403.
    pub fn may(&self, permission: Permission) -> Result<()> {
        match self.can(permission) {
            true => Ok(()),
            false if self.actor.known().is_none() => Err(Error::Unauthenticated),
            false => Err(Error::Forbidden(String::new())),
        }
    }
}

/// Whether the actor is a member of something inside a private group, and so may know that the group is there.
async fn member_below(app: &App, actor: &Actor, group_id: i64) -> Result<bool> {
    let Some(user) = actor.known() else { return Ok(false) };
    let sql = "SELECT COUNT(*) FROM members m
               LEFT JOIN projects p ON p.id = m.project_id
               JOIN namespace_ancestors a ON a.namespace_id = COALESCE(m.namespace_id, p.namespace_id)
               WHERE m.user_id = $1 AND a.ancestor_id = $2 AND (m.expires_at IS NULL OR m.expires_at > $3)";
    let count = app.db().conn().scalar::<i64>(sql, [user.id.into(), group_id.into(), Time::now().into()]).await?;
    Ok(count.unwrap_or(0) > 0)
}

/// The project that used to be at a path, itself or in a namespace that was renamed.
async fn moved_project(app: &App, path: &str) -> Result<Option<Project>> {
    let key = path.to_lowercase();
    let sql = "SELECT p.* FROM redirects r JOIN projects p ON p.id = r.project_id WHERE r.path_key = $1";
    if let Some(project) = app.db().one::<Project>(sql, [key.as_str().into()]).await? {
        return Ok(Some(project));
    }
    let Some((namespace, name)) = key.rsplit_once('/') else { return Ok(None) };
    let sql = "SELECT p.* FROM redirects r JOIN namespaces n ON n.id = r.namespace_id
               JOIN projects p ON p.namespace_id = n.id AND LOWER(p.path) = $2 WHERE r.path_key = $1";
    app.db().one(sql, [namespace.into(), name.into()]).await
}

/// A condition on `projects p` for those an actor may see, for lists. Holds no text of users, ids only.
pub fn visible_projects(actor: &Actor) -> String {
    let Some(user) = actor.known() else { return format!("p.visibility = {}", Visibility::Public.number()) };
    if actor.is_admin() {
        return "TRUE".into();
    }
    let least = if user.external { Visibility::Public } else { Visibility::Internal };
    format!("(p.visibility >= {} OR {})", least.number(), member_projects(user.id))
}

/// A condition on `projects p` for those that a user is a member of, directly or through a group.
pub fn member_projects(user_id: i64) -> String {
    member_projects_at(user_id, level::GUEST)
}

/// A condition on `projects p` for those where a user has at least a level, directly or through a group.
pub fn member_projects_at(user_id: i64, least: i64) -> String {
    let alive = format!("m.access_level >= {least} AND (m.expires_at IS NULL OR m.expires_at > {})", Time::now().0);
    format!(
        "(p.id IN (SELECT m.project_id FROM members m WHERE m.user_id = {user_id} AND m.project_id IS NOT NULL AND {alive})
          OR p.namespace_id IN (SELECT a.namespace_id FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.ancestor_id
                   WHERE m.user_id = {user_id} AND {alive})
          OR p.namespace_id IN (SELECT n.id FROM namespaces n WHERE n.owner_id = {user_id}))"
    )
}

/// A condition on `namespaces n` for the groups where a user has at least a level, own or inherited.
pub fn member_groups_at(user_id: i64, least: i64) -> String {
    let alive = format!("m.access_level >= {least} AND (m.expires_at IS NULL OR m.expires_at > {})", Time::now().0);
    format!(
        "n.id IN (SELECT a.namespace_id FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.ancestor_id
                   WHERE m.user_id = {user_id} AND {alive})"
    )
}

/// A condition on `namespaces n` for the groups that an actor may see.
pub fn visible_groups(actor: &Actor) -> String {
    let Some(user) = actor.known() else { return format!("n.visibility = {}", Visibility::Public.number()) };
    if actor.is_admin() {
        return "TRUE".into();
    }
    let least = if user.external { Visibility::Public } else { Visibility::Internal };
    format!("(n.visibility >= {} OR {})", least.number(), member_groups(user.id))
}

/// A condition on `namespaces n` for the groups that a user is a member of, or that are above or below such a group.
pub fn member_groups(user_id: i64) -> String {
    let (now, mine) = (Time::now().0, "m.expires_at IS NULL OR m.expires_at >");
    format!(
        "(n.id IN (SELECT a.namespace_id FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.ancestor_id
                   WHERE m.user_id = {user_id} AND ({mine} {now}))
          OR n.id IN (SELECT a.ancestor_id FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.namespace_id
                   WHERE m.user_id = {user_id} AND ({mine} {now}))
          OR n.id IN (SELECT a.ancestor_id FROM projects p JOIN namespace_ancestors a ON a.namespace_id = p.namespace_id
                   JOIN members m ON m.project_id = p.id WHERE m.user_id = {user_id} AND ({mine} {now})))"
    )
}

/// The parameter of the route that names the thing.
async fn parameter(parts: &mut Parts, names: &[&str]) -> Result<String> {
    let Ok(params) = RawPathParams::from_request_parts(parts, &()).await else { return in_front(parts.uri.path()) };
    let found = params.iter().find(|(name, _)| names.contains(name));
    found.map(|(_, value)| value.to_owned()).ok_or_else(|| Error::not_found(""))
}

/// The project in `/@project/PROJECT/-/…`, where the rest isn't UTF-8, as names of files need not be.
fn in_front(path: &str) -> Result<String> {
    let first = path.strip_prefix("/@project/").and_then(|rest| rest.split('/').next());
    let decoded = first.and_then(|f| percent_encoding::percent_decode_str(f).decode_utf8().ok());
    decoded.map(Into::into).ok_or_else(|| Error::not_found(""))
}

impl FromRequestParts<App> for ProjectAccess {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let actor = Actor::from_request_parts(parts, app).await?;
        let wanted = parameter(parts, &["id", "project"]).await?;
        if let Ok(id) = wanted.parse::<i64>()
            && is_api(parts.uri.path())
        {
            let project = Project::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found("Project"))?;
            return Self::of(app, actor, project).await;
        }
        Self::by_path(app, actor, &wanted).await.map_err(|e| redirect(e, parts, &wanted))
    }
}

impl FromRequestParts<App> for GroupAccess {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let actor = Actor::from_request_parts(parts, app).await?;
        let wanted = parameter(parts, &["id", "group"]).await?;
        if let Ok(id) = wanted.parse::<i64>()
            && is_api(parts.uri.path())
        {
            let group = Namespace::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found("Group"))?;
            return Self::of(app, actor, group).await;
        }
        Self::by_path(app, actor, &wanted).await.map_err(|e| redirect(e, parts, &wanted))
    }
}

/// Turns the new path of a moved thing into the URL of this request there. A request that changes something isn't sent on.
fn redirect(error: Error, parts: &Parts, old: &str) -> Error {
    let Error::Moved(new) = error else { return error };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Error::Conflict(format!("{old} is now {new}; use the new path"));
    }
    let uri: &Uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |o| &o.0);
    let whole = uri.path_and_query().map_or("", |p| p.as_str());
    let place = if is_api(uri.path()) {
        let encode = |p: &str| p.replace('/', "%2F");
        whole.replacen(&encode(old), &encode(&new), 1)
    } else {
        whole.replacen(old, &new, 1)
    };
    Error::Moved(place)
}
