//! The frame around pages of a project or a group: its navigation and breadcrumb.

use std::borrow::Cow;

use accounts::shell::{Entry, Place};
use kernel::App;
use ui::{Crumb, Item, Nav, NavHeading, Page};

use crate::access::{GroupAccess, ProjectAccess};
use crate::permissions::Permission;

/// A part of the navigation, named after the stage of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Area {
    Plan,
    Code,
    Build,
    Deploy,
    Secure,
    Operate,
    Analyse,
    Settings,
}

/// What a navigation entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A project.
    Project,
    /// A group.
    Group,
}

/// An entry of the navigation of every project or every group.
#[derive(Clone, Copy, Debug)]
pub struct NavItem {
    /// Whether projects or groups have it.
    pub scope: Scope,
    /// Where it stands.
    pub area: Area,
    /// What a page says to be this entry, such as `commits`.
    pub key: &'static str,
    /// The word shown.
    pub title: &'static str,
    /// What follows the full path (for groups, `/groups/` and the full path), such as `/-/branches`; `{branch}` stands
    /// for the default branch.
    pub suffix: &'static str,
    /// Who sees it.
    pub permission: Permission,
    /// Its place in the area, the least first.
    pub order: i32,
}

/// The entries that all slices brought; put into the application when it is composed.
#[derive(Default)]
pub struct NavItems(pub Vec<NavItem>);

impl NavItem {
    /// An entry of every project.
    pub const fn project(
        area: Area,
        key: &'static str,
        title: &'static str,
        suffix: &'static str,
        permission: Permission,
        order: i32,
    ) -> Self {
        Self { scope: Scope::Project, area, key, title, suffix, permission, order }
    }

    /// An entry of every group.
    pub const fn group(
        area: Area,
        key: &'static str,
        title: &'static str,
        suffix: &'static str,
        permission: Permission,
        order: i32,
    ) -> Self {
        Self { scope: Scope::Group, area, key, title, suffix, permission, order }
    }
}

const AREAS: &[(Area, &str, &str, &str)] = &[
    (Area::Plan, "plan", "Plan", "p"),
    (Area::Code, "code", "Code", "c"),
    (Area::Build, "build", "Build", "b"),
    (Area::Deploy, "deploy", "Deploy", "d"),
    (Area::Secure, "secure", "Secure", "s"),
    (Area::Operate, "operate", "Operate", "o"),
    (Area::Analyse, "analyse", "Analyse", "a"),
    (Area::Settings, "settings", "Settings", ","),
];

/// The entries of this slice.
pub fn nav() -> Vec<NavItem> {
    use Area::{Analyse, Settings};
    use Permission as P;
    vec![
        NavItem::project(Analyse, "activity", "Activity", "/-/activity", P::ReadProject, 10),
        NavItem::project(Settings, "settings", "General", "/-/edit", P::EditProject, 10),
        NavItem::project(Settings, "members", "Members", "/-/project_members", P::ReadMembers, 20),
        NavItem::group(Analyse, "activity", "Activity", "/-/activity", P::ReadGroup, 10),
        NavItem::group(Settings, "settings", "General", "/-/edit", P::EditGroup, 10),
        NavItem::group(Settings, "members", "Members", "/-/group_members", P::ReadGroup, 20),
    ]
}

/// The entries of this slice in the navigation of one's own work, the create menu and the admin area.
pub fn entries() -> Vec<Entry> {
    let entry = |place, key, title, href, icon, keys, order| Entry { place, key, title, href, icon, keys, order };
    vec![
        entry(Place::Home, "projects", "Projects", "/dashboard/projects", "folder", "g h", 10),
        entry(Place::Home, "groups", "Groups", "/dashboard/groups", "people", "g g", 20),
        entry(Place::Home, "activity", "Activity", "/dashboard/activity", "operate", "g y", 30),
        entry(Place::Home, "explore", "Explore", "/explore", "globe", "g e", 40),
        entry(Place::Create, "project", "New project", "/projects/new", "folder", "c p", 10),
        entry(Place::Create, "group", "New group", "/groups/new", "people", "c g", 20),
        entry(Place::Admin, "overview", "Overview", "/admin", "server", "", 10),
        entry(Place::Admin, "projects", "Projects", "/admin/projects", "folder", "", 30),
        entry(Place::Admin, "groups", "Groups", "/admin/groups", "people", "", 40),
        entry(Place::Admin, "jobs", "Background jobs", "/admin/jobs", "clock", "", 50),
    ]
}

/// A page of a project; `current` is the key of the entry that the reader is at, `home` for the project's own page.
pub fn project_page(app: &App, access: &ProjectAccess, title: &str, current: &str) -> Page {
    let project = &access.project;
    let root = format!("/{}", project.full_path);
    let mut page = accounts::shell::page(app, &access.actor, &format!("{title} · {}", project.full_path));
    if title.is_empty() || title == project.name {
        page.title = project.full_path.clone();
    }
    page.crumbs = crumbs(&project.full_path, &project.name);
    let heading = NavHeading {
        title: project.name.clone(),
        note: project.namespace_path().to_owned(),
        href: root.clone(),
        avatar: crate::avatar::project_path(project),
    };
    let branch = encode_path(project.branch());
    page.nav = navigation(app, heading, current, |item| {
        let fits = item.scope == Scope::Project && access.can(item.permission);
        fits.then(|| format!("{root}{}", item.suffix.replace("{branch}", &branch)))
    });
    page
}

/// A page of a group; `current` is the key of the entry that the reader is at, `home` for the group's own page.
pub fn group_page(app: &App, access: &GroupAccess, title: &str, current: &str) -> Page {
    let group = &access.group;
    let mut page = accounts::shell::page(app, &access.actor, &format!("{title} · {}", group.full_path));
    if title.is_empty() || title == group.name {
        page.title = group.full_path.clone();
    }
    page.crumbs = crumbs(&group.full_path, &group.name);
    let heading = NavHeading {
        title: group.name.clone(),
        note: group.full_path.rsplit_once('/').map_or_else(|| "Group".to_owned(), |(above, _)| above.to_owned()),
        href: format!("/{}", group.full_path),
        avatar: crate::avatar::group_path(group),
    };
    page.nav = navigation(app, heading, current, |item| {
        let fits = item.scope == Scope::Group && access.can(item.permission);
        fits.then(|| format!("/groups/{}{}", group.full_path, item.suffix))
    });
    page
}

fn navigation(app: &App, heading: NavHeading, current: &str, href: impl Fn(&NavItem) -> Option<String>) -> Nav {
    let items = app.get::<NavItems>();
    let top = vec![Item::new("Overview", heading.href.clone()).icon("home").current(current == "home")];
    let areas = AREAS.iter().map(|(area, icon, title, key)| {
        let mut here: Vec<&NavItem> = items.iter().flat_map(|i| &i.0).filter(|i| i.area == *area).collect();
        here.sort_by_key(|i| i.order);
        let entry = |i: &&NavItem| Some(Item::new(i.title, href(i)?).current(i.key == current));
        ui::Area { icon, title: (*title).to_owned(), key, items: here.iter().filter_map(entry).collect() }
    });
    Nav { heading: Some(heading), top, areas: areas.collect() }
}

/// The way from the topmost group to a thing: the segments of its path, the last with its name.
fn crumbs(full_path: &str, name: &str) -> Vec<Crumb> {
    let ends = full_path.match_indices('/').map(|(at, _)| at).chain([full_path.len()]);
    let mut crumbs: Vec<Crumb> = ends
        .map(|end| {
            let path = &full_path[..end];
            Crumb::new(path.rsplit('/').next().unwrap_or(path), format!("/{path}"))
        })
        .collect();
    if let Some(last) = crumbs.last_mut() {
        last.title = name.to_owned();
    }
    crumbs
}

/// Percent-encodes a path such as a branch, but not its slashes.
pub fn encode_path(path: &str) -> Cow<'_, str> {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(path, KEPT).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_lead_down() {
        let crumbs = crumbs("estuary/gates/sluice", "Sluice");
        let found: Vec<_> = crumbs.iter().map(|c| (c.title.as_str(), c.href.as_str())).collect();
        assert_eq!(found, [("estuary", "/estuary"), ("gates", "/estuary/gates"), ("Sluice", "/estuary/gates/sluice")]);
    }

    #[test]
    fn branches_are_encoded() {
        assert_eq!(encode_path("fix/a b#1"), "fix/a%20b%231");
    }
}
