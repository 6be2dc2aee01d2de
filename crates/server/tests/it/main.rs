//! The program from outside: its command line, its start and its end, and all routes together.

mod admin;
mod operations;
mod process;
mod start;
