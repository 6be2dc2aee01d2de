//! Whether an OpenAPI document is whole: references resolve, parameters are declared, operations are told apart.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Finding;

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Checks the document in a file.
pub fn check(file: &Path) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let document = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    Ok(check_document(&document))
}

/// Checks a document.
pub fn check_document(document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !document["openapi"].as_str().is_some_and(|v| v.starts_with("3.")) {
        findings.push(Finding::failure("openapi", "the version is missing or not 3.x"));
    }
    for field in ["title", "version"] {
        if !document["info"][field].is_string() {
            findings.push(Finding::failure("info", format!("`{field}` is missing")));
        }
    }
    references(document, document, "", &mut findings);
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                let place = format!("{} {path}", method.to_uppercase());
                let declared = declared_parameters(document, item, operation);
                let missing = placeholders(path).filter(|name| !declared.contains(name));
                findings
                    .extend(missing.map(|n| Finding::failure(&place, format!("`{n}` in the path is not declared"))));
                findings.extend(check_operation(operation, &place, &mut ids));
            }
        }
    }
    findings
}

fn check_operation(operation: &Value, place: &str, ids: &mut BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if operation["responses"].as_object().is_none_or(|r| r.is_empty()) {
        findings.push(Finding::failure(place, "has no response"));
    }
    if let Some(id) = operation["operationId"].as_str()
        && !ids.insert(id.to_owned())
    {
        findings.push(Finding::failure(place, format!("the operationId `{id}` is taken")));
    }
    findings
}

fn declared_parameters<'a>(document: &'a Value, item: &'a Value, operation: &'a Value) -> BTreeSet<&'a str> {
    let lists = [&item["parameters"], &operation["parameters"]];
    let all = lists.into_iter().filter_map(Value::as_array).flatten();
    let resolved = all.map(|p| p["$ref"].as_str().and_then(|r| resolve(document, r)).unwrap_or(p));
    resolved.filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect()
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn references(document: &Value, value: &Value, place: &str, findings: &mut Vec<Finding>) {
    match value {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str)
                && resolve(document, target).is_none()
            {
                findings.push(Finding::failure(place, format!("`{target}` leads nowhere")));
            }
            fields.iter().for_each(|(key, v)| references(document, v, &format!("{place}/{key}"), findings));
        }
        Value::Array(items) => items.iter().for_each(|v| references(document, v, place, findings)),
        _ => {}
    }
}

fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn accepts_a_whole_document() {
        let document = json!({
            "openapi": "3.1.0", "info": {"title": "T", "version": "1"},
            "components": {"schemas": {"A": {"type": "object"}}},
            "paths": {"/a/{id}": {"get": {
                "operationId": "a", "parameters": [{"in": "path", "name": "id"}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}
            }}}
        });
        assert_eq!(check_document(&document), []);
    }

    #[test]
    fn finds_what_is_missing() {
        let document = json!({
            "openapi": "2.0", "info": {"title": "T"},
            "paths": {
                "/a/{id}": {"get": {"operationId": "a"}},
                "/b": {"get": {"operationId": "a", "responses": {"200": {"$ref": "#/components/responses/None"}}}}
            }
        });
        let found: Vec<String> = check_document(&document).into_iter().map(|f| f.message).collect();
        assert_eq!(found.len(), 6, "{found:?}");
    }
}
