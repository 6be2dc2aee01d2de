//! The settings of a project in the API: as they are shown and as they are changed.

use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::ProjectAccess;
use crate::permissions::Permission;
use crate::settings::{FeatureLevel, ProjectSettings};

/// The settings that everybody sees who sees the project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct SettingsEntity {
    packages_enabled: bool,
    resolve_outdated_diff_discussions: bool,
    repository_object_format: &'static str,
    issues_enabled: bool,
    merge_requests_enabled: bool,
    wiki_enabled: bool,
    jobs_enabled: bool,
    snippets_enabled: bool,
    container_registry_enabled: bool,
    service_desk_enabled: bool,
    can_create_merge_request_in: bool,
    issues_access_level: FeatureLevel,
    repository_access_level: FeatureLevel,
    merge_requests_access_level: FeatureLevel,
    forking_access_level: FeatureLevel,
    wiki_access_level: FeatureLevel,
    builds_access_level: FeatureLevel,
    snippets_access_level: FeatureLevel,
    pages_access_level: FeatureLevel,
    analytics_access_level: FeatureLevel,
    container_registry_access_level: FeatureLevel,
    security_and_compliance_access_level: FeatureLevel,
    releases_access_level: FeatureLevel,
    environments_access_level: FeatureLevel,
    feature_flags_access_level: FeatureLevel,
    infrastructure_access_level: FeatureLevel,
    monitor_access_level: FeatureLevel,
    model_experiments_access_level: FeatureLevel,
    model_registry_access_level: FeatureLevel,
    requirements_access_level: FeatureLevel,
    package_registry_access_level: FeatureLevel,
    emails_disabled: bool,
    emails_enabled: bool,
    show_diff_preview_in_email: bool,
    shared_runners_enabled: bool,
    lfs_enabled: bool,
    group_runners_enabled: bool,
    resource_group_default_process_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ci_config_path: Option<String>,
    public_jobs: bool,
    only_allow_merge_if_pipeline_succeeds: bool,
    allow_merge_on_skipped_pipeline: bool,
    request_access_enabled: bool,
    only_allow_merge_if_all_discussions_are_resolved: bool,
    remove_source_branch_after_merge: bool,
    printing_merge_request_link_enabled: bool,
    merge_method: String,
    squash_option: String,
    enforce_auth_checks_on_uploads: bool,
    suggestion_commit_message: Option<String>,
    merge_commit_template: Option<String>,
    squash_commit_template: Option<String>,
    issue_branch_template: Option<String>,
    warn_about_potentially_unwanted_characters: bool,
    autoclose_referenced_issues: bool,
    max_artifacts_size: Option<i64>,
}

impl SettingsEntity {
    pub(crate) fn of(access: &ProjectAccess) -> Self {
        let s = &access.settings;
        let on = |level: FeatureLevel| level != FeatureLevel::Disabled;
        Self {
            packages_enabled: on(s.package_registry_access_level),
            resolve_outdated_diff_discussions: false,
            repository_object_format: "sha1",
            issues_enabled: on(s.issues_access_level),
            merge_requests_enabled: on(s.merge_requests_access_level),
            wiki_enabled: on(s.wiki_access_level),
            jobs_enabled: on(s.builds_access_level),
            snippets_enabled: on(s.snippets_access_level),
            container_registry_enabled: on(s.container_registry_access_level),
            service_desk_enabled: false,
            can_create_merge_request_in: access.can(Permission::CreateMergeRequest),
            issues_access_level: s.issues_access_level,
            repository_access_level: s.repository_access_level,
            merge_requests_access_level: s.merge_requests_access_level,
            forking_access_level: s.forking_access_level,
            wiki_access_level: s.wiki_access_level,
            builds_access_level: s.builds_access_level,
            snippets_access_level: s.snippets_access_level,
            pages_access_level: s.pages_access_level,
            analytics_access_level: s.analytics_access_level,
            container_registry_access_level: s.container_registry_access_level,
            security_and_compliance_access_level: s.security_and_compliance_access_level,
            releases_access_level: s.releases_access_level,
            environments_access_level: s.environments_access_level,
            feature_flags_access_level: s.feature_flags_access_level,
            infrastructure_access_level: s.infrastructure_access_level,
            monitor_access_level: s.monitor_access_level,
            model_experiments_access_level: s.model_experiments_access_level,
            model_registry_access_level: s.model_registry_access_level,
            requirements_access_level: s.requirements_access_level,
            package_registry_access_level: s.package_registry_access_level,
            emails_disabled: !s.emails_enabled,
            emails_enabled: s.emails_enabled,
            show_diff_preview_in_email: true,
            shared_runners_enabled: s.shared_runners_enabled,
            lfs_enabled: s.lfs_enabled,
            group_runners_enabled: s.group_runners_enabled,
            resource_group_default_process_mode: "unordered",
            ci_config_path: access.can(Permission::DownloadCode).then(|| s.ci_config_path.clone().unwrap_or_default()),
            public_jobs: s.public_jobs,
            only_allow_merge_if_pipeline_succeeds: s.only_allow_merge_if_pipeline_succeeds,
            allow_merge_on_skipped_pipeline: s.allow_merge_on_skipped_pipeline,
            request_access_enabled: s.request_access_enabled,
            only_allow_merge_if_all_discussions_are_resolved: s.only_allow_merge_if_all_discussions_are_resolved,
            remove_source_branch_after_merge: s.remove_source_branch_after_merge,
            printing_merge_request_link_enabled: true,
            merge_method: s.merge_method.clone(),
            squash_option: s.squash_option.clone(),
            enforce_auth_checks_on_uploads: true,
            suggestion_commit_message: s.suggestion_commit_message.clone(),
            merge_commit_template: s.merge_commit_template.clone(),
            squash_commit_template: s.squash_commit_template.clone(),
            issue_branch_template: None,
            warn_about_potentially_unwanted_characters: true,
            autoclose_referenced_issues: s.autoclose_referenced_issues,
            max_artifacts_size: None,
        }
    }
}

/// The settings that maintainers see.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MaintainerSettings {
    import_url: Option<String>,
    import_type: Option<&'static str>,
    import_error: Option<String>,
    ci_default_git_depth: Option<i64>,
    ci_delete_pipelines_in_seconds: Option<i64>,
    ci_forward_deployment_enabled: bool,
    ci_forward_deployment_rollback_allowed: bool,
    ci_job_token_scope_enabled: bool,
    ci_separated_caches: bool,
    ci_allow_fork_pipelines_to_run_in_parent_project: bool,
    ci_id_token_sub_claim_components: Vec<&'static str>,
    build_git_strategy: String,
    keep_latest_artifact: bool,
    restrict_user_defined_variables: bool,
    ci_pipeline_variables_minimum_override_role: &'static str,
    runner_token_expiration_interval: Option<i64>,
    auto_cancel_pending_pipelines: &'static str,
    build_timeout: i64,
    auto_devops_enabled: bool,
    auto_devops_deploy_strategy: &'static str,
    ci_push_repository_for_job_token_allowed: bool,
    runners_token: Option<String>,
}

impl MaintainerSettings {
    pub(crate) fn of(access: &ProjectAccess) -> Self {
        let s = &access.settings;
        let url = access.project.import_url.as_deref();
        Self {
            import_url: url.map(without_credentials),
            import_type: url.map(|_| "git"),
            import_error: access.project.import_error.clone(),
            ci_default_git_depth: Some(s.ci_default_git_depth),
            ci_delete_pipelines_in_seconds: None,
            ci_forward_deployment_enabled: true,
            ci_forward_deployment_rollback_allowed: true,
            ci_job_token_scope_enabled: s.ci_job_token_scope_enabled,
            ci_separated_caches: true,
            ci_allow_fork_pipelines_to_run_in_parent_project: true,
            ci_id_token_sub_claim_components: vec!["project_path", "ref_type", "ref"],
            build_git_strategy: s.build_git_strategy.clone(),
            keep_latest_artifact: s.keep_latest_artifact,
            restrict_user_defined_variables: s.restrict_user_defined_variables,
            ci_pipeline_variables_minimum_override_role: "developer",
            runner_token_expiration_interval: None,
            auto_cancel_pending_pipelines: if s.auto_cancel_pending_pipelines { "enabled" } else { "disabled" },
            build_timeout: s.build_timeout,
            auto_devops_enabled: false,
            auto_devops_deploy_strategy: "continuous",
            ci_push_repository_for_job_token_allowed: s.ci_push_repository_for_job_token_allowed,
            runners_token: None,
        }
    }
}

/// A URL without the name and password in it.
pub(crate) fn without_credentials(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return String::new() };
    let _has_no_authority = url.set_username("").and_then(|()| url.set_password(None));
    url.into()
}

/// Whether something is switched on, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    Enabled,
    Disabled,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MergeMethod {
    Merge,
    RebaseMerge,
    Ff,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SquashOption {
    Never,
    Always,
    DefaultOn,
    DefaultOff,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GitStrategy {
    Fetch,
    Clone,
}

macro_rules! settings_change {
    ($name:ident { $($kept:ident: $t:ty),* $(,)? }) => {
        /// Parameters that change a project and its settings; what is absent stays as it is.
        #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct $name {
            $(#[serde(skip_serializing)] pub(crate) $kept: $t,)*
            pub(crate) issues_access_level: Option<FeatureLevel>,
            pub(crate) repository_access_level: Option<FeatureLevel>,
            pub(crate) merge_requests_access_level: Option<FeatureLevel>,
            pub(crate) forking_access_level: Option<FeatureLevel>,
            pub(crate) wiki_access_level: Option<FeatureLevel>,
            pub(crate) builds_access_level: Option<FeatureLevel>,
            pub(crate) snippets_access_level: Option<FeatureLevel>,
            pub(crate) pages_access_level: Option<FeatureLevel>,
            pub(crate) analytics_access_level: Option<FeatureLevel>,
            pub(crate) container_registry_access_level: Option<FeatureLevel>,
            pub(crate) security_and_compliance_access_level: Option<FeatureLevel>,
            pub(crate) releases_access_level: Option<FeatureLevel>,
            pub(crate) environments_access_level: Option<FeatureLevel>,
            pub(crate) feature_flags_access_level: Option<FeatureLevel>,
            pub(crate) infrastructure_access_level: Option<FeatureLevel>,
            pub(crate) monitor_access_level: Option<FeatureLevel>,
            pub(crate) model_experiments_access_level: Option<FeatureLevel>,
            pub(crate) model_registry_access_level: Option<FeatureLevel>,
            pub(crate) requirements_access_level: Option<FeatureLevel>,
            pub(crate) package_registry_access_level: Option<FeatureLevel>,
            #[serde(skip_serializing)]
            pub(crate) issues_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) merge_requests_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) wiki_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) jobs_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) snippets_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) container_registry_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) packages_enabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) emails_disabled: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) public_builds: Option<bool>,
            #[serde(skip_serializing)]
            pub(crate) auto_cancel_pending_pipelines: Option<Switch>,
            pub(crate) public_jobs: Option<bool>,
            pub(crate) shared_runners_enabled: Option<bool>,
            pub(crate) group_runners_enabled: Option<bool>,
            pub(crate) lfs_enabled: Option<bool>,
            pub(crate) request_access_enabled: Option<bool>,
            pub(crate) emails_enabled: Option<bool>,
            pub(crate) merge_method: Option<MergeMethod>,
            pub(crate) squash_option: Option<SquashOption>,
            pub(crate) ci_config_path: Option<String>,
            pub(crate) ci_default_git_depth: Option<i64>,
            pub(crate) build_timeout: Option<i64>,
            pub(crate) build_git_strategy: Option<GitStrategy>,
            pub(crate) keep_latest_artifact: Option<bool>,
            pub(crate) only_allow_merge_if_pipeline_succeeds: Option<bool>,
            pub(crate) allow_merge_on_skipped_pipeline: Option<bool>,
            pub(crate) only_allow_merge_if_all_discussions_are_resolved: Option<bool>,
            pub(crate) remove_source_branch_after_merge: Option<bool>,
            pub(crate) autoclose_referenced_issues: Option<bool>,
            pub(crate) suggestion_commit_message: Option<String>,
            pub(crate) merge_commit_template: Option<String>,
            pub(crate) squash_commit_template: Option<String>,
            pub(crate) issues_template: Option<String>,
            pub(crate) merge_requests_template: Option<String>,
            pub(crate) ci_job_token_scope_enabled: Option<bool>,
            pub(crate) ci_push_repository_for_job_token_allowed: Option<bool>,
            pub(crate) restrict_user_defined_variables: Option<bool>,
        }
    };
}

settings_change!(ProjectChange {
    name: Option<String>,
    path: Option<String>,
    namespace_id: Option<i64>,
    initialize_with_readme: Option<bool>,
    import_url: Option<String>,
    description: Option<String>,
    visibility: Option<crate::Visibility>,
    default_branch: Option<String>,
    topics: Option<Vec<String>>,
    tag_list: Option<Vec<String>>,
    repository_object_format: Option<String>,
    avatar: Option<String>,
});

impl ProjectChange {
    /// The settings with what is given here.
    pub(crate) fn apply(&self, old: &ProjectSettings) -> Result<ProjectSettings> {
        let (mut settings, given) = (serde_json::to_value(old)?, serde_json::to_value(self)?);
        for (key, value) in given.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
            let blank = value.as_str().is_some_and(str::is_empty);
            settings[key] = if blank { Value::Null } else { value.clone() };
        }
        let mut new: ProjectSettings = serde_json::from_value(settings)?;
        self.apply_older_names(&mut new);
        if let Some(switch) = self.auto_cancel_pending_pipelines {
            new.auto_cancel_pending_pipelines = switch == Switch::Enabled;
        }
        check(&new)?;
        Ok(new)
    }

    /// The parameters of former versions of the API, which clients still send.
    fn apply_older_names(&self, new: &mut ProjectSettings) {
        let set = |given: Option<bool>, newer: Option<FeatureLevel>, slot: &mut FeatureLevel| {
            if let (Some(on), None) = (given, newer) {
                *slot = if on { FeatureLevel::Enabled } else { FeatureLevel::Disabled };
            }
        };
        set(self.issues_enabled, self.issues_access_level, &mut new.issues_access_level);
        set(self.merge_requests_enabled, self.merge_requests_access_level, &mut new.merge_requests_access_level);
        set(self.wiki_enabled, self.wiki_access_level, &mut new.wiki_access_level);
        set(self.jobs_enabled, self.builds_access_level, &mut new.builds_access_level);
        set(self.snippets_enabled, self.snippets_access_level, &mut new.snippets_access_level);
        set(
            self.container_registry_enabled,
            self.container_registry_access_level,
            &mut new.container_registry_access_level,
        );
        set(self.packages_enabled, self.package_registry_access_level, &mut new.package_registry_access_level);
        if let (Some(off), None) = (self.emails_disabled, self.emails_enabled) {
            new.emails_enabled = !off;
        }
        if let (Some(public), None) = (self.public_builds, self.public_jobs) {
            new.public_jobs = public;
        }
    }
}

fn check(settings: &ProjectSettings) -> Result<()> {
    if !(600..=2_592_000).contains(&settings.build_timeout) {
        return Err(Error::invalid("build_timeout", "needs to be between 10 minutes and 1 month"));
    }
    if !(0..=1000).contains(&settings.ci_default_git_depth) {
        return Err(Error::invalid("ci_default_git_depth", "must be between 0 and 1000"));
    }
    let path = settings.ci_config_path.as_deref().unwrap_or_default();
    if path.len() > 255 || path.split('/').any(|p| p == "..") || path.chars().any(char::is_control) {
        return Err(Error::invalid("ci_config_path", "can't be longer than 255 characters or leave the repository"));
    }
    let texts =
        [&settings.suggestion_commit_message, &settings.merge_commit_template, &settings.squash_commit_template];
    if texts.into_iter().flatten().any(|t| t.len() > 5000) {
        return Err(Error::invalid("merge_commit_template", "is too long (maximum is 5000 characters)"));
    }
    Ok(())
}
