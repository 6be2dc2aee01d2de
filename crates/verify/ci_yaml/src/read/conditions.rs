//! Matching of path patterns against lists of files.

use crate::glob::Glob;

/// Bounds the comparisons of wildcard patterns; beyond, a condition holds.
const MAX_COMPARISONS: usize = 50_000;

/// Tells whether any pattern matches any path.
pub(crate) fn any(patterns: &[String], paths: &[String]) -> bool {
    let globs: Vec<Glob> = patterns.iter().map(|one| Glob::new(one)).collect();
    let wild = globs.iter().filter(|glob| glob.literal().is_none()).count();
    if globs.iter().filter_map(Glob::literal).any(|wanted| paths.iter().any(|path| path == wanted)) {
        return true;
    }
    if wild.saturating_mul(paths.len()) > MAX_COMPARISONS {
        return true;
    }
    globs.iter().filter(|glob| glob.literal().is_none()).any(|glob| paths.iter().any(|path| glob.matches(path)))
}
