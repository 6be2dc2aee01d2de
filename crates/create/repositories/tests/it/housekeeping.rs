//! Repositories are tidied and measured in the background, and go with their project.

use projects::{Project, RepositoryHook};
use repositories::{Repositories, Source, update_refs_as};
use testkit::for_each_database;

use crate::refs::{access, actor, prepare};

#[tokio::test]
async fn after_many_pushes_a_repository_is_tidied_and_measured() {
    for_each_database(async |t| {
        let w = t.world().await;
        for n in 0..21 {
            let mats = access(&t, &w.mats, w.wheel.id).await;
            let repo = repositories::open(&t.app, &mats.project).await.unwrap();
            let change = prepare(&repo, &mats, "main", &format!("file{n}"), "text").await;
            update_refs_as(&t.app, &mats, vec![change], Source::Web).await.unwrap();
        }
        let folder = w.wheel.repository_path(&t.app);
        t.eventually("the commit-graph", async || folder.join("objects/info/commit-graphs").exists().then_some(()))
            .await;
        t.eventually("the numbers", async || {
            let project = Project::find(t.app.db().conn(), w.wheel.id).await.unwrap().unwrap();
            (project.commit_count == 21 && project.repository_size > 0).then_some(())
        })
        .await;
        Repositories.housekeep(&t.app, &w.wheel).await.unwrap();
        t.eventually("the bitmap", async || {
            let packs = std::fs::read_dir(folder.join("objects/pack")).unwrap().filter_map(Result::ok);
            packs.into_iter().any(|e| e.path().extension().is_some_and(|x| x == "bitmap")).then_some(())
        })
        .await;
        let tx = t.app.begin().await.unwrap();
        w.wheel.delete(&tx, &actor(&t, &w.olive).await).await.unwrap();
        tx.commit().await.unwrap();
        t.eventually("the folder's end", async || (!folder.exists()).then_some(())).await;
    })
    .await;
}
