//! Brings in the files named by `include`.

use crate::expression;
use crate::glob::Glob;
use crate::load::{Budget, load};
use crate::problem::{At, Problem};
use crate::read::conditions;
use crate::value::{Map, Node, Value, merge_maps};
use crate::{expand, inputs};

/// Bounds the included files, nested ones counted.
pub(crate) const MAX_INCLUDES: usize = 150;

/// Gives the files and facts a configuration is read with.
pub trait Files {
    /// Gives the text of a file of the repository.
    fn read(&self, path: &str) -> Option<String>;

    /// Lists the files of the repository; asked for wildcards and `exists`.
    fn list(&self) -> Vec<String>;

    /// Gives a variable for use inside `include`.
    fn variable(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// Lists the changed files, or nothing if they are not known.
    fn changed(&self) -> Option<Vec<String>> {
        None
    }

    /// Gets a file from elsewhere, or says why not.
    fn fetch(&self, source: &External) -> Result<Fetched, String> {
        Err(format!("{} are not supported yet", source.kind()))
    }
}

/// A repository without files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Option<String> {
        None
    }

    fn list(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Where an included file comes from, if not from the repository itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum External {
    /// A file of another project.
    Project {
        /// Holds the path of the project.
        project: String,
        /// Holds the path of the file.
        file: String,
        /// Names the ref; absent means the default branch.
        reference: Option<String>,
    },
    /// A file of a web server.
    Remote {
        /// Holds the address.
        url: String,
        /// Holds the expected digest.
        integrity: Option<String>,
    },
    /// A template of the program.
    Template(String),
    /// A component of the catalogue.
    Component(String),
}

impl External {
    fn kind(&self) -> &'static str {
        match self {
            Self::Project { .. } => "Included files of other projects",
            Self::Remote { .. } => "Remote included files",
            Self::Template(_) => "Included templates",
            Self::Component(_) => "Included components",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Project { file, .. } => file,
            Self::Remote { url, .. } => url,
            Self::Template(name) | Self::Component(name) => name,
        }
    }
}

/// A file from elsewhere.
pub struct Fetched {
    /// Holds the text.
    pub text: String,
    /// Answers the nested includes of the file; absent means the same repository.
    pub files: Option<Box<dyn Files>>,
}

/// Reads a file with everything it includes, and adds the names of those files.
pub(crate) fn read(
    source: &str,
    files: &dyn Files,
    budget: &mut Budget,
    names: &mut Vec<String>,
) -> Result<Map, Problem> {
    let mut reader = Reader { budget, names, chain: Vec::new() };
    reader.file(source, 0, files, &Map::new())
}

struct Reader<'a> {
    budget: &'a mut Budget,
    names: &'a mut Vec<String>,
    chain: Vec<String>,
}

/// One file to include.
enum Target {
    Local(String),
    External(External),
}

impl Reader<'_> {
    fn file(&mut self, text: &str, number: u16, files: &dyn Files, given: &Map) -> Result<Map, Problem> {
        let documents = load(text, number, self.budget)?;
        let root = inputs::apply(documents, given, number, self.budget)?;
        let root = root.unwrap_or_default();
        let at = root.at;
        let mut own = match root.node {
            Node::Map(map) => map,
            _ => {
                return Err(Problem::new("Invalid configuration format")
                    .at(at)
                    .hint("The file must be a mapping of keywords and jobs."));
            }
        };
        let Some(include) = own.shift_remove("include") else {
            return Ok(own);
        };
        let mut base = Map::new();
        for entry in entries(&include)? {
            let part = self.entry(entry, files)?;
            merge_maps(&mut base, part);
        }
        merge_maps(&mut base, own);
        Ok(base)
    }

    fn entry(&mut self, entry: &Value, files: &dyn Files) -> Result<Map, Problem> {
        if !wanted(entry, files)? {
            return Ok(Map::new());
        }
        let none = Map::new();
        let given = entry.get("inputs").and_then(Value::as_map).unwrap_or(&none);
        let mut merged = Map::new();
        for target in targets(entry, files)? {
            let part = self.target(&target, entry.at, files, given)?;
            merge_maps(&mut merged, part);
        }
        Ok(merged)
    }

    fn target(&mut self, target: &Target, at: At, files: &dyn Files, given: &Map) -> Result<Map, Problem> {
        let (name, text, other) = match target {
            Target::Local(path) => (path.as_str(), local(path, at, files)?, None),
            Target::External(source) => {
                let fetched = files.fetch(source).map_err(|why| fault(format!("`{}`: {why}", source.name()), at))?;
                (source.name(), fetched.text, fetched.files)
            }
        };
        self.enter(name, at)?;
        let number = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        let files = other.as_deref().unwrap_or(files);
        let part = self.file(&text, number, files, given)?;
        self.chain.pop();
        Ok(part)
    }

    fn enter(&mut self, name: &str, at: At) -> Result<(), Problem> {
        if self.chain.iter().any(|seen| seen == name) {
            return Err(fault(format!("Included file `{name}` includes itself"), at)
                .hint(format!("The circle is {} → {name}.", self.chain.join(" → "))));
        }
        if self.names.len() >= MAX_INCLUDES {
            let message = format!("Maximum of {MAX_INCLUDES} nested includes are allowed!");
            return Err(fault(message, at));
        }
        self.names.push(name.to_owned());
        self.chain.push(name.to_owned());
        Ok(())
    }
}

fn fault(message: String, at: At) -> Problem {
    Problem::new(message).at(at).keyword("include")
}

fn entries(include: &Value) -> Result<Vec<&Value>, Problem> {
    let found: Vec<&Value> = match &include.node {
        Node::Null => Vec::new(),
        Node::Seq(items) => items.iter().collect(),
        Node::Str(_) | Node::Map(_) => vec![include],
        _ => return Err(not_an_include(include.at)),
    };
    match found.iter().find(|entry| !matches!(entry.node, Node::Str(_) | Node::Map(_))) {
        Some(wrong) => Err(not_an_include(wrong.at)),
        None => Ok(found),
    }
}

fn not_an_include(at: At) -> Problem {
    fault("include config should be an array of strings or hashes".to_owned(), at)
}

/// Reads the text of a file of the repository.
fn local(path: &str, at: At, files: &dyn Files) -> Result<String, Problem> {
    if !path.ends_with(".yml") && !path.ends_with(".yaml") {
        let message = format!("Included file `{path}` does not have YAML extension!");
        return Err(fault(message, at));
    }
    let text = files.read(path).ok_or_else(|| fault(format!("Local file `{path}` does not exist!"), at))?;
    if text.trim().is_empty() {
        return Err(fault(format!("Local file `{path}` is empty!"), at));
    }
    Ok(text)
}

const ACCESSORS: [&str; 6] = ["local", "file", "project", "remote", "template", "component"];
const ENTRY_KEYS: [&str; 10] =
    ["local", "file", "project", "remote", "template", "component", "ref", "rules", "inputs", "integrity"];

/// Finds the files an entry names.
fn targets(entry: &Value, files: &dyn Files) -> Result<Vec<Target>, Problem> {
    if let Some(text) = entry.as_str() {
        let text = expanded(text, files);
        return if text.starts_with("http://") || text.starts_with("https://") {
            Ok(vec![Target::External(External::Remote { url: text, integrity: None })])
        } else {
            locals(&text, entry.at, files)
        };
    }
    check_keys(entry)?;
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(|text| expanded(text, files));
    if let Some(path) = text("local") {
        return locals(&path, entry.at, files);
    }
    if let Some(project) = text("project") {
        return project_files(entry, &project, files);
    }
    let external = if let Some(url) = text("remote") {
        External::Remote { url, integrity: text("integrity") }
    } else if let Some(name) = text("template") {
        External::Template(name)
    } else if let Some(address) = text("component") {
        External::Component(address)
    } else {
        return Err(fault("include config should name its file as a string".to_owned(), entry.at));
    };
    Ok(vec![Target::External(external)])
}

fn check_keys(entry: &Value) -> Result<(), Problem> {
    let keys: Vec<&str> = entry.as_map().into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
    let unknown: Vec<&str> = keys.iter().copied().filter(|key| !ENTRY_KEYS.contains(key)).collect();
    if !unknown.is_empty() {
        let message = format!("include config contains unknown keys: {}", unknown.join(", "));
        return Err(fault(message, entry.at));
    }
    let named = keys.iter().filter(|key| ACCESSORS.contains(key) && **key != "file").count();
    if named != 1 {
        return Err(fault(format!("Include `{}` needs to match exactly one accessor!", entry.to_json()), entry.at));
    }
    Ok(())
}

fn project_files(entry: &Value, project: &str, files: &dyn Files) -> Result<Vec<Target>, Problem> {
    let names: Option<Vec<&str>> = match entry.get("file").map(|file| &file.node) {
        Some(Node::Str(one)) => Some(vec![one.as_str()]),
        Some(Node::Seq(items)) => items.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let names = names.ok_or_else(|| {
        fault(
            format!("include config must specify the file where to fetch the config from (project `{project}`)"),
            entry.at,
        )
    })?;
    let reference = entry.get("ref").and_then(Value::as_str);
    Ok(names
        .into_iter()
        .map(|file| {
            Target::External(External::Project {
                project: project.to_owned(),
                file: expanded(file, files),
                reference: reference.map(|text| expanded(text, files)),
            })
        })
        .collect())
}

/// Finds local files; a pattern may match many, in the order of their names.
fn locals(path: &str, at: At, files: &dyn Files) -> Result<Vec<Target>, Problem> {
    let path = path.trim_start_matches('/');
    if !path.contains('*') {
        return Ok(vec![Target::Local(path.to_owned())]);
    }
    let glob = Glob::new(path);
    let mut found: Vec<String> = files
        .list()
        .into_iter()
        .filter(|file| glob.matches(file) && (file.ends_with(".yml") || file.ends_with(".yaml")))
        .collect();
    if found.is_empty() {
        return Err(fault(format!("Local file `{path}` does not exist!"), at)
            .hint("No YAML file of the repository matches the pattern."));
    }
    found.sort();
    Ok(found.into_iter().map(Target::Local).collect())
}

fn expanded(text: &str, files: &dyn Files) -> String {
    expand::expand(text, &|name| files.variable(name))
}

/// Decides `include:rules`; the first rule that matches counts.
fn wanted(entry: &Value, files: &dyn Files) -> Result<bool, Problem> {
    let Some(rules) = entry.get("rules") else {
        return Ok(true);
    };
    let items = rules
        .as_seq()
        .ok_or_else(|| fault("include:rules config should be an array of hashes".to_owned(), rules.at))?;
    for rule in items {
        if matches(rule, files)? {
            return Ok(rule.get("when").and_then(Value::as_str) != Some("never"));
        }
    }
    Ok(false)
}

fn matches(rule: &Value, files: &dyn Files) -> Result<bool, Problem> {
    let map = rule.as_map().ok_or_else(|| fault("include:rules:rule config should be a hash".to_owned(), rule.at))?;
    check_rule(map, rule.at)?;
    if let Some(condition) = rule.get("if") {
        let holds = condition
            .as_str()
            .and_then(|text| expression::evaluate(text, &|name| files.variable(name)).ok())
            .ok_or_else(|| fault("include:rules:rule if invalid expression syntax".to_owned(), condition.at))?;
        if !holds {
            return Ok(false);
        }
    }
    let exists = rule.get("exists");
    if exists.is_some_and(|exists| !conditions::any(&paths(exists), &files.list())) {
        return Ok(false);
    }
    match (rule.get("changes"), files.changed()) {
        (Some(changes), Some(changed)) => Ok(conditions::any(&paths(changes), &changed)),
        _ => Ok(true),
    }
}

fn check_rule(map: &Map, at: At) -> Result<(), Problem> {
    let allowed = ["if", "exists", "when", "changes"];
    let unknown: Vec<&str> = map.keys().map(String::as_str).filter(|key| !allowed.contains(key)).collect();
    if !unknown.is_empty() {
        let list = unknown.join(", ");
        return Err(fault(format!("include:rules:rule config contains unknown keys: {list}"), at));
    }
    match map.get("when").and_then(Value::as_str) {
        None | Some("never" | "always") => Ok(()),
        Some(other) => Err(fault(format!("include:rules:rule when unknown value: {other}"), at)),
    }
}

/// Reads the patterns of `exists` or `changes`, in the short or the long form.
fn paths(value: &Value) -> Vec<String> {
    let list = value.get("paths").unwrap_or(value);
    list.as_seq().unwrap_or_default().iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
