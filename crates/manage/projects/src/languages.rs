//! The languages of projects, as they were last found.

use kernel::db::Sql;
use kernel::{App, Result, Tx};
use sea_orm::ConnectionTrait;
use sea_orm::FromQueryResult;

/// A language and its share of the code in percent.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Share {
    /// The language.
    pub name: String,
    /// Percent of the bytes.
    pub share: f64,
}

/// Replaces what is known of a project's languages.
pub async fn store(tx: &Tx, project_id: i64, found: &[(String, f64)]) -> Result<()> {
    tx.run("DELETE FROM project_languages WHERE project_id = $1", [project_id.into()]).await?;
    for (name, share) in found {
        let sql = "INSERT INTO project_languages (project_id, name, name_key, share) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        tx.run(sql, [project_id.into(), name.as_str().into(), name.to_lowercase().into(), (*share).into()]).await?;
    }
    Ok(())
}

/// Stores what was found where it is not known already.
pub async fn note(app: &App, project_id: i64, found: &[(String, f64)]) -> Result<()> {
    let known = of_project(app.db().conn(), project_id).await?;
    let same = |(a, b): (&Share, &(String, f64))| a.name == b.0 && (a.share - b.1).abs() < 0.01;
    if known.len() == found.len() && known.iter().zip(found).all(same) {
        return Ok(());
    }
    let tx = app.begin().await?;
    store(&tx, project_id, found).await?;
    tx.commit().await
}

/// What is known of a project's languages, the largest share first.
pub async fn of_project<C: ConnectionTrait>(conn: &C, project_id: i64) -> Result<Vec<Share>> {
    let sql = "SELECT name, share FROM project_languages WHERE project_id = $1 ORDER BY share DESC, name";
    conn.all(sql, [project_id.into()]).await
}
