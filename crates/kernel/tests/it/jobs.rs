//! Events and jobs: all or nothing, at least once, and handed back by whoever dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::db::Sql;
use kernel::events::Event;
use kernel::jobs::{Job, When};
use kernel::{App, AppBuilder, Config, Db, Error, Objects, Result, Settings, Slice, Time};
use serde::{Deserialize, Serialize};

/// The variable that names a PostgreSQL server whose user may create databases.
const VARIABLE: &str = "TIDEMILL_TEST_POSTGRES";

/// What the jobs of these tests have done.
#[derive(Default)]
struct Tally {
    heard: AtomicU64,
    counted: AtomicU64,
    tried: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Happened {
    by: u64,
}
impl Event for Happened {
    const NAME: &'static str = "thing.happened";
}

#[derive(Serialize, Deserialize)]
struct Count {}
impl Job for Count {
    const KIND: &'static str = "thing.count";
    async fn run(self, app: App) -> Result<()> {
        tally(&app).counted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct FailOnce {}
impl Job for FailOnce {
    const KIND: &'static str = "thing.fail_once";
    async fn run(self, app: App) -> Result<()> {
        match tally(&app).tried.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::bad_request("not yet")),
            1 => panic!("a job may panic"),
            _ => Ok(()),
        }
    }
}

fn tally(app: &App) -> Arc<Tally> {
    app.get::<Tally>().expect("it was registered")
}

async fn hear(app: App, event: Happened) -> Result<()> {
    tally(&app).heard.fetch_add(event.by, Ordering::SeqCst);
    Ok(())
}

async fn app(folder: &std::path::Path, database: &str) -> App {
    let slice = Slice::new("things").job::<Count>().job::<FailOnce>().on("thing.hear", hear).on("thing.hear_too", hear);
    let mut builder = AppBuilder::default();
    builder.slice(&slice).insert(Tally::default());
    let db = Db::connect(database).await.unwrap();
    db.migrate().await.unwrap();
    let objects = Objects::open(&format!("file:{}", folder.join("objects").display())).unwrap();
    let settings = Settings::default();
    settings.load(&db).await.unwrap();
    builder.build(Config::new(folder), db, objects, settings)
}

async fn on_each(test: impl AsyncFn(App)) {
    let folder = tempfile::tempdir().unwrap();
    test(app(folder.path(), &format!("sqlite:{}", folder.path().join("test.db").display())).await).await;
    let Ok(server) = std::env::var(VARIABLE) else {
        eprintln!("skipped on PostgreSQL: {VARIABLE} names no server");
        return;
    };
    let name = kernel::auth::random_token("tidemill_kernel_", 12).to_lowercase();
    let admin = Db::connect(&server).await.unwrap();
    admin.run(&format!("CREATE DATABASE {name}"), []).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    test(app(folder.path(), &format!("{base}/{name}")).await).await;
    let _the_next_run_has_another_name = admin.run(&format!("DROP DATABASE {name} WITH (FORCE)"), []).await;
}

async fn waiting(app: &App) -> i64 {
    app.db().conn().scalar::<i64>("SELECT COUNT(*) FROM jobs", []).await.unwrap().unwrap()
}

async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(std::time::Instant::now() < deadline, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_event_is_heard_by_everyone_once_it_is_committed() {
    on_each(async |app: App| {
        app.start();
        let dropped = app.begin().await.unwrap();
        dropped.publish(&Happened { by: 100 }).await.unwrap();
        drop(dropped);
        let tx = app.begin().await.unwrap();
        tx.publish(&Happened { by: 1 }).await.unwrap();
        tx.commit().await.unwrap();
        until("both hearing it", async || tally(&app).heard.load(Ordering::SeqCst) >= 2).await;
        until("the end of the jobs", async || waiting(&app).await == 0).await;
        assert_eq!(tally(&app).heard.load(Ordering::SeqCst), 2);
        let written = app.db().conn().scalar::<i64>("SELECT COUNT(*) FROM events", []).await.unwrap();
        assert_eq!(written, Some(1));
        app.stop(Duration::from_secs(5)).await;
    })
    .await;
}

#[tokio::test]
async fn a_unique_job_waits_once_and_a_later_one_waits_for_its_time() {
    on_each(async |app: App| {
        let unique = || When { unique: Some("only".into()), at: None };
        app.enqueue(&Count {}, unique()).await.unwrap();
        app.enqueue(&Count {}, unique()).await.unwrap();
        let later = Time::now() + Duration::from_secs(3600);
        app.enqueue(&Count {}, When { at: Some(later), unique: None }).await.unwrap();
        assert_eq!(waiting(&app).await, 2);
        app.start();
        until("the first", async || waiting(&app).await == 1).await;
        assert_eq!(tally(&app).counted.load(Ordering::SeqCst), 1);
        app.stop(Duration::from_secs(5)).await;
    })
    .await;
}

#[tokio::test]
async fn a_job_that_fails_or_panics_is_tried_again() {
    on_each(async |app: App| {
        app.enqueue(&FailOnce {}, When::default()).await.unwrap();
        app.start();
        let sooner = "UPDATE jobs SET run_at = 0 WHERE state = 'ready' AND attempts > 0";
        until("the third try", async || {
            app.db().run(sooner, []).await.unwrap();
            waiting(&app).await == 0
        })
        .await;
        assert_eq!(tally(&app).tried.load(Ordering::SeqCst), 3);
        app.stop(Duration::from_secs(5)).await;
    })
    .await;
}

#[tokio::test]
async fn a_job_whose_process_died_is_carried_out_by_another() {
    on_each(async |app: App| {
        app.enqueue(&Count {}, When::default()).await.unwrap();
        let dead = "UPDATE jobs SET state = 'running', worker = 'p-dead', lease_until = 1, attempts = 1";
        app.db().run(dead, []).await.unwrap();
        app.start();
        until("the other process", async || waiting(&app).await == 0).await;
        assert_eq!(tally(&app).counted.load(Ordering::SeqCst), 1);
        app.stop(Duration::from_secs(5)).await;
    })
    .await;
}

#[tokio::test]
async fn many_writers_at_once_all_get_through() {
    on_each(async |app: App| {
        let tasks = (0..40).map(|_| {
            let app = app.clone();
            tokio::spawn(async move { app.enqueue(&Count {}, When::default()).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        app.start();
        until("all of them", async || waiting(&app).await == 0).await;
        assert_eq!(tally(&app).counted.load(Ordering::SeqCst), 40);
        app.stop(Duration::from_secs(5)).await;
    })
    .await;
}
