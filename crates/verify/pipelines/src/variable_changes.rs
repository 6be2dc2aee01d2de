//! Changes of the variables of projects and groups, each with its audit event.

use accounts::{Actor, audit};
use kernel::{App, Error, Result, Tx};
use serde_json::json;

use crate::variables::{CiVariable, Owner};

/// Adds a variable. The caller has checked that the actor may.
pub(crate) async fn add(app: &App, actor: &Actor, owner: Owner, new: &CiVariable) -> Result<CiVariable> {
    let tx = app.begin().await?;
    let added = new.insert(&*tx, owner).await.map_err(|e| taken(e, new))?;
    record(&tx, actor, "variable.created", owner, &added).await?;
    tx.commit().await?;
    Ok(added)
}

/// Writes a variable back. The caller has checked that the actor may.
pub(crate) async fn change(app: &App, actor: &Actor, owner: Owner, changed: &CiVariable) -> Result<()> {
    let tx = app.begin().await?;
    changed.update(&*tx).await.map_err(|e| taken(e, changed))?;
    record(&tx, actor, "variable.updated", owner, changed).await?;
    tx.commit().await
}

/// Removes a variable. The caller has checked that the actor may.
pub(crate) async fn remove(app: &App, actor: &Actor, owner: Owner, gone: &CiVariable) -> Result<()> {
    let tx = app.begin().await?;
    gone.delete(&*tx).await?;
    record(&tx, actor, "variable.removed", owner, gone).await?;
    tx.commit().await
}

/// Two who add the same at once: the second is told what the database found.
fn taken(error: Error, variable: &CiVariable) -> Error {
    match error {
        Error::Conflict(_) => Error::invalid("key", format!("({}) has already been taken", variable.key)),
        other => other,
    }
}

async fn record(tx: &Tx, actor: &Actor, event: &str, owner: Owner, variable: &CiVariable) -> Result<()> {
    let entity = match owner {
        Owner::Project(id) => ("project", id),
        Owner::Group(id) => ("group", id),
    };
    let scope = &variable.environment_scope;
    let details = json!({ "key": variable.key, "environment_scope": scope, "protected": variable.protected, "masked": variable.masked });
    audit::record(&**tx, actor, event, entity, details).await
}
