//! What an area of the product brings: routes, jobs and what it listens to. `server` lists the slices.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::api::Api;
use crate::events::Event;
use crate::jobs::Job;
use crate::{App, Result};

pub(crate) type Handler = Arc<dyn Fn(App, Value) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The pages of a slice: a path pattern and its handlers. See `server` for how project paths reach them.
#[derive(Default)]
pub struct Web {
    /// Pattern and handlers, in the order they were added.
    pub routes: Vec<(&'static str, MethodRouter<App>)>,
}

impl Web {
    /// Adds the handlers of a path.
    #[must_use]
    pub fn at(mut self, path: &'static str, handlers: MethodRouter<App>) -> Self {
        self.routes.push((path, handlers));
        self
    }
}

/// One area of the product, as `server` composes it.
pub struct Slice {
    /// The noun.
    pub name: &'static str,
    /// Its endpoints under `/api/v4`.
    pub api: Vec<Api>,
    /// Its pages.
    pub web: Web,
    pub(crate) jobs: Vec<(&'static str, Handler)>,
    pub(crate) subscriptions: Vec<(&'static str, &'static str)>,
    pub(crate) periodic: Vec<(&'static str, Duration)>,
    /// What it starts beside HTTP, once the application is there.
    pub starts: Vec<Start>,
}

/// Starts something that runs as long as the application; it must end when [`App::stopping`] is cancelled.
pub type Start = fn(App) -> BoxFuture<'static, Result<()>>;

impl Slice {
    /// An empty slice.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            api: vec![],
            web: Web::default(),
            jobs: vec![],
            subscriptions: vec![],
            periodic: vec![],
            starts: vec![],
        }
    }

    /// Adds endpoints.
    #[must_use]
    pub fn api(mut self, api: Api) -> Self {
        self.api.push(api);
        self
    }

    /// Adds pages.
    #[must_use]
    pub fn web(mut self, web: Web) -> Self {
        self.web.routes.extend(web.routes);
        self
    }

    /// Makes a kind of job known.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs.push((J::KIND, handler(|app, job: J| job.run(app))));
        self
    }

    /// Makes a kind of job known and carries it out every so often, on one process at a time.
    #[must_use]
    pub fn every<J: Job + Default>(mut self, interval: Duration) -> Self {
        self.periodic.push((J::KIND, interval));
        self.job::<J>()
    }

    /// Starts something beside HTTP.
    #[must_use]
    pub fn starts(mut self, start: Start) -> Self {
        self.starts.push(start);
        self
    }

    /// Carries out `react` once for every event, in a job called `name` that must be idempotent.
    #[must_use]
    pub fn on<E: Event, F>(mut self, name: &'static str, react: fn(App, E) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.subscriptions.push((E::NAME, name));
        self.jobs.push((name, handler(react)));
        self
    }
}

fn handler<T, F>(run: impl Fn(App, T) -> F + Send + Sync + 'static) -> Handler
where
    T: serde::de::DeserializeOwned,
    F: Future<Output = Result<()>> + Send + 'static,
{
    Arc::new(move |app, payload| match serde_json::from_value::<T>(payload) {
        Ok(job) => Box::pin(run(app, job)),
        Err(e) => Box::pin(async move { Err(e.into()) }),
    })
}
