//! What administrators change of other people's accounts, on pages and through the API.

use kernel::{App, Error, Result, Time, Tx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::json;

use crate::hooks::{hash, rename_user};
use crate::profile::Profile;
use crate::user::is_email;
use crate::{Actor, User, audit, states};

/// The changes; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) admin: Option<bool>,
    pub(crate) external: Option<bool>,
    pub(crate) can_create_group: Option<bool>,
    pub(crate) projects_limit: Option<i64>,
    pub(crate) note: Option<String>,
    pub(crate) profile: Profile,
}

impl Edit {
    /// Carries it out in one transaction; gives the user as it is then.
    pub(crate) async fn apply(self, app: &App, actor: &Actor, user: User) -> Result<User> {
        let password = match self.password.as_deref().filter(|p| !p.is_empty()) {
            Some(password) => Some(hash(password).await?),
            None => None,
        };
        let tx = app.begin().await?;
        let id = user.id;
        let user = match self.username.as_deref() {
            Some(name) => rename_user(&tx, actor, user, name.trim()).await?,
            None => user,
        };
        let user = self.row(&tx, user).await?;
        if let Some(admin) = self.admin {
            states::set_admin(&tx, actor, &user, admin).await?;
        }
        if let Some(hash) = &password {
            user.set_password_hash(&*tx, hash, None).await?;
            audit::record(&*tx, actor, "password.changed", ("User", id), json!({})).await?;
        }
        audit::record(&*tx, actor, "user.updated", ("User", id), json!({ "username": user.username })).await?;
        let user = User::find(&*tx, id).await?.ok_or_else(|| Error::not_found("User"))?;
        tx.commit().await?;
        Ok(user)
    }

    async fn row(&self, tx: &Tx, user: User) -> Result<User> {
        let user = self.profile.save(&**tx, user).await?;
        let mut row = user.clone().into_active_model();
        if let Some(email) = &self.email {
            let email = email.trim().to_lowercase();
            check_email(tx, &user, &email).await?;
            row.email = Set(email);
        }
        if let Some(external) = self.external {
            row.external = Set(external);
        }
        if let Some(may) = self.can_create_group {
            row.can_create_group = Set(may);
        }
        if let Some(limit) = self.projects_limit {
            row.projects_limit = Set(limit.clamp(0, i64::from(i32::MAX)));
        }
        if let Some(note) = &self.note {
            row.note = Set(note.clone());
        }
        row.updated_at = Set(Time::now());
        Ok(row.update(&**tx).await?)
    }
}

async fn check_email(tx: &Tx, user: &User, email: &str) -> Result<()> {
    if !is_email(email) {
        return Err(Error::invalid("email", "is invalid"));
    }
    match crate::email::owner(&**tx, email).await? {
        Some(other) if other != user.id => Err(Error::invalid("email", "has already been taken")),
        _ => Ok(()),
    }
}
