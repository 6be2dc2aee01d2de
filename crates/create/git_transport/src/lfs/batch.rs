//! The batch API: for each object, where to send or get it.

use std::collections::HashMap;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use sea_orm::{FromQueryResult, Value as Bound};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, check_oid, enter, read_json, token, url};

/// The most objects in one batch; `git-lfs` sends a hundred.
const MAX_OBJECTS: usize = 5000;

#[derive(Deserialize)]
struct Batch {
    operation: String,
    #[serde(default)]
    transfers: Vec<String>,
    #[serde(default)]
    objects: Vec<Wanted>,
    hash_algo: Option<String>,
}

#[derive(Deserialize)]
struct Wanted {
    oid: String,
    size: i64,
}

#[derive(FromQueryResult)]
struct Known {
    oid: String,
    size: i64,
}

/// `POST …/info/lfs/objects/batch`
pub(super) async fn batch(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    answer(carry_out(&app, &project, request).await)
}

async fn carry_out(app: &App, project: &str, request: Request) -> Result<(StatusCode, Value)> {
    let (parts, body) = request.into_parts();
    let batch: Batch = read_json(body).await?;
    let upload = match batch.operation.as_str() {
        "upload" => true,
        "download" => false,
        _ => return Err(Error::Unprocessable("the operation must be upload or download".into())),
    };
    if batch.objects.len() > MAX_OBJECTS {
        return Err(Error::TooLarge(format!("a batch may hold {MAX_OBJECTS} objects")));
    }
    if !batch.transfers.is_empty() && !batch.transfers.iter().any(|t| t == "basic") {
        return Err(Error::Unprocessable("only the basic transfer is offered".into()));
    }
    if batch.hash_algo.as_deref().is_some_and(|a| a != "sha256") {
        return Err(Error::Conflict("only sha256 is understood".into()));
    }
    let access = enter(app, &parts, project, upload).await?;
    let known = known(app, access.project.id, &batch.objects).await?;
    let header = token::header(app, &access, upload).await?;
    let offer = Offer { app, access: &access, header, known };
    let objects: Vec<Value> = batch.objects.iter().map(|o| offer.object(o, upload)).collect();
    Ok((StatusCode::OK, json!({ "transfer": "basic", "objects": objects, "hash_algo": "sha256" })))
}

async fn known(app: &App, project_id: i64, wanted: &[Wanted]) -> Result<HashMap<String, i64>> {
    let mut found = HashMap::new();
    for chunk in wanted.chunks(200) {
        let marks: Vec<String> = (0..chunk.len()).map(|n| format!("${}", n + 2)).collect();
        let sql = format!(
            "SELECT o.oid, o.size FROM lfs_project_objects p JOIN lfs_objects o ON o.oid = p.oid
             WHERE p.project_id = $1 AND p.oid IN ({})",
            marks.join(", ")
        );
        let values = std::iter::once(Bound::from(project_id)).chain(chunk.iter().map(|o| o.oid.as_str().into()));
        let rows: Vec<Known> = app.db().all(&sql, values.collect::<Vec<_>>()).await?;
        found.extend(rows.into_iter().map(|k| (k.oid, k.size)));
    }
    Ok(found)
}

struct Offer<'a> {
    app: &'a App,
    access: &'a ProjectAccess,
    header: String,
    known: HashMap<String, i64>,
}

impl Offer<'_> {
    fn object(&self, wanted: &Wanted, upload: bool) -> Value {
        let mut object = json!({ "oid": wanted.oid, "size": wanted.size, "authenticated": true });
        let known = self.known.get(&wanted.oid).copied();
        let fault = |code: u16, message: &str| json!({ "code": code, "message": message });
        if check_oid(&wanted.oid).is_err() || wanted.size < 0 {
            object["error"] = fault(422, "the object id or size is malformed");
        } else if known.is_some_and(|size| size != wanted.size) {
            object["error"] = fault(422, "the object has another size");
        } else if !upload && known.is_none() {
            object["error"] =
                fault(404, "the object was never uploaded to this project; push it with `git lfs push --all`");
        } else if !upload {
            object["actions"] = json!({ "download": self.action(&format!("/objects/{}", wanted.oid)) });
        } else if known.is_none() {
            let upload = self.action(&format!("/objects/{}/{}", wanted.oid, wanted.size));
            object["actions"] = json!({ "upload": upload, "verify": self.action("/verify") });
        }
        object
    }

    fn action(&self, path: &str) -> Value {
        json!({
            "href": url(self.app, &self.access.project, path),
            "header": { "Authorization": self.header },
            "expires_in": token::life(),
        })
    }
}
