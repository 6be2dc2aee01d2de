//! What follows from refs that moved: the project's row, `HEAD`, activities, events, housekeeping.

use git::log::LogQuery;
use git::{ByteString, Oid, Repo};
use kernel::db::Sql;
use kernel::{App, Result, Time, Tx};
use projects::Project;
use projects::activity::{self, Target};
use sea_orm::FromQueryResult;
use serde_json::{Value, json};

use crate::error::OrStatus;
use crate::events::{Origin, RefUpdate, RefUpdated, Source};
use crate::{housekeeping, intents, protected, repository};

/// Up to this many refs of one push are activities of their own.
const MAX_ACTIVITIES: usize = 3;
/// So many commits in a line are counted without git.
const MAX_LINE: u64 = 200;
/// Commits of a push are counted up to here.
const MAX_COUNTED: usize = 10_000;

/// Writes all consequences of a push in one transaction, which takes its intents away; does nothing if they are gone.
pub(crate) async fn settle(
    app: &App,
    project_id: i64,
    actor_id: i64,
    origin: &Origin,
    key: &str,
    moved: &[RefUpdate],
) -> Result<()> {
    let Some(project) = Project::find(app.db().conn(), project_id).await? else { return Ok(()) };
    if moved.is_empty() {
        intents::remove(app.db().conn(), key).await?;
        return Ok(());
    }
    let repo = repository::open(app, &project).await?;
    let activities = activities(&repo, &project, moved).await;
    let tx = app.begin().await?;
    if !intents::remove(&*tx, key).await? {
        return Ok(());
    }
    write(&tx, &repo, &project, actor_id, origin, moved).await?;
    for (action, data) in activities {
        let target = Target { data: json!({ "push_data": data }), ..Target::default() };
        note(&tx, project_id, actor_id, action, &target).await?;
    }
    tx.commit().await
}

/// The part that a push and an import have in common.
pub(crate) async fn write(
    tx: &Tx,
    repo: &Repo,
    project: &Project,
    actor_id: i64,
    origin: &Origin,
    moved: &[RefUpdate],
) -> Result<()> {
    let branches = moved.iter().any(|u| u.name.is_branch());
    if branches {
        default_branch(tx, repo, project.id, moved, origin.source).await?;
    }
    let sql = "UPDATE projects SET last_activity_at = $2, updated_at = $2 WHERE id = $1";
    tx.run(sql, [project.id.into(), Time::now().into()]).await?;
    for update in moved {
        tx.publish(&RefUpdated::new(project.id, actor_id, update, origin)).await?;
    }
    housekeeping::note_push(tx, project.id).await
}

#[derive(FromQueryResult)]
struct Branch {
    default_branch: Option<String>,
    empty_repo: bool,
}

/// Chooses the default branch when the first branches arrive. `HEAD` is set within the transaction, so that both agree
/// or the push is settled again.
async fn default_branch(tx: &Tx, repo: &Repo, project_id: i64, moved: &[RefUpdate], source: Source) -> Result<()> {
    let sql = "SELECT default_branch, empty_repo FROM projects WHERE id = $1";
    let known = tx.one::<Branch>(sql, [project_id.into()]).await?;
    if known.is_none_or(|b| b.default_branch.is_some() && !b.empty_repo) {
        return Ok(());
    }
    let head = repo.default_branch().await.or_status()?;
    let Some(chosen) = choose(moved, &head) else { return Ok(()) };
    if chosen != head {
        repo.set_default_branch(&chosen).await.or_status()?;
    }
    let branch = chosen.lossy();
    let sql = "UPDATE projects SET default_branch = $2, empty_repo = FALSE WHERE id = $1";
    tx.run(sql, [project_id.into(), (&*branch).into()]).await?;
    if source == Source::Import {
        return Ok(());
    }
    protected::protect_default(tx.app(), &**tx, project_id, &branch).await
}

/// The branch that `HEAD` names already, else `main`, `master`, or the first in the order of names.
fn choose(moved: &[RefUpdate], head: &ByteString) -> Option<ByteString> {
    let mut new: Vec<ByteString> =
        moved.iter().filter(|u| u.name.is_branch() && !u.deletes()).map(|u| u.name.short()).collect();
    new.sort();
    let named = [head.as_bytes(), b"main", b"master"];
    let wanted = named.iter().find_map(|w| new.iter().find(|n| n.as_bytes() == *w).cloned());
    wanted.or_else(|| new.into_iter().next())
}

/// The activities of a push, with GitLab's `push_data`.
async fn activities(repo: &Repo, project: &Project, moved: &[RefUpdate]) -> Vec<(&'static str, Value)> {
    let shown: Vec<&RefUpdate> = moved.iter().filter(|u| u.name.is_branch() || u.name.is_tag()).collect();
    if shown.len() > MAX_ACTIVITIES {
        return bulk(&shown);
    }
    let mut list = vec![];
    for update in shown {
        let data = push_data(repo, project, update).await.unwrap_or_else(|e| {
            tracing::warn!(error = %e, "the commits of a push could not be counted");
            basic_data(update)
        });
        list.push((verb(update), data));
    }
    list
}

fn verb(update: &RefUpdate) -> &'static str {
    match (update.creates(), update.deletes()) {
        (_, true) => "deleted",
        (true, false) => "pushed new",
        (false, false) => "pushed to",
    }
}

fn word(update: &RefUpdate) -> &'static str {
    match (update.creates(), update.deletes()) {
        (_, true) => "removed",
        (true, false) => "created",
        (false, false) => "pushed",
    }
}

fn id_or_null(oid: Oid) -> Value {
    if oid.is_zero() { Value::Null } else { json!(oid.to_string()) }
}

fn basic_data(update: &RefUpdate) -> Value {
    json!({
        "commit_count": 0, "action": word(update), "ref_type": if update.name.is_tag() { "tag" } else { "branch" },
        "commit_from": id_or_null(update.old), "commit_to": id_or_null(update.new),
        "ref": update.name.short().lossy(), "commit_title": null, "ref_count": null,
    })
}

/// One activity for each way and kind, where there are too many refs to name them.
fn bulk(shown: &[&RefUpdate]) -> Vec<(&'static str, Value)> {
    let mut list: Vec<(&'static str, Value, u64)> = vec![];
    for update in shown {
        let data = basic_data(update);
        let same = |v: &Value| v["action"] == data["action"] && v["ref_type"] == data["ref_type"];
        match list.iter_mut().find(|(_, v, _)| same(v)) {
            Some((_, _, count)) => *count += 1,
            None => list.push((verb(update), data, 1)),
        }
    }
    let counted = list.into_iter().map(|(action, mut data, count)| {
        if count > 1 {
            data["ref_count"] = json!(count);
            data["ref"] = Value::Null;
        }
        (action, data)
    });
    counted.collect()
}

async fn push_data(repo: &Repo, project: &Project, update: &RefUpdate) -> Result<Value> {
    let mut data = basic_data(update);
    if update.deletes() {
        return Ok(data);
    }
    let Ok(tip) = repo.commit_of(update.new).await else { return Ok(data) };
    let commit = repo.commit(tip).await.or_status()?;
    data["commit_title"] = json!(commit.title().lossy().chars().take(70).collect::<String>());
    if update.name.is_branch() {
        data["commit_count"] = json!(count(repo, tip, base(repo, project, update).await?).await?);
    }
    Ok(data)
}

/// Counts the new commits: in process where they are few and in a line, else by git.
async fn count(repo: &Repo, tip: Oid, base: Option<Oid>) -> Result<u64> {
    if let Some(base) = base
        && let Ok(Some(count)) = repo.linear_distance(tip, base, MAX_LINE).await
    {
        return Ok(count);
    }
    let exclude = base.into_iter().collect();
    let query = LogQuery { tips: vec![tip], exclude, limit: MAX_COUNTED, ..LogQuery::default() };
    repo.count_commits(&query).await.or_status()
}

/// What was there before: the ref itself, or for a new branch the default branch.
async fn base(repo: &Repo, project: &Project, update: &RefUpdate) -> Result<Option<Oid>> {
    if !update.old.is_zero() {
        return Ok(Some(update.old));
    }
    let Some(default) = project.default_branch.as_deref() else { return Ok(None) };
    match repo.find_branch(default).await {
        Ok(found) if found.name != update.name => Ok(Some(found.target)),
        _ => Ok(None),
    }
}

async fn note(tx: &Tx, project_id: i64, actor_id: i64, action: &str, target: &Target) -> Result<()> {
    activity::record(&**tx, Some(project_id), actor_id, action, Some(target)).await
}
