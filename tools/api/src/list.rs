//! The public items of a world, one line each.

use std::collections::BTreeSet;

use rustdoc_types::{Attribute, Id, Impl, Item, ItemEnum, StructKind, Type, VariantKind, Visibility};

use crate::render::{Reader, lifetimes};
use crate::world::{Node, Target, World};

/// Traits of the compiler's own.
const UNSTABLE: &[&str] = &["Freeze", "StructuralPartialEq", "UnsafeUnpin"];

/// A line, and the crate that it comes from.
pub type Line = (usize, String);

/// Lists everything that can be named, or that holds for what can be named.
pub fn list(world: &World) -> BTreeSet<Line> {
    let mut lines = BTreeSet::new();
    for (node, paths) in &world.paths {
        let (Some(item), Some(home)) = (world.item(*node), world.home(*node)) else { continue };
        let mut one = Lister { world, place: node.0, lines: &mut lines };
        one.item(item, home);
        for path in paths.iter().filter(|path| *path != home && stands_in_a_home(world, path)) {
            lines.insert((node.0, format!("use {path} = {home}")));
        }
    }
    for (path, definition) in &world.foreign {
        if stands_in_a_home(world, path) {
            // Where the standard library defines what it hands out is its own business.
            let definition = definition.replace("alloc::", "std::").replace("core::", "std::");
            lines.insert((0, format!("use {path} = {definition}")));
        }
    }
    for (place, krate) in world.crates.iter().enumerate() {
        for item in krate.index.values().filter(|item| item.crate_id == 0) {
            if let ItemEnum::Impl(inner) = &item.inner {
                Lister { world, place, lines: &mut lines }.implementation(inner);
            }
        }
    }
    lines
}

/// Whether the module around a path goes by that name: other names for it have a line of their own.
fn stands_in_a_home(world: &World, path: &str) -> bool {
    path.rsplit_once("::").is_none_or(|(module, _)| {
        world
            .lookup(module)
            .iter()
            .any(|target| matches!(target, Target::Here(node) if world.home(*node) == Some(module)))
    })
}

struct Lister<'a, 'w> {
    world: &'w World,
    place: usize,
    lines: &'a mut BTreeSet<Line>,
}

impl<'w> Lister<'_, 'w> {
    fn reader(&self) -> Reader<'w> {
        Reader::new(self.world, self.place)
    }

    fn get(&self, id: Id) -> Option<&'w Item> {
        self.world.item((self.place, id))
    }

    fn push(&mut self, item: Option<&Item>, line: String) {
        self.push_whole(item, lifetimes(&line));
    }

    fn push_whole(&mut self, item: Option<&Item>, line: String) {
        let deprecated = item.is_some_and(|item| item.deprecation.is_some());
        self.lines.insert((self.place, format!("{}{line}", if deprecated { "#[deprecated] " } else { "" })));
    }

    fn item(&mut self, item: &'w Item, home: &str) {
        let closed = item.attrs.contains(&Attribute::NonExhaustive);
        match &item.inner {
            ItemEnum::Module(_) => self.push(Some(item), format!("mod {home}")),
            ItemEnum::Macro(_) => self.push(Some(item), format!("macro {home}!")),
            ItemEnum::Struct(inner) => {
                let (fields, stripped) = match &inner.kind {
                    StructKind::Unit => (Vec::new(), closed),
                    StructKind::Tuple(fields) => (fields.iter().flatten().copied().collect(), fields.contains(&None)),
                    StructKind::Plain { fields, has_stripped_fields } => (fields.clone(), *has_stripped_fields),
                };
                let body = self.body(&fields, closed || stripped);
                let reader = self.reader().with_generics(&inner.generics);
                let (parameters, bounds) = (reader.declared(&inner.generics), reader.where_clause());
                self.push_whole(Some(item), format!("struct {home}{parameters}{bounds} {body}"));
                self.fields(&fields, home, &reader);
            }
            ItemEnum::Enum(inner) => {
                let body = self.body(&inner.variants, closed || inner.has_stripped_variants);
                let reader = self.reader().with_generics(&inner.generics);
                let (parameters, bounds) = (reader.declared(&inner.generics), reader.where_clause());
                self.push_whole(Some(item), format!("enum {home}{parameters}{bounds} {body}"));
                for id in &inner.variants {
                    self.variant(*id, home, &reader);
                }
            }
            ItemEnum::Trait(inner) => {
                let items = || inner.items.iter().filter_map(|id| self.get(*id));
                let mut required: Vec<&str> =
                    items().filter(|item| is_required(item)).filter_map(|item| item.name.as_deref()).collect();
                required.sort_unstable();
                let reader = self.reader().with_generics(&inner.generics);
                let (parameters, bounds) = (reader.parameters(), reader.where_clause());
                let above = self.reader().bounds(&inner.bounds);
                let above = if above.is_empty() { above } else { format!(": {above}") };
                let members: Vec<&'w Item> = items().collect();
                let body = if required.is_empty() { String::new() } else { format!(" {{ {} }}", required.join(", ")) };
                self.push(Some(item), format!("trait {home}{parameters}{above}{bounds}{body}"));
                for member in members {
                    self.member(member, &below(home, member), &reader);
                }
            }
            ItemEnum::Function(_) | ItemEnum::Constant { .. } | ItemEnum::TypeAlias(_) | ItemEnum::Static(_) => {
                self.member(item, home, &self.reader());
            }
            _ => {}
        }
    }

    /// The names in an item that can be built or matched in full, or `{ .. }`.
    fn body(&self, members: &[Id], closed: bool) -> String {
        let mut names: Vec<&str> = members.iter().filter_map(|id| self.get(*id)?.name.as_deref()).collect();
        names.sort_unstable();
        if closed { "{ .. }".to_owned() } else { format!("{{ {} }}", names.join(", ")) }
    }

    fn fields(&mut self, fields: &[Id], home: &str, reader: &Reader<'_>) {
        let (world, place) = (self.world, self.place);
        for item in fields.iter().filter_map(|id| world.item((place, *id))) {
            if let (ItemEnum::StructField(ty), Some(name)) = (&item.inner, &item.name) {
                self.push(Some(item), format!("field {home}::{name}: {}", reader.ty(ty)));
            }
        }
    }

    fn variant(&mut self, id: Id, home: &str, reader: &Reader<'_>) {
        let Some(item) = self.get(id) else { return };
        let (ItemEnum::Variant(variant), Some(name)) = (&item.inner, &item.name) else { return };
        let path = format!("{home}::{name}");
        match &variant.kind {
            VariantKind::Plain => self.push(Some(item), format!("variant {path}")),
            VariantKind::Tuple(fields) => {
                let types = fields.iter().map(|id| match self.get((*id)?)?.inner {
                    ItemEnum::StructField(ref ty) => Some(reader.ty(ty)),
                    _ => None,
                });
                let types: Vec<String> = types.map(|ty| ty.unwrap_or("_".to_owned())).collect();
                self.push(Some(item), format!("variant {path}({})", types.join(", ")));
            }
            VariantKind::Struct { fields, has_stripped_fields } => {
                let closed = *has_stripped_fields || item.attrs.contains(&Attribute::NonExhaustive);
                self.push(Some(item), format!("variant {path} {}", self.body(fields, closed)));
                self.fields(fields, &path, reader);
            }
        }
    }

    /// A function, a constant or a type, in a module, an implementation or a trait.
    fn member(&mut self, item: &'w Item, path: &str, reader: &Reader<'w>) {
        match &item.inner {
            ItemEnum::Function(function) => {
                let signature = reader.signature(function);
                let plain = format!("fn {path}{signature}");
                if function.header.is_const {
                    self.push(Some(item), format!("const {plain}"));
                }
                self.push(Some(item), plain);
            }
            ItemEnum::Constant { type_, .. } | ItemEnum::AssocConst { type_, .. } => {
                // A constant's references live for ever, written or not.
                let ty = reader.ty(type_).replace("&'_ ", "&'static ");
                self.push(Some(item), format!("const {path}: {ty}"));
            }
            ItemEnum::Static(inner) => self.push(Some(item), format!("static {path}: {}", reader.ty(&inner.type_))),
            ItemEnum::TypeAlias(alias) => {
                let own = reader.clone().with_generics(&alias.generics);
                self.push(Some(item), format!("type {path}{} = {}", own.parameters(), own.ty(&alias.type_)));
            }
            ItemEnum::AssocType { bounds, .. } => {
                self.push(Some(item), format!("type {path}: {}", reader.bounds(bounds)));
            }
            _ => {}
        }
    }

    fn implementation(&mut self, inner: &'w Impl) {
        if inner.blanket_impl.is_some() || inner.is_negative || !self.is_public(&inner.for_) {
            return;
        }
        let reader = self.reader().with_generics(&inner.generics);
        let own = reader.ty(&inner.for_);
        let reader = reader.with_self(own.clone());
        let members: Vec<&'w Item> = inner.items.iter().filter_map(|id| self.get(*id)).collect();
        let Some(path) = &inner.trait_ else {
            for member in members.into_iter().filter(|item| item.visibility == Visibility::Public) {
                self.member(member, &below(&own, member), &reader);
            }
            return;
        };
        let name = reader.path(path);
        if UNSTABLE.contains(&name.as_str()) || name.starts_with('_') {
            return;
        }
        let mut types: Vec<String> = Vec::new();
        for member in members {
            if let (ItemEnum::AssocType { type_: Some(ty), .. }, Some(name)) = (&member.inner, &member.name) {
                types.push(format!("{name} = {}", reader.ty(ty)));
            }
        }
        types.sort();
        let types = if types.is_empty() { String::new() } else { format!(" {{ {} }}", types.join(", ")) };
        self.push(None, format!("impl {name} for {own}{}{types}", reader.where_clause_but(&own)));
    }

    /// Whether users can name a type.
    fn is_public(&self, ty: &Type) -> bool {
        let reaches = |id| match self.world.resolve(self.place, id) {
            Some(Target::Here(node)) => self.has_home(node),
            Some(Target::Elsewhere(_)) => true,
            None => false,
        };
        match ty {
            Type::ResolvedPath(path) => reaches(path.id),
            Type::BorrowedRef { type_, .. } | Type::Slice(type_) => self.is_public(type_),
            _ => true,
        }
    }

    fn has_home(&self, node: Node) -> bool {
        self.world.home(node).is_some()
    }
}

fn below(home: &str, item: &Item) -> String {
    format!("{home}::{}", item.name.as_deref().unwrap_or_default())
}

fn is_required(item: &Item) -> bool {
    match &item.inner {
        ItemEnum::Function(function) => !function.has_body,
        ItemEnum::AssocConst { value, .. } => value.is_none(),
        ItemEnum::AssocType { type_, .. } => type_.is_none(),
        _ => false,
    }
}
