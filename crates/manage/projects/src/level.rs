//! Access levels: what somebody may do as a member, as GitLab numbers it.

/// No access.
pub const NONE: i64 = 0;
/// Sees that a private group exists.
pub const MINIMAL: i64 = 5;
/// Reads and takes part.
pub const GUEST: i64 = 10;
/// Plans work.
pub const PLANNER: i64 = 15;
/// Reads all, the code too.
pub const REPORTER: i64 = 20;
/// Pushes.
pub const DEVELOPER: i64 = 30;
/// Looks after the project.
pub const MAINTAINER: i64 = 40;
/// Owns it.
pub const OWNER: i64 = 50;

/// Every level with its name.
pub const ALL: &[(i64, &str)] = &[
    (MINIMAL, "Minimal access"),
    (GUEST, "Guest"),
    (PLANNER, "Planner"),
    (REPORTER, "Reporter"),
    (DEVELOPER, "Developer"),
    (MAINTAINER, "Maintainer"),
    (OWNER, "Owner"),
];

/// The name of a level.
pub fn name(level: i64) -> &'static str {
    ALL.iter().find(|(l, _)| *l == level).map_or("No access", |(_, n)| n)
}
