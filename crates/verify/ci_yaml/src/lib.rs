//! The `.gitlab-ci.yml` language: text in, a graph of jobs out. No I/O.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod duration;
pub mod expand;
pub mod expression;
pub mod glob;
mod load;
mod model;
mod problem;
mod scalar;
mod value;

pub use model::*;
pub use problem::{At, Problem};
pub use value::{Map, Node, Value};
