//! Members of groups and projects.

use kernel::db::Sql;
use kernel::{Error, Result, Time};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::level;

/// A member's row: of a group or of a project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "members")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The group.
    pub namespace_id: Option<i64>,
    /// Or the project.
    pub project_id: Option<i64>,
    /// The user.
    pub user_id: i64,
    /// See [`level`].
    pub access_level: i64,
    /// From when on it no longer counts.
    pub expires_at: Option<Time>,
    /// Who added the member.
    pub created_by: Option<i64>,
    /// When.
    pub created_at: Time,
}

/// A member.
pub type Member = Model;

impl ActiveModelBehavior for ActiveModel {}

/// What a member is a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A group.
    Group(i64),
    /// A project.
    Project(i64),
}

impl Source {
    fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Group(id) => (Some(id), None),
            Self::Project(id) => (None, Some(id)),
        }
    }

    fn condition(self) -> (&'static str, i64) {
        match self {
            Self::Group(id) => ("namespace_id = $1", id),
            Self::Project(id) => ("project_id = $1", id),
        }
    }
}

impl Member {
    /// Adds a member, or a 409 where the user is one already.
    pub async fn add<C: ConnectionTrait>(
        conn: &C,
        source: Source,
        user_id: i64,
        access_level: i64,
        expires_at: Option<Time>,
        created_by: Option<i64>,
    ) -> Result<Self> {
        check_level(access_level)?;
        if Self::find(conn, source, user_id).await?.is_some() {
            return Err(Error::Conflict("Member already exists".into()));
        }
        let (namespace_id, project_id) = source.columns();
        let row = ActiveModel {
            namespace_id: Set(namespace_id),
            project_id: Set(project_id),
            user_id: Set(user_id),
            access_level: Set(access_level),
            expires_at: Set(expires_at),
            created_by: Set(created_by),
            created_at: Set(Time::now()),
            ..Default::default()
        };
        Ok(row.insert(conn).await?)
    }

    /// The direct membership of a user.
    pub async fn find<C: ConnectionTrait>(conn: &C, source: Source, user_id: i64) -> Result<Option<Self>> {
        let (condition, id) = source.condition();
        conn.one(&format!("SELECT * FROM members WHERE {condition} AND user_id = $2"), [id.into(), user_id.into()])
            .await
    }

    /// Ends a membership. The last owner of a group can't go.
    pub async fn remove<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        if self.is_last_owner(conn).await? {
            return Err(Error::forbidden("a group needs an owner; make someone else an owner first"));
        }
        conn.run("DELETE FROM members WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }

    /// Whether this is the only direct owner of a group.
    pub async fn is_last_owner<C: ConnectionTrait>(&self, conn: &C) -> Result<bool> {
        let Some(group) = self.namespace_id.filter(|_| self.access_level == level::OWNER) else { return Ok(false) };
        let sql = "SELECT COUNT(*) FROM members WHERE namespace_id = $1 AND access_level = 50 AND id <> $2";
        Ok(conn.scalar::<i64>(sql, [group.into(), self.id.into()]).await?.unwrap_or(0) == 0)
    }
}

/// Refuses a number that is no access level.
pub fn check_level(access_level: i64) -> Result<()> {
    if level::ALL.iter().any(|(l, _)| *l == access_level) {
        return Ok(());
    }
    Err(Error::BadParameter("access_level does not have a valid value".into()))
}
