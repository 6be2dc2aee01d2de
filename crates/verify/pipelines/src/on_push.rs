//! A push starts a pipeline.

use std::sync::Arc;

use accounts::User;
use git::Oid;
use kernel::db::Sql;
use kernel::{App, Error, Result};
use projects::{Feature, FeatureLevel, Project};
use repositories::{RefUpdated, Source};

use crate::create::{Wanted, create};
use crate::variables::GivenVariable;

/// Starts the pipeline of a branch or tag that was pushed. Carried out twice, it starts one.
pub(crate) async fn start_pipeline(app: App, event: RefUpdated) -> Result<()> {
    if event.deletes() || event.origin.source == Source::Import || skipped(&event.origin.options) {
        return Ok(());
    }
    let (ref_name, tag) = match (event.branch(), event.tag()) {
        (Some(branch), _) => (branch.to_owned(), false),
        (_, Some(tag)) => (tag.to_owned(), true),
        _ => return Ok(()),
    };
    let Some(project) = Project::find(app.db().conn(), event.project_id).await? else { return Ok(()) };
    if project.archived || project.settings()?.level_of(Feature::Builds) == FeatureLevel::Disabled {
        return Ok(());
    }
    let repo = repositories::open(&app, &project).await?;
    // An annotated tag is an object of its own; the pipeline runs at the commit that it names.
    let pushed = Oid::from_hex(event.new.as_bytes()).map_err(Error::internal)?;
    let Ok(sha) = repo.commit_of(pushed).await else { return Ok(()) };
    let before = Oid::from_hex(event.old.as_bytes()).map_err(Error::internal)?;
    if already_there(&app, &project, &ref_name, &sha, &before).await? {
        return Ok(());
    }
    let message = repo.commit(sha).await.map_err(Error::internal)?.message.lossy().into_owned();
    if says_skip(&message) {
        return Ok(());
    }
    let user = User::find(app.db().conn(), event.actor_id).await?.map(Arc::new);
    let variables = variables(&event.origin.options);
    let wanted = Wanted { ref_name, tag, sha, before, source: "push", user, variables };
    if let Err(nothing) = create(&app, &project, wanted).await? {
        tracing::debug!(project = project.full_path, %nothing, "no pipeline");
    }
    Ok(())
}

async fn already_there(app: &App, project: &Project, ref_name: &str, sha: &Oid, before: &Oid) -> Result<bool> {
    let sql = "SELECT COUNT(*) FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND sha = $3 AND before_sha = $4 AND source = 'push'";
    let values = [project.id.into(), ref_name.into(), sha.to_string().into(), before.to_string().into()];
    Ok(app.db().conn().scalar::<i64>(sql, values).await?.unwrap_or(0) > 0)
}

/// `git push -o ci.skip`.
fn skipped(options: &[String]) -> bool {
    options.iter().any(|o| o == "ci.skip")
}

/// `[skip ci]` or `[ci skip]`, in any case of letters.
fn says_skip(message: &str) -> bool {
    let message = message.to_lowercase();
    ["[skip ci]", "[ci skip]", "[skip-ci]", "[ci-skip]"].iter().any(|s| message.contains(s))
}

/// `git push -o ci.variable="KEY=value"`.
fn variables(options: &[String]) -> Vec<GivenVariable> {
    let given = options.iter().filter_map(|o| o.strip_prefix("ci.variable="));
    let pairs = given.filter_map(|g| g.trim_matches('"').split_once('='));
    pairs.map(|(key, value)| GivenVariable::new(key, value)).filter(|v| v.check().is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_options_and_messages() {
        assert!(skipped(&["ci.skip".into()]) && !skipped(&["ci.skips".into()]));
        assert!(says_skip("Fix [Skip CI] it") && !says_skip("skip ci"));
        let found = variables(&["ci.variable=A=b=c".into(), "other".into(), "ci.variable=\"X=1\"".into()]);
        let pairs: Vec<_> = found.iter().map(|v| (v.key.as_str(), v.value.as_str())).collect();
        assert_eq!(pairs, [("A", "b=c"), ("X", "1")]);
    }
}
