//! Accounts at their edge: pages and endpoints of a running server, on each database.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admin_pages;
mod avatars;
mod keys;
mod limits;
mod settings_pages;
mod sign_in;
mod sign_up;
mod tokens;
mod users;
mod users_admin;

use accounts::{AccessToken, User};
use serde_json::Value;
use testkit::{Answer, Client, Person, TestApp, World};

const PASSWORD: &str = "correct horse battery";

const KEY_ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti one@machine";
const KEY_ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIBaJwK/RpcSJh7feRVly84PTHqBl/Vl/W6uQEtubyMZlXrEs0wwHKBQO6Lrhnopoq5tXc+ztq67SwBJWun01x8= three@machine";
const KEY_RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCz+I/vycizrDwP5tmorCS4sEUMfbDZQo21Jp2L19pPtHEz3fLtFhHrXvvVmQ9tpOVC5GCyiMpKMejcKWu784Eqep0F7ARcERHDF7aqodXmXo7kM2FADGOBrL0XBwm/1j7wF4W9+3nT5a9o8UdBUKyEOpOu8UK8OkBenKmhkBVIPelKOTqcWzLGwh9TA/qa/PiF7gxFjbh6PTZdYdj2g3qWQ+QVAeKtd3OeuacnJAbk3iY4zEVGE3YMaEHMx3wIy3s45OU8ABH7t1HDLvrSqSEZdTGfHK4vMJWoQTdsHqF05HFl+eguPo93TbH3UlAHTM/7gTcgjHvgZR9UxGiYrujz two@machine";
const KEY_RSA_SHORT: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDCAS6pM8JflXEO1XLzFtuSVo0Aa/702nRnIzWw8xkoz/v9r1zdqj3+/RqWKzCV4CkW6RlpzA7DCpkKvGb4UP/GylmBLhfPVY8DVIYFSm6/fPQhVdCMV1Ol0S01vjPwI7nuUetGKXNNdklhRKx0Lx8dA/YbeTFeJ8pI0J50hda+Xw== x@machine";

/// Gives a person the password that these tests sign in with.
async fn with_password(t: &TestApp, person: &Person) {
    let user = User::find(t.app.db().conn(), person.id).await.unwrap().unwrap();
    user.set_password(t.app.db().conn(), PASSWORD, None).await.unwrap();
}

/// Makes a token with the given scopes.
async fn token(t: &TestApp, person: &Person, scopes: &[&str]) -> (i64, String) {
    let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
    let made = AccessToken::create(t.app.db().conn(), person.id, "t", "", &scopes, None, false).await.unwrap();
    (made.0.id, made.1)
}

/// Sends the sign-in form.
async fn sign_in(client: &Client, login: &str, password: &str) -> Answer {
    client.form("/users/sign_in", &[("user[login]", login), ("user[password]", password)]).await
}

/// The session's cookie of an answer, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    let all = answer.headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
    let session = all.filter(|c| c.starts_with("_tidemill_session=")).find(|c| !c.starts_with("_tidemill_session=;"));
    session.and_then(|c| c.split(';').next()).expect("a session's cookie").to_owned()
}

/// How many audit events of a kind there are.
async fn audited(t: &TestApp, event: &str) -> i64 {
    let sql = "SELECT COUNT(*) FROM audit_events WHERE event = $1";
    kernel::db::Sql::scalar(t.app.db().conn(), sql, [event.into()]).await.unwrap().unwrap_or(0)
}

/// The `message` or `error` of a refusal, as text.
fn complaint(answer: &Answer) -> String {
    let json = answer.json();
    [&json["message"], &json["error"]].into_iter().find(|v| !v.is_null()).map(Value::to_string).unwrap_or_default()
}

/// Everybody who is not an administrator, and somebody who isn't signed in, with the status that each is refused with.
fn unprivileged(t: &TestApp, w: &World) -> Vec<(Client, u16)> {
    let mut all: Vec<(Client, u16)> = w.people()[1..].iter().map(|p| (p.client(t), 403)).collect();
    all.push((t.anonymous(), 401));
    all
}

/// A session's cookie without a form, for requests that a browser of `testkit` doesn't send.
async fn session(t: &TestApp, person: &Person) -> String {
    let set = accounts::Session::begin(&t.app, person.id, false, "127.0.0.1", "test").await.unwrap();
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}
