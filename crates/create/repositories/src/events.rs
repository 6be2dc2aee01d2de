//! What others hear of: refs that moved, repositories that were imported.

use accounts::{Actor, Via};
use git::{Oid, RefName};
use kernel::Result;
use kernel::events::Event;
use serde::{Deserialize, Serialize};

use crate::error::OrStatus;

/// How a ref update came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// By `git push`.
    Push,
    /// From a page.
    Web,
    /// By the REST API.
    Api,
    /// With an import or a fork; nobody wants a pipeline for each of those.
    Import,
}

/// How a ref update came in, with what came along.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The way.
    pub source: Source,
    /// The push options.
    #[serde(default)]
    pub options: Vec<String>,
    /// The SSH key that was used.
    pub key_id: Option<i64>,
    /// The CI job whose token was used.
    pub job_id: Option<i64>,
}

impl Origin {
    /// The origin of what `actor` does now.
    pub fn of(actor: &Actor, source: Source, options: Vec<String>) -> Self {
        let (key_id, job_id) = match actor.via() {
            Via::Key(id) => (Some(*id), None),
            Via::Job { job_id, .. } => (None, Some(*job_id)),
            _ => (None, None),
        };
        Self { source, options, key_id, job_id }
    }
}

/// A ref's move from one object to another; [`Oid::zero`] stands for "no ref".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// The ref.
    pub name: RefName,
    /// Where it was.
    pub old: Oid,
    /// Where it is.
    pub new: Oid,
}

impl RefUpdate {
    /// Whether the ref did not exist before.
    pub fn creates(&self) -> bool {
        self.old.is_zero()
    }

    /// Whether the ref is gone.
    pub fn deletes(&self) -> bool {
        self.new.is_zero()
    }
}

/// A ref was created, moved or deleted; there is one event for each update of each ref.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefUpdated {
    /// The project.
    pub project_id: i64,
    /// The user who did it.
    pub actor_id: i64,
    /// The full name of the ref; replacement characters stand for what is not UTF-8.
    pub ref_name: String,
    /// The full name in hexadecimal, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_hex: Option<String>,
    /// The object before, forty zeros for none.
    pub old: String,
    /// The object now, forty zeros for none.
    pub new: String,
    /// How it came in.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Event for RefUpdated {
    const NAME: &'static str = "ref.updated";
}

impl RefUpdated {
    pub(crate) fn new(project_id: i64, actor_id: i64, update: &RefUpdate, origin: &Origin) -> Self {
        let bytes = update.name.as_bytes();
        Self {
            project_id,
            actor_id,
            ref_name: update.name.lossy().into_owned(),
            ref_hex: std::str::from_utf8(bytes).is_err().then(|| hex::encode(bytes)),
            old: update.old.to_string(),
            new: update.new.to_string(),
            origin: origin.clone(),
        }
    }

    /// The full name of the ref.
    pub fn name(&self) -> Result<RefName> {
        let bytes = match &self.ref_hex {
            Some(digits) => hex::decode(digits).map_err(kernel::Error::internal)?,
            None => self.ref_name.clone().into_bytes(),
        };
        RefName::new(bytes).or_status()
    }

    /// The short name, if the ref is a branch.
    pub fn branch(&self) -> Option<&str> {
        self.ref_name.strip_prefix("refs/heads/")
    }

    /// The short name, if the ref is a tag.
    pub fn tag(&self) -> Option<&str> {
        self.ref_name.strip_prefix("refs/tags/")
    }

    /// Whether the ref did not exist before.
    pub fn creates(&self) -> bool {
        self.old.bytes().all(|b| b == b'0')
    }

    /// Whether the ref is gone.
    pub fn deletes(&self) -> bool {
        self.new.bytes().all(|b| b == b'0')
    }
}

/// The repository of a project was filled by an import or a fork.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RepositoryImported {
    /// The project.
    pub project_id: i64,
}

impl Event for RepositoryImported {
    const NAME: &'static str = "repository.imported";
}
