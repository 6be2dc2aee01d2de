//! `tidemill admin doctor`: the data folder, the database and the repositories, checked against each other.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use kernel::App;
use kernel::db::Sql;
use projects::Project;

/// Checks everything and says what to repair; an error where something is wrong.
pub(crate) async fn run(app: &App) -> Result<()> {
    let mut findings = vec![];
    check_database(app, &mut findings).await?;
    check_repositories(app, &mut findings).await?;
    check_jobs(app, &mut findings).await?;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    match findings.len() {
        0 => Ok(writeln!(out, "Everything is in order.")?),
        n => bail!("{n} findings; see above for what helps"),
    }
}

async fn check_database(app: &App, findings: &mut Vec<String>) -> Result<()> {
    if !app.db().is_postgres() {
        let verdict: Option<String> = app.db().conn().scalar("PRAGMA quick_check", []).await?;
        if verdict.as_deref() != Some("ok") {
            findings.push(format!("database: {}. Stop the server and restore a backup.", verdict.unwrap_or_default()));
        }
    }
    let orphans =
        "SELECT COUNT(*) FROM namespaces n LEFT JOIN namespace_ancestors a ON a.namespace_id = n.id AND a.depth = 0
                   WHERE a.namespace_id IS NULL";
    if app.db().conn().scalar::<i64>(orphans, []).await?.unwrap_or(0) > 0 {
        findings.push("namespaces: some have no place in the tree. Rename them once to write it anew.".into());
    }
    Ok(())
}

async fn check_repositories(app: &App, findings: &mut Vec<String>) -> Result<()> {
    let projects: Vec<Project> = app.db().all("SELECT * FROM projects ORDER BY id", []).await?;
    let mut known = HashSet::new();
    for project in &projects {
        let path = project.repository_path(app);
        if path.is_dir() {
            check_repository(&path, project, findings).await;
        } else if !project.empty_repo {
            findings.push(format!(
                "{}: its repository {} is gone. Restore it from a backup.",
                project.full_path,
                path.display()
            ));
        }
        known.insert(path);
    }
    for shard in folders(&app.config().repositories()) {
        for path in
            folders(&shard).into_iter().filter(|p| p.extension().is_some_and(|e| e == "git") && !known.contains(p))
        {
            findings.push(format!("{}: no project belongs to it. Remove the folder if that is right.", path.display()));
        }
    }
    Ok(())
}

async fn check_repository(path: &Path, project: &Project, findings: &mut Vec<String>) {
    let problem = match git::Repo::open(path).await {
        Err(e) => Some(format!("can't be opened ({e})")),
        Ok(repo) => match repo.is_empty().await {
            Ok(empty) if empty != project.empty_repo => {
                Some(format!("is {} and the database says otherwise", if empty { "empty" } else { "not empty" }))
            }
            Ok(_) => repo.fsck().await.err().map(|e| format!("fails git fsck ({e})")),
            Err(e) => Some(format!("can't be read ({e})")),
        },
    };
    if let Some(problem) = problem {
        let help = "Start the server, which repairs what it can; else push again or restore a backup";
        findings.push(format!("{}: its repository {} {problem}. {help}.", project.full_path, path.display()));
    }
}

async fn check_jobs(app: &App, findings: &mut Vec<String>) -> Result<()> {
    let failed =
        app.db().conn().scalar::<i64>("SELECT COUNT(*) FROM jobs WHERE state = 'failed'", []).await?.unwrap_or(0);
    if failed > 0 {
        findings.push(format!(
            "{failed} background jobs have failed for good. See /admin/jobs for why, and retry them there."
        ));
    }
    Ok(())
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|e| e.path()).filter(|p| p.is_dir()).collect()
}
