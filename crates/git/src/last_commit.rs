//! The last commit that changed each entry of a directory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gix::Repository;
use moka::sync::Cache;
use tokio::sync::watch;

use crate::commit::{Signature, read_commit};
use crate::error::corrupt;
use crate::tree::{child, tree_at, tree_data, tree_iter};
use crate::{ByteString, Commit, GitError, Oid, Repo, RepoPath, Result};

/// How long a walk goes on in the background after its caller stopped waiting.
const WALK_LIMIT: Duration = Duration::from_secs(60);

type Found = HashMap<ByteString, Oid>;
type Key = (Oid, RepoPath);
/// What a walk has found so far, and how it ended.
type Job = (Arc<Mutex<Found>>, watch::Receiver<Option<std::result::Result<bool, String>>>);

/// Walks under way, so that many views of one page cost one walk.
static WALKS: LazyLock<Mutex<HashMap<(PathBuf, Key), Job>>> = LazyLock::new(Mutex::default);

/// Finished tables. They also shorten later walks, which stop at any commit found in here.
static TABLES: LazyLock<Cache<Key, Arc<Found>>> = LazyLock::new(|| {
    let weight = |_: &Key, found: &Arc<Found>| u32::try_from(found.len()).unwrap_or(u32::MAX) + 1;
    Cache::builder().max_capacity(2_000_000).weigher(weight).build()
});

/// Holds the last commits of a directory's entries.
#[derive(Clone, Debug)]
pub struct LastCommits {
    /// The commit that last changed each entry, by the entry's name.
    pub entries: HashMap<ByteString, Arc<Commit>>,
    /// Tells whether every entry was found in the time given.
    pub complete: bool,
}

impl Repo {
    /// Finds the last commit for each entry of `dir`; what takes longer than `budget` is left out.
    ///
    /// A walk that did not finish goes on in the background, so that asking again later succeeds.
    pub async fn last_commits(&self, revision: Oid, dir: &RepoPath, budget: Duration) -> Result<LastCommits> {
        let key = (revision, dir.clone());
        if let Some(table) = TABLES.get(&key) {
            return self.load(&table, true).await;
        }
        let (at, path) = key.clone();
        // A wrong path is the caller's mistake and starts no walk.
        self.read(move |repo| tree_at(repo, at, &path)).await?;
        let (progress, mut done) = self.join_walk(key);
        // The outcome is copied out at once: its guard must not be held while this waits for something else.
        let finished = tokio::time::timeout(budget, done.wait_for(Option::is_some)).await;
        let outcome = finished.ok().and_then(|waited| waited.ok()?.clone());
        let complete = outcome.unwrap_or(Ok(false)).map_err(GitError::Corrupt)?;
        let found = locked(&progress).clone();
        self.load(&found, complete).await
    }

    /// Joins the walk that is under way for a directory, or starts one.
    fn join_walk(&self, key: Key) -> Job {
        let mut walks = locked(&WALKS);
        let walk_id = (self.path().to_owned(), key.clone());
        if let Some(job) = walks.get(&walk_id) {
            return job.clone();
        }
        let progress = Arc::new(Mutex::new(Found::new()));
        let (sender, done) = watch::channel(None);
        let (repo, shared) = (self.clone(), progress.clone());
        walks.insert(walk_id.clone(), (progress.clone(), done.clone()));
        tokio::spawn(async move {
            let outcome = repo.read(move |repo| walk(repo, &key, &shared)).await;
            locked(&WALKS).remove(&walk_id);
            let _ = sender.send(Some(outcome.map_err(|error| error.to_string())));
        });
        (progress, done)
    }

    async fn load(&self, found: &Found, complete: bool) -> Result<LastCommits> {
        let found: Vec<_> = found.iter().map(|(name, id)| (name.clone(), *id)).collect();
        let entries = self.read(move |repo| {
            let mut commits: HashMap<Oid, Arc<Commit>> = HashMap::new();
            let mut entries = HashMap::with_capacity(found.len());
            for (name, id) in &found {
                let commit = match commits.get(id) {
                    Some(commit) => commit.clone(),
                    None => Arc::new(read_commit(repo, *id)?),
                };
                commits.insert(*id, commit.clone());
                entries.insert(name.clone(), commit);
            }
            Ok(entries)
        });
        Ok(LastCommits { entries: entries.await?, complete })
    }
}

/// The entries of the directory at the start of the walk.
struct Tip {
    names: Vec<ByteString>,
    values: Vec<(Oid, u32)>,
    index: HashMap<ByteString, u32>,
}

impl Tip {
    fn read(repo: &Repository, tree: Oid) -> Result<Self> {
        let data = tree_data(repo, tree)?;
        let mut tip = Self { names: Vec::new(), values: Vec::new(), index: HashMap::new() };
        for entry in tree_iter(&data) {
            let entry = entry.map_err(corrupt)?;
            let at = u32::try_from(tip.names.len()).map_err(corrupt)?;
            let name = ByteString::from(entry.filename.to_vec());
            tip.index.insert(name.clone(), at);
            tip.names.push(name);
            tip.values.push((Oid(entry.oid.to_owned()), entry.mode.value().into()));
        }
        Ok(tip)
    }

    /// Splits `pending` into what the directory `tree` holds unchanged, and the rest.
    fn split(&self, repo: &Repository, tree: Option<Oid>, pending: Vec<u32>) -> Result<(Vec<u32>, Vec<u32>)> {
        let Some(tree) = tree else { return Ok((Vec::new(), pending)) };
        let data = tree_data(repo, tree)?;
        let mut same = vec![false; self.names.len()];
        for entry in tree_iter(&data) {
            let entry = entry.map_err(corrupt)?;
            let Some(at) = self.index.get(entry.filename as &[u8]) else { continue };
            let value = (Oid(entry.oid.to_owned()), u32::from(entry.mode.value()));
            same[*at as usize] = self.values[*at as usize] == value;
        }
        Ok(pending.into_iter().partition(|at| same[*at as usize]))
    }
}

/// A commit to look at: the entries that are in it as they are at the start of the walk.
struct Visit {
    pending: Vec<u32>,
    dir: Option<Oid>,
}

struct Walk<'a> {
    repo: &'a Repository,
    graph: Option<gix::commitgraph::Graph>,
    path: &'a RepoPath,
    tip: Tip,
    queue: BinaryHeap<(u32, i64, Reverse<Oid>)>,
    visits: HashMap<Oid, Visit>,
    found: Found,
}

/// What a walk needs to know of a commit.
struct Node {
    tree: Oid,
    parents: Vec<Oid>,
    generation: u32,
    time: i64,
}

/// Walks the history until each entry is found; returns false if time ran out.
fn walk(repo: &Repository, key: &Key, progress: &Mutex<Found>) -> Result<bool> {
    let (start, path) = key;
    let tree = tree_at(repo, *start, path)?;
    let tip = Tip::read(repo, tree)?;
    let pending = (0..u32::try_from(tip.names.len()).map_err(corrupt)?).collect();
    let graph = repo.commit_graph_if_enabled().ok().flatten();
    let mut walk =
        Walk { repo, graph, path, tip, queue: BinaryHeap::new(), visits: HashMap::new(), found: Found::new() };
    let start_commit = crate::revision::peel_to_commit(repo, *start)?.unwrap_or(*start);
    walk.enqueue(start_commit, pending, Some(tree))?;
    let complete = walk.run(progress)?;
    if complete {
        TABLES.insert(key.clone(), Arc::new(walk.found.clone()));
    }
    publish(&walk.found, progress);
    Ok(complete)
}

fn publish(found: &Found, progress: &Mutex<Found>) {
    locked(progress).clone_from(found);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Walk<'_> {
    fn run(&mut self, progress: &Mutex<Found>) -> Result<bool> {
        let started = Instant::now();
        let mut published = started;
        while let Some((_, _, Reverse(id))) = self.queue.pop() {
            if let Some(visit) = self.visits.remove(&id) {
                self.visit(id, visit)?;
            }
            if published.elapsed() > Duration::from_millis(50) {
                publish(&self.found, progress);
                published = Instant::now();
            }
            if started.elapsed() > WALK_LIMIT {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn visit(&mut self, id: Oid, visit: Visit) -> Result<()> {
        if let Some(table) = TABLES.get(&(id, self.path.clone())) {
            self.take_over(&visit.pending, &table);
            return Ok(());
        }
        let node = self.node(id)?;
        let mut pending = visit.pending;
        for parent in node.parents {
            if pending.is_empty() {
                break;
            }
            let tree = self.node(parent)?.tree;
            let dir = self.dir_of(tree)?;
            let (inherited, changed) = if dir == visit.dir && dir.is_some() {
                (pending, Vec::new())
            } else {
                self.tip.split(self.repo, dir, pending)?
            };
            pending = changed;
            if !inherited.is_empty() {
                self.enqueue(parent, inherited, dir)?;
            }
        }
        for at in pending {
            self.found.insert(self.tip.names[at as usize].clone(), id);
        }
        Ok(())
    }

    /// Uses the finished table of an older commit for the entries that are still the same there.
    fn take_over(&mut self, pending: &[u32], table: &Found) {
        for at in pending {
            let name = &self.tip.names[*at as usize];
            if let Some(id) = table.get(name) {
                self.found.insert(name.clone(), *id);
            }
        }
    }

    fn enqueue(&mut self, id: Oid, pending: Vec<u32>, dir: Option<Oid>) -> Result<()> {
        if let Some(visit) = self.visits.get_mut(&id) {
            visit.pending.extend(pending);
            return Ok(());
        }
        let node = self.node(id)?;
        self.queue.push((node.generation, node.time, Reverse(id)));
        self.visits.insert(id, Visit { pending, dir });
        Ok(())
    }

    /// Reads a commit from the commit-graph, or else from the object database.
    fn node(&self, id: Oid) -> Result<Node> {
        if let Some(node) = self.graph.as_ref().and_then(|graph| graph_node(graph, id)) {
            return Ok(node);
        }
        let object = self.repo.find_object(id.0)?;
        let raw = object.try_to_commit_ref().map_err(corrupt)?;
        let parents: Vec<Oid> = raw.parents.iter().filter_map(|hex| Oid::from_hex(hex).ok()).collect();
        // A shallow repository names parents that it does not hold.
        let parents = parents.into_iter().filter(|parent| self.repo.has_object(parent.0)).collect();
        let time = Signature::parse(raw.committer, None).time;
        // A commit outside the graph is newer than all inside.
        Ok(Node { tree: Oid::from_hex(raw.tree).map_err(corrupt)?, parents, generation: u32::MAX, time })
    }

    fn dir_of(&self, root: Oid) -> Result<Option<Oid>> {
        let mut tree = root;
        for name in self.path.components() {
            match child(self.repo, tree, name)? {
                Some((next, crate::tree::EntryKind::Tree)) => tree = next,
                _ => return Ok(None),
            }
        }
        Ok(Some(tree))
    }
}

fn graph_node(graph: &gix::commitgraph::Graph, id: Oid) -> Option<Node> {
    let commit = graph.commit_by_id(id.0)?;
    let mut parents = Vec::new();
    for position in commit.iter_parents() {
        parents.push(Oid(graph.id_at(position.ok()?).to_owned()));
    }
    Some(Node {
        tree: Oid(commit.root_tree_id().to_owned()),
        parents,
        generation: commit.generation(),
        time: i64::try_from(commit.committer_timestamp()).ok()?,
    })
}
