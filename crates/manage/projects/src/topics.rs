//! Topics: words that projects are found by.

use kernel::db::Sql;
use kernel::{Error, Result, Time, Tx};
use sea_orm::FromQueryResult;

const MAX_TOPICS: usize = 20;

#[derive(FromQueryResult)]
struct Id {
    id: i64,
}

/// Gives a project these topics and no others; gives the column's text.
pub(crate) async fn set(tx: &Tx, project_id: i64, names: &[String]) -> Result<String> {
    let mut wanted: Vec<&str> = vec![];
    for name in names.iter().map(|n| n.trim()).filter(|n| !n.is_empty()) {
        if name.chars().count() > 255 || name.chars().any(char::is_control) {
            return Err(Error::invalid("topics", "can't be longer than 255 characters or hold line breaks"));
        }
        if !wanted.iter().any(|w| w.eq_ignore_ascii_case(name)) {
            wanted.push(name);
        }
    }
    if wanted.len() > MAX_TOPICS {
        return Err(Error::invalid("topics", format!("can't be more than {MAX_TOPICS}")));
    }
    tx.run("DELETE FROM project_topics WHERE project_id = $1", [project_id.into()]).await?;
    for name in &wanted {
        let sql = "INSERT INTO topics (name, name_key, title, created_at) VALUES ($1, $2, $1, $3)
                   ON CONFLICT (name_key) DO UPDATE SET name_key = excluded.name_key RETURNING id";
        let values = [(*name).into(), name.to_lowercase().into(), Time::now().into()];
        let topic: Option<Id> = tx.one(sql, values).await?;
        let sql = "INSERT INTO project_topics (project_id, topic_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        tx.run(sql, [project_id.into(), topic.map_or(0, |t| t.id).into()]).await?;
    }
    let text = serde_json::to_string(&wanted)?;
    tx.run("UPDATE projects SET topics = $2 WHERE id = $1", [project_id.into(), text.as_str().into()]).await?;
    Ok(text)
}
