//! Moving refs for pages and the API, with the same rules, intents and events as a push.

use accounts::{Actor, User, Via};
use git::write::{Action, CommitRequest};
use git::{Oid, RefChange, RefName, Repo, RepoPath};
use kernel::db::Sql;
use kernel::{Error, Time};
use projects::{Project, ProjectAccess};
use repositories::{RefUpdated, Repositories, Source, signature, update_refs_as};
use sea_orm::FromQueryResult;
use testkit::{Person, TestApp, for_each_database};

pub(crate) async fn actor(t: &TestApp, person: &Person) -> Actor {
    Actor::new(User::find(t.app.db().conn(), person.id).await.unwrap().unwrap(), Via::Password)
}

pub(crate) async fn access(t: &TestApp, person: &Person, project_id: i64) -> ProjectAccess {
    let project = Project::find(t.app.db().conn(), project_id).await.unwrap().unwrap();
    ProjectAccess::of(&t.app, actor(t, person).await, project).await.unwrap()
}

/// Writes the objects of a commit with one file.
pub(crate) async fn prepare(repo: &Repo, access: &ProjectAccess, branch: &str, file: &str, text: &str) -> RefChange {
    let me = signature(&access.actor).unwrap();
    let branch = RefName::branch(branch).unwrap();
    let tip = repo.find_ref(&branch).await.ok().map(|r| r.target);
    let path = RepoPath::new(file).unwrap();
    let request = CommitRequest {
        branch,
        expected_tip: tip,
        start: None,
        reset: false,
        actions: vec![Action::Create { path, content: text.into(), executable: false }],
        unchanged_since: vec![],
        author: me.clone(),
        committer: me,
        message: b"Add a file".to_vec(),
    };
    repo.prepare_commit(request).await.unwrap()
}

#[derive(FromQueryResult)]
struct Payload {
    payload: String,
}

pub(crate) async fn told(t: &TestApp) -> Vec<RefUpdated> {
    let sql = "SELECT payload FROM events WHERE name = 'ref.updated' ORDER BY id";
    let rows: Vec<Payload> = t.app.db().all(sql, []).await.unwrap();
    rows.iter().map(|r| serde_json::from_str(&r.payload).unwrap()).collect()
}

#[tokio::test]
async fn changes_from_pages_follow_the_rules_and_are_told() {
    for_each_database(async |t| {
        let w = t.world().await;
        let project = w.wheel.id;
        let dana = access(&t, &w.dana, project).await;
        let repo = repositories::open(&t.app, &dana.project).await.unwrap();
        let first = prepare(&repo, &dana, "main", "a", "a").await;
        update_refs_as(&t.app, &dana, vec![first.clone()], Source::Web).await.unwrap();
        // The default branch is protected now, so a developer may no longer write to it, and a maintainer may.
        let dana = access(&t, &w.dana, project).await;
        let second = prepare(&repo, &dana, "main", "b", "b").await;
        let refused = update_refs_as(&t.app, &dana, vec![second.clone()], Source::Api).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        let mats = access(&t, &w.mats, project).await;
        update_refs_as(&t.app, &mats, vec![second.clone()], Source::Api).await.unwrap();
        let stale =
            update_refs_as(&t.app, &mats, vec![RefChange { old: Some(first.new), ..second.clone() }], Source::Api)
                .await;
        assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
        let back = RefChange { name: first.name.clone(), old: None, new: first.new };
        let forced = update_refs_as(&t.app, &mats, vec![back], Source::Api).await;
        assert!(matches!(forced, Err(Error::Forbidden(_))), "{forced:?}");
        let missing = RefChange {
            name: RefName::branch("x").unwrap(),
            old: Some(Oid::zero()),
            new: "1".repeat(40).parse().unwrap(),
        };
        assert!(update_refs_as(&t.app, &mats, vec![missing], Source::Api).await.is_err());
        let rita = access(&t, &w.rita, project).await;
        let branch = RefChange { name: RefName::branch("x").unwrap(), old: Some(Oid::zero()), new: first.new };
        assert!(update_refs_as(&t.app, &rita, vec![branch], Source::Api).await.is_err());
        let events = told(&t).await;
        let seen: Vec<_> = events.iter().map(|e| (e.new.clone(), e.origin.source)).collect();
        assert_eq!(seen, [(first.new.to_string(), Source::Web), (second.new.to_string(), Source::Api)]);
        let pending: i64 =
            t.app.db().conn().scalar("SELECT COUNT(*) FROM pending_ref_updates", []).await.unwrap().unwrap();
        assert_eq!(pending, 0);
    })
    .await;
}

#[tokio::test]
async fn projects_begin_with_a_readme_and_change_their_default_branch() {
    for_each_database(async |t| {
        use projects::RepositoryHook;
        let w = t.world().await;
        let me = actor(&t, &w.olive).await;
        Repositories.initialise(&t.app, &me, &w.race).await.unwrap();
        let olive = access(&t, &w.olive, w.race.id).await;
        assert_eq!(olive.project.default_branch.as_deref(), Some("main"));
        let repo = repositories::open(&t.app, &olive.project).await.unwrap();
        let next = prepare(&repo, &olive, "next", "main.rs", "fn main() {}\n").await;
        update_refs_as(&t.app, &olive, vec![next], Source::Web).await.unwrap();
        assert!(Repositories.set_default_branch(&t.app, &me, &olive.project, "nowhere").await.is_err());
        Repositories.set_default_branch(&t.app, &me, &olive.project, "next").await.unwrap();
        assert_eq!(repo.default_branch().await.unwrap(), "next");
        let olive = access(&t, &w.olive, w.race.id).await;
        let languages = Repositories.languages(&t.app, &olive.project).await.unwrap();
        assert_eq!(languages[0].0, "Rust");
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_process_left_is_settled_before_the_next_push() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = access(&t, &w.mats, w.wheel.id).await;
        let repo = repositories::open(&t.app, &mats.project).await.unwrap();
        let first = prepare(&repo, &mats, "main", "a", "a").await;
        update_refs_as(&t.app, &mats, vec![first.clone()], Source::Web).await.unwrap();
        let (moved, unmoved) = ("refs/heads/moved", "refs/heads/unmoved");
        repo.create_ref(&RefName::new(moved).unwrap(), first.new).await.unwrap();
        for name in [moved, unmoved] {
            let sql = "INSERT INTO pending_ref_updates
                         (push_key, project_id, actor_id, ref_name, old_id, new_id, origin, process, seen_at)
                       VALUES ('key', $1, $2, $3, $4, $5, '{\"source\":\"push\"}', 'p-gone', $6)";
            let values = [
                w.wheel.id.into(),
                w.dana.id.into(),
                name.as_bytes().to_vec().into(),
                Oid::zero().to_string().into(),
                first.new.to_string().into(),
                Time(1).into(),
            ];
            t.app.db().run(sql, values).await.unwrap();
        }
        let mats = access(&t, &w.mats, w.wheel.id).await;
        let second = prepare(&repo, &mats, "main", "b", "b").await;
        update_refs_as(&t.app, &mats, vec![second], Source::Web).await.unwrap();
        let events = told(&t).await;
        let names: Vec<_> = events.iter().map(|e| (e.ref_name.as_str(), e.actor_id)).collect();
        assert_eq!(names, [("refs/heads/main", w.mats.id), (moved, w.dana.id), ("refs/heads/main", w.mats.id)]);
    })
    .await;
}
