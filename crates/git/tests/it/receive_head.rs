use git::Oid;
use git::pack::pktline::Writer;
use git::pack::receive::{ReceiveParser, read_head};

fn push() -> Vec<u8> {
    let (old, new) = (Oid::zero(), "1".repeat(40));
    let mut writer = Writer::new();
    writer.data(format!("shallow {new}"));
    writer.data(format!("{old} {new} refs/heads/main\0 report-status side-band-64k push-options agent=git/2"));
    writer.data(format!("{new} {old} refs/heads/old\n")).flush();
    writer.data("ci.skip\n").data("x=y z").flush();
    [&writer.finish()[..], b"PACK...."].concat()
}

#[test]
fn reads_commands_byte_by_byte() {
    let bytes = push();
    let mut parser = ReceiveParser::new();
    let end = bytes.len() - 8;
    for (at, byte) in bytes[..end].iter().enumerate() {
        assert_eq!(parser.feed(&[*byte]).unwrap(), at + 1 == end);
    }
    let head = parser.finish();
    assert_eq!(head.commands.len(), 2);
    assert!(head.has("side-band-64k") && !head.has("atomic"));
    assert_eq!(head.options, ["ci.skip", "x=y z"]);
    assert_eq!(head.commands[1].change().unwrap().name.to_string(), "refs/heads/old");
    assert_eq!(&head.consumed[..], &bytes[..end]);
}

#[tokio::test]
async fn keeps_the_start_of_the_pack() {
    let bytes = push();
    let head = read_head(&mut &bytes[..]).await.unwrap();
    assert_eq!(&head.consumed[..], &bytes[..]);
    assert!(read_head(&mut &bytes[..60]).await.is_err());
    assert!(read_head(&mut &b"0000"[..]).await.unwrap().commands.is_empty());
    assert!(read_head(&mut &b""[..]).await.unwrap().commands.is_empty());
    for broken in [&b"0008xxxx0000"[..], b"PACK", b"0001", b"GET / HTTP/1.1\r\n"] {
        assert!(read_head(&mut &broken[..]).await.is_err(), "{broken:?}");
    }
}

#[tokio::test]
async fn refuses_in_process() {
    let head = read_head(&mut &push()[..]).await.unwrap();
    let answer = String::from_utf8(head.refusal("The project is archived.", "read-only").to_vec()).unwrap();
    assert!(answer.contains("\u{2}The project is archived.\n"), "{answer}");
    assert!(answer.contains("\u{1}000eunpack ok\n") && answer.contains("ng refs/heads/main read-only\n"), "{answer}");
    assert!(answer.ends_with("00000000"), "{answer}");
}
