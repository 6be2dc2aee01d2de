//! Tokens of jobs: one for each, good while the job runs.

use accounts::{Actor, Credential, User, Via};
use async_trait::async_trait;
use kernel::{App, Result, auth};
use sea_orm::FromQueryResult;

/// What the token of every job begins with.
pub(crate) const PREFIX: &str = "tmjob-";

/// Turns a job's token into an actor that does what the job's user may, within the job's project.
pub struct JobTokens;

#[derive(FromQueryResult)]
struct Holder {
    id: i64,
    project_id: i64,
    user_id: Option<i64>,
}

#[async_trait]
impl Credential for JobTokens {
    async fn resolve(&self, app: &App, token: &str) -> Result<Option<Actor>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let sql =
            "SELECT id, project_id, user_id FROM builds WHERE token_hash = $1 AND status IN ('running', 'canceling')";
        let Some(holder) = app.db().one::<Holder>(sql, [auth::hash_token(token).into()]).await? else {
            return Ok(None);
        };
        let Some(user_id) = holder.user_id else { return Ok(None) };
        let user = User::find(app.db().conn(), user_id).await?.filter(User::is_active);
        Ok(user.map(|u| Actor::new(u, Via::Job { job_id: holder.id, project_id: holder.project_id })))
    }
}
