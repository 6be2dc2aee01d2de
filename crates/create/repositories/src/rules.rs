//! Who may move which ref: the one place where a push, a page and the API are checked.

use accounts::Via;
use git::pack::receive::Command;
use git::{RefName, Repo};
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess, level};

use crate::error::OrStatus;
use crate::events::{RefUpdate, Source};
use crate::protected::{Passenger, Protections};
use crate::repository::{HIDDEN_REFS, READ_ONLY_REFS};

/// Why one ref may not be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The ref as it was given.
    pub name: git::ByteString,
    /// The reason, with what helps.
    pub reason: String,
}

/// What the rules say to a push.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The updates that are allowed, if nothing is refused.
    pub updates: Vec<RefUpdate>,
    /// What is refused; one refusal refuses the whole push.
    pub refused: Vec<Refusal>,
    /// Branches among the updates that may only move forward, which can be told once the objects are there.
    pub forward_only: Vec<RefName>,
}

impl Verdict {
    /// A 403 with all reasons, if anything is refused.
    pub fn allow(&self) -> Result<()> {
        if self.refused.is_empty() {
            return Ok(());
        }
        let mut reasons: Vec<&str> = self.refused.iter().map(|r| r.reason.as_str()).collect();
        reasons.dedup();
        Err(Error::forbidden(reasons.join("; ")))
    }

    /// A 403 where a branch that may only move forward would not; needs the objects.
    pub(crate) async fn check_forward(&self, repo: &Repo) -> Result<()> {
        for update in self.updates.iter().filter(|u| self.forward_only.contains(&u.name)) {
            if !repo.is_ancestor(update.old, update.new).await.or_status()? {
                return Err(Error::forbidden(format!(
                    "{} is protected and can't be force pushed",
                    update.name.short()
                )));
            }
        }
        Ok(())
    }
}

/// Checks the updates that an actor asks for. An error means that nothing at all may be pushed.
pub async fn check_push(app: &App, access: &ProjectAccess, commands: &[Command], source: Source) -> Result<Verdict> {
    may_push_at_all(access)?;
    check_size(app, access, commands)?;
    let protections = Protections::of_project(app.db().conn(), access.project.id).await?;
    let passenger = protections.passenger(app, access).await?;
    let rules = Rules { access, protections: &protections, passenger: &passenger, source };
    let mut verdict = Verdict::default();
    for command in commands {
        match rules.check(command) {
            Ok(name) => {
                if rules.only_forward(command, &name) {
                    verdict.forward_only.push(name.clone());
                }
                verdict.updates.push(RefUpdate { name, old: command.old, new: command.new });
            }
            Err(reason) => verdict.refused.push(Refusal { name: command.name.clone(), reason }),
        }
    }
    Ok(verdict)
}

fn may_push_at_all(access: &ProjectAccess) -> Result<()> {
    access.may(Permission::PushCode).map_err(|e| match e {
        Error::Forbidden(why) if why.is_empty() => {
            Error::forbidden("you may read this project but not push to it; ask a maintainer to make you a developer")
        }
        other => other,
    })?;
    if matches!(access.actor.via(), Via::Job { .. }) && !access.settings.ci_push_repository_for_job_token_allowed {
        return Err(Error::forbidden(
            "job tokens may not push; allow it in the project's CI/CD settings, or use a project member's token",
        ));
    }
    if matches!(access.project.import_status.as_str(), "scheduled" | "started") {
        return Err(Error::Unavailable("the project is still being imported; try again when that has finished".into()));
    }
    Ok(())
}

fn check_size(app: &App, access: &ProjectAccess, commands: &[Command]) -> Result<()> {
    let limit: i64 = app.settings().get("repository_size_limit", 0);
    let adds = commands.iter().any(|c| !c.new.is_zero());
    if limit > 0 && adds && access.project.repository_size >= limit {
        let (size, limit) = (access.project.repository_size >> 20, limit >> 20);
        return Err(Error::forbidden(format!(
            "the repository has {size} MiB, which is its limit of {limit} MiB or more"
        )));
    }
    Ok(())
}

struct Rules<'a> {
    access: &'a ProjectAccess,
    protections: &'a Protections,
    passenger: &'a Passenger,
    source: Source,
}

impl Rules<'_> {
    fn check(&self, command: &Command) -> Result<RefName, String> {
        let name = RefName::new(&command.name).map_err(|e| e.to_string())?;
        let lossy = name.lossy();
        if command.old.is_zero() && command.new.is_zero() {
            return Err(format!("{lossy} is neither there nor to be created"));
        }
        if let Some(own) = HIDDEN_REFS.iter().chain(READ_ONLY_REFS).find(|r| lossy.starts_with(**r)) {
            return Err(format!("refs below {own} are written by the server alone"));
        }
        if name.is_branch() {
            self.check_branch(command, &name)?;
        } else if name.is_tag() {
            self.check_tag(command, &name)?;
        } else if !lossy.starts_with("refs/") {
            return Err(format!("{lossy} can't be pushed; push a branch or a tag"));
        }
        Ok(name)
    }

    fn check_branch(&self, command: &Command, name: &RefName) -> Result<(), String> {
        let short = name.short();
        let branch = short.lossy();
        let protected = self.protections.is_protected_branch(&branch);
        if command.new.is_zero() {
            return self.check_branch_deletion(&branch, protected);
        }
        check_new_name(&short, RefName::branch(&short).is_ok())?;
        if protected && !self.protections.may_push(self.passenger, &branch) {
            return Err(format!(
                "{branch} is a protected branch; your role may not push to it, a merge request may help"
            ));
        }
        Ok(())
    }

    fn check_branch_deletion(&self, branch: &str, protected: bool) -> Result<(), String> {
        if self.access.project.default_branch.as_deref() == Some(branch) {
            return Err(format!(
                "{branch} is the default branch and can't be deleted; make another one the default first"
            ));
        }
        let maintains = self.access.level >= level::MAINTAINER;
        match (protected, maintains, self.source) {
            (false, ..) | (true, true, Source::Web | Source::Api | Source::Import) => Ok(()),
            (true, true, Source::Push) => {
                Err(format!("{branch} is a protected branch; delete it in the browser, or unprotect it first"))
            }
            (true, false, _) => Err(format!("{branch} is a protected branch; only maintainers may delete it")),
        }
    }

    fn check_tag(&self, command: &Command, name: &RefName) -> Result<(), String> {
        let short = name.short();
        let tag = short.lossy();
        let maintains = self.access.level >= level::MAINTAINER;
        let by_git = self.source == Source::Push;
        if !self.protections.is_protected_tag(&tag) {
            if !command.old.is_zero() && !command.new.is_zero() && !maintains {
                return Err(format!("the tag {tag} exists already; only maintainers may move it"));
            }
        } else if command.new.is_zero() {
            if !maintains {
                return Err(format!("{tag} is a protected tag; only maintainers may delete it"));
            }
            if by_git {
                return Err(format!("{tag} is a protected tag; delete it in the browser, or unprotect it first"));
            }
        } else if !command.old.is_zero() {
            return Err(format!("{tag} is a protected tag and can't be moved"));
        } else if !self.protections.may_create_tag(self.passenger, &tag) {
            return Err(format!("{tag} is a protected tag; your role may not create it"));
        }
        if command.new.is_zero() { Ok(()) } else { check_new_name(&short, RefName::tag(&short).is_ok()) }
    }

    /// Whether the branch exists, stays, and may not be rewritten.
    fn only_forward(&self, command: &Command, name: &RefName) -> bool {
        name.is_branch()
            && !command.old.is_zero()
            && !command.new.is_zero()
            && !self.protections.may_force(&name.short().lossy())
    }
}

/// Refuses names that would be taken for something else wherever a revision is meant.
fn check_new_name(short: &git::ByteString, valid: bool) -> Result<(), String> {
    if !valid {
        return Err(format!("{short} can't be the name of a branch or tag"));
    }
    if short.len() == 40 && short.iter().all(u8::is_ascii_hexdigit) {
        return Err(format!("{short} looks like a commit id and can't be the name of a branch or tag"));
    }
    Ok(())
}
