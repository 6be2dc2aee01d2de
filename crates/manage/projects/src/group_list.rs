//! Lists of groups: filters, order and pages, as SQL.

use accounts::Actor;
use kernel::db::{Sql, like};
use kernel::http::Paging;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use crate::access::{member_groups_at, visible_groups};
use crate::level;
use crate::list::{Conditions, Sort, bad_cursor, no_keyset};
use crate::namespace::Namespace;
use crate::visibility::Visibility;

/// What groups are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupOrder {
    #[default]
    Name,
    Path,
    Id,
    Similarity,
}

/// The filters of lists of groups.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct GroupFilters {
    #[serde(default)]
    pub(crate) skip_groups: Vec<i64>,
    pub(crate) all_available: Option<bool>,
    pub(crate) search: Option<String>,
    pub(crate) order_by: Option<GroupOrder>,
    pub(crate) sort: Option<Sort>,
    pub(crate) statistics: Option<bool>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) owned: Option<bool>,
    pub(crate) min_access_level: Option<i64>,
    pub(crate) top_level_only: Option<bool>,
    pub(crate) active: Option<bool>,
    pub(crate) archived: Option<bool>,
    pub(crate) marked_for_deletion_on: Option<String>,
}

impl GroupFilters {
    /// The conditions on `namespaces n`, visibility included.
    pub(crate) fn conditions(&self, actor: &Actor) -> Result<Conditions> {
        let mut c = Conditions::default();
        c.and("n.kind = 'group'").and(visible_groups(actor));
        let mut least = self.min_access_level;
        if let Some(n) = least {
            crate::member::check_level(n)
                .map_err(|_| Error::BadParameter("min_access_level does not have a valid value".into()))?;
        }
        if self.owned == Some(true) {
            least = Some(level::OWNER);
        }
        match (least, actor.id()) {
            (Some(least), Some(user)) => c.and(member_groups_at(user, least)),
            (Some(_), None) => c.and("FALSE"),
            (None, Some(user)) if self.all_available == Some(false) => c.and(crate::access::member_groups(user)),
            (None, _) => &mut c,
        };
        c.maybe("n.visibility = {}", self.visibility.map(Visibility::number));
        if self.top_level_only == Some(true) {
            c.and("n.parent_id IS NULL");
        }
        if !self.skip_groups.is_empty() {
            c.and(format!("n.id NOT IN ({})", crate::delete::id_list(&self.skip_groups)));
        }
        if self.archived == Some(true) || self.active == Some(false) || self.marked_for_deletion_on.is_some() {
            c.and("FALSE");
        }
        if let Some(text) = self.search.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
            let pattern = c.bind(like(text));
            let path = if text.contains('/') { "n.full_path_key" } else { "LOWER(n.path)" };
            c.and(format!("(LOWER(n.name) LIKE {pattern} ESCAPE '\\' OR {path} LIKE {pattern} ESCAPE '\\')"));
        }
        Ok(c)
    }

    fn order(&self) -> (&'static str, Sort) {
        let column = match self.order_by.unwrap_or_default() {
            GroupOrder::Name | GroupOrder::Similarity => "LOWER(n.name)",
            GroupOrder::Path => "LOWER(n.path)",
            GroupOrder::Id => "n.id",
        };
        (column, self.sort.unwrap_or(Sort::Asc))
    }

    /// A page of the groups that meet `c`, with their number.
    pub(crate) async fn page(&self, app: &App, c: Conditions, paging: &Paging) -> Result<(Vec<Namespace>, i64)> {
        let total = format!("SELECT COUNT(*) FROM namespaces n WHERE {}", c.sql());
        let total = app.db().conn().scalar::<i64>(&total, c.values.clone()).await?.unwrap_or(0);
        let ((column, sort), limit, offset) = (self.order(), paging.limit(), paging.offset());
        let (what, sort) = (c.sql(), sort.sql());
        let sql = format!(
            "SELECT n.* FROM namespaces n WHERE {what} ORDER BY {column} {sort}, n.id {sort} LIMIT {limit} OFFSET {offset}"
        );
        Ok((app.db().all(&sql, c.values).await?, total))
    }

    /// A page of the groups that meet `c` after the cursor; and the cursor behind it.
    pub(crate) async fn keyset(
        &self,
        app: &App,
        mut c: Conditions,
        paging: &Paging,
    ) -> Result<(Vec<Namespace>, Option<String>)> {
        #[derive(FromQueryResult)]
        struct Place {
            place: String,
        }
        let ((column, sort), wanted) = (self.order(), self.order_by.unwrap_or_default());
        if !matches!(wanted, GroupOrder::Name | GroupOrder::Id) {
            return Err(no_keyset());
        }
        let beyond = if sort == Sort::Asc { ">" } else { "<" };
        if let Some(cursor) = paging.cursor.as_deref() {
            let id: i64 = cursor.parse().map_err(|_| bad_cursor())?;
            let id_name = c.bind(id);
            if wanted == GroupOrder::Id {
                c.and(format!("n.id {beyond} {id_name}"));
            } else {
                let sql = "SELECT LOWER(name) AS place FROM namespaces WHERE id = $1";
                let place: Place = app.db().one(sql, [id.into()]).await?.ok_or_else(bad_cursor)?;
                let place = c.bind(place.place);
                c.and(format!("({column} {beyond} {place} OR ({column} = {place} AND n.id {beyond} {id_name}))"));
            }
        }
        let (what, sort, limit) = (c.sql(), sort.sql(), paging.limit() + 1);
        let sql =
            format!("SELECT n.* FROM namespaces n WHERE {what} ORDER BY {column} {sort}, n.id {sort} LIMIT {limit}");
        let mut rows: Vec<Namespace> = app.db().all(&sql, c.values).await?;
        let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > paging.limit();
        rows.truncate(usize::try_from(paging.limit()).unwrap_or(100));
        let next = rows.last().filter(|_| more).map(|n| n.id.to_string());
        Ok((rows, next))
    }
}
