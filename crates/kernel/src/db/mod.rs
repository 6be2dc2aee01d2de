//! The database: one pool, SQLite or PostgreSQL, and SQL that both understand.
//!
//! SQL is written once: placeholders are `$1`, whole numbers and times `BIGINT`, texts compared in lower case where
//! case doesn't count, sums cast to `BIGINT`.

mod migrate;

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::postgres::PgPool;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, FromQueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};

pub use migrate::MigrateError;

use crate::{Error, Result};

/// A handle on the database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    conn: DatabaseConnection,
}

impl Db {
    /// Connects to `sqlite:PATH` or `postgres://…` without touching the schema.
    pub async fn connect(url: &str) -> Result<Self, sea_orm::DbErr> {
        let conn = match url.strip_prefix("sqlite:") {
            Some(path) => Database::connect(sqlite_options(path.trim_start_matches("//"))).await?,
            None => Database::connect(postgres_options(url)).await?,
        };
        Ok(Self { conn })
    }

    /// Brings the schema up to date; fails where the database is newer than this program.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        migrate::run(self).await
    }

    /// Which of the two it is.
    pub fn backend(&self) -> DbBackend {
        self.conn.get_database_backend()
    }

    /// Whether it is PostgreSQL, for the few statements that differ.
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// The connection, for reads outside a transaction and single writes.
    pub fn conn(&self) -> &DatabaseConnection {
        &self.conn
    }

    /// The pool of PostgreSQL, for `LISTEN`; `None` on SQLite.
    pub(crate) fn postgres_pool(&self) -> Option<&PgPool> {
        self.is_postgres().then(|| self.conn.get_postgres_connection_pool())
    }

    /// Begins a transaction that takes SQLite's write lock at once, so that it can't fail half-way for want of it.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
        Ok(self.conn.begin_with_options(options).await?)
    }

    /// All rows of a query.
    pub async fn all<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>> {
        Sql::all(&self.conn, sql, values).await
    }

    /// The first row of a query.
    pub async fn one<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>> {
        Sql::one(&self.conn, sql, values).await
    }

    /// Carries out a statement; gives the number of rows it touched.
    pub async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64> {
        Sql::run(&self.conn, sql, values).await
    }
}

/// Raw SQL on any connection or transaction, in the dialect that both databases share.
#[async_trait]
pub trait Sql: ConnectionTrait {
    /// All rows of a query.
    async fn all<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Vec<T>> {
        let rows = self.query_all_raw(statement(self, sql, values)).await?;
        rows.iter().map(|r| T::from_query_result(r, "").map_err(Error::from)).collect()
    }

    /// The first row of a query.
    async fn one<T: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>> {
        let row = self.query_one_raw(statement(self, sql, values)).await?;
        Ok(row.map(|r| T::from_query_result(&r, "")).transpose()?)
    }

    /// The first column of the first row, such as a count.
    async fn scalar<T: sea_orm::TryGetable>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> Result<Option<T>> {
        let row = self.query_one_raw(statement(self, sql, values)).await?;
        Ok(row.map(|r| r.try_get_by_index(0)).transpose()?)
    }

    /// Carries out a statement; gives the number of rows it touched.
    async fn run(&self, sql: &str, values: impl IntoIterator<Item = Value> + Send) -> Result<u64> {
        Ok(self.execute_raw(statement(self, sql, values)).await?.rows_affected())
    }
}

impl<C: ConnectionTrait + ?Sized> Sql for C {}

fn statement<C: ConnectionTrait + ?Sized>(conn: &C, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(conn.get_database_backend(), sql, values)
}

fn sqlite_options(path: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{path}?mode=rwc"));
    options.max_connections(8).min_connections(1).sqlx_logging(false);
    options.acquire_timeout(Duration::from_secs(20));
    options.map_sqlx_sqlite_opts(|o| {
        o.journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(15))
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .pragma("cache_size", "-4096")
            .pragma("mmap_size", "134217728")
    });
    options
}

fn postgres_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(16).min_connections(0).sqlx_logging(false);
    options.acquire_timeout(Duration::from_secs(20));
    options
}

/// Escapes `%`, `_` and the escape sign itself for `LIKE … ESCAPE '\'`, in lower case.
pub fn like(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
