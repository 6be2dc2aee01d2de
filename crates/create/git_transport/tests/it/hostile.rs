//! Requests that no git would send, and packs that are not what they say.

use bytes::Bytes;
use git::pack::pktline::Writer;
use http::Method;
use testkit::{Person, TestApp, for_each_database, git};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{assert_sound, head, leftovers, pending, repository, told, work_tree};

const ZERO: &str = "0000000000000000000000000000000000000000";

async fn post(t: &TestApp, person: &Person, path: &str, kind: &str, body: impl Into<Bytes>) -> testkit::Answer {
    let client = t.anonymous();
    let request = client.request(Method::POST, path).basic_auth(&person.username, Some(&person.token));
    client.send(request.header("content-type", format!("application/x-git-{kind}-request")).body(body.into())).await
}

/// The start of a push of one ref, and the pack of all of `HEAD`.
async fn push_of(work: &std::path::Path, name: &str) -> (Bytes, Vec<u8>) {
    let id = head(work).await;
    let line = format!("{ZERO} {id} {name}\0 report-status side-band-64k agent=test\n");
    let start = Writer::new().data(line).flush().finish();
    git(work, &["repack", "-adq"]).await.expect_ok();
    let packs = std::fs::read_dir(work.join(".git/objects/pack")).unwrap().filter_map(Result::ok);
    let pack = packs.map(|e| e.path()).find(|p| p.extension().is_some_and(|e| e == "pack")).unwrap();
    (start, std::fs::read(pack).unwrap())
}

#[tokio::test]
async fn truncated_and_corrupt_packs_change_nothing() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t, "source").await;
        let (start, pack) = push_of(&work, "refs/heads/x").await;
        let mut flipped = pack.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0xff;
        let path = "/mill/wheel.git/git-receive-pack";
        for bad in [&pack[..pack.len() / 2], &pack[..12], &flipped, b"PACK", b"", b"nonsense that is no pack at all"] {
            let answer = post(&t, &w.dana, path, "receive-pack", [&start[..], bad].concat()).await.expect(200);
            let text = answer.text();
            assert!(text.contains("unpack ") && !text.contains("unpack ok"), "{text}");
            assert!(text.contains("Nothing was pushed"), "{text}");
        }
        assert_eq!((told(&t).await.len(), pending(&t).await), (0, 0));
        let folder = repository(&t, "mill/wheel").await;
        assert_sound(&folder).await;
        let answer = post(&t, &w.dana, path, "receive-pack", [&start[..], &pack].concat()).await.expect(200);
        assert!(answer.text().contains("ok refs/heads/x"), "{}", answer.text());
        assert_eq!(told(&t).await.len(), 1);
        assert_sound(&folder).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t, "source").await;
        let (start, pack) = push_of(&work, "refs/heads/x").await;
        let basic = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("{}:{}", w.dana.username, w.dana.token),
        );
        let mut stream = tokio::net::TcpStream::connect(t.url.trim_start_matches("http://")).await.unwrap();
        let request = format!(
            "POST /mill/wheel.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            start.len() + pack.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&start).await.unwrap();
        stream.write_all(&pack[..pack.len() / 2]).await.unwrap();
        let folder = t.eventually("the push began", async || (pending(&t).await == 1).then_some(())).await;
        let () = folder;
        drop(stream);
        t.eventually("the push ended", async || (pending(&t).await == 0).then_some(())).await;
        let folder = repository(&t, "mill/wheel").await;
        t.eventually("nothing is left", async || leftovers(&folder).is_empty().then_some(())).await;
        assert_eq!(told(&t).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn malformed_requests_are_refused_plainly() {
    for_each_database(async |t| {
        let w = t.world().await;
        let path = "/mill/pond.git/git-receive-pack";
        post(&t, &w.dana, path, "receive-pack", "nonsense").await.expect(400);
        post(&t, &w.dana, path, "receive-pack", "ffff").await.expect(400);
        post(&t, &w.dana, path, "receive-pack", "0032cut off").await.expect(400);
        post(&t, &w.dana, path, "receive-pack", "0000").await.expect(200);
        post(&t, &w.dana, path, "upload-pack", "0000").await.expect(415);
        post(&t, &w.dana, "/mill/pond.git/git-upload-pack", "upload-pack", "").await.expect(200);
        let client = t.anonymous();
        let request =
            client.request(Method::POST, "/mill/pond.git/git-upload-pack").header("git-protocol", "version=2");
        let typed = request.header("content-type", "application/x-git-upload-pack-request");
        let request = typed.try_clone().unwrap().body(Writer::new().data("command=rm-rf\n").flush().finish());
        client.send(request).await.expect(400);
        let request = typed.try_clone().unwrap().header("content-encoding", "gzip").body("not gzip");
        client.send(request).await.expect(400);
        let request = typed.header("content-encoding", "br").body("x");
        client.send(request).await.expect(415);
        for path in [
            "/mill/..%2f..%2fetc.git/info/refs?service=git-upload-pack",
            "/mill/pond%00.git/info/refs?service=git-upload-pack",
            "/..%2f..%2fx.git/info/refs?service=git-upload-pack",
            "/mill/-x.git/info/refs?service=git-upload-pack",
        ] {
            let status = t.client(&w.dana.token).get(path).await.status.as_u16();
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        t.client(&w.dana.token).get("/mill/pond.git/info/refs?service=git-upload-archive").await.expect(403);
        t.client(&w.dana.token).get("/mill/pond.git/HEAD").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn odd_ref_names_in_a_push_are_refused_one_and_all() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t, "source").await;
        let long = format!("refs/heads/{}", "x".repeat(4096));
        for name in
            ["refs/heads/../x", "HEAD", "refs/heads/x.lock", "refs/heads/a b", "../../config", "refs/heads/\x01", &long]
        {
            let (start, pack) = push_of(&work, name).await;
            let answer =
                post(&t, &w.dana, "/mill/wheel.git/git-receive-pack", "receive-pack", [&start[..], &pack].concat())
                    .await;
            let text = answer.expect(200).text();
            assert!(text.contains("ng ") && !text.contains("\nok "), "{name}: {text}");
        }
        assert_eq!((told(&t).await.len(), pending(&t).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn limits_on_size_are_told_to_the_pusher() {
    for_each_database(async |t| {
        let w = t.world().await;
        let remote = t.remote(&w.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
        t.app
            .db()
            .run("UPDATE projects SET repository_size = 2000000000 WHERE id = $1", [w.wheel.id.into()])
            .await
            .unwrap();
        t.app.settings().set(t.app.db(), "repository_size_limit", 1_000_000_000).await.unwrap();
        let said = git(&work, &["push", &remote, "main:x"]).await.expect_failure();
        assert!(said.contains("its limit of 953 MiB"), "{said}");
        t.app.settings().set(t.app.db(), "repository_size_limit", 0).await.unwrap();
        t.app.settings().set(t.app.db(), "receive_max_input_size", 1).await.unwrap();
        let noise: String = (0..400_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        crate::support::commit(&work, "big", &noise).await;
        let said = git(&work, &["push", &remote, "main:y"]).await.expect_failure();
        assert!(said.contains("remote rejected") || said.contains("Nothing was pushed"), "{said}");
        assert_eq!((told(&t).await.len(), pending(&t).await), (1, 0));
    })
    .await;
}
