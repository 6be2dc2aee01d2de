//! Accounts: users, their sessions, tokens and keys, and who is asking.

pub mod actor;
mod api;
pub mod audit;
pub mod avatar;
pub mod bootstrap;
pub mod directory;
mod edit;
pub mod email;
pub mod entities;
pub mod hooks;
pub mod key;
pub mod password;
pub mod profile;
pub mod ratelimit;
pub mod session;
pub mod settings;
pub mod shell;
mod states;
mod token;
pub mod user;
mod web;

use std::time::Duration;

pub use actor::{Actor, Credential, Credentials, Via};
pub use hooks::{UserHook, UserHooks, create_user};
pub use key::SshKey;
pub use session::Session;
pub use token::{AccessToken, SCOPES};
pub use user::{NewUser, User};

/// The slice: its pages and endpoints.
pub fn slice() -> kernel::Slice {
    let slice = kernel::Slice::new("accounts").web(web::web()).every::<session::Sweep>(Duration::from_secs(3600));
    api::api().into_iter().fold(slice, kernel::Slice::api)
}
