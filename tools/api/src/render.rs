//! Types, bounds and signatures as text in one form, so that spelling the same thing in two ways makes no difference.
//!
//! Type parameters are numbered, bounds sorted and all in the where clause, aliases of the crate replaced by what they
//! stand for, `Self` by the type it is, and items of other crates go by their last name.

use std::collections::{BTreeMap, HashMap};

use rustdoc_types::{
    AssocItemConstraint, AssocItemConstraintKind, DynTrait, Function, GenericArg, GenericArgs, GenericBound,
    GenericParamDefKind, Generics, ItemEnum, Path, Term, TraitBoundModifier, Type, WherePredicate,
};

use crate::world::{Target, World};

/// A place to read types from: a crate of the world, and what its generic names stand for here.
#[derive(Clone)]
pub struct Reader<'w> {
    world: &'w World,
    place: usize,
    names: HashMap<String, String>,
    /// Bounds, by what they bind.
    bounds: BTreeMap<String, Vec<String>>,
    parameters: Vec<String>,
    numbered: usize,
}

impl<'w> Reader<'w> {
    pub fn new(world: &'w World, place: usize) -> Self {
        Reader { world, place, names: HashMap::new(), bounds: BTreeMap::new(), parameters: Vec::new(), numbered: 0 }
    }

    /// Lets `Self` stand for a type.
    pub fn with_self(mut self, own: String) -> Self {
        self.names.insert("Self".to_owned(), own);
        self
    }

    /// Adds the parameters of an item to those of the items around it.
    pub fn with_generics(mut self, generics: &Generics) -> Self {
        self.parameters.clear();
        for parameter in &generics.params {
            if let GenericParamDefKind::Type { is_synthetic: false, .. } = parameter.kind {
                let name = format!("T{}", self.numbered);
                self.numbered += 1;
                self.names.insert(parameter.name.clone(), name.clone());
                self.parameters.push(name);
            }
        }
        for parameter in &generics.params {
            match &parameter.kind {
                GenericParamDefKind::Type { bounds, is_synthetic: false, .. } => {
                    let name = self.names[&parameter.name].clone();
                    self.bind(name, bounds);
                }
                GenericParamDefKind::Lifetime { outlives } if !outlives.is_empty() => {
                    self.bounds.entry(parameter.name.clone()).or_default().extend(outlives.clone());
                }
                _ => {}
            }
        }
        for predicate in &generics.where_predicates {
            match predicate {
                WherePredicate::BoundPredicate { type_, bounds, .. } => self.bind(self.ty(type_), bounds),
                WherePredicate::LifetimePredicate { lifetime, outlives } => {
                    self.bounds.entry(lifetime.clone()).or_default().extend(outlives.clone());
                }
                WherePredicate::EqPredicate { lhs, rhs } => {
                    let same = format!("= {}", self.term(rhs));
                    self.bounds.entry(self.ty(lhs)).or_default().push(same);
                }
            }
        }
        self
    }

    fn bind(&mut self, what: String, bounds: &[GenericBound]) {
        let bounds: Vec<String> = bounds.iter().map(|bound| self.bound(bound)).collect();
        self.bounds.entry(what).or_default().extend(bounds);
    }

    /// The parameters of the item added last, as `<T0, T1>`.
    pub fn parameters(&self) -> String {
        if self.parameters.is_empty() { String::new() } else { format!("<{}>", self.parameters.join(", ")) }
    }

    /// The same with lifetimes, for the declaration of a type: how many there are matters to those who name it.
    pub fn declared(&self, generics: &Generics) -> String {
        let lifetimes = |kind: &GenericParamDefKind| matches!(kind, GenericParamDefKind::Lifetime { .. });
        let count = generics.params.iter().filter(|parameter| lifetimes(&parameter.kind)).count();
        let all: Vec<String> = (0..count).map(|n| format!("'{n}")).chain(self.parameters.iter().cloned()).collect();
        if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
    }

    pub fn where_clause(&self) -> String {
        self.where_clause_but("")
    }

    /// The same without what is asked of one type, which is known to be so.
    pub fn where_clause_but(&self, known: &str) -> String {
        let mut predicates = Vec::new();
        for (what, bounds) in self.bounds.iter().filter(|(what, _)| *what != known) {
            let mut bounds = bounds.clone();
            bounds.sort();
            bounds.dedup();
            if !bounds.is_empty() {
                predicates.push(format!("{what}: {}", bounds.join(" + ")));
            }
        }
        if predicates.is_empty() { String::new() } else { format!(" where {}", predicates.join(", ")) }
    }

    /// Parameters, arguments, result and bounds of a function.
    pub fn signature(&self, function: &Function) -> String {
        let own = self.clone().with_generics(&function.generics);
        let arguments: Vec<String> = function.sig.inputs.iter().map(|(name, ty)| own.argument(name, ty)).collect();
        let result = function.sig.output.as_ref().map_or(String::new(), |ty| format!(" -> {}", own.ty(ty)));
        format!("{}({}){result}{}", own.parameters(), arguments.join(", "), own.where_clause())
    }

    fn argument(&self, name: &str, ty: &Type) -> String {
        let is_self = |ty: &Type| matches!(ty, Type::Generic(name) if name == "Self");
        match ty {
            _ if name != "self" => self.ty(ty),
            ty if is_self(ty) => "self".to_owned(),
            Type::BorrowedRef { is_mutable: false, type_, .. } if is_self(type_) => "&self".to_owned(),
            Type::BorrowedRef { is_mutable: true, type_, .. } if is_self(type_) => "&mut self".to_owned(),
            _ => format!("self: {}", self.ty(ty)),
        }
    }

    pub fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::ResolvedPath(path) => self.path(path),
            Type::DynTrait(object) => self.object(object),
            Type::Generic(name) => self.names.get(name).unwrap_or(name).clone(),
            Type::Primitive(name) if name == "never" => "!".to_owned(),
            Type::Primitive(name) => name.clone(),
            Type::FunctionPointer(pointer) => {
                let arguments: Vec<String> = pointer.sig.inputs.iter().map(|(_, ty)| self.ty(ty)).collect();
                let result = pointer.sig.output.as_ref().map_or(String::new(), |ty| format!(" -> {}", self.ty(ty)));
                format!("fn({}){result}", arguments.join(", "))
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|ty| self.ty(ty)).collect();
                format!("({})", parts.join(", "))
            }
            Type::Slice(ty) => format!("[{}]", self.ty(ty)),
            Type::Array { type_, len } => format!("[{}; {len}]", self.ty(type_)),
            Type::Pat { type_, .. } => self.ty(type_),
            Type::ImplTrait(bounds) => format!("impl {}", self.bounds(bounds)),
            Type::Infer => "_".to_owned(),
            Type::RawPointer { is_mutable, type_ } => {
                format!("*{} {}", if *is_mutable { "mut" } else { "const" }, self.ty(type_))
            }
            Type::BorrowedRef { lifetime, is_mutable, type_ } => {
                let lifetime = lifetime.as_deref().unwrap_or("'_");
                format!("&{lifetime} {}{}", if *is_mutable { "mut " } else { "" }, self.ty(type_))
            }
            Type::QualifiedPath { name, self_type, .. } => format!("{}::{name}", self.ty(self_type)),
        }
    }

    /// A path with its arguments; an alias of the crate becomes what it stands for.
    pub fn path(&self, path: &Path) -> String {
        let arguments = path.args.as_deref();
        match self.world.resolve(self.place, path.id) {
            Some(Target::Here(node)) => {
                let alias = self.world.item(node).and_then(|item| match &item.inner {
                    ItemEnum::TypeAlias(alias) => Some(alias),
                    _ => None,
                });
                if let Some(alias) = alias {
                    let mut inside = Reader::new(self.world, node.0);
                    if let Some(GenericArgs::AngleBracketed { args, .. }) = arguments {
                        for (parameter, argument) in alias.generics.params.iter().zip(args) {
                            inside.names.insert(parameter.name.clone(), self.argument_of(argument));
                        }
                    }
                    return inside.ty(&alias.type_);
                }
                let home = self.world.home(node).unwrap_or("_");
                format!("{home}{}", self.arguments(arguments))
            }
            Some(Target::Elsewhere(definition)) => {
                let name = definition.rsplit("::").next().unwrap_or_default();
                format!("{name}{}", self.arguments(arguments))
            }
            None => "_".to_owned(),
        }
    }

    fn arguments(&self, arguments: Option<&GenericArgs>) -> String {
        match arguments {
            Some(GenericArgs::AngleBracketed { args, constraints }) => {
                let constraints = constraints.iter().map(|constraint| self.constraint(constraint));
                let all: Vec<String> = args.iter().map(|one| self.argument_of(one)).chain(constraints).collect();
                if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
            }
            Some(GenericArgs::Parenthesized { inputs, output }) => {
                let inputs: Vec<String> = inputs.iter().map(|ty| self.ty(ty)).collect();
                let output = output.as_ref().map_or(String::new(), |ty| format!(" -> {}", self.ty(ty)));
                format!("({}){output}", inputs.join(", "))
            }
            Some(GenericArgs::ReturnTypeNotation) | None => String::new(),
        }
    }

    fn argument_of(&self, argument: &GenericArg) -> String {
        match argument {
            GenericArg::Lifetime(name) => name.clone(),
            GenericArg::Type(ty) => self.ty(ty),
            GenericArg::Const(constant) => constant.expr.clone(),
            GenericArg::Infer => "_".to_owned(),
        }
    }

    fn constraint(&self, constraint: &AssocItemConstraint) -> String {
        match &constraint.binding {
            AssocItemConstraintKind::Equality(term) => format!("{} = {}", constraint.name, self.term(term)),
            AssocItemConstraintKind::Constraint(bounds) => format!("{}: {}", constraint.name, self.bounds(bounds)),
        }
    }

    fn term(&self, term: &Term) -> String {
        match term {
            Term::Type(ty) => self.ty(ty),
            Term::Constant(constant) => constant.expr.clone(),
        }
    }

    fn object(&self, object: &DynTrait) -> String {
        let mut parts: Vec<String> = object.traits.iter().map(|one| self.path(&one.trait_)).collect();
        parts.extend(object.lifetime.clone());
        parts.sort();
        format!("dyn {}", parts.join(" + "))
    }

    pub fn bounds(&self, bounds: &[GenericBound]) -> String {
        let mut bounds: Vec<String> = bounds.iter().map(|bound| self.bound(bound)).collect();
        bounds.sort();
        bounds.join(" + ")
    }

    fn bound(&self, bound: &GenericBound) -> String {
        match bound {
            GenericBound::TraitBound { trait_, modifier, .. } => {
                let maybe = if *modifier == TraitBoundModifier::Maybe { "?" } else { "" };
                format!("{maybe}{}", self.path(trait_))
            }
            GenericBound::Outlives(lifetime) => lifetime.clone(),
            GenericBound::Use(captured) => format!("use<{}>", if captured.is_empty() { "" } else { ".." }),
        }
    }
}

/// Numbers the lifetimes of a line in order, and leaves out those that are named once and so say nothing.
pub fn lifetimes(line: &str) -> String {
    let found = spans(line);
    let names: Vec<&str> = found.iter().map(|(start, end)| &line[*start..*end]).collect();
    let mut order: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    for ((start, end), name) in found.iter().zip(&names) {
        text.push_str(&line[at..*start]);
        at = *end;
        if *name == "'static" {
            text.push_str(name);
        } else if *name == "'_" || names.iter().filter(|other| *other == name).count() == 1 {
            text.push_str("'_");
        } else {
            let number = order.iter().position(|known| known == name).unwrap_or_else(|| {
                order.push(name);
                order.len() - 1
            });
            text.push_str(&format!("'{number}"));
        }
    }
    text.push_str(&line[at..]);
    text.replace("&'_ ", "&").replace("<'_>", "").replace("<'_, ", "<")
}

/// Where the lifetimes of a line stand.
fn spans(line: &str) -> Vec<(usize, usize)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = line.char_indices().filter(|(_, c)| *c == '\'').map(|(at, _)| at);
    starts.map(|at| (at, line[at + 1..].find(|c| !word(c)).map_or(line.len(), |length| at + 1 + length))).collect()
}

#[cfg(test)]
mod tests {
    use super::lifetimes;

    #[test]
    fn lifetimes_are_numbered_and_those_named_once_left_out() {
        assert_eq!(lifetimes("fn f(&'x str, A<'y>) -> B<'x, 'static>"), "fn f(&'0 str, A) -> B<'0, 'static>");
        assert_eq!(lifetimes("fn f(&'a str, Cow<'_, str>)"), "fn f(&str, Cow<str>)");
    }
}
