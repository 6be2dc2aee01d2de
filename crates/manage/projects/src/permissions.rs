//! The one table that says which access level may do what. `docs/permissions.md` is generated from it.

use crate::level::{DEVELOPER, GUEST, MAINTAINER, MINIMAL, OWNER, PLANNER, REPORTER};
use crate::settings::Feature;

/// Something that can be done to a project or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in the table.
    pub permission: Permission,
    /// In words, for the documentation.
    pub about: &'static str,
    /// The least level that may, as a member.
    pub member: i64,
    /// Whether anybody may who sees the thing without being a member (public, or internal and signed in).
    pub visitor: bool,
    /// The feature that must be switched on for it.
    pub feature: Option<Feature>,
    /// Whether it is refused while the project is archived.
    pub writes: bool,
}

macro_rules! permissions {
    ($($name:ident $about:literal $member:ident $visitor:literal $feature:expr, $writes:literal;)*) => {
        /// What can be allowed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Permission { $(#[doc = $about] $name),* }

        /// Every permission, in the order of the documentation.
        pub const RULES: &[Rule] = &[$(Rule {
            permission: Permission::$name, about: $about, member: $member, visitor: $visitor, feature: $feature, writes: $writes,
        }),*];
    };
}

// name, words, least member level, visitors too?, feature, refused when archived?
permissions! {
    ReadGroup "See a group and what of it is visible" MINIMAL true None, false;
    EditGroup "Change a group's settings, rename and transfer it" OWNER false None, false;
    DeleteGroup "Delete a group" OWNER false None, false;
    CreateProject "Create projects in a group" DEVELOPER false None, false;
    CreateSubgroup "Create subgroups" MAINTAINER false None, false;
    ManageGroupMembers "Add, change and remove members of a group" OWNER false None, false;
    ReadGroupVariables "See and change a group's CI/CD variables" OWNER false None, false;

    ReadProject "See a project" GUEST true None, false;
    ReadMembers "See the members" GUEST true None, false;
    ReadCode "Browse and clone the code" REPORTER true Some(Feature::Repository), false;
    DownloadCode "Download archives of the code" REPORTER true Some(Feature::Repository), false;
    CommentCommit "Comment on commits" REPORTER true Some(Feature::Repository), true;
    PushCode "Push to branches that aren't protected, create and delete branches and tags" DEVELOPER false Some(Feature::Repository), true;
    ForkProject "Fork a project" REPORTER true Some(Feature::Forking), false;
    SetCommitStatus "Set the status of a commit from outside" DEVELOPER false Some(Feature::Repository), true;
    UploadFile "Upload files to be linked to" GUEST false None, true;
    LockLfsFile "Lock files of Git LFS" DEVELOPER false Some(Feature::Repository), true;
    ForceUnlockLfsFile "Remove other people's locks of Git LFS" MAINTAINER false Some(Feature::Repository), true;

    ReadProtectedRefs "See the rules of protected branches and tags" DEVELOPER false Some(Feature::Repository), false;
    ManageProtectedRefs "Protect and unprotect branches and tags" MAINTAINER false Some(Feature::Repository), true;

    ReadPipelines "See pipelines, jobs and their logs" GUEST true Some(Feature::Builds), false;
    ReadArtifacts "Download job artifacts" REPORTER true Some(Feature::Builds), false;
    CreatePipeline "Run pipelines" DEVELOPER false Some(Feature::Builds), true;
    ManagePipeline "Retry, cancel and play jobs" DEVELOPER false Some(Feature::Builds), true;
    EraseJob "Erase a job's log and artifacts" DEVELOPER false Some(Feature::Builds), true;
    DeleteArtifacts "Delete job artifacts" MAINTAINER false Some(Feature::Builds), true;
    DeletePipeline "Delete pipelines" OWNER false Some(Feature::Builds), true;
    ManageVariables "See and change CI/CD variables" MAINTAINER false None, false;

    ReadIssues "See issues" GUEST true Some(Feature::Issues), false;
    CreateIssue "Create and comment issues" GUEST true Some(Feature::Issues), true;
    ManageIssues "Label, assign, close and plan issues" PLANNER false Some(Feature::Issues), true;
    ReadMergeRequests "See merge requests" REPORTER true Some(Feature::MergeRequests), false;
    CreateMergeRequest "Create merge requests" DEVELOPER false Some(Feature::MergeRequests), true;

    EditProject "Change a project's settings and badges" MAINTAINER false None, false;
    ManageProjectMembers "Add, change and remove members of a project" MAINTAINER false None, false;
    ArchiveProject "Archive and bring back a project" OWNER false None, false;
    TransferProject "Transfer a project to another namespace, rename its path" OWNER false None, false;
    ChangeVisibility "Change who can see a project" OWNER false None, false;
    DeleteProject "Delete a project" OWNER false None, false;
}

impl Permission {
    /// The row of the table.
    pub fn rule(self) -> &'static Rule {
        // The macro writes both lists in one order, so the discriminant is the index.
        &RULES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_finds_its_own_rule() {
        for rule in RULES {
            assert_eq!(rule.permission.rule(), rule);
        }
    }
}
