//! The log of a job: as part of the page, as text, and live.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use kernel::events::Signals;
use kernel::http::Query;
use kernel::{App, Result};
use moka::sync::Cache;
use projects::ProjectAccess;
use serde::Deserialize;
use ui::ansi::{Event, Parser};
use ui::log::{Live, Log, Update};
use ui::{Markup, PreEscaped};

use super::facts::is_error;
use super::sse::{self, Gone, Reader};
use super::{at, job_of};
use crate::build::Build;
use crate::status::Status;
use crate::{permit, trace};

/// Lines that a page shows; what is before them is a link away.
const SHOWN: usize = 4000;
const MARKED: usize = 200;
/// The parser is given this much at once, so that other work gets its turn.
const PART: usize = 256 << 10;
const CACHE: u64 = 16 << 20;
/// Changes are sent no closer than this.
const PACE: Duration = Duration::from_millis(100);
/// A lost wake-up costs no more than this.
const PATIENCE: Duration = Duration::from_secs(5);

type Key = (String, i64, i64, bool);

/// Logs of jobs that have ended, as markup.
static RENDERED: LazyLock<Cache<Key, Arc<str>>> = LazyLock::new(|| {
    let weigh = |_: &Key, html: &Arc<str>| u32::try_from(html.len()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(CACHE).weigher(weigh).time_to_idle(Duration::from_secs(1800)).build()
});

/// The panel with the log; `all` shows every line.
pub(super) async fn panel(app: &App, access: &ProjectAccess, build: &Build, all: bool) -> Result<Markup> {
    let here = at(access, format_args!("/-/jobs/{}", build.id));
    let key = (format!("{}{here}{}", app.process(), build.name), build.id, build.trace_size, all);
    let ended = build.status.is_complete();
    if let Some(html) = ended.then(|| RENDERED.get(&key)).flatten() {
        return Ok(PreEscaped(html.to_string()));
    }
    let bytes = trace::read_all(app, build).await?;
    let name = build.name.clone();
    let drawn = tokio::task::spawn_blocking(move || draw(&bytes, &here, &name, ended, all)).await?;
    if ended {
        RENDERED.insert(key, drawn.0.as_str().into());
    }
    Ok(drawn)
}

fn draw(bytes: &[u8], here: &str, name: &str, ended: bool, all: bool) -> Markup {
    let cut = if all { 0 } else { last_lines(bytes, SHOWN) };
    let mut parser = Parser::new();
    for part in bytes[..cut].chunks(PART) {
        parser.push(part);
    }
    let mut events = parser.push(&bytes[cut..]);
    if ended {
        events.extend(parser.finish());
    }
    Log {
        name: name.to_owned(),
        raw_href: Some(format!("{here}/raw")),
        live_href: (!ended).then(|| format!("{here}/stream?from={}", bytes.len())),
        left_out: (cut > 0).then_some(cut as u64),
        whole_href: Some(format!("{here}?log=all")),
        errors: errors(&events),
        foot: None,
    }
    .render(&events)
}

/// Where the last lines begin.
fn last_lines(bytes: &[u8], lines: usize) -> usize {
    let mut ends = bytes.iter().enumerate().rev().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    ends.nth(lines).unwrap_or(0)
}

fn errors(events: &[Event]) -> Vec<u64> {
    let lines = events.iter().filter_map(|e| match e {
        Event::Line(line) if is_error(&line.text) => Some(line.number),
        _ => None,
    });
    lines.take(MARKED).collect()
}

/// The last lines without section titles, for a summary.
pub(super) async fn tail(app: &App, build: &Build, lines: usize) -> Result<Markup> {
    let size = u64::try_from(build.trace_size).unwrap_or(0);
    let bytes = trace::read(app, build, size.saturating_sub(8 << 10)).await?;
    let events = ui::ansi::parse(&bytes[last_lines(&bytes, lines)..]);
    let mut kept = vec![];
    for event in events {
        match event {
            Event::Line(line) if !line.text.trim().is_empty() => kept.push(line),
            // What the runner did before the script explains nothing.
            Event::SectionStart { name, .. } if name == "step_script" => kept.clear(),
            _ => {}
        }
    }
    Ok(ui::html! { @for line in kept { (PreEscaped(line.html)) "\n" } })
}

/// The log as text.
pub(super) async fn raw(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::read_trace(&access, &build)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"job-{}.log\"", build.id)),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((headers, trace::read_all(&app, &build).await?).into_response())
}

#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: u64,
}

/// What is added to the log behind `from`, until the job ends.
pub(super) async fn stream(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
    Query(From { from }): Query<From>,
    headers: HeaderMap,
) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::read_trace(&access, &build)?;
    // A browser that connects again says what it had.
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let from = last.unwrap_or(from);
    let app_too = app.clone();
    Ok(sse::serve(&app, |reader| async move { Follow::new(app_too, build, from).run(&reader).await }))
}

struct Follow {
    app: App,
    build: Build,
    /// What the reader has.
    had: u64,
    /// What the parser has been given.
    read: u64,
    parser: Parser,
    live: Live,
    begun: Status,
}

impl Follow {
    fn new(app: App, build: Build, had: u64) -> Self {
        let begun = build.status;
        Self { app, build, had, read: 0, parser: Parser::new(), live: Live::default(), begun }
    }

    async fn run(mut self, reader: &Reader) -> Result<(), Gone> {
        let mut signals = self.app.signals().subscribe();
        let topic = Build::topic(self.build.id);
        loop {
            // The state is read before the log: once it has ended nothing more is written.
            match Build::by_id(self.app.db().conn(), self.build.id).await {
                Ok(Some(build)) => self.build = build,
                _ => return reader.end().await,
            }
            let size = u64::try_from(self.build.trace_size).unwrap_or(0);
            // The log begins anew when a job goes back to the queue.
            if size < self.had.max(self.read) || self.send_new(reader).await.map_err(|()| Gone)? || self.moved_on() {
                return reader.end().await;
            }
            tokio::time::sleep(PACE).await;
            let _either_way_it_looks = tokio::time::timeout(PATIENCE, Signals::wait(&mut signals, &[&topic])).await;
        }
    }

    /// Whether the page has more to change than the log.
    fn moved_on(&self) -> bool {
        self.build.status != self.begun
    }

    /// Sends what is new; whether that was the last.
    async fn send_new(&mut self, reader: &Reader) -> Result<bool, ()> {
        loop {
            let bytes = trace::read(&self.app, &self.build, self.read).await.map_err(|_| ())?;
            if bytes.is_empty() {
                break;
            }
            self.give(reader, bytes).await?;
        }
        let ended = self.build.status.is_complete();
        if ended {
            let rest = self.parser.finish();
            self.emit(reader, &rest).await?;
        }
        Ok(ended)
    }

    async fn give(&mut self, reader: &Reader, bytes: Bytes) -> Result<(), ()> {
        // What the reader has only sets the parser's state.
        let known = usize::try_from(self.had.saturating_sub(self.read)).unwrap_or(usize::MAX).min(bytes.len());
        for (part, new) in [(&bytes[..known], false), (&bytes[known..], true)] {
            for part in part.chunks(PART) {
                let events = self.parser.push(part);
                self.read += part.len() as u64;
                match new {
                    true => self.emit(reader, &events).await?,
                    false => drop(self.live.push(&events, |_| false)),
                }
                tokio::task::yield_now().await;
            }
        }
        self.had = self.had.max(self.read);
        Ok(())
    }

    async fn emit(&mut self, reader: &Reader, events: &[Event]) -> Result<(), ()> {
        for update in self.live.push(events, |line| is_error(&line.text)) {
            let sent = match &update {
                Update::Append(markup) => reader.send("append", markup, None).await,
                Update::Replace(markup) => reader.send("replace", markup, None).await,
            };
            sent.map_err(|_| ())?;
        }
        // An event without data carries the place only: all before it has been sent.
        reader.send("place", &Markup::default(), Some(self.read)).await.map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_begins_at_a_line() {
        assert_eq!(last_lines(b"a\nb\nc\n", 2), 2);
        assert_eq!(last_lines(b"a\nb\nc", 2), 0);
        assert_eq!(last_lines(b"", 2), 0);
        assert_eq!(last_lines(b"a\nb\nc\nd", 1), 4);
    }
}
