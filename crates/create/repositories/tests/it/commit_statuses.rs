//! Statuses of commits, from pipelines and from outside.

use kernel::db::Sql;
use repositories::CommitStatus;
use repositories::commit_status::{EXTERNAL, NewStatus, PIPELINE};
use testkit::for_each_database;

#[tokio::test]
async fn a_pipeline_outranks_what_is_set_from_outside() {
    for_each_database(async |t| {
        let w = t.world().await;
        let conn = t.app.db().conn();
        let (sha, project_id) = ("a".repeat(40), w.wheel.id);
        let status = async |kind: &'static str, name: &str, status: &str, pipeline_id: Option<i64>| {
            let new = NewStatus {
                project_id,
                kind,
                sha: sha.clone(),
                reference: "main".into(),
                name: name.into(),
                status: status.into(),
                pipeline_id,
                ..NewStatus::default()
            };
            CommitStatus::set(conn, new).await.unwrap()
        };
        let combined = async || {
            let all = CommitStatus::combined(conn, project_id, std::slice::from_ref(&sha)).await.unwrap();
            all.get(&sha).map(|c| c.status.clone())
        };
        assert_eq!(combined().await, None);
        let one = status(EXTERNAL, "ci/one", "pending", None).await;
        status(EXTERNAL, "ci/two", "success", None).await;
        assert_eq!(combined().await.as_deref(), Some("pending"));
        let again = status(EXTERNAL, "ci/one", "failed", None).await;
        assert_eq!((again.id, again.finished_at.is_some()), (one.id, true));
        assert_eq!(combined().await.as_deref(), Some("failed"));
        status(PIPELINE, "pipeline", "running", Some(7)).await;
        status(PIPELINE, "pipeline", "success", Some(7)).await;
        assert_eq!(combined().await.as_deref(), Some("success"));
        assert_eq!(CommitStatus::of_commit(conn, project_id, &sha).await.unwrap().len(), 2);
        CommitStatus::forget_pipeline(conn, 7).await.unwrap();
        assert_eq!(combined().await.as_deref(), Some("failed"));
        let rows: Option<i64> = conn.scalar("SELECT COUNT(*) FROM commit_statuses", []).await.unwrap();
        assert_eq!(rows, Some(2));
    })
    .await;
}
