//! Health, metrics, assets, error pages and the stop.

use http::Method;
use testkit::{TestApp, for_each_database};

#[tokio::test]
async fn health_and_metrics() {
    for_each_database(async |t: TestApp| {
        let nobody = t.anonymous();
        assert!(nobody.get("/-/health").await.expect(200).text().contains("OK"));
        assert_eq!(nobody.get("/-/liveness").await.expect(200).json()["status"], "ok");
        assert_eq!(nobody.get("/-/readiness").await.expect(200).json()["status"], "ok");
        let metrics = nobody.get("/-/metrics").await.expect(200).text();
        assert!(metrics.contains("tidemill_http_requests_total") && metrics.ends_with("# EOF\n"), "{metrics}");
        // From elsewhere they are for administrators.
        let far = |client: &testkit::Client| {
            client.request(Method::GET, "/-/metrics").header("x-forwarded-for", "203.0.113.9")
        };
        let w = t.world().await;
        nobody.send(far(&nobody)).await.expect(404);
        let (sam, root) = (w.sam.client(&t), w.root.client(&t));
        sam.send(far(&sam)).await.expect(404);
        root.send(far(&root)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn every_answer_carries_its_request_id_and_strict_headers() {
    let t = TestApp::start(None).await.unwrap();
    let nobody = t.anonymous();
    let answer = nobody.get("/-/health").await;
    assert_eq!(answer.header("x-request-id").len(), 24);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    let given = nobody.request(Method::GET, "/-/health").header("x-request-id", "trace-0123456789");
    assert_eq!(nobody.send(given).await.header("x-request-id"), "trace-0123456789");
    let hostile = nobody.request(Method::GET, "/-/health").header("x-request-id", "a b\tc<script>");
    assert_eq!(nobody.send(hostile).await.header("x-request-id").len(), 24);
}

#[tokio::test]
async fn unknown_addresses_are_answered_in_the_language_of_the_asker() {
    let t = TestApp::start(None).await.unwrap();
    let nobody = t.anonymous();
    let api = nobody.get("/api/v4/nothing").await.expect(404);
    assert_eq!(api.json()["error"], "404 Not Found");
    let page = nobody.page("/nobody/nothing").await.expect(404);
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("Nothing is here"));
    for odd in ["/%00", "/@project/a%2Fb", "/..%2f..%2fetc/passwd", "/%ff%fe/-/tree/main", "//", "/a/b/-/"] {
        let status = nobody.page(odd).await.status.as_u16();
        assert!((300..500).contains(&status), "{odd}: {status}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_compressed() {
    let t = TestApp::start(None).await.unwrap();
    let nobody = t.anonymous();
    let css = ui::assets::css_href();
    let plain = nobody.get(&css).await.expect(200);
    assert!(plain.header("cache-control").contains("immutable"));
    let packed = nobody.send(nobody.request(Method::GET, &css).header("accept-encoding", "gzip")).await.expect(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 3 < plain.body.len());
    nobody.get("/-/assets/../Cargo.toml").await.expect(404);
    nobody.get("/-/assets/app.000000000000.css").await.expect(404);
}

#[tokio::test]
async fn a_change_from_another_site_is_refused() {
    let t = TestApp::start(None).await.unwrap();
    let refused = t.anonymous().request(Method::POST, "/users/sign_out").header("cookie", "_tidemill_session=x");
    let refused = t.anonymous().send(refused.header("sec-fetch-site", "cross-site")).await;
    assert_eq!(refused.status.as_u16(), 403);
    let older = t.anonymous().request(Method::POST, "/users/sign_out").header("cookie", "_tidemill_session=x");
    t.anonymous().send(older.header("origin", "https://evil.example")).await.expect(403);
}

#[tokio::test]
async fn a_server_stops_when_asked() {
    for_each_database(async |t: TestApp| {
        t.anonymous().get("/-/health").await.expect(200);
        let stopped = tokio::time::timeout(std::time::Duration::from_secs(10), t.stop()).await;
        assert!(stopped.is_ok(), "it did not stop in time");
    })
    .await;
}
