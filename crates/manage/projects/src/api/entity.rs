//! Small entities that several endpoints answer with.

use std::collections::HashMap;

use accounts::User;
pub(crate) use accounts::entities::UserBasic;
use kernel::db::Sql;
use kernel::{App, Result, Time};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::Serialize;

use crate::avatar;
use crate::delete::id_list;
use crate::namespace::Namespace;

/// A namespace inside another entity.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NamespaceBasic {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) full_path: String,
    pub(crate) parent_id: Option<i64>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) web_url: String,
}

impl NamespaceBasic {
    pub(crate) fn of(app: &App, namespace: &Namespace) -> Self {
        let below = if namespace.is_group() { "/groups/" } else { "/" };
        Self {
            id: namespace.id,
            name: namespace.name.clone(),
            path: namespace.path.clone(),
            kind: namespace.kind.clone(),
            full_path: namespace.full_path.clone(),
            parent_id: namespace.parent_id,
            avatar_url: avatar::group_path(namespace),
            web_url: app.config().link(&format!("{below}{}", namespace.full_path)),
        }
    }
}

/// A plain message, such as of what was only scheduled.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MessageBody {
    pub(crate) message: String,
}

/// Namespaces with the names of those above, by id.
#[derive(Default)]
pub(crate) struct Lineages {
    found: HashMap<i64, (Namespace, Vec<String>)>,
}

#[derive(FromQueryResult)]
struct Above {
    below: i64,
    name: String,
}

impl Lineages {
    /// Loads namespaces and the names above them in two statements.
    pub(crate) async fn load(app: &App, ids: &[i64]) -> Result<Self> {
        let list = id_list(ids);
        let rows: Vec<Namespace> = app.db().all(&format!("SELECT * FROM namespaces WHERE id IN ({list})"), []).await?;
        let mut found: HashMap<i64, (Namespace, Vec<String>)> = rows.into_iter().map(|n| (n.id, (n, vec![]))).collect();
        let sql = format!(
            "SELECT a.namespace_id AS below, n.name FROM namespace_ancestors a JOIN namespaces n ON n.id = a.ancestor_id
             WHERE a.namespace_id IN ({list}) ORDER BY a.depth DESC"
        );
        for above in app.db().all::<Above>(&sql, []).await? {
            if let Some((_, names)) = found.get_mut(&above.below) {
                names.push(above.name);
            }
        }
        Ok(Self { found })
    }

    pub(crate) fn namespace(&self, id: i64) -> Option<&Namespace> {
        self.found.get(&id).map(|(n, _)| n)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Namespace> {
        self.found.values().map(|(n, _)| n)
    }

    /// The names from the topmost down, such as `Estuary / Gates`.
    pub(crate) fn full_name(&self, id: i64) -> String {
        self.found.get(&id).map(|(_, names)| names.join(" / ")).unwrap_or_default()
    }
}

#[derive(FromQueryResult)]
struct Number {
    id: i64,
    n: i64,
}

/// Runs a query for pairs `id`, `n`, such as counts by project.
pub(crate) async fn numbers(app: &App, sql: &str) -> Result<HashMap<i64, i64>> {
    Ok(app.db().all::<Number>(sql, []).await?.into_iter().map(|r| (r.id, r.n)).collect())
}

/// Users by id.
pub(crate) async fn users(app: &App, ids: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, User>> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = User::by_ids(app.db().conn(), ids).await?;
    Ok(found.into_iter().map(|u| (u.id, u)).collect())
}

/// A level that counts while the membership has not expired, as a condition on `members m`.
pub(crate) fn alive() -> String {
    format!("(m.expires_at IS NULL OR m.expires_at > {})", Time::now().0)
}

/// Reads the one number of a query.
pub(crate) async fn count(app: &App, sql: &str, values: Vec<sea_orm::Value>) -> Result<i64> {
    Ok(app.db().conn().scalar::<i64>(sql, values).await?.unwrap_or(0))
}
