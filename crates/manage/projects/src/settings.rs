//! The settings of projects and groups, stored as JSON in their rows; a key that is absent has its default.

use kernel::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a project that can be switched off or kept to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, clippy::enum_variant_names, reason = "feature flags are called that")]
pub enum Feature {
    Issues,
    Repository,
    MergeRequests,
    Forking,
    Wiki,
    Builds,
    Snippets,
    Pages,
    Analytics,
    ContainerRegistry,
    SecurityAndCompliance,
    Releases,
    Environments,
    FeatureFlags,
    Infrastructure,
    Monitor,
    ModelExperiments,
    ModelRegistry,
    Requirements,
    PackageRegistry,
}

/// Who a feature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeatureLevel {
    /// Nobody.
    Disabled,
    /// Members.
    Private,
    /// Everybody who sees the project.
    #[default]
    Enabled,
    /// Everybody, whatever the project's visibility (pages and packages only).
    Public,
}

/// The settings of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct ProjectSettings {
    pub issues_access_level: FeatureLevel,
    pub repository_access_level: FeatureLevel,
    pub merge_requests_access_level: FeatureLevel,
    pub forking_access_level: FeatureLevel,
    pub wiki_access_level: FeatureLevel,
    pub builds_access_level: FeatureLevel,
    pub snippets_access_level: FeatureLevel,
    pub pages_access_level: FeatureLevel,
    pub analytics_access_level: FeatureLevel,
    pub container_registry_access_level: FeatureLevel,
    pub security_and_compliance_access_level: FeatureLevel,
    pub releases_access_level: FeatureLevel,
    pub environments_access_level: FeatureLevel,
    pub feature_flags_access_level: FeatureLevel,
    pub infrastructure_access_level: FeatureLevel,
    pub monitor_access_level: FeatureLevel,
    pub model_experiments_access_level: FeatureLevel,
    pub model_registry_access_level: FeatureLevel,
    pub requirements_access_level: FeatureLevel,
    pub package_registry_access_level: FeatureLevel,
    pub public_jobs: bool,
    pub shared_runners_enabled: bool,
    pub group_runners_enabled: bool,
    pub lfs_enabled: bool,
    pub request_access_enabled: bool,
    pub emails_enabled: bool,
    pub merge_method: String,
    pub squash_option: String,
    pub ci_config_path: Option<String>,
    pub ci_default_git_depth: i64,
    pub build_timeout: i64,
    pub build_git_strategy: String,
    pub auto_cancel_pending_pipelines: bool,
    pub keep_latest_artifact: bool,
    pub only_allow_merge_if_pipeline_succeeds: bool,
    pub allow_merge_on_skipped_pipeline: bool,
    pub only_allow_merge_if_all_discussions_are_resolved: bool,
    pub remove_source_branch_after_merge: bool,
    pub autoclose_referenced_issues: bool,
    pub suggestion_commit_message: Option<String>,
    pub merge_commit_template: Option<String>,
    pub squash_commit_template: Option<String>,
    pub issues_template: Option<String>,
    pub merge_requests_template: Option<String>,
    pub ci_job_token_scope_enabled: bool,
    pub ci_push_repository_for_job_token_allowed: bool,
    pub restrict_user_defined_variables: bool,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        use FeatureLevel::{Enabled, Private};
        Self {
            issues_access_level: Enabled,
            repository_access_level: Enabled,
            merge_requests_access_level: Enabled,
            forking_access_level: Enabled,
            wiki_access_level: Enabled,
            builds_access_level: Enabled,
            snippets_access_level: Enabled,
            pages_access_level: Private,
            analytics_access_level: Enabled,
            container_registry_access_level: Enabled,
            security_and_compliance_access_level: Private,
            releases_access_level: Enabled,
            environments_access_level: Enabled,
            feature_flags_access_level: Enabled,
            infrastructure_access_level: Enabled,
            monitor_access_level: Enabled,
            model_experiments_access_level: Enabled,
            model_registry_access_level: Enabled,
            requirements_access_level: Enabled,
            package_registry_access_level: Enabled,
            public_jobs: true,
            shared_runners_enabled: true,
            group_runners_enabled: true,
            lfs_enabled: true,
            request_access_enabled: true,
            emails_enabled: true,
            merge_method: "merge".into(),
            squash_option: "default_off".into(),
            ci_config_path: None,
            ci_default_git_depth: 20,
            build_timeout: 3600,
            build_git_strategy: "fetch".into(),
            auto_cancel_pending_pipelines: true,
            keep_latest_artifact: true,
            only_allow_merge_if_pipeline_succeeds: false,
            allow_merge_on_skipped_pipeline: false,
            only_allow_merge_if_all_discussions_are_resolved: false,
            remove_source_branch_after_merge: true,
            autoclose_referenced_issues: true,
            suggestion_commit_message: None,
            merge_commit_template: None,
            squash_commit_template: None,
            issues_template: None,
            merge_requests_template: None,
            ci_job_token_scope_enabled: false,
            ci_push_repository_for_job_token_allowed: false,
            restrict_user_defined_variables: false,
        }
    }
}

impl ProjectSettings {
    /// Reads the column.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }

    /// Who a feature is for.
    pub fn level_of(&self, feature: Feature) -> FeatureLevel {
        match feature {
            Feature::Issues => self.issues_access_level,
            Feature::Repository => self.repository_access_level,
            Feature::MergeRequests => self.merge_requests_access_level,
            Feature::Forking => self.forking_access_level,
            Feature::Wiki => self.wiki_access_level,
            Feature::Builds => self.builds_access_level,
            Feature::Snippets => self.snippets_access_level,
            Feature::Pages => self.pages_access_level,
            Feature::Analytics => self.analytics_access_level,
            Feature::ContainerRegistry => self.container_registry_access_level,
            Feature::SecurityAndCompliance => self.security_and_compliance_access_level,
            Feature::Releases => self.releases_access_level,
            Feature::Environments => self.environments_access_level,
            Feature::FeatureFlags => self.feature_flags_access_level,
            Feature::Infrastructure => self.infrastructure_access_level,
            Feature::Monitor => self.monitor_access_level,
            Feature::ModelExperiments => self.model_experiments_access_level,
            Feature::ModelRegistry => self.model_registry_access_level,
            Feature::Requirements => self.requirements_access_level,
            Feature::PackageRegistry => self.package_registry_access_level,
        }
    }
}

/// The settings of a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct GroupSettings {
    pub project_creation_level: String,
    pub subgroup_creation_level: String,
    pub request_access_enabled: bool,
    pub require_two_factor_authentication: bool,
    pub two_factor_grace_period: i64,
    pub emails_enabled: bool,
    pub mentions_disabled: bool,
    pub lfs_enabled: bool,
    pub share_with_group_lock: bool,
    pub shared_runners_setting: String,
    pub default_branch: Option<String>,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            project_creation_level: "developer".into(),
            subgroup_creation_level: "maintainer".into(),
            request_access_enabled: true,
            require_two_factor_authentication: false,
            two_factor_grace_period: 48,
            emails_enabled: true,
            mentions_disabled: false,
            lfs_enabled: true,
            share_with_group_lock: false,
            shared_runners_setting: "enabled".into(),
            default_branch: None,
        }
    }
}

impl GroupSettings {
    /// Reads the column.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }
}
