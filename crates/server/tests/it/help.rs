//! The REST API as pages to read.

use std::collections::HashSet;

use testkit::TestApp;

#[tokio::test]
async fn every_endpoint_has_a_page() {
    let t = TestApp::start(None).await.unwrap();
    let nobody = t.anonymous();
    let index = nobody.page("/help/api").await.expect(200).text();
    assert!(index.contains("GET /api/v4/projects/{id}/repository/tree"), "{index}");
    let document = nobody.get("/api/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| !path.contains('*')));
    let operations = paths.values().flat_map(|methods| methods.as_object().unwrap().values());
    let mut ids = HashSet::new();
    for operation in operations {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        let parameters = operation["parameters"].as_array().unwrap();
        let mut names: Vec<_> = parameters.iter().map(|p| (p["in"].to_string(), p["name"].to_string())).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{id}: {names:?}");
        let page = nobody.page(format!("/help/api/{id}")).await.expect(200).text();
        assert!(page.contains("PRIVATE-TOKEN"), "{id}");
    }
    let tree = nobody.page("/help/api/get_projects_id_repository_tree").await.expect(200).text();
    for wanted in ["recursive", "per_page", "The folder; the root where it is absent.", "mode"] {
        assert!(tree.contains(wanted), "{wanted}");
    }
    nobody.page("/help/api/nothing").await.expect(404);
}
