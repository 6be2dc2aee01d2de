use git::pack::pktline::Writer;
use git::pack::v2::{LsRefs, Request, capabilities, read_request};
use git::pack::{Protocol, Service};

use crate::support::World;

fn ls_refs(arguments: &[&str]) -> bytes::Bytes {
    let mut writer = Writer::new();
    writer.data("command=ls-refs\n").data("agent=git/2.39.5").data("object-format=sha1").delimiter();
    arguments.iter().for_each(|argument| {
        writer.data(format!("{argument}\n"));
    });
    writer.flush().finish()
}

#[tokio::test]
async fn ls_refs_answers_as_git_does() {
    let world = World::new().await;
    world.commit_file("a", "1");
    world.git(&["tag", "-a", "-m", "t", "v1"]);
    world.git(&["tag", "light"]);
    world.git(&["branch", "topic/a"]);
    world.push();
    world.bare(&["pack-refs", "--all"]);
    world.git(&["tag", "-a", "-m", "t", "v2"]);
    world.git(&["tag", "-a", "-m", "t", "nested", "v2"]);
    world.commit_file("a", "2");
    world.push();
    world.bare(&["symbolic-ref", "refs/heads/link", "refs/heads/topic/a"]);
    world.bare(&["update-ref", "refs/internal/x", "main"]);
    let questions: [&[&str]; 4] = [
        &["peel", "symrefs", "unborn"],
        &["peel", "symrefs", "ref-prefix refs/heads/", "ref-prefix HEAD"],
        &["ref-prefix refs/tags/"],
        &["symrefs", "ref-prefix nothing"],
    ];
    for arguments in questions {
        let input = ls_refs(arguments);
        let Request::LsRefs(request) = read_request(&mut &input[..]).await.unwrap() else { panic!() };
        let ours = world.repo.ls_refs(request, &["refs/internal".into()]).await.unwrap();
        let mut options = git::pack::PackOptions::new(Service::UploadPack, Protocol::V2, true);
        options.hidden.push("refs/internal".into());
        let process = world.repo.serve_pack(&options, std::io::Cursor::new(input)).unwrap();
        let theirs = crate::support::collect(process.output).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs), "{arguments:?}");
    }
}

#[tokio::test]
async fn an_unborn_head_is_told() {
    let world = World::new().await;
    let request = LsRefs { unborn: true, symrefs: true, ..LsRefs::default() };
    let answer = world.repo.ls_refs(request, &[]).await.unwrap();
    assert_eq!(&answer[4..], b"unborn HEAD symref-target:refs/heads/main\n0000");
}

#[tokio::test]
async fn other_commands_pass_through() {
    let mut writer = Writer::new();
    let input = writer.data("command=fetch").delimiter().data("done\n").flush().finish();
    match read_request(&mut &input[..]).await.unwrap() {
        Request::Other { command, consumed } => assert_eq!((command.as_str(), consumed), ("fetch", input)),
        other => panic!("{other:?}"),
    }
    assert_eq!(read_request(&mut &b"0000"[..]).await.unwrap(), Request::End);
    assert_eq!(read_request(&mut &b""[..]).await.unwrap(), Request::End);
    for broken in [
        &b"zzzz"[..],
        b"0003",
        b"ffff",
        b"00",
        b"0014command=ls-refs\n0001",
        b"0014command=ls-refs\n0001000bnonsen0000",
    ] {
        assert!(read_request(&mut &broken[..]).await.is_err(), "{broken:?}");
    }
}

#[test]
fn capabilities_are_those_of_git() {
    let text = String::from_utf8(capabilities("git/x y\n").to_vec()).unwrap();
    assert!(text.starts_with("000eversion 2\n"), "{text}");
    assert!(text.contains("agent=git/x.y.\n") && text.ends_with("object-format=sha1\n0000"), "{text}");
    assert_eq!(&Service::UploadPack.http_prefix()[..], b"001e# service=git-upload-pack\n0000");
    assert_eq!(Protocol::parse("version=1:version=2"), Protocol::V2);
    assert_eq!(Protocol::parse("nonsense"), Protocol::V0);
}
