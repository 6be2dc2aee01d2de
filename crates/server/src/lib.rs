//! The program: which slices make it, its command line, and how it starts and stops.

pub mod admin;
pub mod cli;
pub mod compose;
mod doctor;
mod error_pages;
mod health;
mod help;
mod ops;
mod rewrite;
pub mod serve;
