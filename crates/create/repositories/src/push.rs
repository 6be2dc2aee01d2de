//! Moving refs so that the database and the repository agree whatever happens in between.

use std::time::Duration;

use git::pack::receive::Command;
use git::{Oid, RefChange, Repo};
use kernel::{App, Error, Result, auth};
use projects::{Project, ProjectAccess};
use tokio::task::AbortHandle;

use crate::error::OrStatus;
use crate::events::{Origin, RefUpdate, Source};
use crate::rules::check_push;
use crate::{finish, intents, repair, repository};

/// The environment variable by which a process that outlived a killed server is recognised.
pub(crate) const PUSH_VARIABLE: &str = "TIDEMILL_PUSH";

/// A push whose intents are written. It ends by [`Push::finish`]; dropped without, it is settled by what the refs say.
pub struct Push {
    app: App,
    project_id: i64,
    actor_id: i64,
    origin: Origin,
    key: String,
    settled: bool,
    heart: AbortHandle,
}

impl Push {
    /// Writes down what is about to happen; first settles what a killed process left in this project.
    pub async fn begin(
        app: &App,
        project: &Project,
        actor_id: i64,
        origin: Origin,
        updates: &[RefUpdate],
    ) -> Result<Self> {
        repair::project(app, project.id).await?;
        let key = auth::random_token("", 20);
        intents::write(app, &key, project.id, actor_id, &origin, updates).await?;
        let heart = tokio::spawn(beat(app.clone(), key.clone())).abort_handle();
        Ok(Self { app: app.clone(), project_id: project.id, actor_id, origin, key, settled: false, heart })
    }

    /// The environment for git processes that carry out this push.
    pub fn environment(&self) -> (String, String) {
        (PUSH_VARIABLE.into(), self.key.clone())
    }

    /// Writes what follows from the refs that moved: the project's row, activities and an event for each.
    pub async fn finish(mut self, moved: Vec<RefUpdate>) -> Result<()> {
        let done = finish::settle(&self.app, self.project_id, self.actor_id, &self.origin, &self.key, &moved).await;
        // After an error, the refs tell the same story once more.
        self.settled = done.is_ok();
        done
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        self.heart.abort();
        if self.settled {
            return;
        }
        let (app, key) = (self.app.clone(), self.key.clone());
        self.app.tasks().spawn(async move {
            if let Err(e) = repair::settle(&app, &key).await {
                tracing::error!(error = %e, "a push could not be settled; it is tried again after the next start");
            }
        });
    }
}

async fn beat(app: App, key: String) {
    loop {
        tokio::time::sleep(Duration::from_secs(20)).await;
        if let Err(e) = intents::renew(&app, &key).await {
            tracing::warn!(error = %e, "a push could not say that it is alive");
        }
    }
}

/// Moves refs for an actor who acts in the browser or by the API: checked, at once or not at all, with events.
///
/// The objects must be there already, as [`Repo::prepare_commit`] leaves them.
pub async fn update_refs_as(app: &App, access: &ProjectAccess, changes: Vec<RefChange>, source: Source) -> Result<()> {
    let repo = repository::open(app, &access.project).await?;
    let mut commands = vec![];
    for change in &changes {
        let old = match change.old {
            Some(old) => old,
            None => current(&repo, change).await?,
        };
        commands.push(Command { name: change.name.as_bytes().into(), old, new: change.new });
    }
    let verdict = check_push(app, access, &commands, source).await?;
    verdict.allow()?;
    verdict.check_forward(&repo).await?;
    let actor_id = access.actor.user()?.id;
    let origin = Origin::of(&access.actor, source, vec![]);
    let push = Push::begin(app, &access.project, actor_id, origin, &verdict.updates).await?;
    let moves: Vec<RefChange> = verdict.updates.iter().map(exact).collect();
    let outcome = repo.update_refs(&moves).await.or_status();
    let moved = if outcome.is_ok() { verdict.updates } else { vec![] };
    push.finish(moved).await?;
    outcome.map_err(|e| match e {
        Error::Conflict(_) => {
            Error::Conflict("the branch or tag was changed by someone else meanwhile; look at it again".into())
        }
        other => other,
    })
}

fn exact(update: &RefUpdate) -> RefChange {
    RefChange { name: update.name.clone(), old: Some(update.old), new: update.new }
}

async fn current(repo: &Repo, change: &RefChange) -> Result<Oid> {
    match repo.find_ref(&change.name).await {
        Ok(found) => Ok(found.target),
        Err(e) if e.is_not_found() => Ok(Oid::zero()),
        Err(e) => Err(crate::status_of(e)),
    }
}
