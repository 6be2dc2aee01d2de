//! The event a configuration is evaluated for.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::model::Variable;

/// What a pipeline runs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A merge request.
    MergeRequest,
}

/// Lists the changed files against a ref, or against the usual base. Nothing
/// means that no comparison can be made; then `changes` holds.
pub type Changed<'a> = dyn Fn(Option<&str>) -> Option<Vec<String>> + 'a;

/// Everything about an event that decides on its jobs.
pub struct Context<'a> {
    /// Says what kind of ref the pipeline runs for.
    pub kind: RefKind,
    /// Names the branch or tag, without `refs/heads/`.
    pub reference: &'a str,
    /// Holds the value of `CI_PIPELINE_SOURCE`.
    pub source: &'a str,
    /// Holds the full path of the project.
    pub project: &'a str,
    /// Lists predefined variables, which the file may override.
    pub predefined: &'a [Variable],
    /// Lists variables of the instance, group, project and trigger, which
    /// override the file; later ones rank higher.
    pub variables: &'a [Variable],
    /// Lists changed files; called when first needed.
    pub changed: &'a Changed<'a>,
    /// Lists the files of the repository; called when first needed.
    pub files: &'a dyn Fn() -> Vec<String>,
}

/// Keeps the answers to costly questions.
pub(crate) struct Facts<'a> {
    pub(crate) context: &'a Context<'a>,
    files: OnceCell<Vec<String>>,
    changed: RefCell<HashMap<Option<String>, Paths>>,
}

type Paths = Option<Rc<Vec<String>>>;

impl<'a> Facts<'a> {
    /// Starts without answers.
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { context, files: OnceCell::new(), changed: RefCell::default() }
    }

    /// Lists the files of the repository.
    pub(crate) fn files(&self) -> &[String] {
        self.files.get_or_init(|| (self.context.files)())
    }

    /// Lists the changed files.
    pub(crate) fn changed(&self, base: Option<&str>) -> Paths {
        let key = base.map(str::to_owned);
        if let Some(known) = self.changed.borrow().get(&key) {
            return known.clone();
        }
        let found = (self.context.changed)(base).map(Rc::new);
        self.changed.borrow_mut().insert(key, found.clone());
        found
    }
}
