//! Lists of projects: filters, order and pages, as SQL.

use accounts::Actor;
use kernel::db::{Sql, like};
use kernel::http::Paging;
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::Value;
use serde::{Deserialize, Serialize};

use crate::access::{member_projects_at, visible_projects};
use crate::level;
use crate::project::Project;
use crate::settings::FeatureLevel;
use crate::visibility::Visibility;

/// The conditions of a `WHERE` with their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    parts: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition that has no values.
    pub(crate) fn and(&mut self, part: impl Into<String>) -> &mut Self {
        self.parts.push(part.into());
        self
    }

    /// Adds a condition in which `{}` stands for the value.
    pub(crate) fn with(&mut self, part: &str, value: impl Into<Value>) -> &mut Self {
        let name = self.bind(value);
        self.and(part.replace("{}", &name))
    }

    /// Adds a condition where there is a value.
    pub(crate) fn maybe(&mut self, part: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.with(part, value);
        }
        self
    }

    /// Adds a value; gives the placeholder that stands for it.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// All of them, joined.
    pub(crate) fn sql(&self) -> String {
        if self.parts.is_empty() { "TRUE".into() } else { self.parts.join(" AND ") }
    }
}

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    Asc,
    Desc,
}

impl Sort {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Asc => "ASC",
            Self::Desc => "DESC",
        }
    }
}

/// What projects are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProjectOrder {
    Id,
    Name,
    Path,
    #[default]
    CreatedAt,
    UpdatedAt,
    StarCount,
    LastActivityAt,
    Similarity,
    StorageSize,
    RepositorySize,
    WikiSize,
    PackagesSize,
}

impl ProjectOrder {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "p.id",
            Self::Name => "LOWER(p.name)",
            Self::Path => "p.full_path_key",
            Self::CreatedAt | Self::Similarity | Self::WikiSize | Self::PackagesSize => "p.created_at",
            Self::UpdatedAt => "p.updated_at",
            Self::StarCount => "p.star_count",
            Self::LastActivityAt => "p.last_activity_at",
            Self::StorageSize | Self::RepositorySize => "p.repository_size",
        }
    }
}

/// The filters of lists of projects.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct ProjectFilters {
    pub(crate) archived: Option<bool>,
    pub(crate) active: Option<bool>,
    pub(crate) id_after: Option<i64>,
    pub(crate) id_before: Option<i64>,
    pub(crate) imported: Option<bool>,
    pub(crate) last_activity_after: Option<Time>,
    pub(crate) last_activity_before: Option<Time>,
    pub(crate) membership: Option<bool>,
    pub(crate) min_access_level: Option<i64>,
    pub(crate) order_by: Option<ProjectOrder>,
    pub(crate) owned: Option<bool>,
    pub(crate) repository_storage: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) search_namespaces: Option<bool>,
    pub(crate) simple: Option<bool>,
    pub(crate) sort: Option<Sort>,
    pub(crate) starred: Option<bool>,
    pub(crate) statistics: Option<bool>,
    #[serde(default)]
    pub(crate) topic: Vec<String>,
    pub(crate) topic_id: Option<i64>,
    pub(crate) updated_after: Option<Time>,
    pub(crate) updated_before: Option<Time>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) with_issues_enabled: Option<bool>,
    pub(crate) with_merge_requests_enabled: Option<bool>,
    pub(crate) with_programming_language: Option<String>,
    pub(crate) marked_for_deletion_on: Option<String>,
}

impl ProjectFilters {
    /// The conditions on `projects p`, visibility included.
    pub(crate) fn conditions(&self, actor: &Actor) -> Result<Conditions> {
        let mut c = Conditions::default();
        c.and(visible_projects(actor));
        self.add_of_actor(&mut c, actor)?;
        c.maybe("p.archived = {}", self.archived.or(self.active.map(|a| !a)));
        c.maybe("p.visibility = {}", self.visibility.map(Visibility::number));
        c.maybe("p.id > {}", self.id_after).maybe("p.id < {}", self.id_before);
        c.maybe("p.last_activity_at >= {}", self.last_activity_after);
        c.maybe("p.last_activity_at <= {}", self.last_activity_before);
        c.maybe("p.updated_at >= {}", self.updated_after).maybe("p.updated_at <= {}", self.updated_before);
        if let Some(text) = self.search.as_deref().filter(|s| !s.trim().is_empty()) {
            add_search(&mut c, text.trim(), self.search_namespaces == Some(true));
        }
        for topic in self.topic.iter().filter(|t| !t.is_empty()) {
            c.with(
                "p.id IN (SELECT pt.project_id FROM project_topics pt JOIN topics t ON t.id = pt.topic_id WHERE t.name_key = {})",
                topic.to_lowercase(),
            );
        }
        c.maybe("p.id IN (SELECT pt.project_id FROM project_topics pt WHERE pt.topic_id = {})", self.topic_id);
        let language = self.with_programming_language.as_ref().map(|l| l.to_lowercase());
        c.maybe("p.id IN (SELECT l.project_id FROM project_languages l WHERE l.name_key = {})", language);
        if self.with_issues_enabled == Some(true) {
            c.and(feature_is_on("issues"));
        }
        if self.with_merge_requests_enabled == Some(true) {
            c.and(feature_is_on("merge_requests"));
        }
        match self.imported {
            Some(true) => c.and("p.import_url IS NOT NULL"),
            Some(false) => c.and("p.import_url IS NULL"),
            None => &mut c,
        };
        let elsewhere = self.repository_storage.as_deref().is_some_and(|s| s != "default");
        if elsewhere || self.marked_for_deletion_on.is_some() {
            c.and("FALSE");
        }
        Ok(c)
    }

    fn add_of_actor(&self, c: &mut Conditions, actor: &Actor) -> Result<()> {
        let mut least = self.min_access_level;
        if let Some(n) = least {
            crate::member::check_level(n)
                .map_err(|_| Error::BadParameter("min_access_level does not have a valid value".into()))?;
        }
        if self.membership == Some(true) {
            least = Some(least.unwrap_or(level::GUEST).max(level::GUEST));
        }
        if self.owned == Some(true) {
            least = Some(level::OWNER);
        }
        match (least, actor.id()) {
            (Some(least), Some(user)) => c.and(member_projects_at(user, least)),
            (Some(_), None) => c.and("FALSE"),
            (None, _) => c,
        };
        match (self.starred, actor.id()) {
            (Some(true), Some(user)) => {
                c.and(format!("p.id IN (SELECT s.project_id FROM stars s WHERE s.user_id = {user})"))
            }
            (Some(true), None) => c.and("FALSE"),
            _ => c,
        };
        Ok(())
    }

    fn order(&self, c: &mut Conditions) -> String {
        let (order, sort) = (self.order_by.unwrap_or_default(), self.sort.unwrap_or(Sort::Desc).sql());
        if let (ProjectOrder::Similarity, Some(text)) = (order, &self.search) {
            let exact = c.bind(text.to_lowercase());
            let start = c.bind(like(text).trim_start_matches('%').to_owned());
            return format!(
                "CASE WHEN LOWER(p.name) = {exact} OR LOWER(p.path) = {exact} THEN 0
                 WHEN LOWER(p.name) LIKE {start} ESCAPE '\\' THEN 1 ELSE 2 END, p.star_count DESC, p.id DESC"
            );
        }
        format!("{} {sort}, p.id {sort}", order.column())
    }

    /// A page of the projects that meet `c`, with their number.
    pub(crate) async fn page(&self, app: &App, mut c: Conditions, paging: &Paging) -> Result<(Vec<Project>, i64)> {
        let total = format!("SELECT COUNT(*) FROM projects p WHERE {}", c.sql());
        let total = app.db().conn().scalar::<i64>(&total, c.values.clone()).await?.unwrap_or(0);
        let order = self.order(&mut c);
        let sql = format!(
            "SELECT p.* FROM projects p WHERE {} ORDER BY {order} LIMIT {} OFFSET {}",
            c.sql(),
            paging.limit(),
            paging.offset()
        );
        Ok((app.db().all(&sql, c.values).await?, total))
    }

    /// A page of the projects that meet `c` after the cursor, ordered by id; and the cursor behind it.
    pub(crate) async fn keyset(
        &self,
        app: &App,
        mut c: Conditions,
        paging: &Paging,
    ) -> Result<(Vec<Project>, Option<String>)> {
        if self.order_by.is_some_and(|o| o != ProjectOrder::Id) {
            return Err(no_keyset());
        }
        let sort = self.sort.unwrap_or(Sort::Desc);
        let after = paging.cursor.as_deref().map(|c| c.parse::<i64>().map_err(|_| bad_cursor())).transpose()?;
        c.maybe(if sort == Sort::Asc { "p.id > {}" } else { "p.id < {}" }, after);
        let sql = format!(
            "SELECT p.* FROM projects p WHERE {} ORDER BY p.id {} LIMIT {}",
            c.sql(),
            sort.sql(),
            paging.limit() + 1
        );
        let mut rows: Vec<Project> = app.db().all(&sql, c.values).await?;
        let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > paging.limit();
        rows.truncate(usize::try_from(paging.limit()).unwrap_or(100));
        let next = rows.last().filter(|_| more).map(|p| p.id.to_string());
        Ok((rows, next))
    }
}

pub(crate) fn no_keyset() -> Error {
    let why = "Keyset pagination is not yet available for this type of request";
    Error::Status(http::StatusCode::METHOD_NOT_ALLOWED, why.into())
}

pub(crate) fn bad_cursor() -> Error {
    Error::BadParameter("cursor is invalid".into())
}

/// Looks for text in a project's names.
pub(crate) fn add_search(c: &mut Conditions, text: &str, with_namespaces: bool) {
    let pattern = c.bind(like(text));
    let path = if with_namespaces || text.contains('/') { "p.full_path_key" } else { "LOWER(p.path)" };
    c.and(format!(
        "(LOWER(p.name) LIKE {pattern} ESCAPE '\\' OR {path} LIKE {pattern} ESCAPE '\\'
          OR LOWER(p.description) LIKE {pattern} ESCAPE '\\')"
    ));
}

/// Settings are stored as JSON in the order and spelling of serde, so a feature that is off is found by its text.
fn feature_is_on(feature: &str) -> String {
    let off = serde_json::to_string(&FeatureLevel::Disabled).unwrap_or_default();
    format!("p.settings NOT LIKE '%\"{feature}_access_level\":{off}%'")
}
