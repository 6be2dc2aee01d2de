//! Who may see and do what.

use testkit::{TestApp, World, for_each_database, git};

const PAGES: &[&str] = &[
    "",
    "/-/tree/main",
    "/-/blob/main/README.md",
    "/-/raw/main/README.md",
    "/-/find_file/main",
    "/-/files/main",
    "/-/commits/main",
    "/-/commits",
    "/-/tree",
    "/-/network/main",
    "/-/graphs/main",
    "/-/blame/main/README.md",
    "/-/branches",
    "/-/tags",
    "/-/compare",
    "/-/compare/main...main",
    "/-/archive/main/x-main.zip",
    "/-/commit/main",
    "/-/commit/main.patch",
];
const FORMS: &[&str] = &[
    "/-/new/main",
    "/-/edit/main/README.md",
    "/-/upload/main",
    "/-/new_dir/main",
    "/-/delete/main/README.md",
    "/-/replace/main/README.md",
    "/-/branches/new",
    "/-/tags/new",
    "/-/commit/main/revert",
    "/-/commit/main/cherry_pick",
];

async fn fill(t: &TestApp, world: &World, project: &str) {
    let work = t.scratch().join(project);
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q"]).await.expect_ok();
    std::fs::write(work.join("README.md"), "# Hello\n").unwrap();
    git(&work, &["add", "."]).await.expect_ok();
    git(&work, &["commit", "-q", "-m", "First"]).await.expect_ok();
    let remote = t.remote(&world.olive, &format!("mill/{project}"));
    git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
}

#[tokio::test]
async fn everybody_sees_what_the_table_says() {
    for_each_database(async |t| {
        let world = t.world().await;
        for project in ["wheel", "race", "pond"] {
            fill(&t, &world, project).await;
        }
        for person in world.people() {
            let browser = person.browser(&t).await;
            let member = !["sam", "eve"].contains(&person.username.as_str());
            let guest = ["gus", "paula"].contains(&person.username.as_str());
            for (project, sees, reads) in [
                ("wheel", member, member && !guest),
                ("race", member || person.username == "sam", member || person.username == "sam"),
                ("pond", true, true),
            ] {
                for page in PAGES {
                    let answer = browser.page(format!("/mill/{project}{page}")).await;
                    let fits = match answer.status.as_u16() {
                        200 | 303 => reads || (page.is_empty() && sees),
                        404 => !reads && (!page.is_empty() || !sees),
                        _ => false,
                    };
                    assert!(fits, "{} {project}{page}: {} {}", person.username, answer.status, answer.text());
                }
                let writes = ["root", "olive", "mats", "dana"].contains(&person.username.as_str());
                for form in FORMS {
                    let status = browser.page(format!("/mill/{project}{form}")).await.status.as_u16();
                    let wanted = if !reads {
                        404
                    } else if writes {
                        200
                    } else {
                        403
                    };
                    assert_eq!(status, wanted, "{} {project}{form}", person.username);
                }
                let maintains = ["root", "olive", "mats"].contains(&person.username.as_str());
                let settings = browser.page(format!("/mill/{project}/-/settings/repository")).await.status.as_u16();
                assert_eq!(settings == 200, maintains, "{} {project} settings: {settings}", person.username);
            }
        }
        let nobody = t.anonymous();
        for page in PAGES {
            nobody.page(format!("/mill/wheel{page}")).await.expect(404);
            nobody.page(format!("/mill/race{page}")).await.expect(404);
            let status = nobody.page(format!("/mill/pond{page}")).await.status.as_u16();
            assert!([200, 303].contains(&status), "{page}: {status}");
        }
        for form in FORMS {
            let status = nobody.page(format!("/mill/pond{form}")).await.status.as_u16();
            assert!([302, 303].contains(&status), "{form}: {status}");
        }
    })
    .await;
}

#[tokio::test]
async fn forms_of_those_who_may_not_change_nothing() {
    for_each_database(async |t| {
        let world = t.world().await;
        fill(&t, &world, "pond").await;
        let rita = world.rita.browser(&t).await;
        let posts: &[(&str, &[(&str, &str)])] = &[
            ("/-/new/main", &[("path", "x"), ("content", "y"), ("branch", "main")]),
            ("/-/edit/main/README.md", &[("path", "README.md"), ("content", "y"), ("branch", "main")]),
            ("/-/delete/main/README.md", &[("branch", "main")]),
            ("/-/new_dir/main", &[("name", "x"), ("branch", "main")]),
            ("/-/branches", &[("name", "x"), ("from", "main")]),
            ("/-/tags", &[("name", "x"), ("from", "main")]),
            ("/-/delete_branch/main", &[]),
            ("/-/merged_branches", &[]),
            ("/-/commit/main/revert", &[("branch", "main")]),
            ("/-/protected_branches", &[("name", "x")]),
            ("/-/protected_tags", &[("name", "x")]),
            ("/-/protected_branches/1/delete", &[]),
        ];
        for (path, fields) in posts {
            rita.form(format!("/mill/pond{path}"), fields).await.expect(403);
            let nobody = t.anonymous().form(format!("/mill/pond{path}"), fields).await.status.as_u16();
            assert!([302, 303, 401].contains(&nobody), "{path}: {nobody}");
        }
        let refs = git(t.scratch(), &["ls-remote", &t.remote(&world.olive, "mill/pond")]).await.expect_ok();
        assert_eq!(refs.lines().count(), 2, "{refs}");
    })
    .await;
}

#[tokio::test]
async fn empty_projects_tell_how_to_begin() {
    for_each_database(async |t| {
        let world = t.world().await;
        let page = world.dana.browser(&t).await.page("/mill/pond").await.expect(200).text();
        assert!(
            page.contains("git push --set-upstream origin main") && page.contains("/mill/pond/-/new/main"),
            "{page}"
        );
        let page = t.anonymous().page("/mill/pond").await.expect(200).text();
        assert!(page.contains("Nothing is here yet"), "{page}");
        for page in ["/-/tree/main", "/-/commits/main", "/-/network/main", "/-/graphs/main", "/-/find_file/main"] {
            t.anonymous().page(format!("/mill/pond{page}")).await.expect(303);
            t.anonymous().page(format!("/mill/wheel{page}")).await.expect(404);
        }
        for page in ["/-/branches", "/-/tags", "/-/compare"] {
            t.anonymous().page(format!("/mill/pond{page}")).await.expect(200);
        }
        let olive = world.olive.browser(&t).await;
        let made = olive
            .form("/mill/pond/-/new/main", &[("path", "docs/a.md"), ("content", "# A"), ("branch", "main")])
            .await
            .expect(303);
        assert_eq!(made.header("location"), "/mill/pond/-/blob/main/docs/a.md");
        olive.page("/mill/pond/-/blob/main/docs/a.md").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_default_branch_that_is_gone_is_told_of() {
    for_each_database(async |t| {
        let world = t.world().await;
        fill(&t, &world, "pond").await;
        let sql = "UPDATE projects SET default_branch = 'gone' WHERE id = $1";
        t.app.db().run(sql, [world.pond.id.into()]).await.unwrap();
        let page = t.anonymous().page("/mill/pond").await.expect(200).text();
        assert!(page.contains("There is no branch gone"), "{page}");
        t.anonymous().page("/mill/pond/-/branches").await.expect(200);
        t.anonymous().page("/mill/pond/-/compare").await.expect(200);
        t.anonymous().page("/mill/pond/-/tree/gone").await.expect(404);
    })
    .await;
}
