//! A real git client against the pack services, over a small server that speaks `git://`.

use std::path::Path;
use std::time::Duration;

use git::pack::{PackOptions, Protocol, Service};
use git::{GitError, Repo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{World, command};

/// Serves the repository at an address until the test ends.
async fn serve(repo: &Repo, change: fn(&mut PackOptions)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("git://{}/repo", listener.local_addr().unwrap());
    let repo = repo.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(repo.clone(), socket, change));
        }
    });
    address
}

async fn answer(repo: Repo, mut socket: TcpStream, change: fn(&mut PackOptions)) {
    use futures_util::StreamExt;
    let mut length = [0; 4];
    socket.read_exact(&mut length).await.unwrap();
    let length = usize::from_str_radix(std::str::from_utf8(&length).unwrap(), 16).unwrap();
    let mut request = vec![0; length - 4];
    socket.read_exact(&mut request).await.unwrap();
    let request = String::from_utf8(request).unwrap();
    let service = Service::parse(request.split(' ').next().unwrap()).unwrap();
    let protocol = request.split('\0').map(Protocol::parse).max().unwrap();
    let (reader, mut writer) = socket.into_split();
    let mut options = PackOptions::new(service, protocol, false);
    change(&mut options);
    let mut process = repo.serve_pack(&options, reader).unwrap();
    while let Some(Ok(chunk)) = process.output.next().await {
        if writer.write_all(&chunk).await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

async fn client(dir: &Path, args: &[&str]) -> (bool, String) {
    let output = tokio::process::Command::from(command(dir, args, 1_700_600_000)).output().await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_and_pushes_in_all_protocols() {
    let world = World::new().await;
    world.commit_file("a", "1");
    world.git(&["tag", "-a", "-m", "t", "v1"]);
    world.push();
    let url = serve(&world.repo, |_| {}).await;
    for version in ["0", "1", "2"] {
        let setting = format!("protocol.version={version}");
        let target = format!("clone{version}");
        let (ok, errors) = client(world.dir.path(), &["-c", &setting, "clone", "-q", &url, &target]).await;
        assert!(ok, "{errors}");
        let clone = world.dir.path().join(&target);
        std::fs::write(clone.join(&target), "x").unwrap();
        client(&clone, &["add", "-A"]).await;
        client(&clone, &["commit", "-q", "-m", "push"]).await;
        let branch = format!("HEAD:refs/heads/{target}");
        let (ok, errors) = client(&clone, &["-c", &setting, "push", "-q", "--atomic", "origin", &branch]).await;
        assert!(ok, "{errors}");
        assert!(world.repo.find_branch(&target).await.is_ok());
    }
    for option in ["--depth=1", "--filter=blob:none", "--mirror"] {
        let (ok, errors) = client(world.dir.path(), &["clone", "-q", "-n", option, &url, &format!("x{option}")]).await;
        assert!(ok, "{option}: {errors}");
    }
    world.fsck();
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_and_hidden_refs_bind() {
    let world = World::new().await;
    let commit = world.commit_file("a", "1");
    let hooks = Path::new("/tmp").join(format!("git-hooks-test-{}", std::process::id()));
    let program = hooks.join("it's a program");
    git::hooks::install(&hooks, &program).await.unwrap();
    git::hooks::install(&hooks, &program).await.unwrap();
    let script = "#!/bin/sh\necho \"$1 $2 $MARK\" >&2\ncat >&2\ntest \"$2\" = post-receive\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let url = serve(&world.repo, |options| {
        options.hooks = Some(Path::new("/tmp").join(format!("git-hooks-test-{}", std::process::id())));
        options.env.push(("MARK".into(), "from the caller".into()));
        options.hidden.push("refs/internal".into());
    })
    .await;
    let (ok, errors) = client(&world.work(), &["push", &url, "main:other"]).await;
    std::fs::remove_dir_all(&hooks).unwrap();
    assert!(!ok && errors.contains("hook pre-receive from the caller"), "{errors}");
    assert!(errors.contains(&format!("{commit} refs/heads/other")), "{errors}");
    let (ok, errors) = client(&world.work(), &["push", &url, "main:refs/internal/x"]).await;
    assert!(!ok && errors.contains("deny updating a hidden ref"), "{errors}");
    assert_eq!(world.repo.all_refs(&[]).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_corrupt_packs_leave_nothing() {
    let world = World::new().await;
    let tip = world.commit_file("a", "1");
    let url = serve(&world.repo, |options| options.max_input = Some(1000)).await;
    let noise: Vec<u8> = (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    world.write("big", noise);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "big"]);
    let (ok, errors) = client(&world.work(), &["push", &url, "main"]).await;
    assert!(!ok && errors.contains("exceeds"), "{errors}");
    let mut request = git::pack::pktline::Writer::new();
    request.data(format!("{tip} {} refs/heads/main\0report-status", "1".repeat(40))).flush();
    let mut bytes = request.finish().to_vec();
    bytes.extend_from_slice(b"PACK\0\0\0\x02\0\0\0\x05truncated");
    let options = PackOptions::new(Service::ReceivePack, Protocol::V0, true);
    let process = world.repo.serve_pack(&options, std::io::Cursor::new(bytes)).unwrap();
    let answer = crate::support::collect(process.output).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("unpack"), "{answer:?}");
    assert!(process.exit.await.unwrap().code.is_some());
    assert_eq!(world.repo.find_branch("main").await.unwrap().target, tip);
    let objects = std::fs::read_dir(world.repo.path().join("objects")).unwrap();
    assert!(!objects.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("tmp_objdir")));
    world.fsck();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_answer_ends_the_process() {
    let world = World::new().await;
    world.commit_file("a", "1");
    let options = PackOptions::new(Service::UploadPack, Protocol::V0, false);
    let (_keep, input) = tokio::io::duplex(10);
    let process = world.repo.serve_pack(&options, input).unwrap();
    drop(process.output);
    let ended = tokio::time::timeout(Duration::from_secs(5), process.exit).await;
    assert!(ended.unwrap().is_err());
}

#[tokio::test]
async fn advertises_refs() {
    let world = World::new().await;
    let tip = world.commit_file("a", "1");
    let options = PackOptions::new(Service::UploadPack, Protocol::V0, true);
    let refs = world.repo.advertise_refs(&options).await.unwrap();
    assert!(refs[4..].starts_with(format!("{tip} HEAD\0").as_bytes()), "{refs:?}");
    let options = PackOptions::new(Service::ReceivePack, Protocol::V0, true);
    let refs = world.repo.advertise_refs(&options).await.unwrap();
    assert!(String::from_utf8_lossy(&refs).contains("push-options"), "{refs:?}");
    let gone = Repo::open(world.dir.path()).await;
    assert!(matches!(gone, Err(GitError::NotFound(_))));
}
