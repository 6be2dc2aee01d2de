//! The `artifacts` keyword.

use super::scope::{Scope, present};
use crate::model::{Artifacts, Members, When};
use crate::value::Map;

const KEYS: [&str; 11] = [
    "name",
    "untracked",
    "paths",
    "reports",
    "when",
    "expire_in",
    "expose_as",
    "exclude",
    "public",
    "access",
    "archive",
];
const ACCESS: [&str; 4] = ["none", "developer", "all", "maintainer"];
pub(crate) const OUTCOMES: [&str; 3] = ["on_success", "on_failure", "always"];
const REPORTS: [&str; 27] = [
    "junit",
    "codequality",
    "sast",
    "secret_detection",
    "dependency_scanning",
    "container_scanning",
    "cluster_image_scanning",
    "dast",
    "license_scanning",
    "performance",
    "browser_performance",
    "load_performance",
    "lsif",
    "dotenv",
    "terraform",
    "accessibility",
    "coverage_fuzzing",
    "api_fuzzing",
    "requirements",
    "requirements_v2",
    "coverage_report",
    "cyclonedx",
    "annotations",
    "repository_xray",
    "metrics",
    "sarif",
    "scip",
];

/// Reads `artifacts`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Option<Artifacts> {
    let value = present(map, "artifacts")?;
    let scope = &scope.child("artifacts");
    let map = scope.map(value)?;
    scope.known_keys(map, value.at, &KEYS);
    let artifacts = Artifacts {
        name: scope.text(map, "name"),
        paths: scope.texts(map, "paths").unwrap_or_default(),
        exclude: scope.texts(map, "exclude").unwrap_or_default(),
        untracked: scope.flag(map, "untracked").unwrap_or(false),
        when: scope.word(map, "when", &OUTCOMES).and_then(|word| When::from_word(&word)),
        expire_in: scope.lifetime(map, "expire_in"),
        expose_as: expose_as(scope, map),
        access: access(scope, map),
        reports: reports(scope, map),
    };
    if artifacts.expose_as.is_some() && artifacts.paths.is_empty() {
        scope.key("paths", value.at, "can't be blank");
    }
    Some(artifacts)
}

fn expose_as(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let text = scope.text(map, "expose_as")?;
    let at = map.get("expose_as").map(|value| value.at).unwrap_or_default();
    let fits = |c: char| c.is_alphanumeric() || "_- ".contains(c);
    if text.chars().count() > 100 {
        scope.key("expose_as", at, "is too long (maximum is 100 characters)");
    } else if text.is_empty() || !text.chars().all(fits) {
        scope.key("expose_as", at, "can contain only letters, digits, '-', '_' and spaces");
    }
    let paths = scope.texts(map, "paths").unwrap_or_default();
    if paths.iter().any(|path| path.contains('*')) {
        scope.key("paths", at, "can't contain '*' when used with 'expose_as'");
    }
    Some(text)
}

/// Reads `access`, or the older `public`.
fn access(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let public = scope.flag(map, "public");
    let access = scope.word(map, "access", &ACCESS);
    if let (Some(_), Some(_), Some(value)) = (public, &access, map.get("access")) {
        scope.config(value.at, "these keys cannot be used together: public, access");
    }
    access.or_else(|| public.map(|public| if public { "all" } else { "developer" }.to_owned()))
}

fn reports(scope: &Scope<'_>, map: &Map) -> Members {
    let Some(value) = present(map, "reports") else {
        return Members::new();
    };
    let scope = scope.child("reports");
    let Some(map) = scope.map(value) else {
        return Members::new();
    };
    scope.known_keys(map, value.at, &REPORTS);
    for (kind, _) in map {
        match kind.as_str() {
            "coverage_report" => coverage_report(&scope, map),
            kind => {
                scope.text_or_texts(map, kind);
            }
        }
    }
    map.iter().filter(|(_, value)| !value.is_null()).map(|(kind, value)| (kind.clone(), value.to_json())).collect()
}

fn coverage_report(scope: &Scope<'_>, map: &Map) {
    let Some(value) = present(map, "coverage_report") else {
        return;
    };
    let scope = scope.child("coverage_report");
    let Some(map) = scope.map(value) else {
        return;
    };
    scope.known_keys(map, value.at, &["coverage_format", "path"]);
    scope.word(map, "coverage_format", &["cobertura", "jacoco"]);
    if scope.text(map, "path").is_none_or(|path| path.is_empty()) {
        scope.key("path", value.at, "can't be blank");
    }
}
