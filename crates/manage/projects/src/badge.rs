//! Badges of projects and groups: a linked picture whose addresses may hold placeholders.

use kernel::db::Sql;
use kernel::{Error, Result};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::project::Project;

const MAX_URL: usize = 1024;

/// A badge.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Badge {
    /// The id.
    pub id: i64,
    /// Its project, if it is one project's own.
    pub project_id: Option<i64>,
    /// Its group otherwise.
    pub namespace_id: Option<i64>,
    /// What it is called; may be empty.
    pub name: String,
    /// Where it leads.
    pub link_url: String,
    /// The picture.
    pub image_url: String,
}

/// What stands for the placeholders.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pairs: Vec<(&'static str, String)>,
}

impl Values {
    pub(crate) fn of(project: &Project) -> Self {
        Self {
            pairs: vec![
                ("project_path", project.full_path.clone()),
                ("project_title", project.name.clone()),
                ("project_name", project.path.clone()),
                ("project_id", project.id.to_string()),
                ("project_namespace", project.namespace_path().to_owned()),
                ("group_name", project.namespace_path().rsplit('/').next().unwrap_or_default().to_owned()),
                ("default_branch", project.branch().to_owned()),
            ],
        }
    }

    /// The address with the placeholders filled in, percent-encoded but for slashes.
    pub(crate) fn fill(&self, url: &str) -> String {
        let filled = self.pairs.iter().fold(url.to_owned(), |url, (name, value)| {
            url.replace(&format!("%{{{name}}}"), &crate::shell::encode_path(value))
        });
        filled.replace("%{commit_sha}", "").replace("%{latest_tag}", "")
    }
}

/// Refuses addresses that are none or that a page can't show.
pub(crate) fn check_url(field: &str, text: &str) -> Result<()> {
    let plain = Values::of_nothing().fill(text);
    let parsed = url::Url::parse(&plain).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    let dirty = text.chars().any(|c| c.is_control() || c.is_whitespace());
    match parsed {
        Some(_) if text.len() <= MAX_URL && !dirty => Ok(()),
        _ => Err(Error::invalid(field, "is blocked: Only allowed schemes are http, https")),
    }
}

impl Values {
    /// A letter for each placeholder, to see whether an address is well formed.
    fn of_nothing() -> Self {
        let names = [
            "project_path",
            "project_title",
            "project_name",
            "project_id",
            "project_namespace",
            "group_name",
            "default_branch",
        ];
        Self { pairs: names.into_iter().map(|n| (n, "x".to_owned())).collect() }
    }
}

impl Badge {
    /// The badges of a project: those of the groups above, then its own.
    pub async fn of_project<C: ConnectionTrait>(conn: &C, project: &Project) -> Result<Vec<Self>> {
        let sql = "SELECT b.id, b.project_id, b.namespace_id, b.name, b.link_url, b.image_url FROM badges b
                   LEFT JOIN namespace_ancestors a ON a.ancestor_id = b.namespace_id AND a.namespace_id = $2
                   WHERE b.project_id = $1 OR a.namespace_id IS NOT NULL
                   ORDER BY CASE WHEN b.project_id IS NULL THEN 0 ELSE 1 END, a.depth DESC, b.id LIMIT 200";
        conn.all(sql, [project.id.into(), project.namespace_id.into()]).await
    }

    /// Where it leads for a project.
    pub fn link_for(&self, project: &Project) -> String {
        Values::of(project).fill(&self.link_url)
    }

    /// The address of the picture for a project.
    pub fn image_for(&self, project: &Project) -> String {
        Values::of(project).fill(&self.image_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses() {
        for bad in ["javascript:alert(1)", "data:image/svg+xml,x", "/x", "https://", "https://a b", "http://a/\n"] {
            assert!(check_url("link_url", bad).is_err(), "{bad:?}");
        }
        assert!(check_url("link_url", "https://ci.example/%{project_path}/%{default_branch}.svg").is_ok());
    }
}
