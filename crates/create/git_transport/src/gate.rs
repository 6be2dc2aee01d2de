//! Who may fetch from and push to what; the same for HTTP and SSH.

use accounts::{Actor, Via};
use git::pack::Service;
use git::{GitError, Repo};
use kernel::{App, Error, Result};
use projects::create::{may_create_project, project};
use projects::{GroupAccess, Namespace, NewProject, Permission, Project, ProjectAccess, ProjectSettings, Visibility};
use repositories::OrStatus;

/// A project whose repository the actor may use.
pub(crate) struct Admitted {
    pub(crate) access: ProjectAccess,
    /// Whether the path is one that the project had before.
    pub(crate) moved: bool,
    /// Whether this push made the project.
    pub(crate) created: bool,
}

/// A path where a push may make a project.
pub(crate) struct Vacant {
    namespace: Namespace,
    name: String,
}

/// What a path leads to.
pub(crate) enum Door {
    Open(Box<Admitted>),
    /// For pushes only.
    Vacant(Box<Vacant>),
}

/// Lets an actor through to the repository at a path; `path` may end in `.git`.
pub(crate) async fn admit(app: &App, actor: &Actor, path: &str, service: Service) -> Result<Door> {
    check_scope(actor, service)?;
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    if path.chars().any(char::is_control) {
        return Err(Error::not_found("Project"));
    }
    match find(app, actor, path).await {
        Ok(admitted) => {
            check_permission(&admitted.access, service)?;
            Ok(Door::Open(Box::new(admitted)))
        }
        Err(Error::NotFound(_)) if service == Service::ReceivePack && actor.known().is_some() => {
            vacant(app, actor, path).await.map(|v| Door::Vacant(Box::new(v)))
        }
        Err(e) => Err(e),
    }
}

fn check_scope(actor: &Actor, service: Service) -> Result<()> {
    match service {
        Service::UploadPack => actor.require_scope(&["read_repository", "write_repository", "api"]),
        Service::ReceivePack => actor.require_scope(&["write_repository", "api"]),
    }
}

async fn find(app: &App, actor: &Actor, path: &str) -> Result<Admitted> {
    match ProjectAccess::by_path(app, actor.clone(), path).await {
        Ok(access) => Ok(Admitted { access, moved: false, created: false }),
        Err(Error::Moved(new)) => {
            let access = ProjectAccess::by_path(app, actor.clone(), &new).await?;
            Ok(Admitted { access, moved: true, created: false })
        }
        Err(e) => Err(e),
    }
}

/// What is only refused for a while, such as a push to an archived project, is refused when the refs are known.
fn check_permission(access: &ProjectAccess, service: Service) -> Result<()> {
    let refused = |what: &str| match access.actor.known() {
        None => Error::Unauthenticated,
        Some(_) => {
            Error::forbidden(format!("you may not {what} {}; ask one of its maintainers", access.project.full_path))
        }
    };
    if !access.can(Permission::ReadCode) {
        return Err(refused("read the code of"));
    }
    let level = Permission::PushCode.rule().member;
    if service == Service::ReceivePack && (access.actor.known().is_none() || access.level < level) {
        return Err(refused("push to"));
    }
    Ok(())
}

async fn vacant(app: &App, actor: &Actor, path: &str) -> Result<Vacant> {
    let nothing = || Error::not_found("Project");
    let (namespace, name) = path.rsplit_once('/').ok_or_else(nothing)?;
    let conn = app.db().conn();
    let invisible = Project::by_path(conn, path).await?.is_some() || matches!(actor.via(), Via::Job { .. });
    if invisible {
        return Err(nothing());
    }
    let namespace = Namespace::by_path(conn, namespace).await?.ok_or_else(nothing)?;
    let group = GroupAccess::of(app, actor.clone(), namespace).await.map_err(|_| nothing())?;
    may_create_project(app, &group).await.map_err(|e| match e {
        Error::Forbidden(why) if why.is_empty() => nothing(),
        other => other,
    })?;
    accounts::user::check_path(name)
        .map_err(|why| Error::forbidden(format!("no project can be made here, as its path {why}")))?;
    Ok(Vacant { namespace: group.group, name: name.to_owned() })
}

impl Vacant {
    /// Makes the private project that is pushed to.
    pub(crate) async fn create(self, app: &App, actor: &Actor) -> Result<Admitted> {
        let new = NewProject {
            path: self.name.clone(),
            name: self.name,
            description: String::new(),
            visibility: Visibility::Private,
            settings: ProjectSettings::default(),
            creator_id: actor.user()?.id,
            forked_from_id: None,
            import_url: None,
        };
        let tx = app.begin().await?;
        let made = project(&tx, actor, &self.namespace, new).await?;
        tx.commit().await?;
        let access = ProjectAccess::of(app, actor.clone(), made).await?;
        Ok(Admitted { access, moved: false, created: true })
    }
}

/// A repository without anything, which stands in for the one of a project that is not there yet.
pub(crate) async fn empty_repository(app: &App) -> Result<Repo> {
    let path = app.config().data.join("empty.git");
    match Repo::open(&path).await {
        Err(GitError::NotFound(_)) => {}
        opened => return opened.or_status(),
    }
    match Repo::init(&path, "main").await {
        Err(GitError::Conflict(_)) => Repo::open(&path).await.or_status(),
        made => made.or_status(),
    }
}
