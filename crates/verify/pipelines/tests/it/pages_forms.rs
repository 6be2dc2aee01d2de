//! The forms of these pages: running pipelines, checking, settings, variables; lists and badges.

use testkit::{Client, for_each_database};

use crate::support::{api, commit, configured, job, jobs, reaches};

const PROJECT: &str = "mill/pond";

#[tokio::test]
async fn the_first_page_helps_to_begin() {
    for_each_database(async |t| {
        let w = t.world().await;
        let page = w.mats.browser(&t).await.page(format!("/{PROJECT}/-/pipelines")).await.expect(200).text();
        assert!(
            page.contains("No pipelines yet")
                && page.contains("stages: [build, test]")
                && page.contains("file_name=.gitlab-ci.yml")
        );
        let page = w.sam.browser(&t).await.page(format!("/{PROJECT}/-/pipelines")).await.expect(200).text();
        assert!(!page.contains("file_name="), "who can't write is not asked to");
    })
    .await;
}

const ASKING: &str = "variables:
  TARGET: {value: staging, description: Where to <deploy>, options: [staging, production]}
  NOTE: {description: Say why}
  QUIET: {value: 'x'}
show: {script: ['echo \"to $TARGET because $NOTE with $MORE\"']}
";

#[tokio::test]
async fn a_pipeline_is_run_with_variables() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        commit(&mats, PROJECT, "main", &[(".gitlab-ci.yml", ASKING)]).await;
        let browser = w.mats.browser(&t).await;
        let page = browser.page(format!("/{PROJECT}/-/pipelines/new")).await.expect(200).text();
        assert!(
            page.contains("name=\"var[TARGET]\"")
                && page.contains("Where to &lt;deploy&gt;")
                && page.contains("name=\"var[NOTE]\"")
        );
        assert!(!page.contains("var[QUIET]") && page.contains("<option value=\"production\""));
        let form =
            [("ref", "main"), ("var[TARGET]", "production"), ("var[NOTE]", "a=b"), ("variables", "MORE=1\r\n\r\n")];
        let answer = browser.form(format!("/{PROJECT}/-/pipelines"), &form).await.expect(303);
        let here = answer.header("location").to_owned();
        let id: i64 = here.rsplit('/').next().unwrap().parse().unwrap();
        let made = serde_json::json!({ "id": id });
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let show = job(&mats, PROJECT, &made, "show").await;
        let log = browser.page(format!("/{PROJECT}/-/jobs/{}/raw", show["id"])).await.text();
        assert!(log.contains("to production because a=b with 1"), "{log}");
        for (form, says) in [
            (vec![("ref", "none")], "no branch or tag"),
            (vec![("ref", "main"), ("variables", "no variable")], "is no variable"),
            (vec![("ref", "main"), ("var[A-B]", "1")], "letters"),
        ] {
            let answer = browser.form(format!("/{PROJECT}/-/pipelines"), &form).await.expect(422).text();
            assert!(answer.to_lowercase().contains(says), "{says}: {}", &answer[answer.find("<main").unwrap_or(0)..]);
        }
        commit(&mats, PROJECT, "main", &[(".gitlab-ci.yml", "a: {script: x, rules: [{when: never}]}")]).await;
        let answer = browser.form(format!("/{PROJECT}/-/pipelines"), &[("ref", "main")]).await.expect(422).text();
        assert!(answer.contains("role=\"alert\""));
    })
    .await;
}

#[tokio::test]
async fn a_refused_configuration_says_where() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, "ok: {script: 'true'}\nbad:\n  script: 'true'\n  stage: nowhere\n").await;
        assert_eq!(made["status"], "failed");
        let browser = w.mats.browser(&t).await;
        let page = browser.page(format!("/{PROJECT}/-/pipelines/{}", made["id"])).await.expect(200).text();
        assert!(page.contains("The configuration was refused") && page.contains("nowhere"), "the reason");
        let list = browser.page(format!("/{PROJECT}/-/pipelines")).await.expect(200).text();
        assert!(list.contains("configuration refused"));
        let lint = format!("/{PROJECT}/-/ci/lint");
        let answer = browser.form(&lint, &[("content", "a:\r\n  script: 5 < 6\r\n  oops: 1\r\n")]).await.expect(422).text();
        assert!(answer.contains("would be refused") && answer.contains("oops") && answer.contains("5 &lt; 6"));
        let good = "stages: [x]\na: {stage: x, script: ls}\nb: {stage: x, script: ls, rules: [{if: '$CI_COMMIT_BRANCH == \"other\"'}]}\n";
        let answer = browser.form(&lint, &[("content", good)]).await.expect(200).text();
        assert!(answer.contains("The configuration is good."));
        let answer = browser.form(&lint, &[("content", good), ("dry_run", "1")]).await.expect(200).text();
        assert!(answer.contains("would run 1 job"), "{}", &answer[answer.find("<main").unwrap_or(0)..][..2000]);
    })
    .await;
}

async fn variables_at(browser: &Client, settings: &str) {
    let add = format!("{settings}/variables");
    let form = [
        ("key", "TOKEN"),
        ("value", "s3cret-value<b>"),
        ("visibility", "masked"),
        ("protected", "1"),
        ("description", "For <it>"),
    ];
    browser.form(&add, &form).await.expect(303);
    let page = browser.page(settings).await.expect(200);
    assert_eq!(page.header("cache-control"), "no-store");
    let text = page.text();
    assert!(
        text.contains("TOKEN")
            && text.contains("masked")
            && text.contains("For &lt;it&gt;")
            && !text.contains("s3cret")
    );
    for (form, says) in [
        (vec![("key", "TOKEN"), ("value", "x")], "already been taken"),
        (vec![("key", "A B"), ("value", "x")], "letters"),
        (vec![("key", "SHORT"), ("value", "x"), ("visibility", "masked")], "masked"),
        (vec![("key", "K"), ("value", "x"), ("variable_type", "other")], "variable_type"),
    ] {
        let answer = browser.form(&add, &form).await.expect(422).text();
        assert!(answer.contains(says), "{says}");
    }
    let one =
        text.split(&format!("{settings}/variables/")).nth(1).unwrap().split(['"', '/']).next().unwrap().to_owned();
    let edit = format!("{settings}/variables/{one}");
    let page = browser.page(&edit).await.expect(200).text();
    assert!(page.contains("s3cret-value&lt;b&gt;"));
    browser.form(&edit, &[("value", "other-value"), ("visibility", "visible"), ("expand", "1")]).await.expect(303);
    assert!(browser.page(&edit).await.expect(200).text().contains("other-value"));
    browser.form(&add, &[("key", "HIDDEN"), ("value", "never-seen-again"), ("visibility", "hidden")]).await.expect(303);
    let text = browser.page(settings).await.text();
    let ids: Vec<String> = text
        .split(&format!("{settings}/variables/"))
        .skip(1)
        .map(|l| l.split(['"', '/']).next().unwrap().to_owned())
        .collect();
    for id in ids {
        assert!(!browser.page(format!("{settings}/variables/{id}")).await.text().contains("never-seen-again"));
    }
    browser.form(format!("{edit}/delete"), &[]).await.expect(303);
    browser.page(&edit).await.expect(404);
}

#[tokio::test]
async fn variables_are_managed_and_reach_jobs() {
    for_each_database(async |t| {
        let w = t.world().await;
        let olive = w.olive.browser(&t).await;
        variables_at(&olive, &format!("/{PROJECT}/-/settings/ci_cd")).await;
        variables_at(&olive, "/groups/mill/-/settings/ci_cd").await;
        let add = format!("/{PROJECT}/-/settings/ci_cd/variables");
        olive.form(&add, &[("key", "SAID"), ("value", "plain"), ("visibility", "visible")]).await.expect(303);
        olive.form(&add, &[("key", "SECRET"), ("value", "correct-horse"), ("visibility", "masked")]).await.expect(303);
        olive.form(&add, &[("key", "FILED"), ("value", "line\r\nline"), ("variable_type", "file")]).await.expect(303);
        let group = "/groups/mill/-/settings/ci_cd/variables";
        olive.form(group, &[("key", "SAID"), ("value", "group")]).await.expect(303);
        let mats = w.mats.client(&t);
        let made =
            configured(&t, &mats, PROJECT, "show: {script: ['echo \"[$SAID] [$SECRET]\"', 'wc -l < $FILED']}").await;
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let show = job(&mats, PROJECT, &made, "show").await;
        let log = mats.get(format!("{}/jobs/{}/trace", api(PROJECT), show["id"])).await.text();
        assert!(log.contains("[plain] [[MASKED]]") && !log.contains("correct-horse"), "{log}");
        // Another project's variable can't be reached by its id.
        let other = olive.page("/mill/race/-/settings/ci_cd/variables/1").await.status;
        assert_eq!(other, 404);
    })
    .await;
}

#[tokio::test]
async fn general_settings_are_saved() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let browser = w.mats.browser(&t).await;
        let here = format!("/{PROJECT}/-/settings/ci_cd");
        let form = [("ci_config_path", "ci/main.yml"), ("ci_default_git_depth", "3"), ("build_timeout", "2h 30m")];
        browser.form(&here, &form).await.expect(303);
        let project = mats.get(api(PROJECT)).await.expect(200).json();
        assert_eq!((&project["ci_config_path"], &project["build_timeout"]), (&"ci/main.yml".into(), &9000.into()));
        assert_eq!(project["public_jobs"], false);
        let wrong = [("ci_config_path", "../x"), ("ci_default_git_depth", "many"), ("build_timeout", "soon")];
        let page = browser.form(&here, &wrong).await.expect(422).text();
        assert_eq!(page.matches("aria-invalid=\"true\"").count(), 3);
        // The configuration is read where the settings say.
        commit(&mats, PROJECT, "main", &[("ci/main.yml", "there: {script: 'true'}")]).await;
        let list = format!("{}/pipelines", api(PROJECT));
        let made = t.eventually("the pipeline", async || mats.get(&list).await.json().get(0).cloned()).await;
        assert_eq!(jobs(&mats, PROJECT, &made).await[0]["name"], "there");
    })
    .await;
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml: String = (0..65).map(|n| format!("j{n:02}: {{script: 'true', when: manual}}\n")).collect();
        let made = configured(&t, &mats, PROJECT, &yaml).await;
        reaches(&t, &mats, PROJECT, &made, "skipped").await;
        let mut seen = vec![];
        let mut next = Some(format!("/{PROJECT}/-/jobs?status=waiting"));
        while let Some(path) = next {
            let page = mats.page(&path).await.expect(200).text();
            seen.extend((0..65).filter(|n| page.contains(&format!(">j{n:02}</a>"))));
            next =
                page.split("rel=\"next\" href=\"").nth(1).map(|l| l.split('"').next().unwrap().replace("&amp;", "&"));
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..65).collect::<Vec<_>>());
        assert!(mats.page(format!("/{PROJECT}/-/jobs?status=failed")).await.text().contains("No jobs in this state"));
        assert!(mats.page(format!("/{PROJECT}/-/pipelines?ref=other")).await.text().contains("No pipelines like that"));
        assert!(
            mats.page(format!("/{PROJECT}/-/pipelines?ref=main&status=skipped"))
                .await
                .text()
                .contains(&format!("#{}", made["id"]))
        );
    })
    .await;
}

#[tokio::test]
async fn badges_say_how_a_branch_fares() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let badge = |rest: &str| format!("/{PROJECT}/-/badges/{rest}");
        let anonymous = t.anonymous();
        assert!(anonymous.get(badge("main/pipeline.svg")).await.expect(200).text().contains("unknown"));
        let yaml = "cover: {script: ['echo \"total 81.5%\"'], coverage: '/total \\d+.\\d+%/'}";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let svg = anonymous.get(badge("main/pipeline.svg")).await.expect(200);
        assert_eq!(svg.header("content-type"), "image/svg+xml");
        assert!(svg.text().contains("passed") && svg.header("cache-control").contains("no-cache"));
        assert!(anonymous.get(badge("main/coverage.svg?job=cover")).await.text().contains("81.50%"));
        assert!(anonymous.get(badge("main/pipeline.svg?key_text=a%3Cb")).await.text().contains("a&lt;b"));
        assert!(anonymous.get(badge("a/b/pipeline.svg")).await.text().contains("unknown"));
    })
    .await;
}

#[tokio::test]
async fn test_reports_have_a_tab() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = r#"
unit:
  script:
    - echo '<testsuite><testcase name="adds" classname="sum" time="0.5"/><testcase name="<b>" time="1"><failure>got 2 &lt; 3</failure></testcase></testsuite>' | sed 's/name="<b>"/name="a\&lt;b"/' > r.xml
  artifacts: {reports: {junit: r.xml}}
bad:
  script: ['echo "no xml <" > r.xml']
  artifacts: {reports: {junit: r.xml}}
"#;
        let made = configured(&t, &mats, PROJECT, yaml).await;
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let here = format!("/{PROJECT}/-/pipelines/{}", made["id"]);
        assert!(mats.page(&here).await.expect(200).text().contains("?view=tests"));
        let page = mats.page(format!("{here}?view=tests")).await.expect(200).text();
        assert!(page.contains("a&lt;b") && page.contains("got 2 &lt; 3"), "{}", &page[page.find("<main").unwrap()..]);
        assert!(page.contains("could not be read"));
    })
    .await;
}
