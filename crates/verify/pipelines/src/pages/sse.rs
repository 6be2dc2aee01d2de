//! Server-sent events, as the interface's script understands them.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use kernel::{App, Result};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use ui::Markup;

/// A browser connects again after this, which checks anew what it may see.
const LIFE: Duration = Duration::from_secs(600);

/// The reader is gone; nothing more needs to be sent.
pub(super) struct Gone;

/// Where the events of one reader go.
#[derive(Clone)]
pub(super) struct Reader(mpsc::Sender<Result<Event, Infallible>>);

impl Reader {
    /// Sends markup under the name of an event, with the place to go on from when the connection breaks.
    pub(super) async fn send(&self, name: &str, markup: &Markup, place: Option<u64>) -> Result<(), Gone> {
        // Carriage returns can't be sent and mean nothing in markup.
        let data = markup.0.replace('\r', "");
        let event = Event::default().event(name).data(data);
        let event = match place {
            Some(place) => event.id(place.to_string()),
            None => event,
        };
        self.0.send(Ok(event)).await.map_err(|_| Gone)
    }

    /// Tells the page that nothing more comes.
    pub(super) async fn end(&self) -> Result<(), Gone> {
        self.0.send(Ok(Event::default().event("end").data("-"))).await.map_err(|_| Gone)
    }
}

/// Answers with what `run` sends, until it ends, the reader goes or the server stops.
pub(super) fn serve<F>(app: &App, run: impl FnOnce(Reader) -> F) -> Response
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(32);
    let (stopping, reader) = (app.stopping().clone(), Reader(sender.clone()));
    let run = run(reader);
    tokio::spawn(async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = sender.closed() => {}
            _ = tokio::time::timeout(LIFE, run) => {}
        }
    });
    let events = Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    let mut response = events.into_response();
    let headers = response.headers_mut();
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}
