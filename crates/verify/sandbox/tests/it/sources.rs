//! Checkouts, of hostile repositories too.

use std::path::Path;

use sandbox::{FailureReason, JobPlan, Source, Status};

use crate::support::{fixture, git, plan};

fn repository(folder: &Path, fill: impl FnOnce(&Path)) -> (std::path::PathBuf, String) {
    let work = folder.join("work");
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    fill(&work);
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "--allow-empty", "-m", "one"]);
    let bare = folder.join("bare.git");
    git(folder, &["clone", "-q", "--bare", "work", "bare.git"]);
    let sha = git(&work, &["rev-parse", "HEAD"]);
    (bare, sha)
}

fn with_source(script: &[&str], repository: &Path, sha: &str, depth: u32) -> JobPlan {
    let mut job = plan(script);
    let url = Some("http://example.com/group/hello.git".to_owned());
    let (repository, sha, ref_name) = (repository.to_owned(), sha.to_owned(), "main".to_owned());
    job.source = Some(Source { repository, sha, ref_name, tag: false, depth, url });
    job
}

#[tokio::test]
async fn the_commit_is_checked_out() {
    let f = fixture!();
    let (bare, sha) = repository(f.dir.path(), |work| {
        git(work, &["commit", "-q", "--allow-empty", "-m", "zero"]);
        std::fs::write(work.join("run.sh"), "#!/bin/sh\necho ran\n").unwrap();
        std::fs::set_permissions(work.join("run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    });
    for (depth, commits) in [(1, "1"), (0, "2")] {
        let script = [
            "./run.sh",
            "git rev-parse HEAD",
            "echo commits $(git rev-list --count HEAD)",
            "git remote get-url origin",
            "git status --porcelain; git branch -r; touch new && git add new && git -c user.name=x -c user.email=x commit -qm more",
        ];
        let (result, recorder) = f.job(&with_source(&script, &bare, &sha, depth)).await;
        let log = recorder.text();
        assert_eq!(result.status, Status::Success, "{log}");
        assert!(log.contains(&format!("Checking out {} as detached HEAD (ref is main)", &sha[..8])), "{log}");
        assert!(log.contains("ran\n") && log.contains(&format!("\n{sha}\n")), "{log}");
        assert!(log.contains(&format!("commits {commits}\n")), "{log}");
        assert!(log.contains("http://example.com/group/hello.git") && log.contains("origin/main"), "{log}");
    }
}

#[tokio::test]
async fn a_tag_is_checked_out_with_its_message() {
    let f = fixture!();
    let (bare, sha) = repository(f.dir.path(), |_| {});
    git(&bare, &["tag", "-a", "-m", "first release", "v1.0", &sha]);
    let mut job = with_source(&["git describe", "git cat-file -p v1.0 | tail -1"], &bare, &sha, 20);
    if let Some(source) = &mut job.source {
        (source.ref_name, source.tag) = ("v1.0".into(), true);
    }
    let (result, recorder) = f.job(&job).await;
    let log = recorder.text();
    assert_eq!(result.status, Status::Success, "{log}");
    assert!(log.contains("\nv1.0\n") && log.contains("first release\n"), "{log}");
    println!("a job with a checkout took {:?}", result.duration);
}

#[tokio::test]
async fn an_older_commit_and_a_deleted_branch_still_run() {
    let f = fixture!();
    let (bare, sha) = repository(f.dir.path(), |work| std::fs::write(work.join("old"), "x").unwrap());
    let work = f.dir.path().join("work");
    std::fs::remove_file(work.join("old")).unwrap();
    git(&work, &["commit", "-qam", "two"]);
    git(&work, &["push", "-q", "-f", bare.to_str().unwrap(), "main:main"]);
    let (result, recorder) = f.job(&with_source(&["ls old"], &bare, &sha, 20)).await;
    assert_eq!(result.status, Status::Success, "{}", recorder.text());
    git(&bare, &["update-ref", "-d", "refs/heads/main"]);
    let (result, recorder) = f.job(&with_source(&["ls old"], &bare, &sha, 20)).await;
    assert_eq!(result.status, Status::Success, "{}", recorder.text());
}

#[tokio::test]
async fn hostile_commits_do_not_escape() {
    let f = fixture!();
    let outside = f.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let marker = f.dir.path().join("marker");
    let (bare, sha) = repository(f.dir.path(), |work| {
        std::os::unix::fs::symlink(&outside, work.join("dir")).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", work.join("shadow")).unwrap();
        std::fs::write(work.join(".gitattributes"), "* filter=evil diff=evil\n").unwrap();
        std::fs::write(work.join(".gitmodules"), "[submodule \"x\"]\npath = x\nurl = -u./evil\n").unwrap();
        std::fs::create_dir(work.join("hooks")).unwrap();
        std::fs::write(work.join("hooks/post-checkout"), format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    });
    // A repository's own settings are the server's, yet none may run a program here.
    git(&bare, &["config", "filter.evil.smudge", &format!("touch {}", marker.display())]);
    git(&bare, &["config", "uploadpack.packObjectsHook", &format!("touch {}", marker.display())]);
    let script = [
        "cat shadow && echo leaked || true",
        "echo x > dir/file || true",
        "ls .git/hooks 2>/dev/null || echo no hooks",
    ];
    let (result, recorder) = f.job(&with_source(&script, &bare, &sha, 20)).await;
    let log = recorder.text();
    assert_eq!(result.status, Status::Success, "{log}");
    assert!(!log.contains("leaked\n") || !log.contains("root:"), "{log}");
    assert!(log.contains("no hooks"), "{log}");
    assert!(!marker.exists() && std::fs::read_dir(&outside).unwrap().next().is_none());
}

#[tokio::test]
async fn paths_that_git_forbids_are_not_written() {
    let f = fixture!();
    let (bare, _) = repository(f.dir.path(), |_| {});
    let work = f.dir.path().join("work");
    // A tree that writes into .git, made by hand because git refuses to add it.
    std::fs::write(work.join("payload"), "#!/bin/sh\n").unwrap();
    let blob = git(&work, &["hash-object", "-w", "payload"]);
    let make = format!("printf '100755 blob {blob}\\tpost-checkout\\n' | git mktree");
    let hooks = sh(&work, &make);
    let dot_git = sh(&work, &format!("printf '040000 tree {hooks}\\thooks\\n' | git mktree"));
    let root = sh(&work, &format!("printf '040000 tree {dot_git}\\t.git\\n' | git mktree"));
    let commit = git(&work, &["commit-tree", "-m", "evil", &root]);
    git(
        &work,
        &[
            "-c",
            "receive.fsckObjects=false",
            "push",
            "-q",
            bare.to_str().unwrap(),
            &format!("{commit}:refs/heads/evil"),
        ],
    );
    let (result, recorder) = f.job(&with_source(&["ls .git/hooks"], &bare, &commit, 20)).await;
    assert!(matches!(result.status, Status::Failed(_)), "{}", recorder.text());
}

fn sh(folder: &Path, script: &str) -> String {
    let output = std::process::Command::new("sh").current_dir(folder).args(["-c", script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_missing_commit_is_the_runners_failure() {
    let f = fixture!();
    let (bare, _) = repository(f.dir.path(), |_| {});
    for (repository, sha) in
        [(bare.as_path(), "a".repeat(40)), (Path::new("/nonexistent"), "a".repeat(40)), (&bare, "HEAD".into())]
    {
        let (result, recorder) = f.job(&with_source(&["true"], repository, &sha, 20)).await;
        assert_eq!(result.status, Status::Failed(FailureReason::RunnerSystemFailure));
        assert!(recorder.text().contains("ERROR: Job failed"), "{}", recorder.text());
    }
}
