use testkit::for_each_database;

use crate::support::api;

/// Whether everybody from root down to an outsider, and nobody, may read: 200, 403, 401 or 404.
const PRIVATE: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 404, 404, 404];
const INTERNAL: [u16; 10] = [200, 200, 200, 200, 200, 200, 200, 200, 404, 404];
const PUBLIC: [u16; 10] = [200; 10];

#[tokio::test]
async fn pipelines_and_jobs_are_seen_by_those_who_see_the_project() {
    for_each_database(async |t| {
        let w = t.world().await;
        for (project, expected) in [("mill/wheel", PRIVATE), ("mill/race", INTERNAL), ("mill/pond", PUBLIC)] {
            for path in ["pipelines", "jobs"] {
                let mut statuses = vec![];
                for person in w.people() {
                    statuses.push(person.client(&t).get(format!("{}/{path}", api(project))).await.status.as_u16());
                }
                statuses.push(t.anonymous().get(format!("{}/{path}", api(project))).await.status.as_u16());
                assert_eq!(statuses, expected, "{project} {path}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn variables_are_for_maintainers_and_those_of_groups_for_owners() {
    for_each_database(async |t| {
        let w = t.world().await;
        for (path, may) in [
            ("/api/v4/projects/mill%2Fwheel/variables", 3),
            ("/api/v4/projects/mill%2Fpond/variables", 3),
            ("/api/v4/groups/mill/variables", 2),
        ] {
            let hidden = path.contains("wheel");
            for (rank, person) in w.people().into_iter().enumerate() {
                let outsider = if hidden { 404 } else { 403 };
                let expected = if rank < may {
                    200
                } else if rank < 7 {
                    403
                } else {
                    outsider
                };
                let answer = person.client(&t).get(path).await;
                assert_eq!(answer.status.as_u16(), expected, "{path} {}", person.username);
            }
            t.anonymous().get(path).await.expect(if hidden { 404 } else { 401 });
        }
        w.sam.client(&t).get("/api/v4/groups/sam/variables").await.expect(404);
    })
    .await;
}
