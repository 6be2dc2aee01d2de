//! Lists of tokens: what can be filtered and sorted.

use kernel::db::{Sql, like};
use kernel::http::Paging;
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::Value;
use serde::Deserialize;

use crate::AccessToken;

#[derive(Deserialize, JsonSchema, Default)]
pub(super) struct Asked {
    pub(super) user_id: Option<i64>,
    state: Option<State>,
    revoked: Option<bool>,
    search: Option<String>,
    sort: Option<String>,
    created_after: Option<Time>,
    created_before: Option<Time>,
    last_used_after: Option<Time>,
    last_used_before: Option<Time>,
    expires_after: Option<Time>,
    expires_before: Option<Time>,
    #[serde(skip)]
    impersonation: bool,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    All,
    Active,
    Inactive,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct ImpersonationAsked {
    state: Option<State>,
}

impl From<ImpersonationAsked> for Asked {
    fn from(asked: ImpersonationAsked) -> Self {
        Self { state: asked.state, impersonation: true, ..Self::default() }
    }
}

/// Conditions and the values of their places.
#[derive(Default)]
struct Conditions {
    all: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.all.push(condition.replace('?', &format!("${}", self.values.len())));
    }

    fn of(asked: &Asked, owner: Option<i64>) -> Self {
        let mut conditions = Self::default();
        conditions.add("impersonation = ?", asked.impersonation);
        if let Some(owner) = owner {
            conditions.add("user_id = ?", owner);
        }
        if let Some(revoked) = asked.revoked {
            conditions.add("revoked = ?", revoked);
        }
        match asked.state {
            Some(State::Active) => {
                conditions.add("NOT revoked AND (expires_at IS NULL OR expires_at > ?)", Time::now());
            }
            Some(State::Inactive) => conditions.add("(revoked OR expires_at <= ?)", Time::now()),
            Some(State::All) | None => {}
        }
        if let Some(search) = &asked.search {
            conditions.add("LOWER(name) LIKE ? ESCAPE '\\'", like(search));
        }
        let times = [
            ("created_at >= ?", asked.created_after),
            ("created_at <= ?", asked.created_before),
            ("last_used_at >= ?", asked.last_used_after),
            ("last_used_at <= ?", asked.last_used_before),
            ("expires_at >= ?", asked.expires_after),
            ("expires_at <= ?", asked.expires_before),
        ];
        for (condition, time) in times {
            if let Some(time) = time {
                conditions.add(condition, time);
            }
        }
        conditions
    }
}

fn order(sort: Option<&str>) -> Result<&'static str> {
    Ok(match sort {
        None | Some("created_desc") => "id DESC",
        Some("created_asc") => "id",
        Some("expires_asc") => "COALESCE(expires_at, 9223372036854775807), id",
        Some("expires_desc") => "COALESCE(expires_at, 9223372036854775807) DESC, id DESC",
        Some("last_used_asc") => "COALESCE(last_used_at, 0), id",
        Some("last_used_desc") => "COALESCE(last_used_at, 0) DESC, id DESC",
        Some("name_asc") => "LOWER(name), id",
        Some("name_desc") => "LOWER(name) DESC, id DESC",
        Some(_) => return Err(Error::BadParameter("sort does not have a valid value".into())),
    })
}

/// The tokens of one page and how many there are; of everybody where no owner is given.
pub(super) async fn find_all(
    app: &App,
    asked: &Asked,
    owner: Option<i64>,
    paging: &Paging,
) -> Result<(Vec<AccessToken>, i64)> {
    let order = order(asked.sort.as_deref())?;
    let Conditions { all, mut values } = Conditions::of(asked, owner);
    let wanted = all.join(" AND ");
    let count = format!("SELECT COUNT(*) FROM access_tokens WHERE {wanted}");
    let total: i64 = app.db().conn().scalar(&count, values.clone()).await?.unwrap_or(0);
    let places = (values.len() + 1, values.len() + 2);
    let sql =
        format!("SELECT * FROM access_tokens WHERE {wanted} ORDER BY {order} LIMIT ${} OFFSET ${}", places.0, places.1);
    values.extend([paging.limit().into(), paging.offset().into()]);
    Ok((app.db().all(&sql, values).await?, total))
}
