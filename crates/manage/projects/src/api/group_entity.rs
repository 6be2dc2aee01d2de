//! The entities of a group, as GitLab's API names them, made for many groups at once.

use std::collections::HashMap;

use kernel::{App, Result, Time};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::entity::{Lineages, numbers};
use super::project_entity::ProjectEntity;
use crate::avatar;
use crate::delete::id_list;
use crate::namespace::Namespace;

/// A group in short, in lists that only name it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct GroupIdentity {
    id: i64,
    web_url: String,
    name: String,
    avatar_url: Option<String>,
    full_name: String,
    full_path: String,
}

/// A group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct GroupEntity {
    id: i64,
    web_url: String,
    name: String,
    path: String,
    description: String,
    visibility: String,
    share_with_group_lock: bool,
    require_two_factor_authentication: bool,
    two_factor_grace_period: i64,
    project_creation_level: String,
    auto_devops_enabled: Option<bool>,
    subgroup_creation_level: String,
    emails_disabled: bool,
    emails_enabled: bool,
    show_diff_preview_in_email: bool,
    mentions_disabled: bool,
    lfs_enabled: bool,
    archived: bool,
    math_rendering_limits_enabled: bool,
    lock_math_rendering_limits_enabled: bool,
    default_branch: Option<String>,
    default_branch_protection: i64,
    default_branch_protection_defaults: Value,
    avatar_url: Option<String>,
    request_access_enabled: bool,
    full_name: String,
    full_path: String,
    created_at: Time,
    parent_id: Option<i64>,
    organization_id: i64,
    shared_runners_setting: String,
    max_artifacts_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<GroupStatistics>,
    marked_for_deletion_on: Option<String>,
}

/// A group alone, with more.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct GroupDetail {
    #[serde(flatten)]
    pub(crate) group: GroupEntity,
    pub(crate) shared_with_groups: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runners_token: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prevent_sharing_groups_outside_hierarchy: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) projects: Option<Vec<ProjectEntity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared_projects: Option<Vec<ProjectEntity>>,
}

#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct GroupStatistics {
    storage_size: i64,
    repository_size: i64,
    wiki_size: i64,
    lfs_objects_size: i64,
    job_artifacts_size: i64,
    pipeline_artifacts_size: i64,
    packages_size: i64,
    snippets_size: i64,
    uploads_size: i64,
}

fn web_url(app: &App, group: &Namespace) -> String {
    app.config().link(&format!("/groups/{}", group.full_path))
}

/// Groups in short, in their order.
pub(crate) async fn identities(app: &App, groups: &[Namespace]) -> Result<Vec<GroupIdentity>> {
    let lineages = Lineages::load(app, &groups.iter().map(|g| g.id).collect::<Vec<_>>()).await?;
    let made = groups.iter().map(|g| GroupIdentity {
        id: g.id,
        web_url: web_url(app, g),
        name: g.name.clone(),
        avatar_url: avatar::group_path(g).map(|p| app.config().link(&p)),
        full_name: lineages.full_name(g.id),
        full_path: g.full_path.clone(),
    });
    Ok(made.collect())
}

/// The entities of groups, in their order.
pub(crate) async fn groups(app: &App, groups: &[Namespace], statistics: bool) -> Result<Vec<GroupEntity>> {
    let ids: Vec<i64> = groups.iter().map(|g| g.id).collect();
    let lineages = Lineages::load(app, &ids).await?;
    let sizes = if statistics { sizes(app, &ids).await? } else { HashMap::new() };
    groups
        .iter()
        .map(|g| {
            let size = sizes.get(&g.id).copied().unwrap_or(0);
            let statistics = statistics.then(|| GroupStatistics {
                storage_size: size,
                repository_size: size,
                ..GroupStatistics::default()
            });
            entity(app, g, lineages.full_name(g.id), statistics)
        })
        .collect()
}

/// Bytes of all repositories in a group and below, by group.
pub(super) async fn sizes(app: &App, ids: &[i64]) -> Result<HashMap<i64, i64>> {
    let sql = format!(
        "SELECT a.ancestor_id AS id, CAST(SUM(p.repository_size) AS BIGINT) AS n FROM namespace_ancestors a
         JOIN projects p ON p.namespace_id = a.namespace_id WHERE a.ancestor_id IN ({}) GROUP BY a.ancestor_id",
        id_list(ids)
    );
    numbers(app, &sql).await
}

fn entity(app: &App, group: &Namespace, full_name: String, statistics: Option<GroupStatistics>) -> Result<GroupEntity> {
    let settings = group.settings()?;
    Ok(GroupEntity {
        id: group.id,
        web_url: web_url(app, group),
        name: group.name.clone(),
        path: group.path.clone(),
        description: group.description.clone(),
        visibility: group.visibility().to_string(),
        share_with_group_lock: settings.share_with_group_lock,
        require_two_factor_authentication: settings.require_two_factor_authentication,
        two_factor_grace_period: settings.two_factor_grace_period,
        project_creation_level: settings.project_creation_level,
        auto_devops_enabled: None,
        subgroup_creation_level: settings.subgroup_creation_level,
        emails_disabled: !settings.emails_enabled,
        emails_enabled: settings.emails_enabled,
        show_diff_preview_in_email: true,
        mentions_disabled: settings.mentions_disabled,
        lfs_enabled: settings.lfs_enabled,
        archived: false,
        math_rendering_limits_enabled: true,
        lock_math_rendering_limits_enabled: false,
        default_branch: settings.default_branch,
        default_branch_protection: 2,
        default_branch_protection_defaults: json!({
            "allowed_to_push": [{ "access_level": 40 }],
            "allow_force_push": false,
            "allowed_to_merge": [{ "access_level": 40 }],
            "developer_can_initial_push": false,
        }),
        avatar_url: avatar::group_path(group).map(|p| app.config().link(&p)),
        request_access_enabled: settings.request_access_enabled,
        full_name,
        full_path: group.full_path.clone(),
        created_at: group.created_at,
        parent_id: group.parent_id,
        organization_id: 1,
        shared_runners_setting: settings.shared_runners_setting,
        max_artifacts_size: None,
        statistics,
        marked_for_deletion_on: None,
    })
}
