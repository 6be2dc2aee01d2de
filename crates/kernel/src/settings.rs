//! Instance settings: a key and a JSON value, cached in the process.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Db, Result};

/// The settings that an administrator changes while the server runs.
#[derive(Clone, Default)]
pub struct Settings {
    values: Arc<RwLock<HashMap<String, Value>>>,
}

#[derive(FromQueryResult)]
struct Row {
    key: String,
    value: String,
}

impl Settings {
    /// Reads every setting from the database, as at the start and when another process changed one.
    pub async fn load(&self, db: &Db) -> Result<()> {
        let rows: Vec<Row> = db.all("SELECT key, value FROM settings", []).await?;
        let values = rows.into_iter().filter_map(|r| Some((r.key, serde_json::from_str(&r.value).ok()?)));
        *self.values.write().unwrap_or_else(std::sync::PoisonError::into_inner) = values.collect();
        Ok(())
    }

    /// The value of `key`, or the default where it is unset or of another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str, default: T) -> T {
        let values = self.values.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        values.get(key).and_then(|v| serde_json::from_value(v.clone()).ok()).unwrap_or(default)
    }

    /// Sets `key` for this and, once they look, all other processes.
    pub async fn set<T: Serialize>(&self, db: &Db, key: &str, value: T) -> Result<()> {
        let value = serde_json::to_value(value)?;
        let sql =
            "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let statement = Statement::from_sql_and_values(db.backend(), sql, [key.into(), value.to_string().into()]);
        db.conn().execute_raw(statement).await?;
        self.values.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key.to_owned(), value);
        Ok(())
    }
}
