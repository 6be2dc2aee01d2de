//! Taking in pushes: checked before the pack is read, carried out to the end even if the client goes away.

use std::io::Cursor;

use bytes::Bytes;
use futures_util::StreamExt;
use git::pack::pktline::Writer;
use git::pack::receive::ReceiveHead;
use git::pack::report::{Report, ReportReader};
use git::pack::{PackProcess, Protocol, Service};
use git::{Oid, Repo};
use kernel::{App, Error, Result};
use repositories::{OrStatus, Origin, Push, RefUpdate, Source, Verdict, check_push};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::gate::Admitted;
use crate::{fetch, forward, limits, messages};

/// What the client gets to read.
pub(crate) type Output = UnboundedReceiverStream<std::io::Result<Bytes>>;

type Sender = mpsc::UnboundedSender<std::io::Result<Bytes>>;

/// How long the rest of a refused push is listened to, so that the client reads why.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(120);

/// Carries out a push whose refs were read: answers with the reason where it is refused.
pub(crate) async fn receive(
    app: &App,
    admitted: Admitted,
    head: ReceiveHead,
    input: impl AsyncRead + Send + Unpin + 'static,
) -> Result<Output> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let output = UnboundedReceiverStream::new(receiver);
    if head.commands.is_empty() {
        return Ok(output);
    }
    match check_push(app, &admitted.access, &head.commands, Source::Push).await {
        Ok(verdict) if verdict.refused.is_empty() => begin(app, admitted, head, verdict, input, sender).await?,
        Ok(verdict) => refuse(&head, &reasons(&verdict), input, &sender).await,
        Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
        Err(e) => refuse(&head, &[messages::reason(&e)], input, &sender).await,
    }
    Ok(output)
}

fn reasons(verdict: &Verdict) -> Vec<String> {
    let mut reasons: Vec<String> = verdict.refused.iter().map(|r| r.reason.clone()).collect();
    reasons.dedup();
    reasons
}

/// Says why nothing is pushed. The pack is read and dropped: a client that is still sending would not hear the answer.
async fn refuse(head: &ReceiveHead, reasons: &[String], mut input: impl AsyncRead + Unpin, sender: &Sender) {
    let short = if let [only] = reasons { only.as_str() } else { "refused, see above" };
    let text = messages::boxed(&[reasons.iter().map(|r| capitalised(r)).collect()]);
    drop(sender.send(Ok(head.refusal(&text, short))));
    // Where refs are only deleted no pack follows, and over SSH the client would wait with us.
    if head.commands.iter().any(|c| !c.new.is_zero()) {
        let _whether_all_came = tokio::time::timeout(DRAIN, tokio::io::copy(&mut input, &mut tokio::io::sink())).await;
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).into_iter();
    // A branch's name stays as it is.
    if text.contains(" is a protected") || text.contains(" is the default") {
        text.into()
    } else {
        first.chain(chars).collect()
    }
}

async fn begin(
    app: &App,
    admitted: Admitted,
    head: ReceiveHead,
    verdict: Verdict,
    input: impl AsyncRead + Send + Unpin + 'static,
    sender: Sender,
) -> Result<()> {
    let turn = limits::turn().await?;
    let project = &admitted.access.project;
    let repo = repositories::open(app, project).await?;
    let updates = existing(&repo, &verdict.updates).await?;
    let actor_id = admitted.access.actor.user()?.id;
    let origin = Origin::of(&admitted.access.actor, Source::Push, head.options.clone());
    let push = Push::begin(app, project, actor_id, origin, &updates).await?;
    let mut options = fetch::options(Service::ReceivePack, Protocol::V0, true);
    options.env.push(push.environment());
    options.max_input = max_input(app);
    forward::apply(app, &verdict, &mut options).await?;
    let input = Cursor::new(head.consumed.clone()).chain(input);
    let process = repo.serve_pack(&options, input).or_status()?;
    let conversation =
        Conversation { app: app.clone(), admitted, repo, updates, side_band: head.has("side-band-64k"), sender };
    app.tasks().spawn(conversation.carry_on(push, process, turn));
    Ok(())
}

/// The updates without deletions of what is not there, which git takes for done and which change nothing.
async fn existing(repo: &Repo, updates: &[RefUpdate]) -> Result<Vec<RefUpdate>> {
    let mut kept = vec![];
    for update in updates {
        let gone = update.deletes() && repo.find_ref(&update.name).await.is_err_and(|e| e.is_not_found());
        if !gone {
            kept.push(update.clone());
        }
    }
    Ok(kept)
}

fn max_input(app: &App) -> Option<u64> {
    let megabytes: u64 = app.settings().get("receive_max_input_size", 0);
    (megabytes > 0).then_some(megabytes << 20)
}

struct Conversation {
    app: App,
    admitted: Admitted,
    repo: Repo,
    updates: Vec<RefUpdate>,
    side_band: bool,
    sender: Sender,
}

impl Conversation {
    /// Passes git's answer on, writes what follows from it, and says so. A client that is gone changes nothing here.
    async fn carry_on(self, push: Push, mut process: PackProcess, turn: OwnedSemaphorePermit) {
        let mut reader = ReportReader::new(self.side_band);
        let mut broken = None;
        while let Some(chunk) = process.output.next().await {
            match chunk.and_then(|c| reader.feed(&c).map_err(std::io::Error::other)) {
                Ok(passed) if passed.is_empty() => {}
                Ok(passed) => drop(self.sender.send(Ok(passed))),
                Err(e) => broken = Some(e),
            }
        }
        drop(turn);
        let report = reader.finish().unwrap_or_default();
        if let Ok(exit) = process.exit.await
            && (exit.code != Some(0) || report.unpack_error.is_some())
        {
            tracing::info!(code = ?exit.code, stderr = exit.stderr, unpack = ?report.unpack_error, "a push failed");
        }
        let lines = match broken {
            None => self.settle(push, &report).await,
            Some(e) => {
                tracing::warn!(error = %e, "the answer to a push broke off");
                vec!["The push broke off; look at the branch before you push again.".into()]
            }
        };
        self.end(&lines);
    }

    async fn settle(&self, push: Push, report: &Report) -> Vec<String> {
        if !report.complete {
            // Without a report the refs tell what happened, once the push is dropped.
            return vec![];
        }
        let moved: Vec<RefUpdate> = self.updates.iter().filter(|u| self.has_moved(u, report)).cloned().collect();
        let mut lines = messages::of_report(report);
        match push.finish(moved.clone()).await {
            Ok(()) => lines.extend(messages::after_push(&self.app, &self.admitted, &self.repo, &moved).await),
            Err(e) => {
                tracing::error!(error = ?e, "what follows from a push was not written; it is tried again");
                lines.push("The push arrived; its pipeline and activity will follow.".into());
            }
        }
        lines
    }

    fn has_moved(&self, update: &RefUpdate, report: &Report) -> bool {
        let unchanged: bool = update.old == update.new || update.new == Oid::zero() && update.old == Oid::zero();
        !unchanged && report.moved.iter().any(|name| name.as_bytes() == update.name.as_bytes())
    }

    fn end(&self, lines: &[String]) {
        if !self.side_band {
            return;
        }
        let mut writer = Writer::new();
        if !lines.is_empty() {
            writer.band(2, messages::boxed(&[lines.to_vec()]).as_bytes());
        }
        drop(self.sender.send(Ok(writer.flush().finish())));
    }
}
