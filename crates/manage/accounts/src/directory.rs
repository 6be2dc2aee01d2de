//! Lists of users: what can be filtered, searched and sorted.

use kernel::db::like;
use kernel::{Error, Result, Time};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use crate::User;
use crate::user::{Column, Entity};

/// Which users are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of a name or username, or an address.
    pub search: Option<String>,
    /// Whether parts of addresses are searched too, as administrators may.
    pub search_emails: bool,
    /// Exactly this username, in any case of letters.
    pub username: Option<String>,
    /// Whole public address.
    pub public_email: Option<String>,
    /// One of the states.
    pub state: Option<String>,
    /// Administrators only, or none.
    pub admin: Option<bool>,
    /// External users only, or none.
    pub external: Option<bool>,
    /// People only (false), bots only (true).
    pub bot: Option<bool>,
    /// Made after this instant.
    pub created_after: Option<Time>,
    /// Made before this instant.
    pub created_before: Option<Time>,
    /// Not these.
    pub skip: Vec<i64>,
    /// In order after this row, for keyset pages by id.
    pub after_id: Option<i64>,
}

/// In which order.
#[derive(Clone, Copy, Debug)]
pub struct Sorting {
    column: Column,
    order: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl Default for Sorting {
    fn default() -> Self {
        Self { column: Column::Id, order: Direction::Descending }
    }
}

impl Sorting {
    /// Reads `order_by` and `sort`.
    pub fn parse(order_by: Option<&str>, sort: Option<&str>) -> Result<Self> {
        let wrong = |what: &str| Error::BadParameter(format!("{what} does not have a valid value"));
        let column = match order_by {
            None | Some("id") => Column::Id,
            Some("name") => Column::Name,
            Some("username") => Column::UsernameKey,
            Some("created_at") => Column::CreatedAt,
            Some("updated_at") => Column::UpdatedAt,
            Some("last_activity_on") => Column::LastActivityAt,
            Some(_) => return Err(wrong("order_by")),
        };
        let order = match sort {
            None | Some("desc") => Direction::Descending,
            Some("asc") => Direction::Ascending,
            Some(_) => return Err(wrong("sort")),
        };
        Ok(Self { column, order })
    }
}

impl Filter {
    fn select(&self) -> Select<Entity> {
        let mut all = Condition::all();
        if let Some(text) = self.search.as_deref().map(str::trim).filter(|s| !s.is_empty()) {
            all = all.add(self.matches(text));
        }
        all = all
            .add_option(self.username.as_ref().map(|u| Column::UsernameKey.eq(u.to_lowercase())))
            .add_option(self.public_email.as_ref().map(|e| Column::PublicEmail.eq(e.as_str())))
            .add_option(self.state.as_ref().map(|s| Column::State.eq(s.as_str())))
            .add_option(self.admin.map(|a| Column::Admin.eq(a)))
            .add_option(self.external.map(|e| Column::External.eq(e)))
            .add_option(self.bot.map(|b| Column::Bot.eq(b)))
            .add_option(self.created_after.map(|t| Column::CreatedAt.gte(t)))
            .add_option(self.created_before.map(|t| Column::CreatedAt.lte(t)))
            .add_option(self.after_id.map(|id| Column::Id.lt(id)));
        if !self.skip.is_empty() {
            all = all.add(Column::Id.is_not_in(self.skip.iter().copied()));
        }
        Entity::find().filter(all)
    }

    fn matches(&self, text: &str) -> Condition {
        let contains =
            |column: Column| Func::lower(Expr::col((Entity, column))).like(LikeExpr::new(like(text)).escape('\\'));
        let email = if self.search_emails { contains(Column::Email) } else { Column::Email.eq(text.to_lowercase()) };
        Condition::any().add(contains(Column::Name)).add(contains(Column::UsernameKey)).add(email)
    }

    /// The users of one page, in order.
    pub async fn list<C: ConnectionTrait>(&self, conn: &C, by: Sorting, limit: i64, offset: i64) -> Result<Vec<User>> {
        let order = if by.order == Direction::Ascending { Order::Asc } else { Order::Desc };
        let rows = self.select().order_by(by.column, order.clone()).order_by(Column::Id, order);
        let (limit, offset) = (u64::try_from(limit).unwrap_or(0), u64::try_from(offset).unwrap_or(0));
        Ok(rows.limit(limit).offset(offset).all(conn).await?)
    }

    /// How many there are.
    pub async fn count<C: ConnectionTrait>(&self, conn: &C) -> Result<i64> {
        Ok(i64::try_from(self.select().count(conn).await?).unwrap_or(i64::MAX))
    }
}
