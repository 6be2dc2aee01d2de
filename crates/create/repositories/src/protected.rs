//! Protected branches and tags: rules by name or wildcard, and who they let through.

use std::collections::{BTreeSet, HashMap};

use kernel::db::Sql;
use kernel::{App, Error, Result, Time};
use projects::access::namespace_level;
use projects::{ProjectAccess, level};
use sea_orm::{ConnectionTrait, FromQueryResult};

/// The level of a grant that lets nobody through.
pub const NO_ONE: i64 = 0;
/// The level of a grant for administrators of the instance.
pub const ADMIN: i64 = 60;

/// Whom a rule lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Members from this level on; [`NO_ONE`] for nobody.
    Level(i64),
    /// One user.
    User(i64),
    /// The members of a group, from developers on.
    Group(i64),
}

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pushing to a branch.
    Push,
    /// Merging into a branch.
    Merge,
    /// Creating a tag.
    Create,
    /// Taking the protection away.
    Unprotect,
}

impl Action {
    /// The word that is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Merge => "merge",
            Self::Create => "create",
            Self::Unprotect => "unprotect",
        }
    }
}

/// A grant as it is stored.
#[derive(Clone, Debug, FromQueryResult)]
pub struct GrantRow {
    /// The id.
    pub id: i64,
    /// The branch rule.
    pub branch_id: Option<i64>,
    /// Or the tag rule.
    pub tag_id: Option<i64>,
    /// `push`, `merge`, `create` or `unprotect`.
    pub action: String,
    /// Members from this level on.
    pub access_level: Option<i64>,
    /// Or one user.
    pub user_id: Option<i64>,
    /// Or the members of a group.
    pub group_id: Option<i64>,
}

impl GrantRow {
    /// The words for the level, as the API gives them.
    pub fn description(&self) -> String {
        match (self.access_level, self.user_id, self.group_id) {
            (_, Some(_), _) => "User".into(),
            (_, _, Some(_)) => "Group".into(),
            (Some(NO_ONE), ..) => "No one".into(),
            (Some(level::DEVELOPER), ..) => "Developers + Maintainers".into(),
            (Some(level::MAINTAINER), ..) => "Maintainers".into(),
            (Some(ADMIN), ..) => "Instance admins".into(),
            (Some(other), ..) => level::name(other).into(),
            _ => "No one".into(),
        }
    }
}

/// A rule for branches.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ProtectedBranch {
    /// The id.
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// A name, or a pattern with `*`.
    pub name: String,
    /// Whether those who may push may also force.
    pub allow_force_push: bool,
    /// Kept for clients that set it.
    pub code_owner_approval_required: bool,
    /// When it was made.
    pub created_at: Time,
}

/// A rule for tags.
#[derive(Clone, Debug, FromQueryResult)]
pub struct ProtectedTag {
    /// The id.
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// A name, or a pattern with `*`.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
}

/// What it takes to protect a branch.
#[derive(Clone, Debug)]
pub struct NewProtectedBranch {
    /// A name, or a pattern with `*`.
    pub name: String,
    /// Whether those who may push may also force.
    pub allow_force_push: bool,
    /// Kept for clients that set it.
    pub code_owner_approval_required: bool,
    /// Who may push.
    pub push: Vec<Grant>,
    /// Who may merge.
    pub merge: Vec<Grant>,
    /// Who may take the protection away; whoever manages protected refs where it is empty.
    pub unprotect: Vec<Grant>,
}

impl ProtectedBranch {
    /// Protects the branches of a name or pattern; a 409 where a rule has that name already.
    pub async fn protect<C: ConnectionTrait>(conn: &C, project_id: i64, new: NewProtectedBranch) -> Result<Self> {
        check_pattern(&new.name)?;
        if Self::find(conn, project_id, &new.name).await?.is_some() {
            return Err(Error::Conflict(format!("Protected branch '{}' already exists", new.name)));
        }
        let sql = "INSERT INTO protected_branches (project_id, name, allow_force_push, code_owner_approval_required, created_at)
                   VALUES ($1, $2, $3, $4, $5) RETURNING *";
        let values = [
            project_id.into(),
            new.name.into(),
            new.allow_force_push.into(),
            new.code_owner_approval_required.into(),
            Time::now().into(),
        ];
        let made: Self = conn.one(sql, values).await?.ok_or_else(no_row)?;
        for (action, grants) in
            [(Action::Push, &new.push), (Action::Merge, &new.merge), (Action::Unprotect, &new.unprotect)]
        {
            for grant in grants {
                made.grant(conn, action, *grant).await?;
            }
        }
        Ok(made)
    }

    /// The rule with exactly this name.
    pub async fn find<C: ConnectionTrait>(conn: &C, project_id: i64, name: &str) -> Result<Option<Self>> {
        let sql = "SELECT * FROM protected_branches WHERE project_id = $1 AND name = $2";
        conn.one(sql, [project_id.into(), name.into()]).await
    }

    /// All rules of a project, by name.
    pub async fn of_project<C: ConnectionTrait>(conn: &C, project_id: i64) -> Result<Vec<Self>> {
        let sql = "SELECT * FROM protected_branches WHERE project_id = $1 ORDER BY name, id";
        conn.all(sql, [project_id.into()]).await
    }

    /// Changes the switches of the rule.
    pub async fn set<C: ConnectionTrait>(&self, conn: &C, allow_force_push: bool, code_owners: bool) -> Result<()> {
        let sql =
            "UPDATE protected_branches SET allow_force_push = $2, code_owner_approval_required = $3 WHERE id = $1";
        conn.run(sql, [self.id.into(), allow_force_push.into(), code_owners.into()]).await?;
        Ok(())
    }

    /// Lets somebody through; gives the stored grant.
    pub async fn grant<C: ConnectionTrait>(&self, conn: &C, action: Action, grant: Grant) -> Result<GrantRow> {
        insert_grant(conn, Some(self.id), None, action, grant).await
    }

    /// Takes a grant back.
    pub async fn withdraw<C: ConnectionTrait>(&self, conn: &C, grant_id: i64) -> Result<()> {
        let sql = "DELETE FROM protected_ref_grants WHERE id = $1 AND branch_id = $2";
        conn.run(sql, [grant_id.into(), self.id.into()]).await?;
        Ok(())
    }

    /// Removes the rule.
    pub async fn unprotect<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("DELETE FROM protected_branches WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }
}

impl ProtectedTag {
    /// Protects the tags of a name or pattern; a 409 where a rule has that name already.
    pub async fn protect<C: ConnectionTrait>(conn: &C, project_id: i64, name: &str, create: &[Grant]) -> Result<Self> {
        check_pattern(name)?;
        if Self::find(conn, project_id, name).await?.is_some() {
            return Err(Error::Conflict(format!("Protected tag '{name}' already exists")));
        }
        let sql = "INSERT INTO protected_tags (project_id, name, created_at) VALUES ($1, $2, $3) RETURNING *";
        let made: Option<Self> = conn.one(sql, [project_id.into(), name.into(), Time::now().into()]).await?;
        let made = made.ok_or_else(no_row)?;
        for grant in create {
            insert_grant(conn, None, Some(made.id), Action::Create, *grant).await?;
        }
        Ok(made)
    }

    /// The rule with exactly this name.
    pub async fn find<C: ConnectionTrait>(conn: &C, project_id: i64, name: &str) -> Result<Option<Self>> {
        let sql = "SELECT * FROM protected_tags WHERE project_id = $1 AND name = $2";
        conn.one(sql, [project_id.into(), name.into()]).await
    }

    /// All rules of a project, by name.
    pub async fn of_project<C: ConnectionTrait>(conn: &C, project_id: i64) -> Result<Vec<Self>> {
        let sql = "SELECT * FROM protected_tags WHERE project_id = $1 ORDER BY name, id";
        conn.all(sql, [project_id.into()]).await
    }

    /// Removes the rule.
    pub async fn unprotect<C: ConnectionTrait>(&self, conn: &C) -> Result<()> {
        conn.run("DELETE FROM protected_tags WHERE id = $1", [self.id.into()]).await?;
        Ok(())
    }
}

async fn insert_grant<C: ConnectionTrait>(
    conn: &C,
    branch_id: Option<i64>,
    tag_id: Option<i64>,
    action: Action,
    grant: Grant,
) -> Result<GrantRow> {
    let (level, user, group) = match grant {
        Grant::Level(level) => (Some(level), None, None),
        Grant::User(id) => (None, Some(id), None),
        Grant::Group(id) => (None, None, Some(id)),
    };
    let sql = "INSERT INTO protected_ref_grants (branch_id, tag_id, action, access_level, user_id, group_id)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING *";
    let values = [branch_id.into(), tag_id.into(), action.name().into(), level.into(), user.into(), group.into()];
    conn.one(sql, values).await?.ok_or_else(no_row)
}

fn no_row() -> Error {
    Error::internal(std::io::Error::other("an INSERT gave no row"))
}

fn check_pattern(name: &str) -> Result<()> {
    let complaint = match name.trim() {
        "" => "can't be blank",
        n if n.len() > 255 => "is too long (maximum is 255 bytes)",
        n if n.chars().any(char::is_control) => "can't hold control characters",
        _ => return Ok(()),
    };
    Err(Error::invalid("name", complaint))
}

/// All rules of a project, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Protections {
    /// The rules for branches.
    pub branches: Vec<ProtectedBranch>,
    /// The rules for tags.
    pub tags: Vec<ProtectedTag>,
    /// Whom they let through.
    pub grants: Vec<GrantRow>,
}

/// The one who wants to get through, with the levels in the groups that rules name.
#[derive(Clone, Debug)]
pub struct Passenger {
    user_id: Option<i64>,
    level: i64,
    admin: bool,
    groups: HashMap<i64, i64>,
}

impl Protections {
    /// Reads the rules of a project.
    pub async fn of_project<C: ConnectionTrait>(conn: &C, project_id: i64) -> Result<Self> {
        let sql = "SELECT g.* FROM protected_ref_grants g
                   LEFT JOIN protected_branches b ON b.id = g.branch_id
                   LEFT JOIN protected_tags t ON t.id = g.tag_id
                   WHERE b.project_id = $1 OR t.project_id = $1 ORDER BY g.id";
        Ok(Self {
            branches: ProtectedBranch::of_project(conn, project_id).await?,
            tags: ProtectedTag::of_project(conn, project_id).await?,
            grants: conn.all(sql, [project_id.into()]).await?,
        })
    }

    /// Finds out what the rules need to know of the one who asks.
    pub async fn passenger(&self, app: &App, access: &ProjectAccess) -> Result<Passenger> {
        let (user_id, level, admin) = (access.actor.id(), access.level, access.actor.is_admin());
        let mut passenger = Passenger { user_id, level, admin, groups: HashMap::new() };
        let Some(user_id) = user_id else { return Ok(passenger) };
        let groups: BTreeSet<i64> = self.grants.iter().filter_map(|g| g.group_id).collect();
        for group in groups {
            passenger.groups.insert(group, namespace_level(app.db().conn(), user_id, group).await?);
        }
        Ok(passenger)
    }

    /// Whether a rule covers the branch.
    pub fn is_protected_branch(&self, branch: &str) -> bool {
        self.branches.iter().any(|b| matches(&b.name, branch))
    }

    /// Whether a rule covers the tag.
    pub fn is_protected_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| matches(&t.name, tag))
    }

    /// Whether the branch may be forced, by those who may push to it at all.
    pub fn may_force(&self, branch: &str) -> bool {
        let mut rules = self.branches.iter().filter(|b| matches(&b.name, branch)).peekable();
        rules.peek().is_none() || rules.any(|b| b.allow_force_push)
    }

    /// Whether somebody who may push in general may push to this branch. The most lenient of several rules counts.
    pub fn may_push(&self, who: &Passenger, branch: &str) -> bool {
        self.branch_lets(who, Action::Push, branch)
    }

    /// Whether somebody who may push in general may merge into this branch.
    pub fn may_merge(&self, who: &Passenger, branch: &str) -> bool {
        self.branch_lets(who, Action::Merge, branch) || self.may_push(who, branch)
    }

    /// Whether somebody who may push in general may create this tag.
    pub fn may_create_tag(&self, who: &Passenger, tag: &str) -> bool {
        let mut rules = self.tags.iter().filter(|t| matches(&t.name, tag)).peekable();
        rules.peek().is_none()
            || rules
                .any(|t| self.grants.iter().any(|g| g.tag_id == Some(t.id) && g.action == "create" && who.is_let(g)))
    }

    /// Whether somebody who may manage protected refs may remove this rule.
    pub fn may_unprotect(&self, who: &Passenger, rule: &ProtectedBranch) -> bool {
        let mut named =
            self.grants.iter().filter(|g| g.branch_id == Some(rule.id) && g.action == "unprotect").peekable();
        named.peek().is_none() || who.admin || named.any(|g| who.is_let(g))
    }

    fn branch_lets(&self, who: &Passenger, action: Action, branch: &str) -> bool {
        let mut rules = self.branches.iter().filter(|b| matches(&b.name, branch)).peekable();
        let lets = |b: &ProtectedBranch| {
            self.grants.iter().any(|g| g.branch_id == Some(b.id) && g.action == action.name() && who.is_let(g))
        };
        rules.peek().is_none() || rules.any(lets)
    }
}

impl Passenger {
    fn is_let(&self, grant: &GrantRow) -> bool {
        match (grant.access_level, grant.user_id, grant.group_id) {
            (_, Some(user), _) => self.user_id == Some(user),
            (_, _, Some(group)) => self.groups.get(&group).is_some_and(|l| *l >= level::DEVELOPER),
            (Some(NO_ONE) | None, ..) => false,
            (Some(ADMIN), ..) => self.admin,
            (Some(least), ..) => self.level >= least,
        }
    }
}

/// Whether a name fits a pattern, in which `*` stands for any text, slashes too.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Protects a new project's default branch as the instance settings say (`default_branch_protection`, as GitLab numbers it).
pub(crate) async fn protect_default<C: ConnectionTrait>(
    app: &App,
    conn: &C,
    project_id: i64,
    branch: &str,
) -> Result<()> {
    let (push, merge) = match app.settings().get("default_branch_protection", 2_i64) {
        0 => return Ok(()),
        1 => (level::DEVELOPER, level::DEVELOPER),
        3 => (level::MAINTAINER, level::DEVELOPER),
        _ => (level::MAINTAINER, level::MAINTAINER),
    };
    if ProtectedBranch::find(conn, project_id, branch).await?.is_some() {
        return Ok(());
    }
    let new = NewProtectedBranch {
        name: branch.to_owned(),
        allow_force_push: false,
        code_owner_approval_required: false,
        push: vec![Grant::Level(push)],
        merge: vec![Grant::Level(merge)],
        unprotect: vec![],
    };
    ProtectedBranch::protect(conn, project_id, new).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stand_for_any_text() {
        for (pattern, name, fits) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("*", "a/b", true),
            ("release/*", "release/1.0/x", true),
            ("release/*", "release", false),
            ("*-stable", "1-stable", true),
            ("*-stable", "stable", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("v*.*", "v1.2", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
