//! Endpoints of the REST API: each is declared once, with what it takes and gives, and that declaration is its
//! documentation (OpenAPI), its route and its entry in the tests of permissions.

use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use http::Method;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::App;

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// An endpoint below `/api/v4`.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path below `/api/v4`, such as `/projects/{id}`.
    pub path: &'static str,
    /// The group it is listed under.
    pub tag: &'static str,
    /// One sentence on what it does.
    pub about: &'static str,
    /// The status of success.
    pub status: u16,
    /// Its handler.
    pub route: MethodRouter<App>,
    takes: Option<Describe>,
    gives: Option<Describe>,
}

/// The endpoints of one noun.
pub struct Api {
    tag: &'static str,
    /// In the order they were added.
    pub endpoints: Vec<Endpoint>,
}

macro_rules! method {
    ($($(#[$doc:meta])* $name:ident $method:ident $status:literal),*) => { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name<H: Handler<T, App>, T: 'static>(self, path: &'static str, about: &'static str, handler: H) -> Self {
            self.add(Method::$method, path, about, $status, routing::$name(handler))
        }
    )* };
}

impl Api {
    /// An empty list under a heading.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, endpoints: vec![] }
    }

    method!(
        /// Adds a GET endpoint (200).
        get GET 200,
        /// Adds a POST endpoint (201).
        post POST 201,
        /// Adds a PUT endpoint (200).
        put PUT 200,
        /// Adds a PATCH endpoint (200).
        patch PATCH 200,
        /// Adds a HEAD endpoint (200).
        head HEAD 200,
        /// Adds a DELETE endpoint (204).
        delete DELETE 204
    );

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        about: &'static str,
        status: u16,
        route: MethodRouter<App>,
    ) -> Self {
        self.endpoints.push(Endpoint { method, path, tag: self.tag, about, status, route, takes: None, gives: None });
        self
    }

    /// Says which parameters the last endpoint takes.
    #[must_use]
    pub fn takes<T: JsonSchema>(self) -> Self {
        self.change(|e| e.takes = Some(|g| T::json_schema(g)))
    }

    /// Says what the last endpoint answers with.
    #[must_use]
    pub fn gives<T: JsonSchema>(self) -> Self {
        self.change(|e| e.gives = Some(SchemaGenerator::subschema_for::<T>))
    }

    /// Says which status the last endpoint answers with on success, where it is not the method's usual one.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.change(|e| e.status = status)
    }

    fn change(mut self, change: impl FnOnce(&mut Endpoint)) -> Self {
        if let Some(last) = self.endpoints.last_mut() {
            change(last);
        }
        self
    }
}

/// The OpenAPI 3.1 document of all endpoints.
pub fn openapi<'a>(endpoints: impl Iterator<Item = &'a Endpoint>, server: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, &mut generator);
        // A parameter that takes the rest of the path is an ordinary one there.
        let path = format!("/api/v4{}", endpoint.path.replace("{*", "{"));
        let path = paths.entry(path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tidemill REST API", "version": "v4", "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": server }],
        "security": [{}, { "PrivateToken": [] }, { "Bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "PrivateToken": { "type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN" },
                "Bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = path_parameters(endpoint.path);
    let mut operation =
        json!({ "tags": [endpoint.tag], "summary": endpoint.about, "operationId": operation_id(endpoint) });
    if let Some(takes) = endpoint.takes {
        let schema = takes(generator).to_value();
        if matches!(endpoint.method, Method::GET | Method::DELETE | Method::HEAD) {
            parameters.extend(query_parameters(&schema));
        } else {
            operation["requestBody"] = json!({ "content": {
                "application/json": { "schema": schema }, "application/x-www-form-urlencoded": { "schema": schema } } });
        }
    }
    let mut success = json!({ "description": "Success" });
    if let Some(gives) = endpoint.gives {
        let schema = gives(generator).to_value();
        if endpoint.method == Method::GET && schema["type"] == "array" {
            parameters.extend(paging_parameters());
        }
        success["content"] = json!({ "application/json": { "schema": schema } });
    }
    operation["parameters"] = Value::Array(parameters);
    operation["responses"] = json!({ endpoint.status.to_string(): success,
        "401": { "description": "Not signed in" }, "403": { "description": "Not allowed" }, "404": { "description": "Not there, or not visible" } });
    operation
}

fn operation_id(endpoint: &Endpoint) -> String {
    // `/-/` tells two paths apart, so it is a word too.
    let path = endpoint.path.replace("/-/", "/dash/");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let words: Vec<_> =
        std::iter::once(endpoint.method.as_str().to_ascii_lowercase()).chain(words.map(str::to_owned)).collect();
    words.join("_")
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|p| p.split('}').next());
    names.map(path_parameter).collect()
}

fn path_parameter(name: &str) -> Value {
    let mut parameter =
        json!({ "name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": { "type": "string" } });
    if name == "id" {
        parameter["description"] = json!("The number, or the path with %2F for slashes");
    }
    parameter
}

fn paging_parameters() -> [Value; 2] {
    let parameter = |name: &str, about: &str, most: Option<u32>| {
        let mut schema = json!({ "type": "integer", "minimum": 1 });
        if let Some(most) = most {
            schema["maximum"] = json!(most);
        }
        json!({ "name": name, "in": "query", "required": false, "description": about, "schema": schema })
    };
    [
        parameter("page", "Which page, from 1", None),
        parameter("per_page", "Items on a page, 20 where it is absent", Some(100)),
    ]
}

fn query_parameters(schema: &Value) -> Vec<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            let about = schema.as_object_mut().and_then(|s| s.shift_remove("description"));
            let required = required.contains(&name.as_str());
            let mut parameter = json!({ "name": name, "in": "query", "required": required, "schema": schema });
            if let Some(about) = about {
                parameter["description"] = about;
            }
            parameter
        })
        .collect()
}
