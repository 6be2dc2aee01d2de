//! `xtask tidy` as a test, so that `cargo test --workspace` holds the rules too.

#[test]
fn the_project_is_tidy() {
    let root = xtask::root().unwrap();
    let failures: Vec<String> =
        xtask::tidy(&root).unwrap().iter().filter(|f| f.fails).map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
