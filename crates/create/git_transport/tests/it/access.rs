//! Who may fetch and push, by role and by credential.

use accounts::{AccessToken, User};
use kernel::Time;
use testkit::{Person, TestApp, for_each_database};

use crate::support::{commit, work_tree};
use testkit::git;

async fn ask(t: &TestApp, service: &str, project: &str, credentials: Option<(&str, &str)>) -> u16 {
    let client = t.anonymous();
    let path = format!("/{project}.git/info/refs?service={service}");
    let mut request = client.request(http::Method::GET, path);
    if let Some((user, secret)) = credentials {
        request = request.basic_auth(user, Some(secret));
    }
    client.send(request).await.status.as_u16()
}

async fn token(t: &TestApp, person: &Person, scopes: &[&str], expires: Option<Time>) -> (AccessToken, String) {
    let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
    AccessToken::create(t.app.db().conn(), person.id, "git", "", &scopes, expires, false).await.unwrap()
}

#[tokio::test]
async fn roles_decide_who_fetches_and_pushes() {
    for_each_database(async |t| {
        let w = t.world().await;
        let people: Vec<Option<&Person>> = w.people().into_iter().map(Some).chain([None]).collect();
        // root, olive, mats, dana, rita, paula, gus, sam, eve, nobody
        let expected = [
            ("git-upload-pack", "mill/wheel", [200, 200, 200, 200, 200, 403, 403, 404, 404, 401]),
            ("git-upload-pack", "mill/race", [200, 200, 200, 200, 200, 200, 200, 200, 404, 401]),
            ("git-upload-pack", "mill/pond", [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
            ("git-receive-pack", "mill/wheel", [200, 200, 200, 200, 403, 403, 403, 404, 404, 401]),
            ("git-receive-pack", "mill/race", [200, 200, 200, 200, 403, 403, 403, 403, 404, 401]),
            ("git-receive-pack", "mill/pond", [200, 200, 200, 200, 403, 403, 403, 403, 403, 401]),
            ("git-upload-pack", "mill/nothing", [404, 404, 404, 404, 404, 404, 404, 404, 404, 401]),
            ("git-receive-pack", "mill/nothing", [200, 200, 200, 200, 404, 404, 404, 404, 404, 401]),
            ("git-receive-pack", "nowhere/nothing", [404, 404, 404, 404, 404, 404, 404, 404, 404, 401]),
        ];
        for (service, project, statuses) in expected {
            for (person, status) in people.iter().zip(statuses) {
                let credentials = person.map(|p| (p.username.as_str(), p.token.as_str()));
                let found = ask(&t, service, project, credentials).await;
                assert_eq!(found, status, "{service} {project} as {:?}", person.map(|p| &p.username));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn scopes_and_the_state_of_a_token_count() {
    for_each_database(async |t| {
        let w = t.world().await;
        let both = async |secret: &str| {
            let credentials = Some(("oauth2", secret));
            (
                ask(&t, "git-upload-pack", "mill/wheel", credentials).await,
                ask(&t, "git-receive-pack", "mill/wheel", credentials).await,
            )
        };
        for (scopes, statuses) in [
            (vec!["api"], (200, 200)),
            (vec!["write_repository"], (200, 200)),
            (vec!["read_repository"], (200, 403)),
            (vec!["read_api", "read_user"], (403, 403)),
        ] {
            let (_, secret) = token(&t, &w.dana, &scopes, None).await;
            assert_eq!(both(&secret).await, statuses, "{scopes:?}");
        }
        let (_, expired) = token(&t, &w.dana, &["api"], Some(Time::now())).await;
        let (revoked, secret) = token(&t, &w.dana, &["api"], None).await;
        revoked.revoke(t.app.db().conn()).await.unwrap();
        for dead in [expired.as_str(), secret.as_str(), "tmpat-unknown", ""] {
            assert_eq!(both(dead).await, (401, 401), "{dead}");
        }
        let (_, secret) = token(&t, &w.dana, &["api"], None).await;
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [w.dana.id.into()]).await.unwrap();
        assert_eq!(both(&secret).await, (401, 401));
        // Wrong credentials are refused even where none are needed.
        assert_eq!(ask(&t, "git-upload-pack", "mill/pond", Some(("dana", "wrong"))).await, 401);
    })
    .await;
}

#[tokio::test]
async fn a_password_works_until_it_is_changed_and_locks_after_guesses() {
    for_each_database(async |t| {
        let w = t.world().await;
        t.app.settings().set(t.app.db(), "throttle_sign_in_requests_per_minute", 1000).await.unwrap();
        let dana = async || User::find(t.app.db().conn(), w.dana.id).await.unwrap().unwrap();
        dana().await.set_password(t.app.db().conn(), "correct horse", None).await.unwrap();
        let try_with = async |secret: &str| ask(&t, "git-receive-pack", "mill/wheel", Some(("dana", secret))).await;
        for _ in 0..5 {
            assert_eq!(try_with("correct horse").await, 200);
        }
        dana().await.set_password(t.app.db().conn(), "battery staple", None).await.unwrap();
        assert_eq!(try_with("correct horse").await, 401);
        assert_eq!(try_with("battery staple").await, 200);
        let mut last = 0;
        for n in 0..11 {
            last = try_with(&format!("guess {n}")).await;
        }
        assert_eq!(last, 429);
    })
    .await;
}

#[tokio::test]
async fn git_is_asked_for_credentials_and_told_why_not() {
    for_each_database(async |t| {
        let w = t.world().await;
        let answer = t.anonymous().get("/mill/wheel.git/info/refs?service=git-upload-pack").await;
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Tidemill\"");
        let answer = t.anonymous().get("/mill/pond.git/info/refs").await;
        assert_eq!(answer.status, 403);
        let work = work_tree(&t, "source").await;
        commit(&work, "x", "x").await;
        let said = git(&work, &["push", &t.remote(&w.rita, "mill/wheel"), "main"]).await.expect_failure();
        assert!(said.contains("you may not push to mill/wheel"), "{said}");
        let said = git(&work, &["fetch", &t.remote(&w.sam, "mill/wheel"), "main"]).await.expect_failure();
        assert!(said.contains("There is no project mill/wheel"), "{said}");
    })
    .await;
}
