//! The entities of a project, as GitLab's API names them, made for many projects at once.

use std::collections::HashMap;

use accounts::{Actor, User};
use kernel::{App, Result, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::entity::{self, Lineages, NamespaceBasic, UserBasic, alive, numbers};
use super::project_settings::{MaintainerSettings, SettingsEntity};
use crate::access::ProjectAccess;
use crate::avatar;
use crate::delete::id_list;
use crate::hooks::RepositoryHooks;
use crate::level;
use crate::permissions::Permission;
use crate::project::Project;
use crate::settings::{Feature, FeatureLevel};

/// What names a project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProjectIdentity {
    id: i64,
    description: Option<String>,
    name: String,
    name_with_namespace: String,
    path: String,
    path_with_namespace: String,
    created_at: Time,
}

/// A project in short, as those see it who aren't signed in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProjectSimple {
    #[serde(flatten)]
    identity: ProjectIdentity,
    #[serde(flatten)]
    code: Option<CodeFields>,
    tag_list: Vec<String>,
    topics: Vec<String>,
    ssh_url_to_repo: String,
    http_url_to_repo: String,
    web_url: String,
    avatar_url: Option<String>,
    star_count: i64,
    last_activity_at: Time,
    visibility: String,
    namespace: NamespaceBasic,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository_storage: Option<String>,
}

/// What only those see who may read the code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct CodeFields {
    default_branch: Option<String>,
    readme_url: Option<String>,
    forks_count: i64,
}

/// A project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProjectEntity {
    #[serde(flatten)]
    simple: ProjectSimple,
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from_project: Option<Box<ProjectSimple>>,
    #[serde(rename = "_links")]
    links: ProjectLinks,
    marked_for_deletion_at: Option<String>,
    marked_for_deletion_on: Option<String>,
    empty_repo: bool,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<UserBasic>,
    #[serde(flatten)]
    settings: SettingsEntity,
    #[serde(flatten)]
    maintainer: Option<MaintainerSettings>,
    creator_id: Option<i64>,
    import_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_issues_count: Option<i64>,
    description_html: String,
    updated_at: Time,
    shared_with_groups: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<ProjectStatistics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<ProjectPermissions>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ProjectLinks {
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issues: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_requests: Option<String>,
    repo_branches: String,
    labels: String,
    events: String,
    members: String,
    cluster_agents: String,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ProjectStatistics {
    commit_count: i64,
    storage_size: i64,
    repository_size: i64,
    wiki_size: i64,
    lfs_objects_size: i64,
    job_artifacts_size: i64,
    pipeline_artifacts_size: i64,
    packages_size: i64,
    snippets_size: i64,
    uploads_size: i64,
    container_registry_size: i64,
}

/// What the asker is in a project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ProjectPermissions {
    project_access: Option<AccessEntity>,
    group_access: Option<AccessEntity>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct AccessEntity {
    access_level: i64,
    notification_level: i64,
}

/// Which of the conditional parts are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) statistics: bool,
    pub(crate) permissions: bool,
}

/// What many projects' entities are made of, loaded in a handful of statements whatever their number.
pub(crate) struct Material {
    actor: Actor,
    lineages: Lineages,
    owners: HashMap<i64, User>,
    forks: HashMap<i64, i64>,
    origins: HashMap<i64, Project>,
    project_levels: HashMap<i64, i64>,
    group_levels: HashMap<i64, i64>,
    uploads: HashMap<i64, i64>,
    /// The id and the README of the one project that is shown; lists don't open repositories.
    readme: Option<(i64, String)>,
}

impl Material {
    pub(crate) async fn load(app: &App, actor: &Actor, projects: &[Project], shape: Shape) -> Result<Self> {
        let origins = origins(app, actor, projects).await?;
        let all = || projects.iter().chain(origins.values());
        let ids = id_list(&all().map(|p| p.id).collect::<Vec<_>>());
        let namespaces: Vec<i64> = all().map(|p| p.namespace_id).collect();
        let lineages = Lineages::load(app, &namespaces).await?;
        let owners = entity::users(app, lineages.all().filter_map(|n| n.owner_id)).await?;
        let sql = format!(
            "SELECT forked_from_id AS id, COUNT(*) AS n FROM projects WHERE forked_from_id IN ({ids}) GROUP BY forked_from_id"
        );
        let forks = numbers(app, &sql).await?;
        let (project_levels, group_levels) = levels(app, actor, &ids, &id_list(&namespaces)).await?;
        let uploads = if shape.statistics {
            let sql = format!(
                "SELECT project_id AS id, CAST(SUM(size) AS BIGINT) AS n FROM uploads WHERE project_id IN ({ids}) GROUP BY project_id"
            );
            numbers(app, &sql).await?
        } else {
            HashMap::new()
        };
        let (actor, readme) = (actor.clone(), None);
        Ok(Self { actor, lineages, owners, forks, origins, project_levels, group_levels, uploads, readme })
    }

    fn readme_url(&self, app: &App, project: &Project) -> Option<String> {
        let (_, name) = self.readme.as_ref().filter(|(id, _)| *id == project.id)?;
        Some(project.url(app, &format!("/-/blob/{}/{name}", project.branch())))
    }

    /// The actor's access to one of the loaded projects.
    fn access(&self, project: &Project) -> Result<ProjectAccess> {
        let owns = |id: i64| self.lineages.namespace(project.namespace_id).is_some_and(|n| n.owner_id == Some(id));
        let level = match self.actor.id() {
            _ if self.actor.is_admin() => level::OWNER,
            Some(id) if owns(id) => level::OWNER,
            Some(_) => {
                let own = self.project_levels.get(&project.id).copied().unwrap_or(level::NONE);
                own.max(self.group_levels.get(&project.namespace_id).copied().unwrap_or(level::NONE))
            }
            None => level::NONE,
        };
        Ok(ProjectAccess { settings: project.settings()?, project: project.clone(), actor: self.actor.clone(), level })
    }
}

/// The visible projects that these were forked from.
async fn origins(app: &App, actor: &Actor, projects: &[Project]) -> Result<HashMap<i64, Project>> {
    let ids: Vec<i64> = projects.iter().filter_map(|p| p.forked_from_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT p.* FROM projects p WHERE p.id IN ({}) AND {}",
        id_list(&ids),
        crate::access::visible_projects(actor)
    );
    Ok(app.db().all::<Project>(&sql, []).await?.into_iter().map(|p| (p.id, p)).collect())
}

/// The actor's direct levels by project and inherited levels by namespace.
async fn levels(
    app: &App,
    actor: &Actor,
    projects: &str,
    namespaces: &str,
) -> Result<(HashMap<i64, i64>, HashMap<i64, i64>)> {
    let Some(user) = actor.id() else { return Ok(Default::default()) };
    let alive = alive();
    let sql = format!(
        "SELECT m.project_id AS id, MAX(m.access_level) AS n FROM members m
         WHERE m.project_id IN ({projects}) AND m.user_id = {user} AND {alive} GROUP BY m.project_id"
    );
    let direct = numbers(app, &sql).await?;
    let sql = format!(
        "SELECT a.namespace_id AS id, MAX(m.access_level) AS n FROM namespace_ancestors a
         JOIN members m ON m.namespace_id = a.ancestor_id
         WHERE a.namespace_id IN ({namespaces}) AND m.user_id = {user} AND {alive} GROUP BY a.namespace_id"
    );
    Ok((direct, numbers(app, &sql).await?))
}

/// The short entities of projects, in their order.
pub(crate) async fn simple(app: &App, actor: &Actor, projects: &[Project]) -> Result<Vec<ProjectSimple>> {
    let material = Material::load(app, actor, projects, Shape::default()).await?;
    projects.iter().map(|p| material.simple(app, &material.access(p)?)).collect()
}

/// The entities of projects, in their order.
pub(crate) async fn full(app: &App, actor: &Actor, projects: &[Project], shape: Shape) -> Result<Vec<ProjectEntity>> {
    let material = Material::load(app, actor, projects, shape).await?;
    projects.iter().map(|p| material.full(app, &material.access(p)?, shape)).collect()
}

/// The entity of one project.
pub(crate) async fn one(app: &App, actor: &Actor, project: &Project, shape: Shape) -> Result<ProjectEntity> {
    let mut material = Material::load(app, actor, std::slice::from_ref(project), shape).await?;
    if let Some(hooks) = app.get::<RepositoryHooks>().filter(|_| !project.empty_repo) {
        // A repository that can't be read is no reason to hide the project.
        material.readme = hooks.0.readme(app, project).await.ok().flatten().map(|name| (project.id, name));
    }
    material.full(app, &material.access(project)?, shape)
}

/// What names one project.
pub(crate) async fn identity(app: &App, project: &Project) -> Result<ProjectIdentity> {
    let lineages = Lineages::load(app, &[project.namespace_id]).await?;
    Ok(identity_of(project, &lineages))
}

fn identity_of(project: &Project, lineages: &Lineages) -> ProjectIdentity {
    ProjectIdentity {
        id: project.id,
        description: (!project.description.is_empty()).then(|| project.description.clone()),
        name: project.name.clone(),
        name_with_namespace: format!("{} / {}", lineages.full_name(project.namespace_id), project.name),
        path: project.path.clone(),
        path_with_namespace: project.full_path.clone(),
        created_at: project.created_at,
    }
}

impl Material {
    fn simple(&self, app: &App, access: &ProjectAccess) -> Result<ProjectSimple> {
        let project = &access.project;
        let namespace =
            self.lineages.namespace(project.namespace_id).ok_or_else(|| kernel::Error::not_found("Namespace"))?;
        let mut basic = NamespaceBasic::of(app, namespace);
        if let Some(owner) = namespace.owner_id.and_then(|id| self.owners.get(&id)) {
            basic.avatar_url = owner.avatar_path();
        }
        let code = access.can(Permission::ReadCode).then(|| CodeFields {
            default_branch: Some(project.branch().to_owned()),
            readme_url: self.readme_url(app, project),
            forks_count: self.forks.get(&project.id).copied().unwrap_or(0),
        });
        Ok(ProjectSimple {
            identity: identity_of(project, &self.lineages),
            code,
            tag_list: project.topics(),
            topics: project.topics(),
            ssh_url_to_repo: project.ssh_url(app),
            http_url_to_repo: project.http_url(app),
            web_url: project.url(app, ""),
            avatar_url: avatar::project_path(project).map(|p| app.config().link(&p)),
            star_count: project.star_count,
            last_activity_at: project.last_activity_at,
            visibility: project.visibility().to_string(),
            namespace: basic,
            repository_storage: self.actor.is_admin().then(|| "default".into()),
        })
    }

    fn full(&self, app: &App, access: &ProjectAccess, shape: Shape) -> Result<ProjectEntity> {
        let project = &access.project;
        let origin = match project.forked_from_id.and_then(|id| self.origins.get(&id)) {
            Some(origin) => Some(Box::new(self.simple(app, &self.access(origin)?)?)),
            None => None,
        };
        let maintainer = access.can(Permission::EditProject);
        let owner = self.lineages.namespace(project.namespace_id).and_then(|n| n.owner_id);
        Ok(ProjectEntity {
            simple: self.simple(app, access)?,
            forked_from_project: origin,
            links: ProjectLinks::of(app, access),
            marked_for_deletion_at: None,
            marked_for_deletion_on: None,
            empty_repo: project.empty_repo,
            archived: project.archived,
            owner: owner.and_then(|id| self.owners.get(&id)).map(|u| UserBasic::of(app, u)),
            settings: SettingsEntity::of(access),
            maintainer: maintainer.then(|| MaintainerSettings::of(access)),
            creator_id: project.creator_id,
            import_status: project.import_status.clone(),
            open_issues_count: is_on(access, Feature::Issues).then_some(0),
            description_html: description_html(project),
            updated_at: project.updated_at,
            shared_with_groups: vec![],
            statistics: (shape.statistics && access.level >= level::REPORTER).then(|| self.statistics(project)),
            permissions: (shape.permissions && self.actor.known().is_some()).then(|| self.permissions(project)),
        })
    }

    fn statistics(&self, project: &Project) -> ProjectStatistics {
        let uploads = self.uploads.get(&project.id).copied().unwrap_or(0);
        ProjectStatistics {
            commit_count: project.commit_count,
            storage_size: project.repository_size + uploads,
            repository_size: project.repository_size,
            wiki_size: 0,
            lfs_objects_size: 0,
            job_artifacts_size: 0,
            pipeline_artifacts_size: 0,
            packages_size: 0,
            snippets_size: 0,
            uploads_size: uploads,
            container_registry_size: 0,
        }
    }

    fn permissions(&self, project: &Project) -> ProjectPermissions {
        let entity = |level: Option<&i64>| level.map(|l| AccessEntity { access_level: *l, notification_level: 3 });
        ProjectPermissions {
            project_access: entity(self.project_levels.get(&project.id)),
            group_access: entity(self.group_levels.get(&project.namespace_id)),
        }
    }
}

impl ProjectLinks {
    fn of(app: &App, access: &ProjectAccess) -> Self {
        let link = |rest: &str| app.config().link(&format!("/api/v4/projects/{}{rest}", access.project.id));
        Self {
            own: link(""),
            issues: is_on(access, Feature::Issues).then(|| link("/issues")),
            merge_requests: is_on(access, Feature::MergeRequests).then(|| link("/merge_requests")),
            repo_branches: link("/repository/branches"),
            labels: link("/labels"),
            events: link("/events"),
            members: link("/members"),
            cluster_agents: link("/cluster_agents"),
        }
    }
}

fn is_on(access: &ProjectAccess, feature: Feature) -> bool {
    access.settings.level_of(feature) != FeatureLevel::Disabled
}

fn description_html(project: &Project) -> String {
    if project.description.is_empty() {
        return String::new();
    }
    ui::markdown::render(&project.description, &ui::markdown::MarkdownOptions::default())
}
