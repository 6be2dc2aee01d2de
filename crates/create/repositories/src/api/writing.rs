//! Commits that the API makes, all by one way: prepared, checked, and moved to if nobody was faster.

use std::time::Duration;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use git::write::{Action, CommitRequest};
use git::{GitError, Oid, RefName, RepoPath, Signature};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::Deserialize;

use super::code::{Code, filled};
use crate::events::Source;
use crate::{signature, status_of, update_refs_as};

/// How often a commit is tried again when somebody else was faster.
const ATTEMPTS: u32 = 12;

/// How contents are written in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    #[default]
    Text,
    Base64,
}

impl Encoding {
    /// The contents.
    pub(crate) fn decode(self, name: &str, content: String) -> Result<Vec<u8>> {
        if self == Self::Text {
            return Ok(content.into_bytes());
        }
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
        let compact: Vec<u8> = content.into_bytes().into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
        engine.decode(compact).map_err(|_| Error::BadParameter(format!("{name} is not valid base64")))
    }
}

/// A commit to make.
pub(crate) struct Change {
    /// The branch.
    pub(crate) branch: String,
    /// Where a new branch starts: a branch, tag or commit.
    pub(crate) start: Option<String>,
    /// Whether an existing branch is first moved to the start.
    pub(crate) force: bool,
    /// The message.
    pub(crate) message: String,
    /// Name and address of the author, where they aren't the actor's.
    pub(crate) author: (Option<String>, Option<String>),
    /// What changes.
    pub(crate) actions: Vec<Action>,
    /// Paths that must still have been changed last by the given commit.
    pub(crate) unchanged_since: Vec<(RepoPath, Oid)>,
}

/// The id of a commit that a file was last changed by, as a client knows it.
pub(crate) fn known_commit(text: &str) -> Result<Oid> {
    Oid::from_hex(text.as_bytes()).map_err(|_| Error::BadParameter("last_commit_id is invalid".into()))
}

/// Makes a commit and moves the branch to it.
pub(crate) async fn commit(app: &App, code: &Code, change: Change) -> Result<Oid> {
    filled("commit_message", &change.message)?;
    let name = branch_name("branch", &change.branch)?;
    let (start, reset) = start_of(code, &change, &name).await?;
    let committer = signature(&code.access.actor)?;
    let request = CommitRequest {
        branch: name,
        expected_tip: None,
        start,
        reset,
        author: author(&change.author, &committer),
        committer,
        actions: change.actions,
        unchanged_since: change.unchanged_since,
        message: change.message.into_bytes(),
    };
    let mut attempt = 0;
    loop {
        let ready = code.repo.prepare_commit(request.clone()).await.map_err(refused)?;
        let new = ready.new;
        match update_refs_as(app, &code.access, vec![ready], Source::Api).await {
            // What the request asks for is looked at anew on the branch as it is then, so trying again loses nothing.
            Err(Error::Conflict(_)) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome.map(|()| new),
        }
        tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
    }
}

/// A branch's full name, or a 400.
pub(crate) fn branch_name(parameter: &str, short: &str) -> Result<RefName> {
    RefName::branch(short).map_err(|_| Error::BadParameter(format!("{parameter} is invalid")))
}

/// The commit that the branch starts from, where it is new or forced.
async fn start_of(code: &Code, change: &Change, name: &RefName) -> Result<(Option<Oid>, bool)> {
    let exists = code.find_ref(name).await?.is_some();
    let Some(start) = change.start.as_deref().filter(|s| !s.is_empty()) else {
        if exists || code.repo.is_empty().await.map_err(status_of)? {
            return Ok((None, false));
        }
        return Err(Error::bad_request(
            "You can only create or edit files when you are on a branch; give start_branch for a new one",
        ));
    };
    if exists && !change.force {
        if start == change.branch {
            return Ok((None, false));
        }
        return Err(Error::bad_request(format!(
            "A branch called '{}' already exists; leave start_branch out to change it, or give force",
            change.branch
        )));
    }
    let found = code.try_commit_of(start).await?;
    let found = found.ok_or_else(|| Error::bad_request(format!("Could not find the branch or commit '{start}'")))?;
    Ok((Some(found), change.force))
}

fn author((name, email): &(Option<String>, Option<String>), committer: &Signature) -> Signature {
    let given = |text: &Option<String>, own: &git::ByteString| match text.as_deref().map(str::trim) {
        None | Some("") => own.lossy().into_owned(),
        Some(text) => text.to_owned(),
    };
    Signature::new(&given(name, &committer.name), &given(email, &committer.email), Time::now().seconds(), 0)
}

/// What stands against a commit, in the words of GitLab's API where it has some.
fn refused(error: GitError) -> Error {
    match error {
        GitError::NotFound(what) if what.starts_with("file ") => {
            Error::bad_request("A file with this name doesn't exist")
        }
        GitError::Conflict(why) if why.starts_with("a file named ") => {
            Error::bad_request("A file with this name already exists")
        }
        GitError::Conflict(why) if why.starts_with("a directory named ") => {
            Error::bad_request("A directory with this name already exists")
        }
        GitError::NotFound(why) | GitError::Conflict(why) | GitError::InvalidName(why) => Error::BadRequest(why),
        other => status_of(other),
    }
}
