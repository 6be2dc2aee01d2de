//! The audit log: who changed what that matters for security.

use kernel::db::Sql;
use kernel::{Result, Time};
use sea_orm::ConnectionTrait;
use serde_json::Value;

use crate::Actor;

/// Writes an audit event in the transaction of the change that it is about.
///
/// `event` is a noun and a past verb (`token.created`), `entity` the kind and id of what was changed.
pub async fn record<C: ConnectionTrait>(
    conn: &C,
    actor: &Actor,
    event: &str,
    entity: (&str, i64),
    details: Value,
) -> Result<()> {
    let sql = "INSERT INTO audit_events (author_id, event, entity_type, entity_id, details, ip, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        actor.id().unwrap_or(0).into(),
        event.into(),
        entity.0.into(),
        entity.1.into(),
        details.to_string().into(),
        actor.ip.as_str().into(),
        Time::now().into(),
    ];
    conn.run(sql, values).await?;
    Ok(())
}
