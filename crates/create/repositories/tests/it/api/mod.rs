//! The REST API.

mod branches;
mod changelog;
mod comments;
mod commits;
mod compare;
mod files;
mod hostile;
mod protected;
mod races;
mod roles;
mod search;
mod statuses;
mod support;
mod tags;
mod tree;
