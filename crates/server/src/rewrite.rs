//! From the paths that people see to the patterns that the router knows.
//!
//! A project's path has any number of segments, which a router can't match; so the path becomes one segment with `%2F`:
//! `/g/sub/p/-/tree/main` becomes `/@project/g%2Fsub%2Fp/-/tree/main`. No real path begins with `/@`.

use kernel::{App, Result};
use projects::{Namespace, Project};

/// First segments that are not a namespace.
const OWN: &[&str] = &[
    "-",
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "favicon.ico",
    "help",
    "import",
    "oauth",
    "projects",
    "public",
    "robots.txt",
    "search",
    "uploads",
    "users",
    "v2",
];

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A route as it stands.
    Own,
    /// Something in a project: its path and the rest.
    Project(&'a str, &'a str),
    /// Git's or LFS's side of a project.
    Git(&'a str, &'a str),
    /// Something in a group.
    Group(&'a str, &'a str),
    /// A user, a group or a project: the database knows.
    Bare(&'a str),
    /// Nothing.
    Nothing,
}

/// Tells where a raw path leads, by its form alone.
pub(crate) fn classify(path: &str) -> Target<'_> {
    let inner = path.trim_start_matches('/');
    let first = inner.split('/').next().unwrap_or_default();
    if first.starts_with('@') || first.starts_with("%40") {
        return Target::Nothing;
    }
    if inner.is_empty() || OWN.contains(&first) {
        return Target::Own;
    }
    if first == "groups" {
        return group(&inner["groups".len()..]);
    }
    if let Some(at) = inner.find("/-/") {
        return Target::Project(&inner[..at], &inner[at..]);
    }
    if let Some((project, rest)) = split_at_git(inner) {
        return Target::Git(project, rest);
    }
    if let Some(at) = inner.find("/uploads/") {
        return Target::Project(&inner[..at], &inner[at..]);
    }
    Target::Bare(inner.trim_end_matches('/'))
}

fn group(rest: &str) -> Target<'_> {
    let rest = rest.trim_start_matches('/');
    if rest.is_empty() || rest == "new" {
        return Target::Own;
    }
    match rest.find("/-/") {
        Some(at) => Target::Group(&rest[..at], &rest[at..]),
        None => Target::Bare(rest.trim_end_matches('/')),
    }
}

/// Splits `g/p.git/info/refs`, `g/p/info/refs` and the like behind the project.
fn split_at_git(path: &str) -> Option<(&str, &str)> {
    if let Some(at) = path.find(".git/") {
        let rest = &path[at + 4..];
        let ours = ["/info/", "/git-", "/HEAD", "/objects/", "/gitlab-lfs/"];
        return ours.iter().any(|o| rest.starts_with(o)).then(|| (&path[..at], rest));
    }
    let ends = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];
    if let Some(end) = ends.iter().find(|e| path.ends_with(**e)) {
        return Some(path.split_at(path.len() - end.len()));
    }
    path.find("/info/lfs/").map(|at| path.split_at(at))
}

/// The path that the router is given; `None` where there can be nothing.
pub(crate) async fn rewrite(app: &App, path: &str) -> Result<Option<String>> {
    let one_segment = |p: &str| p.replace('/', "%2F");
    Ok(match classify(path) {
        Target::Own => Some(path.to_owned()),
        Target::Nothing => None,
        Target::Project(project, rest) => Some(format!("/@project/{}{rest}", one_segment(project))),
        Target::Git(project, rest) => Some(format!("/@git/{}{rest}", one_segment(project))),
        Target::Group(group, rest) => Some(format!("/@group/{}{rest}", one_segment(group))),
        Target::Bare(bare) => {
            Some(format!("/{}/{}", kind_of(app, bare).await?, one_segment(bare.trim_end_matches(".git"))))
        }
    })
}

/// Which pattern a bare path belongs to. A path that nothing has goes where a redirect may be known for it.
async fn kind_of(app: &App, path: &str) -> Result<&'static str> {
    let path = path.trim_end_matches(".git");
    let conn = app.db().conn();
    if path.contains('/') && Project::by_path(conn, path).await?.is_some() {
        return Ok("@project");
    }
    Ok(match Namespace::by_path(conn, path).await? {
        Some(namespace) if namespace.is_group() => "@group",
        Some(_) => "@user",
        None if path.contains('/') => "@project",
        None => "@group",
    })
}

#[cfg(test)]
mod tests {
    use super::Target::{Bare, Git, Group, Nothing, Own, Project};
    use super::*;

    #[test]
    fn paths_find_their_target() {
        for (path, target) in [
            ("/", Own),
            ("/api/v4/projects/a%2Fb", Own),
            ("/-/health", Own),
            ("/groups/new", Own),
            ("/groups/a/b/-/edit", Group("a/b", "/-/edit")),
            ("/groups/a", Bare("a")),
            ("/a/b/-/tree/main/-/x", Project("a/b", "/-/tree/main/-/x")),
            ("/a/b.git/info/refs", Git("a/b", "/info/refs")),
            ("/a/b/info/refs", Git("a/b", "/info/refs")),
            ("/a/b.git/info/lfs/objects/batch", Git("a/b", "/info/lfs/objects/batch")),
            ("/a/b/-/blob/main/x.git/info/y", Project("a/b", "/-/blob/main/x.git/info/y")),
            ("/a/b/", Bare("a/b")),
            ("/a/b/uploads/s/f.png", Project("a/b", "/uploads/s/f.png")),
            ("/@project/a%2Fb", Nothing),
        ] {
            assert_eq!(classify(path), target, "{path}");
        }
    }
}
