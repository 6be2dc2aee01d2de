//! Projects: the type and its SQL.

use std::path::PathBuf;

use accounts::user::check_path;
use kernel::db::Sql;
use kernel::events::Event;
use kernel::{App, Error, Result, Time, Tx};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::namespace::{Namespace, check_name, path_taken};
use crate::settings::ProjectSettings;
use crate::visibility::Visibility;

/// A project's row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Where it lives.
    pub namespace_id: i64,
    /// Who made it.
    pub creator_id: Option<i64>,
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
    /// The default branch; `None` while there is no branch.
    pub default_branch: Option<String>,
    /// Read only for everybody.
    pub archived: bool,
    /// Has no branch yet.
    pub empty_repo: bool,
    /// The key of the uploaded picture among the objects.
    pub avatar: Option<String>,
    /// A JSON list of words.
    pub topics: String,
    /// See [`ProjectSettings`].
    pub settings: String,
    /// How many people starred it.
    pub star_count: i64,
    /// What it was forked from.
    pub forked_from_id: Option<i64>,
    /// Where it was imported from.
    pub import_url: Option<String>,
    /// `none`, `scheduled`, `started`, `finished` or `failed`.
    pub import_status: String,
    /// Why the import failed.
    pub import_error: Option<String>,
    /// How far the import is, in words.
    pub import_progress: Option<String>,
    /// Bytes of the repository.
    pub repository_size: i64,
    /// Commits on the default branch.
    pub commit_count: i64,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// When something last happened in it.
    pub last_activity_at: Time,
}

/// A project.
pub type Project = Model;

impl ActiveModelBehavior for ActiveModel {}

/// A project was made; its repository may not be there yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectCreated {
    /// The project.
    pub project_id: i64,
}
impl Event for ProjectCreated {
    const NAME: &'static str = "project.created";
}

/// A project was deleted; what belongs to it outside the database can go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectDeleted {
    /// The project.
    pub project_id: i64,
}
impl Event for ProjectDeleted {
    const NAME: &'static str = "project.deleted";
}

/// What it takes to make a project.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// The last segment of the path.
    pub path: String,
    /// The name to show.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its settings.
    pub settings: ProjectSettings,
    /// Who makes it.
    pub creator_id: i64,
    /// What it is forked from.
    pub forked_from_id: Option<i64>,
    /// Where it is imported from.
    pub import_url: Option<String>,
}

impl Project {
    /// Finds a project by id.
    pub async fn find<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        Ok(Entity::find_by_id(id).one(conn).await?)
    }

    /// Finds a project by its whole path, in any case of letters.
    pub async fn by_path<C: ConnectionTrait>(conn: &C, path: &str) -> Result<Option<Self>> {
        Ok(Entity::find().filter(Column::FullPathKey.eq(path.to_lowercase())).one(conn).await?)
    }

    /// Makes a project in a namespace. The caller has checked that the actor may.
    pub async fn create(tx: &Tx, namespace: &Namespace, new: NewProject) -> Result<Self> {
        check_name(&new.name)?;
        check_path(&new.path).map_err(|why| Error::invalid("path", why))?;
        if namespace.is_group() && new.visibility.number() > namespace.visibility {
            let why = format!("{} is not allowed in a {} group", new.visibility, namespace.visibility());
            return Err(Error::invalid("visibility_level", why));
        }
        let full_path = format!("{}/{}", namespace.full_path, new.path);
        if path_taken(&**tx, &full_path).await? {
            return Err(Error::Invalid(vec![
                ("name".into(), "has already been taken".into()),
                ("path".into(), "has already been taken".into()),
            ]));
        }
        let now = Time::now();
        let row = ActiveModel {
            namespace_id: Set(namespace.id),
            creator_id: Set(Some(new.creator_id)),
            name: Set(new.name.trim().to_owned()),
            path: Set(new.path),
            full_path_key: Set(full_path.to_lowercase()),
            full_path: Set(full_path),
            description: Set(new.description),
            visibility: Set(new.visibility.number()),
            settings: Set(serde_json::to_string(&new.settings)?),
            forked_from_id: Set(new.forked_from_id),
            import_status: Set(if new.import_url.is_some() { "scheduled" } else { "none" }.to_owned()),
            import_url: Set(new.import_url),
            created_at: Set(now),
            updated_at: Set(now),
            last_activity_at: Set(now),
            ..Default::default()
        };
        let made = row.insert(&**tx).await?;
        tx.run("DELETE FROM redirects WHERE path_key = $1", [made.full_path_key.as_str().into()]).await?;
        tx.publish(&ProjectCreated { project_id: made.id }).await?;
        Ok(made)
    }

    /// The path of its namespace.
    pub fn namespace_path(&self) -> &str {
        self.full_path.rsplit_once('/').map_or("", |(n, _)| n)
    }

    /// Who may see it without being a member.
    pub fn visibility(&self) -> Visibility {
        Visibility::from_number(self.visibility)
    }

    /// Its settings.
    pub fn settings(&self) -> Result<ProjectSettings> {
        ProjectSettings::parse(&self.settings)
    }

    /// Its topics.
    pub fn topics(&self) -> Vec<String> {
        serde_json::from_str(&self.topics).unwrap_or_default()
    }

    /// The default branch, or the one that it would get.
    pub fn branch(&self) -> &str {
        self.default_branch.as_deref().unwrap_or("main")
    }

    /// The folder of its bare repository. It goes by id, so that renames and transfers move nothing on disk.
    pub fn repository_path(&self, app: &App) -> PathBuf {
        Self::repository_path_of(app, self.id)
    }

    /// The folder of the bare repository of the project with this id, which may be gone.
    pub fn repository_path_of(app: &App, id: i64) -> PathBuf {
        app.config().repositories().join(format!("{:02x}", id % 256)).join(format!("{id}.git"))
    }

    /// An absolute URL below the project; `path` is empty or begins with a slash.
    pub fn url(&self, app: &App, path: &str) -> String {
        app.config().link(&format!("/{}{path}", self.full_path))
    }

    /// The address for git over HTTP.
    pub fn http_url(&self, app: &App) -> String {
        self.url(app, ".git")
    }

    /// The address for git over SSH, with the port where it is not the usual one.
    pub fn ssh_url(&self, app: &App) -> String {
        let host = app.config().url.host_str().unwrap_or("localhost");
        match app.config().ssh.rsplit_once(':').map(|(_, port)| port) {
            None | Some("22") => format!("git@{host}:{}.git", self.full_path),
            Some(port) => format!("ssh://git@{host}:{port}/{}.git", self.full_path),
        }
    }
}
