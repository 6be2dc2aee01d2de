//! Badges with their placeholders.

use serde_json::json;
use testkit::for_each_database;

use crate::column;

#[tokio::test]
async fn badges_of_a_project_and_its_group() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let (project, group) = ("/api/v4/projects/mill%2Fwheel/badges", "/api/v4/groups/mill/badges");
        let body = json!({ "name": "build", "link_url": "https://ci.example/%{project_path}", "image_url": "https://ci.example/%{project_id}/%{default_branch}.svg" });
        let made = olive.post(project, body.clone()).await.expect(201).json();
        assert_eq!(made["rendered_link_url"], "https://ci.example/mill/wheel");
        assert_eq!(made["rendered_image_url"], format!("https://ci.example/{}/main.svg", world.wheel.id));
        assert_eq!(made["kind"], "project");
        let of_group = olive.post(group, json!({ "link_url": "https://a.example", "image_url": "https://a.example/%{project_name}.svg" })).await;
        let of_group = of_group.expect(201).json();
        let listed = olive.get(project).await.expect(200).json();
        assert_eq!(column(&listed, "kind"), ["group", "project"]);
        assert_eq!(listed[0]["rendered_image_url"], "https://a.example/wheel.svg");
        assert_eq!(olive.get(format!("{project}?name=build")).await.json().as_array().unwrap().len(), 1);
        let preview = format!("{project}/render?link_url=https%3A%2F%2Fx.example&image_url=https%3A%2F%2Fx.example%2F%25%7Bproject_name%7D");
        assert_eq!(olive.get(preview).await.expect(200).json()["rendered_image_url"], "https://x.example/wheel");
        let changed = olive.put(format!("{project}/{}", made["id"]), json!({ "name": "test" })).await.expect(200).json();
        assert_eq!((changed["name"].as_str(), changed["link_url"].clone()), (Some("test"), body["link_url"].clone()));
        olive.put(format!("{project}/{}", of_group["id"]), json!({ "name": "x" })).await.expect(404);
        for bad in ["javascript:alert(1)", "data:text/html,x", "//x", "https://"] {
            olive.post(project, json!({ "link_url": bad, "image_url": "https://a.example" })).await.expect(400);
            olive.post(project, json!({ "link_url": "https://a.example", "image_url": bad })).await.expect(400);
        }
        olive.delete(format!("{project}/{}", made["id"])).await.expect(204);
        olive.delete(format!("{group}/{}", of_group["id"])).await.expect(204);
        assert!(olive.get(project).await.json().as_array().unwrap().is_empty());
    })
    .await;
}
