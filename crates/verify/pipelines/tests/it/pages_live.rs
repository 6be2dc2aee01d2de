//! Live changes of pages, from real jobs in the sandbox.

use std::time::{Duration, Instant};

use testkit::{Client, for_each_database};

use crate::support::{configured, job, job_reaches};

const PROJECT: &str = "mill/pond";

/// One event as it came: name, data, id, and when.
#[derive(Debug)]
struct Came {
    name: String,
    data: String,
    id: String,
    after: Duration,
}

/// Reads events until `end`, the connection closes, or time runs out.
async fn events(client: &Client, path: &str, last: Option<&str>) -> Vec<Came> {
    let mut request = client.request(http::Method::GET, path).header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let (begun, mut text, mut out) = (Instant::now(), String::new(), vec![]);
    while let Ok(Ok(Some(part))) = tokio::time::timeout(Duration::from_secs(20), response.chunk()).await {
        text.push_str(&String::from_utf8_lossy(&part));
        while let Some(at) = text.find("\n\n") {
            let event: String = text.drain(..at + 2).collect();
            let field = |name: &str| {
                let lines = event.lines().filter_map(|l| l.strip_prefix(name)).map(|l| l.trim_start_matches(' '));
                lines.collect::<Vec<_>>().join("\n")
            };
            let came = Came { name: field("event:"), data: field("data:"), id: field("id:"), after: begun.elapsed() };
            let ended = came.name == "end";
            out.push(came);
            if ended {
                return out;
            }
        }
    }
    out
}

fn joined(events: &[Came], name: &str) -> String {
    events.iter().filter(|e| e.name == name).map(|e| e.data.as_str()).collect()
}

#[tokio::test]
async fn a_log_grows_on_the_page() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let script = "for i in 1 2 3 4 5 6; do printf 'tick %s <b>\\n' $i; sleep 0.3; done";
        let made = configured(&t, &mats, PROJECT, &format!("talk: {{script: [\"{script}\"]}}")).await;
        let talk = job(&mats, PROJECT, &made, "talk").await;
        let here = format!("/{PROJECT}/-/jobs/{}", talk["id"]);
        let raw = format!("{here}/raw");
        t.eventually("the first lines", async || mats.get(&raw).await.text().contains("\ntick 1").then_some(())).await;
        let page = mats.page(&here).await.expect(200).text();
        let from =
            page.split("/stream?from=").nth(1).expect("a page of a running job is live").split('"').next().unwrap();
        assert!(page.contains("tick 1 &lt;b&gt;") && page.contains("id=\"tail-0\""));
        let came = events(&mats, &format!("{here}/stream?from={from}"), None).await;
        let lines = joined(&came, "append");
        assert_eq!(came.last().unwrap().name, "end", "{came:?}");
        for n in 2..=6 {
            let shown = page.matches(&format!("tick {n} &lt;b&gt;")).count()
                + lines.matches(&format!("tick {n} &lt;b&gt;")).count();
            assert_eq!(shown, 1, "line {n} comes once, on the page or behind it: {lines}");
        }
        assert!(lines.contains("Job succeeded") && !lines.contains("<b>\n"));
        // Lines came one by one as they were written, not all at the end.
        let ticks: Vec<Duration> = came.iter().filter(|e| e.data.contains("tick")).map(|e| e.after).collect();
        assert!(ticks.len() >= 3 && *ticks.last().unwrap() - ticks[0] > Duration::from_millis(500), "{ticks:?}");
        // The section of the script was open on the page; it is closed there.
        assert!(joined(&came, "replace").contains("id=\"tail-"), "{came:?}");
        // A reader whose connection broke goes on where it was.
        let middle = came.iter().filter(|e| !e.id.is_empty()).nth(2).unwrap().id.clone();
        let rest = events(&mats, &format!("{here}/stream?from=0"), Some(&middle)).await;
        let all = events(&mats, &format!("{here}/stream?from=0"), None).await;
        assert!(joined(&rest, "append").len() < joined(&all, "append").len());
        assert!(joined(&all, "append").contains("tick 1") && joined(&rest, "append").contains("Job succeeded"));
        // An ended job's page is not live, and holds it all.
        let page = mats.page(&here).await.expect(200).text();
        assert!(page.contains("tick 6 &lt;b&gt;") && !page.contains("/stream?from="));
    })
    .await;
}

#[tokio::test]
async fn a_waiting_job_tells_its_page_that_it_began() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "stages: [a, b]\nfirst: {stage: a, script: 'sleep 1'}\nsecond: {stage: b, script: 'true'}\n";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let second = job(&mats, PROJECT, &made, "second").await;
        let here = format!("/{PROJECT}/-/jobs/{}", second["id"]);
        let page = mats.page(&here).await.expect(200).text();
        assert!(page.contains("It starts when the stages before have ended."));
        let came = events(&mats, &format!("{here}/stream?from=0"), None).await;
        assert_eq!(came.last().unwrap().name, "end");
        job_reaches(&t, &mats, PROJECT, &second, "success").await;
    })
    .await;
}

#[tokio::test]
async fn a_pipelines_page_follows_its_jobs() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "stages: [a, b]\nfirst: {stage: a, script: 'sleep 1'}\nsecond: {stage: b, script: 'exit 1'}\n";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let here = format!("/{PROJECT}/-/pipelines/{}", made["id"]);
        let page = mats.page(&here).await.expect(200).text();
        assert!(page.contains(&format!("data-live=\"{here}/stream")));
        let came = events(&mats, &format!("{here}/stream?arrange="), None).await;
        assert_eq!(came.last().unwrap().name, "end");
        let parts = joined(&came, "replace");
        for id in ["p-head", "p-graph", "p-jobs", "p-failures"] {
            assert!(parts.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(parts.contains("What failed"));
        let page = mats.page(&here).await.expect(200).text();
        assert!(!page.contains("data-live"));
    })
    .await;
}
