//! Repositories at a real server with real git, on each database.

mod api;
