//! Namespaces: a user's own, and groups with their subgroups.

use accounts::user::{check_path, check_username};
use kernel::db::Sql;
use kernel::{Error, Result, Time};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::settings::GroupSettings;
use crate::visibility::Visibility;

/// A namespace's row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "namespaces")]
pub struct Model {
    /// The id, also of the group.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `user` or `group`.
    pub kind: String,
    /// The group above.
    pub parent_id: Option<i64>,
    /// The user whose own namespace this is.
    pub owner_id: Option<i64>,
    /// The last segment of the path.
    pub path: String,
    /// The name to show.
    pub name: String,
    /// The whole path.
    pub full_path: String,
    /// The same in lower case, unique.
    pub full_path_key: String,
    /// What it is for.
    pub description: String,
    /// See [`Visibility`].
    pub visibility: i64,
    /// The key of the uploaded picture among the objects.
    pub avatar: Option<String>,
    /// See [`GroupSettings`].
    pub settings: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A namespace.
pub type Namespace = Model;

impl ActiveModelBehavior for ActiveModel {}

/// How deep groups can be nested.
pub const MAX_DEPTH: usize = 20;

impl Namespace {
    /// Finds a namespace by id.
    pub async fn find<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        Ok(Entity::find_by_id(id).one(conn).await?)
    }

    /// Finds a namespace by its whole path, in any case of letters.
    pub async fn by_path<C: ConnectionTrait>(conn: &C, path: &str) -> Result<Option<Self>> {
        Ok(Entity::find().filter(Column::FullPathKey.eq(path.to_lowercase())).one(conn).await?)
    }

    /// The namespace of a user's own.
    pub async fn of_user<C: ConnectionTrait>(conn: &C, user_id: i64) -> Result<Option<Self>> {
        Ok(Entity::find().filter(Column::OwnerId.eq(user_id)).one(conn).await?)
    }

    /// Makes the namespace of a new user.
    pub async fn create_for_user<C: ConnectionTrait>(conn: &C, user: &accounts::User) -> Result<Self> {
        insert(conn, "user", None, Some(user.id), &user.username, &user.name, "", Visibility::Public).await
    }

    /// Makes a group, at the top or below `parent`. The caller has checked that the actor may, and adds the owner.
    pub async fn create_group<C: ConnectionTrait>(
        conn: &C,
        parent: Option<&Self>,
        path: &str,
        name: &str,
        description: &str,
        visibility: Visibility,
    ) -> Result<Self> {
        check_name(name)?;
        if let Some(parent) = parent {
            if !parent.is_group() {
                return Err(Error::invalid("parent_id", "is not a group"));
            }
            if visibility.number() > parent.visibility {
                let why = format!(
                    "{visibility} is not allowed since the parent group has a {} visibility",
                    parent.visibility()
                );
                return Err(Error::invalid("visibility_level", why));
            }
            if parent.full_path.split('/').count() >= MAX_DEPTH {
                return Err(Error::invalid("parent_id", format!("is nested too deep (maximum is {MAX_DEPTH} groups)")));
            }
        }
        insert(conn, "group", parent, None, path, name, description, visibility).await
    }

    /// Whether it is a group.
    pub fn is_group(&self) -> bool {
        self.kind == "group"
    }

    /// Who may see it without being a member.
    pub fn visibility(&self) -> Visibility {
        Visibility::from_number(self.visibility)
    }

    /// Its settings, if it is a group.
    pub fn settings(&self) -> Result<GroupSettings> {
        GroupSettings::parse(&self.settings)
    }

    /// The namespaces above and itself, the topmost first.
    pub async fn lineage<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Vec<Self>> {
        let sql = "SELECT n.* FROM namespaces n JOIN namespace_ancestors a ON a.ancestor_id = n.id
                   WHERE a.namespace_id = $1 ORDER BY a.depth DESC";
        conn.all(sql, [id.into()]).await
    }
}

/// Checks the name to show of a group or project.
pub(crate) fn check_name(name: &str) -> Result<()> {
    match name.trim() {
        "" => Err(Error::invalid("name", "can't be blank")),
        n if n.chars().count() > 255 => Err(Error::invalid("name", "is too long (maximum is 255 characters)")),
        n if n.chars().any(char::is_control) => Err(Error::invalid("name", "can't hold control characters")),
        _ => Ok(()),
    }
}

/// Whether a path is in use by a namespace or a project.
pub(crate) async fn path_taken<C: ConnectionTrait>(conn: &C, full_path: &str) -> Result<bool> {
    // A namespace and a project can't be kept apart by an index; so those who take a path do it one after the other.
    if conn.get_database_backend() == sea_orm::DbBackend::Postgres {
        conn.run("SELECT pg_advisory_xact_lock(7414)", []).await?;
    }
    let sql = "SELECT 1 AS n FROM namespaces WHERE full_path_key = $1 UNION ALL SELECT 1 AS n FROM projects WHERE full_path_key = $1";
    let key = full_path.to_lowercase();
    Ok(conn
        .query_one_raw(sea_orm::Statement::from_sql_and_values(conn.get_database_backend(), sql, [key.into()]))
        .await?
        .is_some())
}

#[allow(clippy::too_many_arguments)]
async fn insert<C: ConnectionTrait>(
    conn: &C,
    kind: &str,
    parent: Option<&Namespace>,
    owner_id: Option<i64>,
    path: &str,
    name: &str,
    description: &str,
    visibility: Visibility,
) -> Result<Namespace> {
    let check = if parent.is_none() { check_username } else { check_path };
    check(path).map_err(|why| Error::invalid("path", why))?;
    let full_path = parent.map_or_else(|| path.to_owned(), |p| format!("{}/{path}", p.full_path));
    if path_taken(conn, &full_path).await? {
        return Err(Error::invalid("path", "has already been taken"));
    }
    let now = Time::now();
    let row = ActiveModel {
        kind: Set(kind.to_owned()),
        parent_id: Set(parent.map(|p| p.id)),
        owner_id: Set(owner_id),
        path: Set(path.to_owned()),
        name: Set(name.trim().to_owned()),
        full_path_key: Set(full_path.to_lowercase()),
        full_path: Set(full_path),
        description: Set(description.to_owned()),
        visibility: Set(visibility.number()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let made = row.insert(conn).await?;
    // A path that is used again no longer leads to what was there before.
    conn.run("DELETE FROM redirects WHERE path_key = $1", [made.full_path_key.as_str().into()]).await?;
    let sql = "INSERT INTO namespace_ancestors (namespace_id, ancestor_id, depth)
               SELECT $1, ancestor_id, depth + 1 FROM namespace_ancestors WHERE namespace_id = $2
               UNION ALL SELECT $1, $1, 0";
    conn.run(sql, [made.id.into(), made.parent_id.unwrap_or(0).into()]).await?;
    Ok(made)
}
