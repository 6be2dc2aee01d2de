//! CI/CD variables of projects and groups, and those that are predefined.

use ci_yaml::Variable;
use kernel::db::Sql;
use kernel::{App, Error, Result};
use projects::Project;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::build::Build;
use crate::pipeline::Pipeline;

/// What a variable belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A project.
    Project(i64),
    /// A group, and so all projects below it.
    Group(i64),
}

/// A variable that somebody set for a project or group.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CiVariable {
    /// The id.
    pub id: i64,
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
    /// `env_var` or `file`.
    pub variable_type: String,
    /// Whether only jobs of protected refs get it.
    pub protected: bool,
    /// Whether it is replaced in logs.
    pub masked: bool,
    /// Whether nobody can read it back.
    pub hidden: bool,
    /// Whether references inside it stay as they are.
    pub raw: bool,
    /// The environments whose jobs get it; `*` for all.
    pub environment_scope: String,
    /// What it is for.
    pub description: Option<String>,
}

const COLUMNS: &str = "id, key, value, variable_type, protected, masked, hidden, raw, environment_scope, description";

impl Owner {
    fn condition(self) -> (&'static str, i64) {
        match self {
            Self::Project(id) => ("project_id = $1", id),
            Self::Group(id) => ("namespace_id = $1", id),
        }
    }
}

impl CiVariable {
    /// All variables of a project or group, by name.
    pub async fn all<C: ConnectionTrait>(conn: &C, owner: Owner) -> Result<Vec<Self>> {
        let (condition, id) = owner.condition();
        let sql = format!("SELECT {COLUMNS} FROM ci_variables WHERE {condition} ORDER BY key, environment_scope");
        conn.all(&sql, [id.into()]).await
    }

    /// Those of a name; several where their environments differ.
    pub async fn find<C: ConnectionTrait>(conn: &C, owner: Owner, key: &str) -> Result<Vec<Self>> {
        let (condition, id) = owner.condition();
        let sql =
            format!("SELECT {COLUMNS} FROM ci_variables WHERE {condition} AND key = $2 ORDER BY environment_scope");
        conn.all(&sql, [id.into(), key.into()]).await
    }

    /// Stores a new variable (`id` is ignored); gives the row.
    pub async fn insert<C: ConnectionTrait>(&self, conn: &C, owner: Owner) -> Result<Self> {
        self.check()?;
        let same = Self::find(conn, owner, &self.key).await?;
        if same.iter().any(|v| v.environment_scope == self.environment_scope) {
            return Err(Error::invalid("key", format!("({}) has already been taken", self.key)));
        }
        let (project, group) = match owner {
            Owner::Project(id) => (Some(id), None),
            Owner::Group(id) => (None, Some(id)),
        };
        let sql = format!(
            "INSERT INTO ci_variables (project_id, namespace_id, key, value, variable_type, protected, masked, hidden, raw, environment_scope, description)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {COLUMNS}"
        );
        let mut values = vec![project.into(), group.into(), self.key.as_str().into()];
        values.extend(self.values());
        conn.one(&sql, values).await?.ok_or_else(|| Error::not_found("Variable"))
    }

    /// Writes back everything but the name.
    pub async fn update<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        self.check()?;
        let sql = "UPDATE ci_variables SET value = $2, variable_type = $3, protected = $4, masked = $5, hidden = $6, raw = $7,
                   environment_scope = $8, description = $9 WHERE id = $1";
        let mut values = vec![self.id.into()];
        values.extend(self.values());
        conn.run(sql, values).await?;
        Ok(())
    }

    /// Removes it.
    pub async fn delete<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("DELETE FROM ci_variables WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }

    fn values(&self) -> [sea_orm::Value; 8] {
        [
            self.value.as_str().into(),
            self.variable_type.as_str().into(),
            self.protected.into(),
            self.masked.into(),
            self.hidden.into(),
            self.raw.into(),
            self.environment_scope.as_str().into(),
            self.description.clone().into(),
        ]
    }

    /// The rules for names, values and masking (GitLab, "CI/CD variables").
    fn check(&self) -> Result<()> {
        check_key(&self.key)?;
        check_value(&self.value)?;
        if !matches!(self.variable_type.as_str(), "env_var" | "file") {
            return Err(Error::BadParameter("variable_type does not have a valid value".into()));
        }
        if (self.masked || self.hidden) && (self.value.len() < 8 || self.value.chars().any(char::is_whitespace)) {
            return Err(Error::invalid(
                "value",
                "can't be masked: it needs 8 characters or more in one line without spaces",
            ));
        }
        if self.environment_scope.is_empty() || self.environment_scope.len() > 255 {
            return Err(Error::invalid("environment_scope", "can't be blank or over 255 characters"));
        }
        Ok(())
    }
}

fn check_key(key: &str) -> Result<()> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || key.len() > 255 || !key.chars().all(word) {
        return Err(Error::invalid("key", "can contain only letters, digits and '_', and up to 255 of them"));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<()> {
    match value.len() {
        0..=10_000 => Ok(()),
        _ => Err(Error::invalid("value", "is too long (maximum is 10,000 characters)")),
    }
}

/// A variable that somebody gave with a request, for a pipeline or for a job that was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenVariable {
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether references inside it stay as they are.
    #[serde(default)]
    pub raw: bool,
    /// Whether the job gets the path of a file with the value.
    #[serde(default)]
    pub file: bool,
}

impl GivenVariable {
    /// A variable of the usual kind.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), raw: false, file: false }
    }

    /// Refuses names that a shell doesn't take and values that are too long.
    pub fn check(&self) -> Result<()> {
        check_key(&self.key)?;
        check_value(&self.value)
    }
}

/// A variable as a job gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobVariable {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) raw: bool,
    pub(crate) file: bool,
    pub(crate) masked: bool,
    /// Set by somebody for a project or group, and so not for everybody's eyes.
    pub(crate) secret: bool,
}

impl JobVariable {
    fn plain(key: &str, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), raw: true, file: false, masked: false, secret: false }
    }

    pub(crate) fn written(v: &Variable) -> Self {
        Self { raw: v.raw, ..Self::plain(&v.key, v.value.clone()) }
    }

    pub(crate) fn given(v: &GivenVariable) -> Self {
        Self { raw: v.raw, file: v.file, ..Self::plain(&v.key, v.value.clone()) }
    }

    pub(crate) fn to_written(&self) -> Variable {
        Variable { key: self.key.clone(), value: self.value.clone(), raw: self.raw }
    }
}

/// The variables that groups and the project give a job: those of groups first, the project's last, which win.
pub(crate) async fn configured<C: ConnectionTrait>(
    conn: &C,
    project: &Project,
    protected_ref: bool,
    environment: Option<&str>,
) -> Result<Vec<JobVariable>> {
    let columns = COLUMNS.split(", ").map(|c| format!("v.{c}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {columns} FROM ci_variables v LEFT JOIN namespace_ancestors a
           ON a.ancestor_id = v.namespace_id AND a.namespace_id = $2
         WHERE v.project_id = $1 OR a.namespace_id IS NOT NULL
         ORDER BY CASE WHEN v.project_id IS NULL THEN 0 ELSE 1 END, a.depth DESC, LENGTH(v.environment_scope), v.id"
    );
    let rows: Vec<CiVariable> = conn.all(&sql, [project.id.into(), project.namespace_id.into()]).await?;
    let fits = |v: &CiVariable| {
        (!v.protected || protected_ref)
            && (v.environment_scope == "*"
                || environment.is_some_and(|e| repositories::protected::matches(&v.environment_scope, e)))
    };
    Ok(rows
        .into_iter()
        .filter(fits)
        .map(|v| JobVariable {
            file: v.variable_type == "file",
            raw: v.raw,
            masked: v.masked || v.hidden,
            secret: true,
            ..JobVariable::plain(&v.key, v.value)
        })
        .collect())
}

/// What predefined variables tell of the commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommitFacts {
    pub(crate) message: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) timestamp: String,
    pub(crate) tag_message: Option<String>,
}

/// The predefined variables that a pipeline's rules and all of its jobs see (GitLab, "Predefined CI/CD variables").
pub(crate) fn of_pipeline(
    app: &App,
    project: &Project,
    pipeline: &Pipeline,
    commit: &CommitFacts,
    user: Option<&accounts::User>,
    protected: bool,
) -> Vec<JobVariable> {
    let url = &app.config().url;
    let root = url.as_str().trim_end_matches('/');
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80).to_string();
    let namespace = project.namespace_path();
    let slug = slug(&pipeline.ref_name);
    let bool = |b: bool| if b { "true" } else { "false" }.to_owned();
    let mut out: Vec<(&str, String)> = vec![
        ("CI", "true".into()),
        ("GITLAB_CI", "true".into()),
        ("TIDEMILL_CI", "true".into()),
        ("CI_API_V4_URL", format!("{root}/api/v4")),
        ("CI_SERVER", "yes".into()),
        ("CI_SERVER_HOST", host.into()),
        ("CI_SERVER_FQDN", url.port().map_or_else(|| host.into(), |p| format!("{host}:{p}"))),
        ("CI_SERVER_NAME", "Tidemill".into()),
        ("CI_SERVER_PORT", port),
        ("CI_SERVER_PROTOCOL", url.scheme().into()),
        ("CI_SERVER_URL", root.into()),
        ("CI_SERVER_VERSION", env!("CARGO_PKG_VERSION").into()),
        ("CI_PIPELINE_ID", pipeline.id.to_string()),
        ("CI_PIPELINE_IID", pipeline.iid.to_string()),
        ("CI_PIPELINE_SOURCE", pipeline.source.clone()),
        ("CI_PIPELINE_URL", pipeline.url(app, &project.full_path)),
        ("CI_PIPELINE_CREATED_AT", pipeline.created_at.rfc3339()),
        ("CI_PIPELINE_NAME", pipeline.name.clone().unwrap_or_default()),
        ("CI_PROJECT_ID", project.id.to_string()),
        ("CI_PROJECT_NAME", project.path.clone()),
        ("CI_PROJECT_TITLE", project.name.clone()),
        ("CI_PROJECT_DESCRIPTION", project.description.clone()),
        ("CI_PROJECT_PATH", project.full_path.clone()),
        ("CI_PROJECT_PATH_SLUG", self::slug(&project.full_path)),
        ("CI_PROJECT_NAMESPACE", namespace.into()),
        ("CI_PROJECT_NAMESPACE_ID", project.namespace_id.to_string()),
        ("CI_PROJECT_NAMESPACE_SLUG", self::slug(namespace)),
        ("CI_PROJECT_ROOT_NAMESPACE", namespace.split('/').next().unwrap_or_default().into()),
        ("CI_PROJECT_URL", project.url(app, "")),
        ("CI_PROJECT_VISIBILITY", project.visibility().to_string()),
        ("CI_PROJECT_TOPICS", project.topics().join(",")),
        ("CI_CONFIG_PATH", ".gitlab-ci.yml".into()),
        ("CI_DEFAULT_BRANCH", project.branch().into()),
        ("CI_DEFAULT_BRANCH_SLUG", self::slug(project.branch())),
        ("CI_COMMIT_SHA", pipeline.sha.clone()),
        ("CI_COMMIT_SHORT_SHA", pipeline.sha.chars().take(8).collect()),
        ("CI_COMMIT_BEFORE_SHA", pipeline.before_sha.clone()),
        ("CI_COMMIT_REF_NAME", pipeline.ref_name.clone()),
        ("CI_COMMIT_REF_SLUG", slug),
        ("CI_COMMIT_REF_PROTECTED", bool(protected)),
        ("CI_COMMIT_MESSAGE", commit.message.clone()),
        ("CI_COMMIT_TITLE", commit.title.clone()),
        ("CI_COMMIT_DESCRIPTION", commit.description.clone()),
        ("CI_COMMIT_AUTHOR", commit.author.clone()),
        ("CI_COMMIT_TIMESTAMP", commit.timestamp.clone()),
    ];
    match pipeline.tag {
        true => {
            out.push(("CI_COMMIT_TAG", pipeline.ref_name.clone()));
            out.push(("CI_COMMIT_TAG_MESSAGE", commit.tag_message.clone().unwrap_or_default()));
        }
        false => out.push(("CI_COMMIT_BRANCH", pipeline.ref_name.clone())),
    }
    if let Some(user) = user {
        out.push(("GITLAB_USER_ID", user.id.to_string()));
        out.push(("GITLAB_USER_LOGIN", user.username.clone()));
        out.push(("GITLAB_USER_NAME", user.name.clone()));
        out.push(("GITLAB_USER_EMAIL", user.email.clone()));
    }
    out.into_iter().map(|(k, v)| JobVariable::plain(k, v)).collect()
}

/// The predefined variables of one job, its token among them.
pub(crate) fn of_build(
    app: &App,
    project: &Project,
    build: &Build,
    spec: &ci_yaml::JobSpec,
    token: &str,
) -> Vec<JobVariable> {
    let directory = sandbox::project_dir(&project.full_path);
    let repository = project.url(app, ".git").replacen("://", &format!("://gitlab-ci-token:{token}@"), 1);
    let mut out = vec![
        JobVariable::plain("CI_JOB_ID", build.id.to_string()),
        JobVariable::plain("CI_JOB_NAME", build.name.clone()),
        JobVariable::plain("CI_JOB_NAME_SLUG", slug(&build.name)),
        JobVariable::plain("CI_JOB_STAGE", build.stage.clone()),
        JobVariable::plain("CI_JOB_URL", build.url(app, &project.full_path)),
        JobVariable::plain("CI_JOB_MANUAL", (build.when() == ci_yaml::When::Manual).to_string()),
        JobVariable::plain("CI_JOB_STARTED_AT", build.started_at.unwrap_or_default().rfc3339()),
        JobVariable::plain("CI_JOB_TIMEOUT", build.timeout.to_string()),
        JobVariable::plain("CI_NODE_TOTAL", spec.instance.map_or(1, |i| i.total).to_string()),
        JobVariable::plain("CI_BUILDS_DIR", "/builds"),
        JobVariable::plain("CI_PROJECT_DIR", directory),
        JobVariable::plain("CI_CONCURRENT_ID", "0"),
        JobVariable::plain("CI_RUNNER_DESCRIPTION", "embedded"),
        JobVariable::plain("CI_RUNNER_EXECUTABLE_ARCH", format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH)),
        JobVariable::plain("CI_RUNNER_VERSION", env!("CARGO_PKG_VERSION")),
        JobVariable::plain("CI_REGISTRY_USER", "gitlab-ci-token"),
        JobVariable { masked: true, ..JobVariable::plain("CI_JOB_TOKEN", token) },
        JobVariable { masked: true, ..JobVariable::plain("CI_REPOSITORY_URL", repository) },
    ];
    if let Some(instance) = spec.instance {
        out.push(JobVariable::plain("CI_NODE_INDEX", instance.index.to_string()));
    }
    if let Some(image) = &spec.options.image {
        out.push(JobVariable::plain("CI_JOB_IMAGE", image.name.clone()));
    }
    if let Some(environment) = &spec.options.environment {
        out.push(JobVariable { raw: false, ..JobVariable::plain("CI_ENVIRONMENT_NAME", environment.name.clone()) });
        out.push(JobVariable::plain(
            "CI_ENVIRONMENT_SLUG",
            slug(&environment.name).chars().take(24).collect::<String>(),
        ));
        let url = environment.url.clone().unwrap_or_default();
        out.push(JobVariable { raw: false, ..JobVariable::plain("CI_ENVIRONMENT_URL", url) });
        let action = environment.action.clone().unwrap_or_else(|| "start".into());
        out.push(JobVariable::plain("CI_ENVIRONMENT_ACTION", action));
    }
    out
}

/// A name in lower case, at most 63 characters, letters, digits and single dashes within (`CI_COMMIT_REF_SLUG`).
pub(crate) fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let plain: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
    plain.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        assert_eq!(slug("Feature/Üb er"), "feature--b-er");
        assert_eq!(slug("-x-"), "x");
        assert_eq!(slug(&"a".repeat(80)).len(), 63);
    }
}
