use git::{Oid, RefName, RepoPath, Signature};

#[test]
fn ref_names_follow_git() {
    let refused = [
        "", "/", "a/", "/a", "a//b", ".a", "a/.b", "a..b", "a.lock", "a.lock/b", "a b", "a~b", "a^b", "a:b", "a?b",
        "a*b", "a[b", "a\\b", "a.", "a@{b", "a\0b", "a\nb", "a\x7fb", "-a", "HEAD",
    ];
    for name in refused {
        assert!(RefName::branch(name).is_err(), "{name:?}");
    }
    for name in ["a", "a/b", "ä", "a@b", "a-b", "v1.0", "@", "feature/x.y"] {
        assert!(RefName::branch(name).is_ok(), "{name:?}");
    }
    assert!(RefName::branch(b"a\xff").is_ok());
    assert!(RefName::branch("x".repeat(251)).is_err());
    assert!(RefName::branch("x/".repeat(600) + "x").is_err());
}

#[test]
fn full_names_need_refs() {
    for name in ["HEAD", "refs/heads/a", "refs/x/y"] {
        assert!(RefName::new(name).is_ok(), "{name}");
    }
    for name in ["refs", "refs/", "refs/a", "heads/a", "FETCH_HEAD", "../refs/heads/a", "refs/../x"] {
        assert!(RefName::new(name).is_err(), "{name}");
    }
}

#[test]
fn paths_are_relative_and_plain() {
    for path in ["a", "a/b", "a/b/", "ä ö", ".gitignore", "-x", "a\\b"] {
        assert!(RepoPath::new(path).is_ok(), "{path:?}");
    }
    for path in ["/a", "a//b", "..", "a/../b", "./a", "a/.", "a\0b", "//"] {
        assert!(RepoPath::new(path).is_err(), "{path:?}");
    }
    assert!(RepoPath::new("").unwrap().is_root());
    assert!(RepoPath::new("x".repeat(5000)).is_err());
    let path = RepoPath::new("a/b/c").unwrap();
    assert_eq!(path.file_name(), "c");
    assert_eq!(path.parent().lossy(), "a/b");
    assert_eq!(path.parent().parent().parent(), RepoPath::root());
}

#[test]
fn git_folders_are_not_writable() {
    for path in [".git/config", "a/.GIT/x", ".git", "git~1/x", ".git./x", ".git /x", ".g\u{200c}it/x", ".git::$INDEX/x"]
    {
        assert!(!RepoPath::new(path).unwrap().is_writable(), "{path:?}");
    }
    for path in [".gitignore", ".github/x", "git", "a.git"] {
        assert!(RepoPath::new(path).unwrap().is_writable(), "{path:?}");
    }
}

#[test]
fn object_ids_are_forty_hexadecimal_digits() {
    assert!(Oid::from_hex(&[b'a'; 40]).is_ok());
    assert!(Oid::from_hex(&[b'a'; 39]).is_err());
    assert!(Oid::from_hex(&[b'g'; 40]).is_err());
    assert!(Oid::zero().is_zero());
}

#[test]
fn signatures_lose_what_git_cannot_store() {
    let signature = Signature::new("A <b>\nC", "a@b\0<>", -5, 1_000_000);
    assert_eq!(signature.name, "A bC");
    assert_eq!(signature.email, "a@b");
    assert_eq!(signature.time, 0);
    assert_eq!(Signature::new(" \n", "", 1, 0).name, "unknown");
}

#[tokio::test]
async fn git_is_new_enough() {
    assert!(git::version().await.unwrap() >= git::Version::MINIMUM);
    assert_eq!(git::Version::parse("git version 2.39.5 (Apple Git-154)").unwrap().to_string(), "2.39.5");
    assert_eq!(git::Version::parse("git version 2.45.GIT").unwrap().to_string(), "2.45.0");
    assert!(git::Version::parse("nonsense").is_none());
}
