//! Runs a test on SQLite and on PostgreSQL.

use kernel::Db;
use kernel::auth::random_token;

use crate::TestApp;

/// The variable that names a PostgreSQL server whose user may create databases.
const VARIABLE: &str = "TIDEMILL_TEST_POSTGRES";

/// Runs `test` on a fresh SQLite and, where `TIDEMILL_TEST_POSTGRES` names a server, on a fresh PostgreSQL database.
pub async fn for_each_database(test: impl AsyncFn(TestApp)) {
    test(TestApp::start(None).await.expect("a server on SQLite")).await;
    let Ok(server) = std::env::var(VARIABLE) else {
        eprintln!("skipped on PostgreSQL: {VARIABLE} names no server");
        return;
    };
    let name = random_token("tidemill_test_", 12).to_lowercase();
    let admin = Db::connect(&server).await.expect("a connection to PostgreSQL");
    admin.run(&format!("CREATE DATABASE {name}"), []).await.expect("a new database");
    let (base, _) = server.rsplit_once('/').expect("a URL that ends in a database");
    test(TestApp::start(Some(format!("{base}/{name}"))).await.expect("a server on PostgreSQL")).await;
    // Whoever still holds a connection belongs to a server that the test has dropped.
    let _the_next_run_has_another_name = admin.run(&format!("DROP DATABASE {name} WITH (FORCE)"), []).await;
}
