//! The members of a group or project: who they are, and the rules for adding, changing and removing them.

use accounts::{Actor, User, audit};
use kernel::db::{Sql, like};
use kernel::jobs::Job;
use kernel::{App, Error, Result, Time, Tx};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::{GroupAccess, ProjectAccess};
use crate::level;
use crate::list::Conditions;
use crate::member::{Member, Source, check_level};
use crate::permissions::Permission;

/// The members of one group or project, as an actor may handle them.
pub(crate) struct Roster<'a> {
    pub(crate) source: Source,
    /// The group, or the namespace of the project, whose members and whose ancestors' members are inherited.
    namespace_id: i64,
    /// Whose namespace the project is in; they stay its owner.
    personal: bool,
    actor: &'a Actor,
    level: i64,
    manages: bool,
}

/// A member with where the membership comes from.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) access_level: i64,
    pub(crate) expires_at: Option<Time>,
    pub(crate) created_by: Option<i64>,
    pub(crate) created_at: Time,
    /// The group it is inherited from; `None` where it is direct.
    pub(crate) inherited_from: Option<String>,
}

/// Which members are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) query: Option<&'a str>,
    pub(crate) user_ids: &'a [i64],
    pub(crate) skip_users: &'a [i64],
    /// Also those inherited from above, each person once with the highest level.
    pub(crate) inherited: bool,
}

impl<'a> Roster<'a> {
    pub(crate) fn of_project(access: &'a ProjectAccess, personal: bool) -> Self {
        Self {
            source: Source::Project(access.project.id),
            namespace_id: access.project.namespace_id,
            personal,
            actor: &access.actor,
            level: access.level,
            manages: access.can(Permission::ManageProjectMembers),
        }
    }

    pub(crate) fn of_group(access: &'a GroupAccess) -> Self {
        Self {
            source: Source::Group(access.group.id),
            namespace_id: access.group.id,
            personal: false,
            actor: &access.actor,
            level: access.level,
            manages: access.can(Permission::ManageGroupMembers),
        }
    }

    /// Whether the actor may add members.
    pub(crate) fn manages(&self) -> bool {
        self.manages
    }

    /// The levels that the actor may give, the lowest first.
    pub(crate) fn levels(&self) -> Vec<(i64, &'static str)> {
        let least = if matches!(self.source, Source::Project(_)) { level::GUEST } else { level::MINIMAL };
        level::ALL.iter().filter(|(l, _)| (least..=self.level).contains(l)).copied().collect()
    }

    fn entity(&self) -> (&'static str, i64) {
        match self.source {
            Source::Group(id) => ("group", id),
            Source::Project(id) => ("project", id),
        }
    }

    fn may_manage(&self) -> Result<()> {
        match (self.manages, self.actor.known()) {
            (true, _) => Ok(()),
            (false, None) => Err(Error::Unauthenticated),
            (false, Some(_)) => Err(Error::Forbidden(String::new())),
        }
    }

    fn may_give(&self, wanted: i64) -> Result<()> {
        check_level(wanted)?;
        if matches!(self.source, Source::Project(_)) && wanted < level::GUEST {
            return Err(Error::BadParameter("access_level does not have a valid value".into()));
        }
        if wanted > self.level {
            return Err(Error::forbidden(format!("{} is above your own level", level::name(wanted))));
        }
        Ok(())
    }

    /// The level that a user has from above.
    async fn inherited_level(&self, tx: &Tx, user_id: i64) -> Result<i64> {
        let own_group = matches!(self.source, Source::Group(_));
        let sql = "SELECT MAX(m.access_level) AS n FROM namespace_ancestors a JOIN members m ON m.namespace_id = a.ancestor_id
                   WHERE a.namespace_id = $1 AND a.depth >= $2 AND m.user_id = $3 AND (m.expires_at IS NULL OR m.expires_at > $4)";
        let values = [self.namespace_id.into(), i64::from(own_group).into(), user_id.into(), Time::now().into()];
        Ok(tx.scalar::<Option<i64>>(sql, values).await?.flatten().unwrap_or(level::NONE))
    }

    async fn check_inherited(&self, tx: &Tx, user_id: i64, wanted: i64) -> Result<()> {
        let inherited = self.inherited_level(tx, user_id).await?;
        if wanted < inherited {
            let why = format!(
                "should be greater than or equal to {} inherited membership from a group above",
                level::name(inherited)
            );
            return Err(Error::invalid("access_level", why));
        }
        Ok(())
    }

    /// Adds a member.
    pub(crate) async fn add(&self, tx: &Tx, user: &User, wanted: i64, expires_at: Option<Time>) -> Result<Member> {
        self.may_manage()?;
        self.may_give(wanted)?;
        check_expiry(expires_at)?;
        self.check_inherited(tx, user.id, wanted).await?;
        if let Some(dead) = Member::find(&**tx, self.source, user.id).await?.filter(|m| is_over(m.expires_at)) {
            tx.run("DELETE FROM members WHERE id = $1", [dead.id.into()]).await?;
        }
        let member = Member::add(&**tx, self.source, user.id, wanted, expires_at, self.actor.id()).await?;
        self.note(tx, "member.added", &member).await?;
        if let Source::Project(id) = self.source {
            crate::activity::record(&**tx, Some(id), user.id, "joined", None).await?;
        }
        Ok(member)
    }

    async fn note(&self, tx: &Tx, event: &str, member: &Member) -> Result<()> {
        let details = json!({ "user_id": member.user_id, "access_level": member.access_level });
        audit::record(&**tx, self.actor, event, self.entity(), details).await
    }

    /// The direct membership of a user; a 404 where there is none.
    pub(crate) async fn direct(&self, tx: &Tx, user_id: i64) -> Result<Member> {
        let found = Member::find(&**tx, self.source, user_id).await?;
        found.filter(|m| !is_over(m.expires_at)).ok_or_else(|| Error::not_found("Member"))
    }

    /// Changes level and expiry of a member; `None` leaves the expiry as it is.
    pub(crate) async fn change(
        &self,
        tx: &Tx,
        user_id: i64,
        wanted: i64,
        expiry: Option<Option<Time>>,
    ) -> Result<Member> {
        self.may_manage()?;
        let member = self.direct(tx, user_id).await?;
        self.may_give(wanted)?;
        self.may_touch(&member)?;
        let expires_at = expiry.unwrap_or(member.expires_at);
        check_expiry(expires_at.filter(|_| expiry.is_some()))?;
        self.check_inherited(tx, user_id, wanted).await?;
        if wanted < level::OWNER && (self.is_personal_owner(&member) || member.is_last_owner(&**tx).await?) {
            return Err(Error::forbidden("an owner is needed; make someone else an owner first"));
        }
        let sql = "UPDATE members SET access_level = $2, expires_at = $3 WHERE id = $1";
        tx.run(sql, [member.id.into(), wanted.into(), expires_at.into()]).await?;
        let member = Member { access_level: wanted, expires_at, ..member };
        self.note(tx, "member.changed", &member).await?;
        Ok(member)
    }

    fn may_touch(&self, member: &Member) -> Result<()> {
        if member.access_level > self.level {
            return Err(Error::forbidden("the member has a higher level than you"));
        }
        Ok(())
    }

    fn is_personal_owner(&self, member: &Member) -> bool {
        self.personal && member.access_level == level::OWNER
    }

    /// Removes a member, and from everything below a group unless `only_here`. Everybody may remove themselves.
    pub(crate) async fn remove(&self, tx: &Tx, user_id: i64, only_here: bool) -> Result<()> {
        let itself = self.actor.id() == Some(user_id);
        if !itself {
            self.may_manage()?;
        }
        let member = self.direct(tx, user_id).await?;
        if !itself {
            self.may_touch(&member)?;
        }
        if self.is_personal_owner(&member) {
            return Err(Error::forbidden("the owner of the namespace can't be removed from its projects"));
        }
        member.remove(&**tx).await?;
        if let (Source::Group(id), false) = (self.source, only_here) {
            let below = "SELECT namespace_id FROM namespace_ancestors WHERE ancestor_id = $1";
            let sql = format!(
                "DELETE FROM members WHERE user_id = $2 AND (namespace_id IN ({below})
                 OR project_id IN (SELECT id FROM projects WHERE namespace_id IN ({below})))"
            );
            tx.run(&sql, [id.into(), user_id.into()]).await?;
        }
        if let Source::Project(id) = self.source {
            crate::activity::record(&**tx, Some(id), user_id, "left", None).await?;
        }
        self.note(tx, "member.removed", &member).await
    }

    fn conditions(&self, wanted: &Wanted<'_>) -> Conditions {
        let mut c = Conditions::default();
        let (column, id) = match self.source {
            Source::Group(id) => ("m.namespace_id", id),
            Source::Project(id) => ("m.project_id", id),
        };
        let direct = c.bind(id);
        if wanted.inherited {
            let namespace = c.bind(self.namespace_id);
            c.and(format!(
                "({column} = {direct} OR m.namespace_id IN (SELECT a.ancestor_id FROM namespace_ancestors a WHERE a.namespace_id = {namespace}))"
            ));
        } else {
            c.and(format!("{column} = {direct}"));
        }
        c.with("(m.expires_at IS NULL OR m.expires_at > {})", Time::now());
        c.and("u.state <> 'blocked_pending_approval'");
        if let Some(text) = wanted.query.filter(|q| !q.is_empty()) {
            let pattern = c.bind(like(text));
            c.and(format!("(LOWER(u.name) LIKE {pattern} ESCAPE '\\' OR u.username_key LIKE {pattern} ESCAPE '\\' OR u.email = LOWER({pattern}))"));
        }
        if !wanted.user_ids.is_empty() {
            c.and(format!("m.user_id IN ({})", crate::delete::id_list(wanted.user_ids)));
        }
        if !wanted.skip_users.is_empty() {
            c.and(format!("m.user_id NOT IN ({})", crate::delete::id_list(wanted.skip_users)));
        }
        c
    }

    /// A page of members with their number.
    pub(crate) async fn list(
        &self,
        app: &App,
        wanted: &Wanted<'_>,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Entry>, i64)> {
        let mut c = self.conditions(wanted);
        let what = c.sql();
        let total =
            format!("SELECT COUNT(DISTINCT m.user_id) FROM members m JOIN users u ON u.id = m.user_id WHERE {what}");
        let total = app.db().conn().scalar::<i64>(&total, c.values.clone()).await?.unwrap_or(0);
        let here = match self.source {
            Source::Group(id) => c.bind(id),
            Source::Project(_) => c.bind(0),
        };
        // Each person once: the highest level, of equal ones the nearest, which is the newest group.
        let sql = format!(
            "SELECT id, user_id, access_level, expires_at, created_by, created_at, inherited_from FROM (
               SELECT m.id, m.user_id, m.access_level, m.expires_at, m.created_by, m.created_at,
                 CASE WHEN m.project_id IS NULL AND m.namespace_id <> {here} THEN n.full_path END AS inherited_from,
                 ROW_NUMBER() OVER (PARTITION BY m.user_id
                   ORDER BY m.access_level DESC, m.project_id DESC, LENGTH(n.full_path) DESC, m.id) AS place
               FROM members m JOIN users u ON u.id = m.user_id LEFT JOIN namespaces n ON n.id = m.namespace_id
               WHERE {what}) AS found WHERE place = 1 ORDER BY user_id LIMIT {limit} OFFSET {offset}"
        );
        Ok((app.db().all(&sql, c.values).await?, total))
    }
}

fn is_over(expires_at: Option<Time>) -> bool {
    expires_at.is_some_and(|e| e <= Time::now())
}

fn check_expiry(expires_at: Option<Time>) -> Result<()> {
    if is_over(expires_at) { Err(Error::invalid("expires_at", "cannot be a date in the past")) } else { Ok(()) }
}

/// Removes memberships that have run out. They don't count in the meantime either.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RemoveExpired {}

impl Job for RemoveExpired {
    const KIND: &'static str = "member.remove_expired";

    async fn run(self, app: App) -> Result<()> {
        app.db().run("DELETE FROM members WHERE expires_at <= $1", [Time::now().into()]).await?;
        Ok(())
    }
}
