//! Git on the wire, from the outside: real git, real ssh, real git-lfs.

#![allow(clippy::unwrap_used)]

mod access;
mod clone_and_push;
mod crash;
mod hostile;
mod large_files;
mod rules;
mod ssh;
mod support;
