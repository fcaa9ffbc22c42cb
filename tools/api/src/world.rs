//! What rustdoc says about one crate, or about a few that re-export each other, and the paths that lead to each item.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;

use rustdoc_types::{Crate, Id, Item, ItemEnum, ItemKind};

/// An item: the crate's place in the world, and its id there.
pub type Node = (usize, Id);

/// Where a name leads.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Target {
    Here(Node),
    /// An item of a crate that is not part of the world, by the path of its definition.
    Elsewhere(String),
}

pub struct World {
    pub crates: Vec<Crate>,
    definitions: HashMap<(Vec<String>, ItemKind), Node>,
    /// Every public path of every item, shortest first.
    pub paths: BTreeMap<Node, Vec<String>>,
    /// Public names for items of other crates.
    pub foreign: BTreeSet<(String, String)>,
    homes: HashMap<Node, String>,
}

impl World {
    /// Reads what rustdoc wrote; the first crate is the root of all paths.
    pub fn read(files: &[&Path]) -> Result<Self, String> {
        let crates: Vec<Crate> = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
        let mut definitions = HashMap::new();
        for (place, krate) in crates.iter().enumerate() {
            for (id, summary) in krate.paths.iter().filter(|(_, summary)| summary.crate_id == 0) {
                definitions.insert((summary.path.clone(), summary.kind), (place, *id));
            }
        }
        let mut world =
            World { crates, definitions, paths: BTreeMap::new(), foreign: BTreeSet::new(), homes: HashMap::new() };
        world.walk();
        world.settle(|_| false);
        Ok(world)
    }

    pub fn item(&self, (place, id): Node) -> Option<&Item> {
        self.crates[place].index.get(&id)
    }

    /// The item that an id of a crate stands for, in whichever crate of the world.
    pub fn resolve(&self, place: usize, id: Id) -> Option<Target> {
        let krate = &self.crates[place];
        if krate.index.get(&id).is_some_and(|item| item.crate_id == 0) {
            return Some(Target::Here((place, id)));
        }
        let summary = krate.paths.get(&id)?;
        let known = self.definitions.get(&(summary.path.clone(), summary.kind));
        Some(known.map_or_else(|| Target::Elsewhere(summary.path.join("::")), |node| Target::Here(*node)))
    }

    /// The path that an item goes by in lists; `None` if it can't be reached.
    pub fn home(&self, node: Node) -> Option<&str> {
        self.homes.get(&node).map(String::as_str)
    }

    /// Chooses each item's home: a path that is `wanted`, or the one in `protocol`, or the shortest.
    pub fn settle(&mut self, wanted: impl Fn(&str) -> bool) {
        let best = |paths: &Vec<String>| {
            let rank = |path: &&String| {
                (!wanted(path), !path.starts_with("protocol::"), path.matches("::").count(), (*path).clone())
            };
            paths.iter().min_by_key(rank).cloned()
        };
        self.homes = self.paths.iter().filter_map(|(node, paths)| Some((*node, best(paths)?))).collect();
    }

    pub fn is_module(&self, target: &Target) -> bool {
        let Target::Here(node) = target else { return false };
        self.item(*node).is_some_and(|item| matches!(item.inner, ItemEnum::Module(_)))
    }

    /// What a path leads to: more than one item where a macro and a function share a name.
    pub fn lookup(&self, path: &str) -> BTreeSet<Target> {
        let root = Target::Here((0, self.crates[0].root));
        path.split("::").fold(BTreeSet::from([root]), |reached, name| {
            let modules = reached.iter().filter_map(|target| match target {
                Target::Here(node) => Some(*node),
                Target::Elsewhere(_) => None,
            });
            let names = modules.flat_map(|module| self.names(module, &mut Vec::new()));
            names.filter(|(own, _)| own == name).map(|(_, target)| target).collect()
        })
    }

    /// The public names in a module. `open` keeps globs from going round in circles.
    fn names(&self, module: Node, open: &mut Vec<Node>) -> Vec<(String, Target)> {
        let Some(ItemEnum::Module(inner)) = self.item(module).map(|item| &item.inner) else {
            return Vec::new();
        };
        if open.contains(&module) {
            return Vec::new();
        }
        open.push(module);
        let mut names = Vec::new();
        for id in &inner.items {
            let Some(item) = self.item((module.0, *id)) else { continue };
            match &item.inner {
                ItemEnum::Use(import) => match import.id.and_then(|id| self.resolve(module.0, id)) {
                    Some(Target::Here(node)) if import.is_glob => names.extend(self.names(node, open)),
                    Some(Target::Elsewhere(path)) if import.is_glob => {
                        names.push(("*".to_owned(), Target::Elsewhere(path)));
                    }
                    Some(target) => names.push((import.name.clone(), target)),
                    None => {}
                },
                _ => names.extend(item.name.clone().map(|name| (name, Target::Here((module.0, *id))))),
            }
        }
        open.pop();
        names
    }

    /// Finds all public paths, by going through the modules in breadth. A module inside of itself is a name, no more.
    fn walk(&mut self) {
        let root = (0, self.crates[0].root);
        let mut waiting = VecDeque::from([(String::new(), vec![root])]);
        while let Some((prefix, above)) = waiting.pop_front() {
            for (name, target) in self.names(above[above.len() - 1], &mut Vec::new()) {
                let path = if prefix.is_empty() { name } else { format!("{prefix}::{name}") };
                match target.clone() {
                    Target::Elsewhere(definition) => drop(self.foreign.insert((path, definition))),
                    Target::Here(node) => {
                        if self.is_module(&target) && !above.contains(&node) {
                            let below = above.iter().copied().chain([node]).collect();
                            waiting.push_back((path.clone(), below));
                        }
                        let paths = self.paths.entry(node).or_default();
                        if !paths.contains(&path) {
                            paths.push(path);
                        }
                    }
                }
            }
        }
    }
}

fn read(file: &Path) -> Result<Crate, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let version = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|v| v["format_version"].as_u64());
    let known = u64::from(rustdoc_types::FORMAT_VERSION);
    if version != Some(known) {
        return Err(format!(
            "this nightly's rustdoc writes format {version:?}, and this tool reads {known}: \
             set the version of `rustdoc-types` in tools/api/Cargo.toml accordingly"
        ));
    }
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
