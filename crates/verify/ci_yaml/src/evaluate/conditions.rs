//! Decides `rules`, `only` and `except`.

use super::context::{Facts, RefKind};
use crate::expand::Layers;
use crate::expression;
use crate::model::{PathsCondition, Policy, Rule};
use crate::read::conditions::any;

/// Finds the first rule that holds.
pub(crate) fn first<'r>(rules: &'r [Rule], facts: &Facts<'_>, variables: &Layers<'_>) -> Option<&'r Rule> {
    rules.iter().find(|rule| holds(rule, facts, variables))
}

fn holds(rule: &Rule, facts: &Facts<'_>, variables: &Layers<'_>) -> bool {
    let condition =
        rule.condition.as_ref().is_none_or(|condition| condition.evaluate(&|name| variables.expanded(name)));
    condition
        && rule.changes.as_ref().is_none_or(|changes| changed(changes, facts, variables))
        && rule.exists.as_ref().is_none_or(|exists| any(&expanded(&exists.paths, variables), facts.files()))
}

fn changed(condition: &PathsCondition, facts: &Facts<'_>, variables: &Layers<'_>) -> bool {
    let base = condition.compare_to.as_ref().map(|base| variables.expand_existing(base));
    facts.changed(base.as_deref()).is_none_or(|paths| any(&expanded(&condition.paths, variables), &paths))
}

fn expanded(paths: &[String], variables: &Layers<'_>) -> Vec<String> {
    paths.iter().map(|path| variables.expand_existing(path)).collect()
}

/// Decides `only`: every part that is given must hold.
pub(crate) fn only(policy: &Policy, facts: &Facts<'_>, variables: &Layers<'_>) -> bool {
    let usual = ["branches".to_owned(), "tags".to_owned()];
    let refs = policy.refs.as_deref().unwrap_or(&usual);
    let parts = parts(policy, facts, variables);
    refs_hold(refs, facts) && parts.into_iter().flatten().all(|part| part)
}

/// Decides `except`: one part that holds is enough.
pub(crate) fn except(policy: &Policy, facts: &Facts<'_>, variables: &Layers<'_>) -> bool {
    let refs = policy.refs.as_ref().is_some_and(|refs| refs_hold(refs, facts));
    refs || parts(policy, facts, variables).into_iter().flatten().any(|part| part)
}

/// Decides all parts but the refs. No cluster is ever active.
fn parts(policy: &Policy, facts: &Facts<'_>, variables: &Layers<'_>) -> [Option<bool>; 3] {
    let conditions =
        policy.variables.as_ref().map(|list| list.iter().any(|one| one.evaluate(&|name| variables.expanded(name))));
    let changes = policy
        .changes
        .as_ref()
        .map(|paths| facts.changed(None).is_none_or(|changed| any(&expanded(paths, variables), &changed)));
    [conditions, changes, policy.kubernetes.then_some(false)]
}

fn refs_hold(refs: &[String], facts: &Facts<'_>) -> bool {
    refs.iter().any(|one| ref_holds(one, facts))
}

fn ref_holds(wanted: &str, facts: &Facts<'_>) -> bool {
    let context = facts.context;
    let (pattern, path) = match wanted.split_once('@') {
        Some((pattern, path)) => (pattern, Some(path)),
        None => (wanted, None),
    };
    if path.is_some_and(|path| path != context.project) {
        return false;
    }
    match pattern {
        "tags" if context.kind == RefKind::Tag => true,
        "branches" if context.kind == RefKind::Branch => true,
        _ if pattern == source_word(context.source) => true,
        _ => match expression::compile(pattern) {
            Some(Ok(regex)) => regex.is_match(context.reference),
            Some(Err(_)) => false,
            None => pattern == context.reference,
        },
    }
}

/// Gives the word `only` uses for a source.
fn source_word(source: &str) -> &str {
    match source {
        "push" => "pushes",
        "trigger" => "triggers",
        "schedule" => "schedules",
        "pipeline" => "pipelines",
        "merge_request_event" => "merge_requests",
        "external_pull_request_event" => "external_pull_requests",
        other => other,
    }
}
