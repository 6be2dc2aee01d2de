//! What a job keeps and what it gets, with hostile names and archives.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use sandbox::{Artifact, Cancel, Dependency, FailureReason, Format, Status, When, execute};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Recorder, Stored, artifact, fixture, plan, prepare};

async fn kept(script: &[&str], artifacts: Vec<Artifact>) -> Option<(Status, Vec<Stored>, String)> {
    let f = prepare(|_| {}).await?;
    let mut job = plan(script);
    job.artifacts = artifacts;
    let (result, recorder) = f.job(&job).await;
    let (log, stored) = (recorder.text(), std::mem::take(&mut *recorder.stored.lock().unwrap()));
    Some((result.status, stored, log))
}

#[tokio::test]
async fn patterns_choose_files_and_folders() {
    let script = [
        "mkdir -p out/deep/er logs other/target",
        "echo 1 > out/a.txt; echo 2 > out/deep/er/b.txt; echo 3 > out/c.tmp",
        "echo 4 > logs/x.log; echo 5 > other/target/y.log; echo 6 > top.log; chmod +x out/a.txt",
    ];
    let wanted = Artifact {
        exclude: vec!["**/*.tmp".into()],
        name: Some("my build".into()),
        ..artifact(&["out/", "**/*.log", "/builds/group/hello/none*"])
    };
    let Some((status, stored, log)) = kept(&script, vec![wanted]).await else { return };
    assert_eq!(status, Status::Success, "{log}");
    assert_eq!(stored[0].name, "my build.zip");
    let want = [
        "logs/x.log",
        "other/target/y.log",
        "out/",
        "out/a.txt",
        "out/deep/",
        "out/deep/er/",
        "out/deep/er/b.txt",
        "top.log",
    ];
    assert_eq!(stored[0].paths(), want, "{log}");
    assert_eq!(stored[0].entries[3].mode, 0o100_755);
    assert!(log.contains("out/: found 5 matching") && log.contains("none*: no matching files"), "{log}");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&stored[0].bytes)).unwrap();
    let mut text = String::new();
    zip.by_name("out/deep/er/b.txt").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "2\n");
}

#[tokio::test]
async fn single_stars_do_not_cross_folders() {
    let script = ["mkdir -p a/b", "touch x.txt a/y.txt a/b/z.txt"];
    let Some((_, stored, log)) =
        kept(&script, vec![artifact(&["*.txt"]), artifact(&["a/*.txt"]), artifact(&["a/**/z.*"])]).await
    else {
        return;
    };
    let paths: Vec<_> = stored.iter().map(Stored::paths).collect();
    assert_eq!(paths, [vec!["x.txt"], vec!["a/y.txt"], vec!["a/b/z.txt"]], "{log}");
}

#[tokio::test]
async fn nothing_outside_the_project_is_kept() {
    let script = [
        "ln -s /etc etc; ln -s /etc/passwd passwd; ln -s ../../.. up; mkfifo pipe; echo x > ../../stolen",
        "echo ok > fine",
    ];
    let Some((status, stored, log)) = kept(&script, vec![artifact(&["../../stolen", "/etc/passwd", "..", "*"])]).await
    else {
        return;
    };
    assert_eq!(status, Status::Success, "{log}");
    assert_eq!(stored[0].paths(), ["etc", "fine", "passwd", "up"]);
    let link = |e: &sandbox::ArtifactEntry| e.size < 20;
    assert!(stored[0].entries.iter().all(link), "links are kept as links");
}

#[tokio::test]
async fn the_outcome_chooses_and_nothing_found_is_no_failure() {
    let always = Artifact { when: When::Always, name: Some("always".into()), ..artifact(&["x"]) };
    let failed = Artifact { when: When::OnFailure, name: Some("failed".into()), ..artifact(&["x"]) };
    let success = Artifact { name: Some("success".into()), ..artifact(&["x"]) };
    let Some((status, stored, _)) = kept(&["touch x", "exit 1"], vec![always, failed, success]).await else { return };
    assert_eq!(status, Status::Failed(FailureReason::ScriptFailure));
    let names: Vec<_> = stored.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["always.zip", "failed.zip"]);
    let Some((status, stored, log)) = kept(&["true"], vec![artifact(&["missing"])]).await else { return };
    assert_eq!((status, stored.len()), (Status::Success, 0));
    assert!(log.contains("No files to upload"), "{log}");
}

#[tokio::test]
async fn reports_are_packed_by_gzip_or_not_at_all() {
    let gzip = Artifact { format: Format::Gzip, name: Some("junit.xml".into()), ..artifact(&["*.xml"]) };
    let raw = Artifact { format: Format::Raw, name: Some("raw".into()), ..artifact(&["b.xml"]) };
    let Some((_, stored, log)) = kept(&["echo one > a.xml; echo two > b.xml"], vec![gzip, raw]).await else { return };
    let mut text = String::new();
    MultiGzDecoder::new(stored[0].bytes.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), stored[0].name.as_str()), ("one\ntwo\n", "junit.xml.gz"), "{log}");
    assert_eq!(stored[1].bytes, b"two\n");
}

#[tokio::test]
async fn untracked_files_are_found() {
    let wanted = Artifact { untracked: true, ..artifact(&[]) };
    let script =
        ["git init -q .", "echo a > known; git add known; mkdir d; echo b > d/new; echo '*.o' > .gitignore; touch x.o"];
    let Some((_, stored, log)) = kept(&script, vec![wanted]).await else { return };
    assert_eq!(stored[0].paths(), [".gitignore", "d/new", "x.o"], "{log}");
}

#[tokio::test]
async fn an_archive_past_the_limit_fails_the_job() {
    let f = fixture!(|config| config.limits.artifact_size = 100_000);
    let mut job = plan(&["head -c 1m /dev/urandom > big"]);
    job.artifacts = vec![artifact(&["big"])];
    let (result, recorder) = f.job(&job).await;
    assert_eq!(result.status, Status::Failed(FailureReason::ScriptFailure));
    assert!(recorder.text().contains("larger than the limit of 100000 bytes"), "{}", recorder.text());
}

#[tokio::test]
async fn earlier_artifacts_are_unpacked_without_escapes() {
    let f = fixture!();
    let path = f.dir.path().join("in.zip");
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    for (name, text) in
        [("bin/tool", "#!/bin/sh\necho tool"), ("../escape", "x"), ("/builds/abs", "x"), ("plain", "new")]
    {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.add_symlink("outside", "/etc", options).unwrap();
    zip.add_symlink("climb", "bin/../../../x", options).unwrap();
    zip.add_symlink("link", "bin/tool", options).unwrap();
    zip.start_file("outside/passwd", options).unwrap();
    zip.finish().unwrap();

    let recorder = Recorder { archive: Some(path), ..Recorder::default() };
    let mut job = plan(&["./link; cat plain; ls -d ../escape /builds/escape climb 2>&1; find . | sort | tr '\\n' ' '"]);
    job.dependencies = vec![Dependency { id: 3, name: "build".into() }];
    let result = execute(&f.slot, &job, &recorder, &Cancel::new()).await;
    let log = recorder.text();
    assert!(log.contains("Downloading artifacts for build (3)"), "{log}");
    assert_ne!(result.status, Status::Failed(FailureReason::RunnerSystemFailure), "{log}");
    assert!(!f.dir.path().join("escape").exists());
    assert!(log.contains("tool\nnew"), "{log}");
}

#[tokio::test]
async fn bombs_and_nonsense_fail_the_job() {
    let f = fixture!(|config| config.limits.disk = 10 << 20);
    let path = f.dir.path().join("bomb.zip");
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    zip.start_file("zeros", SimpleFileOptions::default()).unwrap();
    for _ in 0..100 {
        zip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    zip.finish().unwrap();
    let nonsense = f.dir.path().join("nonsense.zip");
    std::fs::write(&nonsense, "PK nonsense").unwrap();
    for path in [path, nonsense, "/nonexistent.zip".into()] {
        let recorder = Recorder { archive: Some(path), ..Recorder::default() };
        let mut job = plan(&["true"]);
        job.dependencies = vec![Dependency { id: 3, name: "build".into() }];
        let result = execute(&f.slot, &job, &recorder, &Cancel::new()).await;
        assert_eq!(result.status, Status::Failed(FailureReason::RunnerSystemFailure), "{}", recorder.text());
    }
}
