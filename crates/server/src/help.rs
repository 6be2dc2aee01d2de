//! The REST API as pages to read, made from the document that programs get.

use std::collections::BTreeMap;

use accounts::Actor;
use accounts::shell;
use axum::extract::{Path, State};
use kernel::{App, Error, Result};
use serde_json::Value;
use ui::{Crumb, Markup, Page, html, parts};

use crate::ops::OpenApi;

/// One endpoint of the document.
struct Endpoint<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

impl<'a> Endpoint<'a> {
    /// All of them, in the order of the document.
    fn all(document: &'a Value) -> impl Iterator<Item = Self> {
        let paths = document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| Self { method, path, operation })
        })
    }

    fn text(&self, field: &str) -> &'a str {
        self.operation[field].as_str().unwrap_or_default()
    }

    fn tag(&self) -> &'a str {
        self.operation["tags"][0].as_str().unwrap_or_default()
    }

    fn href(&self) -> String {
        format!("/help/api/{}", self.text("operationId"))
    }

    fn method(&self) -> String {
        self.method.to_uppercase()
    }
}

pub(crate) async fn index(State(app): State<App>, actor: Actor) -> Result<Markup> {
    let document = app.get::<OpenApi>().ok_or_else(|| Error::not_found("Page"))?;
    let mut groups: BTreeMap<&str, Vec<Endpoint<'_>>> = BTreeMap::new();
    for endpoint in Endpoint::all(&document.0) {
        groups.entry(endpoint.tag()).or_default().push(endpoint);
    }
    let links = parts::link_button("/api/openapi.json", "code", "OpenAPI document");
    let below = html! { "Paths, parameters and answers are those of GitLab’s API v4, for the areas that are here." };
    let body = html! {
        (parts::head(&html! { "REST API" }, &links, &below))
        div.stack {
            (ui::form::filter("endpoints", "Filter endpoints"))
            div.stack id="endpoints" {
                @for (number, (tag, endpoints)) in groups.iter().enumerate() {
                    (parts::panel_rows(&format!("group-{number}"), tag, &list(endpoints)))
                }
            }
        }
    };
    Ok(page(&app, &actor, "REST API", vec![Crumb::new("REST API", "")], body))
}

fn list(endpoints: &[Endpoint<'_>]) -> Markup {
    let row = |endpoint: &Endpoint<'_>| {
        let title = html! { a href=(endpoint.href()) { (endpoint.text("summary")) } };
        let meta = html! { code { (endpoint.method()) " " (endpoint.path) } };
        parts::row(&html! {}, &title, &meta, &html! {})
    };
    parts::rows(&endpoints.iter().map(row).collect::<Vec<_>>())
}

pub(crate) async fn show(State(app): State<App>, actor: Actor, Path(operation): Path<String>) -> Result<Markup> {
    let document = app.get::<OpenApi>().ok_or_else(|| Error::not_found("Page"))?;
    let found = Endpoint::all(&document.0).find(|e| e.text("operationId") == operation);
    let endpoint = found.ok_or_else(|| Error::not_found("Page"))?;
    let call = curl(&app, &endpoint);
    let title = endpoint.text("summary");
    let body = html! {
        (parts::head(&html! { (title) }, &html! {}, &html! { code { (endpoint.method()) " " (endpoint.path) } }))
        div.stack {
            (parts::code_box(&call, "the call"))
            (parts::panel_rows("parameters", "Parameters", &parameters(&endpoint)))
            @for (status, answer) in endpoint.operation["responses"].as_object().into_iter().flatten() {
                @if status.starts_with('2') { (answer_panel(&document.0, status, answer)) }
            }
        }
    };
    let crumbs = vec![Crumb::new("REST API", "/help/api"), Crumb::new(title, "")];
    Ok(page(&app, &actor, title, crumbs, body))
}

fn page(app: &App, actor: &Actor, title: &str, crumbs: Vec<Crumb>, body: Markup) -> Markup {
    Page { body, crumbs, ..shell::page(app, actor, title) }.render()
}

/// A call to copy.
fn curl(app: &App, endpoint: &Endpoint<'_>) -> String {
    let method = match endpoint.method {
        "get" => String::new(),
        "head" => "--head ".into(),
        other => format!("--request {} ", other.to_uppercase()),
    };
    let path = endpoint.path.replace('{', ":").replace('}', "");
    format!("curl {method}--header \"PRIVATE-TOKEN: $TOKEN\" \"{}\"", app.config().link(&path))
}

fn parameters(endpoint: &Endpoint<'_>) -> Markup {
    let mut rows = vec![];
    for parameter in endpoint.operation["parameters"].as_array().into_iter().flatten() {
        let required = parameter["required"].as_bool().unwrap_or_default();
        rows.push(parameter_row(&parameter["name"], &parameter["schema"], required, &parameter["description"]));
    }
    let body = &endpoint.operation["requestBody"]["content"]["application/json"]["schema"];
    let required: Vec<&Value> = body["required"].as_array().into_iter().flatten().collect();
    for (name, schema) in body["properties"].as_object().into_iter().flatten() {
        let name = Value::from(name.as_str());
        let needed = required.contains(&&name);
        rows.push(parameter_row(&name, schema, needed, &schema["description"]));
    }
    match rows.is_empty() {
        true => html! { div.body { "None." } },
        false => parts::table("Parameters", &["Name", "Type", "Required", "What it is"], &[], &rows),
    }
}

fn parameter_row(name: &Value, schema: &Value, required: bool, about: &Value) -> Vec<Markup> {
    vec![
        html! { code { (name.as_str().unwrap_or_default()) } },
        html! { (type_of(schema)) },
        html! { @if required { "Yes" } @else { "No" } },
        html! { (about.as_str().unwrap_or_default()) },
    ]
}

fn answer_panel(document: &Value, status: &str, answer: &Value) -> Markup {
    let schema = &answer["content"]["application/json"]["schema"];
    let title = format!("Answer {status}");
    let entity = entity_of(document, schema);
    let properties = entity["properties"].as_object().into_iter().flatten();
    let row = |(name, schema): (&String, &Value)| {
        let about = schema["description"].as_str().unwrap_or_default();
        vec![html! { code { (name) } }, html! { (type_of(schema)) }, html! { (about) }]
    };
    let fields: Vec<Vec<Markup>> = properties.map(row).collect();
    let body = match (schema.is_null(), fields.is_empty()) {
        (true, _) => html! { div.body { "No JSON." } },
        (false, true) => html! { div.body { (type_of(schema)) } },
        (false, false) => {
            let caption = if schema["type"] == "array" { "Fields of each item" } else { "Fields" };
            parts::table(caption, &["Field", "Type", "What it is"], &[], &fields)
        }
    };
    parts::panel_rows("answer", &title, &body)
}

/// The schema whose fields an answer has: its own, or those of its items.
fn entity_of<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
    let target = schema["$ref"].as_str().and_then(|r| document.pointer(r.strip_prefix('#')?));
    target.unwrap_or(schema)
}

/// The type in words, such as `list of string` or `integer or null`.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return name.to_owned();
    }
    for key in ["enum", "oneOf"] {
        let values = schema[key].as_array().into_iter().flatten();
        let values: Vec<&str> = values.filter_map(|v| v.as_str().or(v["const"].as_str())).collect();
        if !values.is_empty() {
            return format!("one of {}", values.join(", "));
        }
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(kind) => match schema["format"].as_str() {
            Some("date-time") => "date and time".into(),
            _ => kind.clone(),
        },
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let words =
                kinds.map(|k| if k == "array" { format!("list of {}", type_of(&schema["items"])) } else { k.into() });
            words.collect::<Vec<String>>().join(" or ")
        }
        _ => "anything".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::type_of;

    #[test]
    fn types_in_words() {
        for (schema, words) in [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": ["integer", "null"] }), "integer or null"),
            (json!({ "type": "array", "items": { "$ref": "#/components/schemas/UserBasic" } }), "list of UserBasic"),
            (json!({ "anyOf": [{ "$ref": "#/x/Sort" }, { "type": "null" }] }), "Sort or null"),
            (json!({ "type": "string", "enum": ["asc", "desc"] }), "one of asc, desc"),
            (json!({ "type": "string", "format": "date-time" }), "date and time"),
            (json!(true), "anything"),
        ] {
            assert_eq!(type_of(&schema), words);
        }
    }
}
