use http::Method;
use serde_json::{Value, json};
use testkit::for_each_database;

use super::support::{Bench, seed};

/// Statuses in the order of `World::people`, then of nobody.
type Expected = [u16; 10];

#[tokio::test]
async fn every_role_may_what_the_table_says() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        let projects = [&b.world.wheel, &b.world.race, &b.world.pond];
        for project in projects {
            seed(&b.olive, &format!("/api/v4/projects/{}", project.id)).await;
        }
        let mut clients: Vec<_> = b.world.people().iter().map(|p| (p.username.clone(), p.client(&t))).collect();
        clients.push(("nobody".into(), t.anonymous()));
        // Root, owner, maintainer, developer, reporter, planner, guest, a stranger, an external user, nobody.
        let reads: [Expected; 3] = [
            [200, 200, 200, 200, 200, 403, 403, 404, 404, 404],
            [200, 200, 200, 200, 200, 200, 200, 200, 404, 404],
            [200; 10],
        ];
        let comments: [Expected; 3] = [
            [201, 201, 201, 201, 201, 403, 403, 404, 404, 404],
            [201, 201, 201, 201, 201, 201, 201, 201, 404, 404],
            [201, 201, 201, 201, 201, 201, 201, 201, 201, 401],
        ];
        let pushes: [Expected; 3] = [
            [201, 400, 400, 400, 403, 403, 403, 404, 404, 404],
            [201, 400, 400, 400, 403, 403, 403, 403, 404, 404],
            [201, 400, 400, 400, 403, 403, 403, 403, 403, 401],
        ];
        let rules: [Expected; 3] = [
            [200, 200, 200, 200, 403, 403, 403, 404, 404, 404],
            [200, 200, 200, 200, 403, 403, 403, 403, 404, 404],
            [200, 200, 200, 200, 403, 403, 403, 403, 403, 401],
        ];
        let table: [(Method, &str, Value, [Expected; 3]); 12] = [
            (Method::GET, "repository/tree", Value::Null, reads),
            (Method::GET, "repository/commits", Value::Null, reads),
            (Method::GET, "repository/commits/main", Value::Null, reads),
            (Method::GET, "repository/branches", Value::Null, reads),
            (Method::GET, "repository/files/README.md?ref=main", Value::Null, reads),
            (Method::GET, "repository/archive.tar", Value::Null, reads),
            (Method::GET, "repository/contributors", Value::Null, reads),
            (Method::POST, "repository/commits/main/comments", json!({ "note": "x" }), comments),
            (Method::POST, "repository/branches", json!({ "branch": "b", "ref": "main" }), pushes),
            (Method::POST, "repository/tags", json!({ "tag_name": "t", "ref": "main" }), pushes),
            (Method::GET, "protected_branches", Value::Null, rules),
            (Method::GET, "protected_tags", Value::Null, rules),
        ];
        for (method, path, body, expected) in table {
            for (project, expected) in projects.iter().zip(expected) {
                for ((name, client), status) in clients.iter().zip(expected) {
                    let mut request = client.request(method.clone(), format!("/api/v4/projects/{}/{path}", project.id));
                    if !body.is_null() {
                        request = request.json(&body);
                    }
                    let answer = client.send(request).await;
                    assert_eq!(
                        answer.status.as_u16(),
                        status,
                        "{name} {method} {} {path}: {}",
                        project.path,
                        answer.text()
                    );
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_repository_for_members_or_nobody() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        let pond = format!("/api/v4/projects/{}", b.world.pond.id);
        seed(&b.olive, &pond).await;
        b.olive.put(&pond, json!({ "repository_access_level": "private" })).await.expect(200);
        b.world.rita.client(&t).get(format!("{pond}/repository/tree")).await.expect(200);
        b.world.sam.client(&t).get(format!("{pond}/repository/tree")).await.expect(403);
        t.anonymous().get(format!("{pond}/repository/tree")).await.expect(401);
        b.olive.put(&pond, json!({ "repository_access_level": "disabled" })).await.expect(200);
        b.olive.get(format!("{pond}/repository/tree")).await.expect(404);
        b.olive.put(&pond, json!({ "repository_access_level": "enabled" })).await.expect(200);
        b.olive.post(format!("{pond}/archive"), json!({})).await.expect(201);
        b.olive.get(format!("{pond}/repository/tree")).await.expect(200);
        let refused = b
            .olive
            .post(format!("{pond}/repository/branches"), json!({ "branch": "b", "ref": "main" }))
            .await
            .expect(403);
        assert!(refused.text().contains("archived"), "{}", refused.text());
    })
    .await;
}
