//! Names, logs and files that were made to do harm.

use testkit::for_each_database;

use crate::support::{configured, job, reaches};

const PROJECT: &str = "mill/pond";

fn is_clean(page: &str, what: &str) {
    for bad in ["<script>alert", "<img src=x", "onerror=alert", "href=\"javascript:"] {
        let escaped = page.replace("&lt;img src=x onerror=alert", "");
        assert!(!escaped.contains(bad), "{bad} on the page of {what}");
    }
    assert!(!page.contains(" style=\""), "an inline style on the page of {what}");
}

#[tokio::test]
async fn names_and_logs_stay_text() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = r#"
workflow: {name: "<script>alert(1)</script>"}
stages: ["<img src=x onerror=alert(2)>", b]
"<script>alert(3)</script>":
  stage: "<img src=x onerror=alert(2)>"
  script:
    - printf '<script>alert(4)</script>\n\033[31m<img src=x onerror=alert(5)>\033[0m\n'
    - printf '\033]8;;javascript:alert(6)\033\\link\033]8;;\033\\ \342\200\256 end\n'
    - printf 'section_start:1:x"><script>alert(7)</script>\r\033[0Ktitle\n'
    - head -c 100000 /dev/urandom | tr -d '\n'
    - printf '\n'
    - exit 1
"a: b/c%2F?#[x]": {stage: b, when: always, script: 'true'}
"#;
        let made = configured(&t, &mats, PROJECT, yaml).await;
        reaches(&t, &mats, PROJECT, &made, "failed").await;
        let bad = job(&mats, PROJECT, &made, "<script>alert(3)</script>").await;
        let paths = [
            format!("/{PROJECT}/-/pipelines"),
            format!("/{PROJECT}/-/pipelines/{}", made["id"]),
            format!("/{PROJECT}/-/pipelines/{}?view=definition", made["id"]),
            format!("/{PROJECT}/-/jobs"),
            format!("/{PROJECT}/-/jobs/{}", bad["id"]),
            format!("/{PROJECT}/-/jobs/{}?log=all", bad["id"]),
        ];
        let browser = w.mats.browser(&t).await;
        for path in &paths {
            let page = browser.page(path).await.expect(200);
            is_clean(&page.text(), path);
        }
        let page = browser.page(&paths[4]).await.text();
        assert!(
            page.contains("&lt;script&gt;alert(4)&lt;/script&gt;")
                && page.contains("&lt;img src=x onerror=alert(5)&gt;")
        );
        assert!(!page.contains('\u{202e}'), "nothing turns the text around");
        let raw = browser.page(format!("/{PROJECT}/-/jobs/{}/raw", bad["id"])).await.expect(200);
        assert_eq!(raw.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(raw.header("x-content-type-options"), "nosniff");
        assert!(raw.header("content-security-policy").starts_with("sandbox"));
    })
    .await;
}

#[tokio::test]
async fn artifacts_stay_files() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = r#"
make:
  script:
    - mkdir -p 'out/<b>' 'out/a b/ü%2F?#'
    - echo '<script>alert(1)</script>' > 'out/<b>/x.html'
    - echo '<svg onload=alert(1)>' > out/x.svg
    - echo deep > 'out/a b/ü%2F?#/&amp;.txt'
    - ln -s /etc/passwd out/link
    - printf 'GIF89a' > out/p.gif
  artifacts: {paths: [out]}
"#;
        let made = configured(&t, &mats, PROJECT, yaml).await;
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let make = job(&mats, PROJECT, &made, "make").await;
        let here = format!("/{PROJECT}/-/jobs/{}/artifacts", make["id"]);
        let browser = w.mats.browser(&t).await;
        let page = browser.page(format!("{here}/browse/out")).await.expect(200).text();
        is_clean(&page, "artifacts");
        assert!(page.contains("&lt;b&gt;"));
        // Every link of the listing leads somewhere.
        let links = page.split("href=\"").skip(1).filter_map(|l| l.split('"').next());
        let mut followed = 0;
        for link in links.filter(|l| l.starts_with(&here) && !l.ends_with("/download")) {
            assert_eq!(browser.page(link.replace("&amp;", "&")).await.status, 200, "{link}");
            followed += 1;
        }
        assert!(followed >= 4, "{followed}");
        let deep = browser.page(format!("{here}/file/out/a%20b/%C3%BC%252F%3F%23/%26amp%3B.txt")).await.expect(200);
        assert_eq!(deep.text(), "deep\n");
        for file in ["%3Cb%3E/x.html", "x.svg"] {
            let file = browser.page(format!("{here}/file/out/{file}")).await.expect(200);
            assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
            assert!(file.header("content-security-policy").contains("sandbox"));
            assert_eq!(file.header("x-content-type-options"), "nosniff");
        }
        for path in [
            "file/etc/passwd",
            "file/out/%2e%2e/x",
            "browse/nothing",
            "file/out",
            "file/%00",
            "browse/..",
            "raw/out/none",
        ] {
            let status = browser.page(format!("{here}/{path}")).await.status.as_u16();
            assert!(status == 404 || status == 400, "{path}: {status}");
        }
        let link = browser.page(format!("{here}/file/out/link")).await;
        assert!(!link.text().contains("root:"), "a link never leads out");
    })
    .await;
}

#[tokio::test]
async fn odd_addresses_are_survived() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.mats.browser(&t).await;
        let long = "9".repeat(4000);
        let rest = [
            "jobs/0",
            "jobs/-1",
            "jobs/x",
            "jobs/99999999999999999999",
            "jobs/1/raw",
            "jobs/1/stream?from=x",
            "pipelines/0",
            "pipelines/x",
            "pipelines/1%2F..",
            "badges/main",
            "badges/main/other.svg",
            "badges/%00/x",
            "settings/ci_cd/variables/x",
            "jobs/1/artifacts/browse",
            "jobs/%00",
            &format!("jobs/{long}"),
            "pipelines/latest",
        ];
        for path in rest {
            let status = browser.page(format!("/{PROJECT}/-/{path}")).await.status.as_u16();
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        let fine = [
            "pipelines?status=%27&ref=%27%20OR%201=1&source=%22",
            "pipelines?before=-5",
            "jobs?status=none&after=9223372036854775807",
            "artifacts?before=-1",
            "badges/no/such/branch/pipeline.svg?key_text=%3Cscript%3E&key_width=4000000000",
            "ci/lint",
            "pipelines/new?ref=..%2Fx",
            "pipelines/new?ref=-x",
        ];
        for path in fine {
            let answer = browser.page(format!("/{PROJECT}/-/{path}")).await;
            assert!(answer.status == 200 || answer.status == 400, "{path}: {}", answer.status);
            assert!(!answer.text().contains("<script>alert"));
        }
    })
    .await;
}
