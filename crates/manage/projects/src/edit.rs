//! Changing a project: what the API and the pages share.

use accounts::{Actor, audit};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time, Tx};
use serde_json::json;

use crate::access::{GroupAccess, ProjectAccess};
use crate::api::project_settings::ProjectChange;
use crate::create;
use crate::hooks::RepositoryHooks;
use crate::namespace::{Namespace, check_name};
use crate::permissions::Permission;
use crate::project::{NewProject, Project};
use crate::settings::ProjectSettings;
use crate::visibility::Visibility;

const MAX_DESCRIPTION: usize = 2000;

/// The path that a name suggests: `My tool` becomes `my-tool`.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        let kept = c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        match kept {
            true => out.push(c.to_ascii_lowercase()),
            false if !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    out.trim_matches(['-', '.']).to_owned()
}

fn check_description(text: &str) -> Result<()> {
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(Error::invalid("description", format!("is too long (maximum is {MAX_DESCRIPTION} characters)")));
    }
    if text.contains('\0') { Err(Error::invalid("description", "can't hold NUL characters")) } else { Ok(()) }
}

/// The namespace with an id, or the actor's own; refuses where the actor may not make projects.
pub(crate) async fn target_namespace(app: &App, actor: &Actor, id: Option<i64>) -> Result<GroupAccess> {
    let user = actor.user()?;
    let found = match id {
        Some(id) => Namespace::find(app.db().conn(), id).await?,
        None => Namespace::of_user(app.db().conn(), user.id).await?,
    };
    let invalid = || Error::invalid("namespace", "is not valid");
    let access = GroupAccess::of(app, actor.clone(), found.ok_or_else(invalid)?).await;
    let access = access.map_err(|e| if matches!(e, Error::NotFound(_)) { invalid() } else { e })?;
    create::may_create_project(app, &access).await?;
    Ok(access)
}

/// Makes a project from parameters, for `actor` in the namespace that they name.
pub(crate) async fn create_project(app: &App, actor: &Actor, wanted: &ProjectChange) -> Result<Project> {
    let namespace = target_namespace(app, actor, wanted.namespace_id).await?;
    create_in(app, actor, &namespace.group, wanted).await
}

/// Makes a project from parameters in a namespace where it has been checked that the actor may.
pub(crate) async fn create_in(
    app: &App,
    actor: &Actor,
    namespace: &Namespace,
    wanted: &ProjectChange,
) -> Result<Project> {
    let blank = |t: &Option<String>| t.clone().filter(|t| !t.trim().is_empty());
    let (name, path) = match (blank(&wanted.name), blank(&wanted.path)) {
        (None, None) => {
            return Err(Error::BadParameter("name, path are missing, at least one parameter must be provided".into()));
        }
        (Some(name), None) => (name.clone(), slug(&name)),
        (None, Some(path)) => (path.clone(), path),
        (Some(name), Some(path)) => (name, path),
    };
    let description = wanted.description.clone().unwrap_or_default();
    check_description(&description)?;
    if wanted.repository_object_format.as_deref().is_some_and(|f| f != "sha1") {
        return Err(Error::invalid("repository_object_format", "can only be sha1"));
    }
    let import_url = blank(&wanted.import_url);
    if let Some(url) = &import_url {
        check_import_url(url)?;
    }
    let default_visibility = app.settings().get("default_project_visibility", Visibility::Private);
    let most = if namespace.is_group() { namespace.visibility() } else { Visibility::Public };
    let new = NewProject {
        path,
        name,
        description,
        visibility: wanted.visibility.unwrap_or(default_visibility.min(most)),
        settings: wanted.apply(&ProjectSettings::default())?,
        creator_id: actor.user()?.id,
        forked_from_id: None,
        import_url: import_url.clone(),
    };
    let tx = app.begin().await?;
    let mut made = create::project(&tx, actor, namespace, new).await?;
    if let Some(topics) = wanted.topics.as_ref().or(wanted.tag_list.as_ref()) {
        made.topics = crate::topics::set(&tx, made.id, topics).await?;
    }
    let branch = blank(&wanted.default_branch);
    let branch = branch.or_else(|| namespace.settings().ok().and_then(|s| s.default_branch));
    if let Some(branch) = branch {
        check_branch(&branch)?;
        tx.run("UPDATE projects SET default_branch = $2 WHERE id = $1", [made.id.into(), branch.as_str().into()])
            .await?;
        made.default_branch = Some(branch);
    }
    tx.commit().await?;
    if wanted.initialize_with_readme == Some(true)
        && import_url.is_none()
        && let Some(hooks) = app.get::<RepositoryHooks>()
    {
        hooks.0.initialise(app, actor, &made).await?;
    }
    Project::find(app.db().conn(), made.id).await?.ok_or_else(|| Error::not_found("Project"))
}

/// Refuses names of branches that git would refuse.
fn check_branch(name: &str) -> Result<()> {
    let bad_char = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let bad_part = |p: &str| p.is_empty() || p.starts_with('.') || p.ends_with('.') || p.ends_with(".lock");
    if name.len() > 255
        || name.starts_with('-')
        || name.contains("..")
        || name.contains("@{")
        || name.chars().any(bad_char)
        || name.split('/').any(bad_part)
    {
        return Err(Error::invalid(
            "default_branch",
            "is not a branch name; try letters, digits, '-', '_', '.' and '/'",
        ));
    }
    Ok(())
}

/// Refuses what can't be imported from. Whether the address is private is seen when its name is looked up.
pub(crate) fn check_import_url(text: &str) -> Result<()> {
    let invalid = |why: &str| Error::invalid("import_url", why);
    let url = url::Url::parse(text).map_err(|_| invalid("is not a URL; try https://example.org/group/project.git"))?;
    if !matches!(url.scheme(), "http" | "https" | "git") {
        return Err(invalid("must begin with https://, http:// or git://"));
    }
    if url.host_str().is_none_or(str::is_empty) || text.len() > 2000 || text.chars().any(char::is_control) {
        return Err(invalid("is not a URL; try https://example.org/group/project.git"));
    }
    Ok(())
}

/// Changes a project as the parameters say.
pub(crate) async fn update_project(app: &App, access: &ProjectAccess, wanted: &ProjectChange) -> Result<Project> {
    access.may(Permission::EditProject)?;
    let project = &access.project;
    let path = wanted.path.as_deref().filter(|p| *p != project.path);
    if path.is_some() {
        access.may(Permission::TransferProject)?;
    }
    let visibility = wanted.visibility.filter(|v| *v != project.visibility());
    if visibility.is_some() {
        access.may(Permission::ChangeVisibility)?;
    }
    if let Some(branch) = wanted.default_branch.as_deref().filter(|b| Some(*b) != project.default_branch.as_deref()) {
        change_default_branch(app, access, branch).await?;
    }
    let tx = app.begin().await?;
    write_change(&tx, access, wanted, visibility).await?;
    if let Some(path) = path {
        relocate(&tx, access, None, path).await?;
    }
    tx.commit().await?;
    Project::find(app.db().conn(), project.id).await?.ok_or_else(|| Error::not_found("Project"))
}

async fn write_change(
    tx: &Tx,
    access: &ProjectAccess,
    wanted: &ProjectChange,
    visibility: Option<Visibility>,
) -> Result<()> {
    let project = &access.project;
    let name = wanted.name.as_deref().unwrap_or(&project.name).trim();
    let description = wanted.description.as_deref().unwrap_or(&project.description);
    check_name(name)?;
    check_description(description)?;
    if let Some(visibility) = visibility {
        check_visibility(tx, project, visibility).await?;
    }
    if let Some(topics) = wanted.topics.as_ref().or(wanted.tag_list.as_ref()) {
        crate::topics::set(tx, project.id, topics).await?;
    }
    let settings = wanted.apply(&access.settings)?;
    let number = visibility.map_or(project.visibility, Visibility::number);
    let sql = "UPDATE projects SET name = $2, description = $3, settings = $4, visibility = $5, updated_at = $6 WHERE id = $1";
    let values = [
        project.id.into(),
        name.into(),
        description.into(),
        serde_json::to_string(&settings)?.into(),
        number.into(),
        Time::now().into(),
    ];
    tx.run(sql, values).await?;
    if settings != access.settings || visibility.is_some() {
        let details = json!({ "visibility": Visibility::from_number(number).to_string() });
        audit::record(&**tx, &access.actor, "project.changed", ("project", project.id), details).await?;
    }
    Ok(())
}

async fn check_visibility(tx: &Tx, project: &Project, wanted: Visibility) -> Result<()> {
    let namespace = Namespace::find(&**tx, project.namespace_id).await?.ok_or_else(|| Error::not_found("Namespace"))?;
    if namespace.is_group() && wanted.number() > namespace.visibility {
        let why = format!("{wanted} is not allowed in a {} group.", namespace.visibility());
        return Err(Error::invalid("visibility_level", why));
    }
    Ok(())
}

async fn change_default_branch(app: &App, access: &ProjectAccess, branch: &str) -> Result<()> {
    check_branch(branch)?;
    match app.get::<RepositoryHooks>() {
        Some(hooks) if !access.project.empty_repo => {
            hooks.0.set_default_branch(app, &access.actor, &access.project, branch).await
        }
        _ => {
            let sql = "UPDATE projects SET default_branch = $2 WHERE id = $1";
            app.db().run(sql, [access.project.id.into(), branch.into()]).await?;
            Ok(())
        }
    }
}

/// Gives a project another path or namespace, with its audit event.
pub(crate) async fn relocate(
    tx: &Tx,
    access: &ProjectAccess,
    namespace: Option<&Namespace>,
    path: &str,
) -> Result<Project> {
    let own;
    let namespace = match namespace {
        Some(n) => n,
        None => {
            own = Namespace::find(&**tx, access.project.namespace_id)
                .await?
                .ok_or_else(|| Error::not_found("Namespace"))?;
            &own
        }
    };
    let moved = access.project.relocate(tx, namespace, path).await?;
    let details = json!({ "from": access.project.full_path, "to": moved.full_path });
    audit::record(&**tx, &access.actor, "project.moved", ("project", moved.id), details).await?;
    Ok(moved)
}

/// Moves a project to another namespace.
pub(crate) async fn transfer(app: &App, access: &ProjectAccess, target: &GroupAccess) -> Result<Project> {
    access.may(Permission::TransferProject)?;
    if target.group.id == access.project.namespace_id {
        return Err(Error::bad_request("Project is already in this namespace."));
    }
    create::may_create_project(app, target).await?;
    let tx = app.begin().await?;
    let path = access.project.path.clone();
    let moved = relocate(&tx, access, Some(&target.group), &path).await?;
    tx.commit().await?;
    Ok(moved)
}

/// Archives a project or brings it back.
pub(crate) async fn archive(app: &App, access: &ProjectAccess, archived: bool) -> Result<Project> {
    access.may(Permission::ArchiveProject)?;
    let tx = app.begin().await?;
    let sql = "UPDATE projects SET archived = $2, updated_at = $3 WHERE id = $1";
    tx.run(sql, [access.project.id.into(), archived.into(), Time::now().into()]).await?;
    let event = if archived { "project.archived" } else { "project.unarchived" };
    audit::record(&*tx, &access.actor, event, ("project", access.project.id), json!({})).await?;
    tx.commit().await?;
    Ok(Project { archived, ..access.project.clone() })
}

/// Stars a project or takes the star away; `false` where it was so already.
pub async fn star(app: &App, access: &ProjectAccess, starred: bool) -> Result<bool> {
    let user = access.actor.user()?.id;
    let tx = app.begin().await?;
    let (sql, by) = match starred {
        true => ("INSERT INTO stars (user_id, project_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", 1),
        false => ("DELETE FROM stars WHERE user_id = $1 AND project_id = $2 AND created_at <= $3", -1),
    };
    let changed = tx.run(sql, [user.into(), access.project.id.into(), Time::now().into()]).await? > 0;
    if changed {
        let sql = "UPDATE projects SET star_count = star_count + $2 WHERE id = $1";
        tx.run(sql, [access.project.id.into(), i64::from(by).into()]).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Whether the actor starred the project, and how many forks it has.
pub async fn popularity(app: &App, access: &ProjectAccess) -> Result<(bool, i64)> {
    let (stars, forks) = (
        "SELECT COUNT(*) FROM stars WHERE user_id = $1 AND project_id = $2",
        "SELECT COUNT(*) FROM projects WHERE forked_from_id = $1",
    );
    let conn = app.db().conn();
    let forks = conn.scalar::<i64>(forks, [access.project.id.into()]).await?.unwrap_or(0);
    let Some(user) = access.actor.id() else { return Ok((false, forks)) };
    let stars = conn.scalar::<i64>(stars, [user.into(), access.project.id.into()]).await?.unwrap_or(0);
    Ok((stars > 0, forks))
}

/// What a fork is to be like, where it is not to be like its source.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ForkAs {
    pub path: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub visibility: Option<Visibility>,
}

/// Makes the row of a fork; its repository is copied by a job.
pub async fn fork(app: &App, access: &ProjectAccess, target: &GroupAccess, wanted: ForkAs) -> Result<Project> {
    access.may(Permission::ForkProject)?;
    access.sees(Permission::ReadCode, "Project")?;
    create::may_create_project(app, target).await?;
    let source = &access.project;
    let most = if target.group.is_group() { target.group.visibility() } else { Visibility::Public };
    let description = wanted.description.unwrap_or_else(|| source.description.clone());
    check_description(&description)?;
    let new = NewProject {
        path: wanted.path.filter(|p| !p.is_empty()).unwrap_or_else(|| source.path.clone()),
        name: wanted.name.filter(|n| !n.is_empty()).unwrap_or_else(|| source.name.clone()),
        description,
        visibility: wanted.visibility.unwrap_or(Visibility::Public).min(source.visibility()).min(most),
        settings: access.settings.clone(),
        creator_id: access.actor.user()?.id,
        forked_from_id: Some(source.id),
        import_url: None,
    };
    let tx = app.begin().await?;
    let made = create::project(&tx, &access.actor, &target.group, new).await.map_err(fork_conflict)?;
    let sql = "UPDATE projects SET import_status = 'scheduled', default_branch = $2 WHERE id = $1";
    tx.run(sql, [made.id.into(), source.default_branch.clone().into()]).await?;
    tx.commit().await?;
    Project::find(app.db().conn(), made.id).await?.ok_or_else(|| Error::not_found("Project"))
}

/// A path that is taken is a 409 for forks.
fn fork_conflict(error: Error) -> Error {
    match &error {
        Error::Invalid(fields) if fields.iter().any(|(_, why)| why == "has already been taken") => {
            Error::Conflict("Project namespace name has already been taken, Path has already been taken".into())
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_paths() {
        assert_eq!(slug("My tool (2)"), "my-tool-2");
        assert_eq!(slug("  -x- "), "x");
        assert_eq!(slug("été"), "t");
    }

    #[test]
    fn odd_branches_are_refused() {
        for bad in ["-x", "a..b", "a b", "a/", "/a", "a.lock", "a@{b", "é\0"] {
            assert!(check_branch(bad).is_err(), "{bad:?}");
        }
        assert!(check_branch("feature/ä-1").is_ok());
    }

    #[test]
    fn import_urls() {
        for bad in ["file:///etc/passwd", "ssh://a/b", "/etc", "https://", "ext::sh"] {
            assert!(check_import_url(bad).is_err(), "{bad:?}");
        }
        assert!(check_import_url("https://u:p@example.org/a.git").is_ok());
    }
}
