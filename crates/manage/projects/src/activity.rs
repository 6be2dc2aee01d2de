//! What people did, for feeds and the events API.

use accounts::Actor;
use kernel::db::Sql;
use kernel::{Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;

use crate::access::{member_projects_at, visible_projects};
use crate::level;
use crate::visibility::Visibility;

/// What an activity is about, such as an issue.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `Issue`, `MergeRequest`, `Note` and so on, as GitLab names them.
    pub kind: String,
    /// Its id.
    pub id: i64,
    /// Its number within the project.
    pub iid: Option<i64>,
    /// Its title then.
    pub title: Option<String>,
    /// More, such as `push_data`.
    pub data: Value,
}

/// One thing that somebody did.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Activity {
    /// The id.
    pub id: i64,
    /// Where.
    pub project_id: Option<i64>,
    /// Who.
    pub author_id: i64,
    /// `created`, `pushed to`, `pushed new`, `deleted`, `joined`, `left` and so on, as GitLab names them.
    pub action: String,
    /// What it is about.
    pub target_type: Option<String>,
    /// What it is about.
    pub target_id: Option<i64>,
    /// What it is about.
    pub target_iid: Option<i64>,
    /// What it is about.
    pub target_title: Option<String>,
    /// A JSON object with more; a push has `push_data` in it.
    pub data: String,
    /// When.
    pub created_at: Time,
}

/// Notes that somebody did something.
pub async fn record<C: ConnectionTrait>(
    conn: &C,
    project_id: Option<i64>,
    author_id: i64,
    action: &str,
    target: Option<&Target>,
) -> Result<()> {
    let sql = "INSERT INTO activities (project_id, author_id, action, target_type, target_id, target_iid, target_title, data, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let data = target.map_or(Value::Null, |t| t.data.clone());
    let values = [
        project_id.into(),
        author_id.into(),
        action.into(),
        target.map(|t| t.kind.as_str()).into(),
        target.map(|t| t.id).into(),
        target.and_then(|t| t.iid).into(),
        target.and_then(|t| t.title.as_deref()).into(),
        if data.is_null() { "{}".to_owned() } else { data.to_string() }.into(),
        Time::now().into(),
    ];
    conn.run(sql, values).await?;
    Ok(())
}

/// A condition on `activities v LEFT JOIN projects p` for those that an actor may see. Pushes are for those who may read
/// the code.
pub(crate) fn visible_activities(actor: &Actor) -> String {
    if actor.is_admin() {
        return "TRUE".into();
    }
    let open = match actor.known() {
        Some(user) if !user.external => Visibility::Internal,
        _ => Visibility::Public,
    };
    let code_is_open = format!(
        "(p.visibility >= {} AND p.settings NOT LIKE '%\"repository_access_level\":\"private\"%'
          AND p.settings NOT LIKE '%\"repository_access_level\":\"disabled\"%')",
        open.number()
    );
    let reads = actor.id().map_or_else(|| "FALSE".into(), |id| member_projects_at(id, level::REPORTER));
    format!(
        "(v.project_id IS NULL OR ({} AND (v.action NOT IN ('pushed to', 'pushed new', 'deleted') OR {code_is_open} OR {reads})))",
        visible_projects(actor)
    )
}
