//! The program from outside: its command line, its start and its end, and all routes together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod admin;
mod clients;
mod help;
mod operations;
mod process;
mod routes;
mod start;
