//! `docs/permissions.md` says what the table in the code says. `just docs` writes it anew.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use projects::level;
use projects::permissions::{RULES, Rule};

const FILE: &str = "docs/permissions.md";

const HEAD: &str = "\
# Permissions

Who may do what, generated from the one table in the code
([crates/manage/projects/src/permissions.rs](../crates/manage/projects/src/permissions.rs)) by `just docs`; a test fails while the two differ.

A member of a group is a member of its subgroups and projects too, with the highest of all levels that apply. An owner of a project's
personal namespace and an administrator of the instance have the level Owner. *Visitor* is anybody who sees the project or group without
being a member: everybody where it is public, everybody signed in (but external users) where it is internal, nobody where it is private.
Nobody changes anything without having signed in.

What somebody may not see is answered with 404, as if it were not there; what they see and may not do, with 403.
";

const FOOT: &str = "
1. Where the feature in the column *Needs* is switched off in the project's settings, nobody may; where it is kept to members, visitors may not.
2. Refused while the project is archived.

The levels as numbers, as the REST API has them: ";

#[test]
fn the_page_on_permissions_is_current() {
    let path = xtask::root().unwrap().join(FILE);
    let wanted = page();
    if std::env::var_os("TIDEMILL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{FILE} is not what the table says; run `just docs`");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (title, group) in [("Groups", true), ("Projects", false)] {
        write!(page, "\n## {title}\n\n| |").unwrap();
        level::ALL.iter().for_each(|(_, name)| write!(page, " {name} |").unwrap());
        write!(page, " Visitor | Needs (1) |\n|---|{}---|\n", ":-:|".repeat(level::ALL.len() + 1)).unwrap();
        RULES.iter().filter(|r| is_about_group(r) == group).for_each(|rule| row(&mut page, rule));
    }
    page.push_str(FOOT);
    let levels: Vec<String> = level::ALL.iter().map(|(number, name)| format!("{name} {number}")).collect();
    writeln!(page, "{}.", levels.join(", ")).unwrap();
    page
}

fn is_about_group(rule: &Rule) -> bool {
    format!("{:?}", rule.permission).contains("Group")
        || rule.about.ends_with("group")
        || rule.about.contains("subgroup")
}

fn row(page: &mut String, rule: &Rule) {
    let mark = |yes: bool| if yes { " ✓ |" } else { "   |" };
    let noted = if rule.writes { " (2)" } else { "" };
    write!(page, "| {}{noted} |", rule.about).unwrap();
    level::ALL.iter().for_each(|(number, _)| page.push_str(mark(*number >= rule.member)));
    page.push_str(mark(rule.visitor));
    let feature = rule.feature.map(|f| format!("{f:?}")).unwrap_or_default();
    writeln!(page, " {feature} |").unwrap();
}
