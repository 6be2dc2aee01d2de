//! The language as a whole: corpus, evaluation and hostile input.

#![allow(clippy::unwrap_used)]

mod corpus;
mod evaluation;
mod hostile;
mod includes;
mod support;
