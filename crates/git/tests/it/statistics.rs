use crate::support::World;

#[tokio::test]
async fn counts_people_weeks_and_languages() {
    let world = World::new().await;
    world.write("src/main.rs", "fn main() {}\n".repeat(10));
    world.write("tool.py", "print()\n");
    world.write("node_modules/x/index.js", "x".repeat(1000));
    world.write("README.md", "text\n".repeat(100));
    world.write("Dockerfile.test", "FROM x\n");
    let tip = world.commit("one");
    let people = world.repo.contributors(tip, true).await.unwrap();
    assert_eq!((people.len(), people[0].commits), (1, 1));
    assert_eq!((people[0].name.to_string().as_str(), people[0].additions), ("Ada", 113));
    let time = world.repo.commit(tip).await.unwrap().committer.time;
    let weeks = world.repo.commits_per_week(tip, time + 8 * 24 * 3600).await.unwrap();
    assert_eq!((weeks.len(), weeks[24], weeks.iter().sum::<u64>()), (26, 1, 1));
    let languages = world.repo.languages(tip).await.unwrap();
    let shown: Vec<_> = languages.iter().map(|share| (share.name, share.bytes)).collect();
    assert_eq!(shown, [("Rust", 130), ("Python", 8), ("Dockerfile", 7)]);
    assert!((languages.iter().map(|share| share.percent).sum::<f64>() - 100.0).abs() < 0.1);
}

#[test]
fn recognises_languages_by_name() {
    let name = |path: &str| git::languages::detect(path.as_bytes()).map(|language| language.name);
    assert_eq!(name("a/b.RS"), Some("Rust"));
    assert_eq!(name("Makefile"), Some("Makefile"));
    assert_eq!(name("x.d.ts"), Some("TypeScript"));
    assert_eq!(name("noextension"), None);
}
