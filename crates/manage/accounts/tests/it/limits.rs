//! How often somebody may ask, and what a CI job's token may not.

use testkit::for_each_database;

#[tokio::test]
async fn answers_of_the_api_say_where_one_stands() {
    for_each_database(async |t| {
        let w = t.world().await;
        let first = w.dana.client(&t).get("/api/v4/user").await.expect(200);
        assert_eq!(first.header("ratelimit-limit"), "2000");
        assert_eq!(first.header("ratelimit-name"), "throttle_authenticated_api");
        let seen: u64 = first.header("ratelimit-observed").parse().unwrap();
        let left: u64 = first.header("ratelimit-remaining").parse().unwrap();
        assert_eq!(seen + left, 2000);
        assert!(first.header("ratelimit-reset").parse::<i64>().unwrap() >= kernel::Time::now().seconds());
        let nobody = t.anonymous().get("/api/v4/users/dana").await.expect(200);
        assert_eq!(nobody.header("ratelimit-limit"), "500");
        assert_eq!(t.anonymous().page("/users/sign_in").await.header("ratelimit-limit"), "");
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    for_each_database(async |t| {
        let w = t.world().await;
        for key in ["throttle_authenticated_api_requests_per_minute", "throttle_unauthenticated_requests_per_minute"] {
            t.app.settings().set(t.app.db(), key, 3).await.unwrap();
        }
        let mut refused = None;
        for _ in 0..8 {
            let answer = w.dana.client(&t).get("/api/v4/user").await;
            if answer.status.as_u16() == 429 {
                refused = Some(answer);
            }
        }
        let refused = refused.expect("a refusal");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 61);
        assert!(!refused.header("ratelimit-resettime").is_empty() && refused.header("ratelimit-remaining") == "0");
        // Others have a count of their own.
        w.rita.client(&t).get("/api/v4/user").await.expect(200);
        let mut guesses = vec![];
        for n in 0..8 {
            guesses.push(t.client(&format!("tmpat-guess{n}")).get("/mill/pond/-/raw/main/x").await.status.as_u16());
        }
        assert!(guesses.contains(&429), "{guesses:?}");
    })
    .await;
}
