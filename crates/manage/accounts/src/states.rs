//! The states of an account and who moves it from one to another.

use kernel::db::Sql;
use kernel::{App, Error, Result, Time, Tx};
use serde_json::json;

use crate::hooks::{delete_user, other_admins};
use crate::{Actor, User, audit};

/// How long somebody must have been away to be deactivated, in days.
const DORMANT_DAYS: u64 = 90;

/// Something that an administrator does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Block,
    Unblock,
    Ban,
    Unban,
    Deactivate,
    Activate,
    Approve,
    Unlock,
}

impl Step {
    /// Reads the word in a path.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Self::Block,
            "unblock" => Self::Unblock,
            "ban" => Self::Ban,
            "unban" => Self::Unban,
            "deactivate" => Self::Deactivate,
            "activate" => Self::Activate,
            "approve" => Self::Approve,
            "unlock" => Self::Unlock,
            _ => return None,
        })
    }

    /// The word for the audit log.
    fn done(self) -> &'static str {
        match self {
            Self::Block => "user.blocked",
            Self::Unblock => "user.unblocked",
            Self::Ban => "user.banned",
            Self::Unban => "user.unbanned",
            Self::Deactivate => "user.deactivated",
            Self::Activate => "user.activated",
            Self::Approve => "user.approved",
            Self::Unlock => "user.unlocked",
        }
    }

    /// Why the step can't be made from the user's state, if it can't.
    fn refusal(self, user: &User) -> Option<String> {
        let state = user.state.as_str();
        let why = match self {
            Self::Block if state == "banned" => "A banned user must be unbanned first",
            Self::Unblock if state != "blocked" => "Only blocked users can be unblocked",
            Self::Ban if state != "active" => return Some(format!("You cannot ban {state} users.")),
            Self::Unban if state != "banned" => return Some(format!("You cannot unban {state} users.")),
            Self::Deactivate if state != "active" && state != "deactivated" => {
                "A blocked user cannot be deactivated by the API"
            }
            Self::Deactivate if state == "active" && !dormant(user) => {
                return Some(format!(
                    "The user you are trying to deactivate has been active in the past {DORMANT_DAYS} days and cannot be deactivated"
                ));
            }
            Self::Activate if state != "deactivated" && state != "active" => {
                "A blocked user must be unblocked to be activated"
            }
            Self::Approve if state != "blocked_pending_approval" => {
                "The user you are trying to approve is not pending approval"
            }
            _ => return None,
        };
        Some(why.to_owned())
    }

    fn state(self, user: &User) -> &str {
        match self {
            Self::Block => "blocked",
            Self::Ban => "banned",
            Self::Deactivate => "deactivated",
            Self::Unblock | Self::Unban | Self::Activate | Self::Approve => "active",
            Self::Unlock => &user.state,
        }
    }
}

fn dormant(user: &User) -> bool {
    let seen = [user.last_activity_at, user.current_sign_in_at].into_iter().flatten().max();
    seen.is_none_or(|t| Time::now().since(t).as_secs() > DORMANT_DAYS * 86_400)
}

/// Makes a step; a 403 where the account's state forbids it. Whoever is shut out loses their sessions.
pub(crate) async fn take(app: &App, actor: &Actor, user: &User, step: Step) -> Result<()> {
    if let Some(why) = step.refusal(user) {
        let conflict = step == Step::Approve;
        return Err(if conflict { Error::Conflict(why) } else { Error::forbidden(why) });
    }
    let shuts = matches!(step, Step::Block | Step::Ban | Step::Deactivate);
    if shuts && actor.id() == Some(user.id) {
        return Err(Error::forbidden("You cannot shut out yourself"));
    }
    let tx = app.begin().await?;
    let sql = "UPDATE users SET state = $2, failed_attempts = 0, locked_until = NULL, updated_at = $3 WHERE id = $1";
    tx.run(sql, [user.id.into(), step.state(user).into(), Time::now().into()]).await?;
    if shuts {
        tx.run("DELETE FROM sessions WHERE user_id = $1", [user.id.into()]).await?;
    }
    audit::record(&*tx, actor, step.done(), ("User", user.id), json!({ "username": user.username })).await?;
    tx.commit().await
}

/// Removes somebody who has registered and was not wanted.
pub(crate) async fn reject(app: &App, actor: &Actor, user: &User) -> Result<()> {
    if user.state != "blocked_pending_approval" {
        return Err(Error::Conflict("User does not have a pending request".into()));
    }
    let tx = app.begin().await?;
    delete_user(&tx, actor, user, true).await?;
    tx.commit().await
}

/// Gives or takes the rights of an administrator; the last one keeps them.
pub(crate) async fn set_admin(tx: &Tx, actor: &Actor, user: &User, admin: bool) -> Result<()> {
    if user.admin == admin {
        return Ok(());
    }
    if !admin && other_admins(tx, user).await? == 0 {
        return Err(Error::invalid("admin", "can't be taken from the last administrator"));
    }
    tx.run("UPDATE users SET admin = $2 WHERE id = $1", [user.id.into(), admin.into()]).await?;
    let event = if admin { "user.made_admin" } else { "user.no_longer_admin" };
    audit::record(&**tx, actor, event, ("User", user.id), json!({ "username": user.username })).await
}
