//! The application: what every handler and job is given.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseTransaction;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::db::Sql;
use crate::events::{CHANNEL, Event, Signals};
use crate::jobs::{self, Job, When};
use crate::slice::Handler;
use crate::{Config, Db, Metrics, Objects, Result, Settings, Slice, Time};

/// Everything shared, behind one pointer.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    config: Config,
    db: Db,
    objects: Objects,
    settings: Settings,
    signals: Signals,
    metrics: Metrics,
    stopping: CancellationToken,
    tasks: TaskTracker,
    process: String,
    started: Time,
    extensions: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    subscriptions: HashMap<&'static str, Vec<&'static str>>,
    pub(crate) jobs: HashMap<&'static str, Handler>,
    pub(crate) periodic: Vec<(&'static str, Duration)>,
}

/// Gathers what slices bring before the application exists.
#[derive(Default)]
pub struct AppBuilder {
    extensions: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    subscriptions: HashMap<&'static str, Vec<&'static str>>,
    jobs: HashMap<&'static str, Handler>,
    periodic: Vec<(&'static str, Duration)>,
}

impl AppBuilder {
    /// Makes `value` available to everyone by its type: a slice's caches, or what higher slices registered.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) -> &mut Self {
        self.extensions.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// Takes the jobs and subscriptions of a slice.
    pub fn slice(&mut self, slice: &Slice) -> &mut Self {
        for (event, job) in &slice.subscriptions {
            self.subscriptions.entry(event).or_default().push(job);
        }
        for (kind, handler) in &slice.jobs {
            let twice = self.jobs.insert(kind, handler.clone());
            debug_assert!(twice.is_none(), "two jobs are called {kind}");
        }
        self.periodic.extend(slice.periodic.iter().copied());
        self
    }

    /// Makes the application.
    pub fn build(self, config: Config, db: Db, objects: Objects, settings: Settings) -> App {
        App(Arc::new(Inner {
            config,
            db,
            objects,
            settings,
            signals: Signals::default(),
            metrics: Metrics::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            process: crate::auth::random_token("p-", 16),
            started: Time::now(),
            extensions: self.extensions,
            subscriptions: self.subscriptions,
            jobs: self.jobs,
            periodic: self.periodic,
        }))
    }
}

impl App {
    /// The configuration of this process.
    pub fn config(&self) -> &Config {
        &self.0.config
    }
    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }
    /// The store of blobs.
    pub fn objects(&self) -> &Objects {
        &self.0.objects
    }
    /// The instance settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
    /// Wake-ups within this process and between processes.
    pub fn signals(&self) -> &Signals {
        &self.0.signals
    }
    /// The metrics of this process.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
    /// Is cancelled when the process has been asked to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }
    /// Tasks that the process waits for, for a while, before it ends.
    pub fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
    /// The random name of this process, as holder of leases.
    pub fn process(&self) -> &str {
        &self.0.process
    }
    /// When this process started.
    pub fn started(&self) -> Time {
        self.0.started
    }
    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// What was registered under the type `T`; `None` if nothing was.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.extensions.get(&TypeId::of::<T>()).cloned().and_then(|any| any.downcast().ok())
    }

    /// Begins a transaction whose events and jobs take effect when it is committed.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx { inner: self.db().begin().await?, app: self.clone(), topics: std::sync::Mutex::default() })
    }

    /// Adds a job outside any transaction.
    pub async fn enqueue<J: Job>(&self, job: &J, when: When) -> Result<()> {
        let tx = self.begin().await?;
        tx.enqueue(job, when).await?;
        tx.commit().await
    }

    /// Starts the workers of jobs and what listens to other processes.
    pub fn start(&self) {
        self.tasks().spawn(jobs::work(self.clone()));
        self.tasks().spawn(jobs::schedule(self.clone()));
        if self.db().is_postgres() {
            tokio::spawn(listen(self.clone()));
        }
    }

    /// Asks everything to stop and waits for it, for at most `patience`.
    pub async fn stop(&self, patience: Duration) {
        self.stopping().cancel();
        self.tasks().close();
        let _in_time = tokio::time::timeout(patience, self.tasks().wait()).await;
    }
}

/// A transaction with its events, jobs and wake-ups. Dropped without `commit`, it leaves nothing.
pub struct Tx {
    inner: DatabaseTransaction,
    app: App,
    topics: std::sync::Mutex<Vec<String>>,
}

impl Deref for Tx {
    type Target = DatabaseTransaction;
    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

impl Tx {
    /// The application that it belongs to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Writes an event and the jobs of all who listen to it.
    pub async fn publish<E: Event>(&self, event: &E) -> Result<()> {
        let payload = serde_json::to_string(event)?;
        let sql = "INSERT INTO events (name, payload, created_at) VALUES ($1, $2, $3)";
        self.inner.run(sql, [E::NAME.into(), payload.as_str().into(), Time::now().into()]).await?;
        for job in self.app.0.subscriptions.get(E::NAME).into_iter().flatten() {
            jobs::insert(&self.inner, job, &payload, When::default()).await?;
            self.wake(jobs::TOPIC).await?;
        }
        Ok(())
    }

    /// Adds a job.
    pub async fn enqueue<J: Job>(&self, job: &J, when: When) -> Result<()> {
        jobs::insert(&self.inner, J::KIND, &serde_json::to_string(job)?, when).await?;
        self.wake(jobs::TOPIC).await
    }

    /// Wakes the waiters of `topic`, in every process, once this is committed.
    pub async fn wake(&self, topic: &str) -> Result<()> {
        let fresh = {
            let mut topics = self.topics.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let fresh = !topics.iter().any(|t| t == topic);
            if fresh {
                topics.push(topic.to_owned());
            }
            fresh
        };
        if fresh && self.app.db().is_postgres() {
            self.inner.run("SELECT pg_notify($1, $2)", [CHANNEL.into(), topic.into()]).await?;
        }
        Ok(())
    }

    /// Makes it all true.
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await?;
        for topic in self.topics.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            self.app.signals().wake(&topic);
        }
        Ok(())
    }
}

/// Hands the wake-ups of other processes on to this one; connects again when the connection breaks.
async fn listen(app: App) {
    use sea_orm::sqlx::postgres::PgListener;
    let Some(pool) = app.db().postgres_pool() else { return };
    while !app.stopping().is_cancelled() {
        let listener = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(CHANNEL).await?;
            loop {
                app.signals().wake(listener.recv().await?.payload());
            }
        };
        let ended: std::result::Result<(), sea_orm::sqlx::Error> = tokio::select! {
            () = app.stopping().cancelled() => return,
            ended = listener => ended,
        };
        if let Err(e) = ended {
            tracing::warn!(error = %e, "the connection for wake-ups broke");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
