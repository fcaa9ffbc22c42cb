//! What the macros of `vidette` cannot do by themselves: look into a format string.
//!
//! ```text
//!  breadcrumb!("GET {path} took {} ms", took)
//!    └─► write_message!(log "GET {path} took {} ms" {[] argument {took}})
//!          └─► log.message().text("GET ").value(&path).text(" took ").value(argument).text(" ms")
//! ```
//! # Guarantees
//! The text is the one that `format_args!` makes, and what does not compile there does not compile here: a format string
//! that is not understood to the last character is handed to it. Names in the string are looked up where the string stands.
//! No expression passes through here: the macros that ask bind them first.
//!
//! # Not here
//! Dependencies: a parser of Rust takes longer to build than all that is done with it here.

mod template;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::template::{Piece, Source};

/// Writes a message to what has a method of this name: `writer "format" {[name] argument {value}} …`.
///
/// `argument` is bound to a reference of the value; `name` is left out if it has none. The value itself is only there for
/// its place in the source, to which errors point.
#[proc_macro]
pub fn write_message(input: TokenStream) -> TokenStream {
    let mut input = input.into_iter();
    let (Some(writer), Some(format)) = (input.next(), input.next().map(bare)) else {
        return TokenStream::new();
    };
    let arguments: Vec<Argument> = input.filter_map(Argument::of).collect();
    let message = call("message", []);
    let rest = pieces(&format, &arguments).unwrap_or_else(|| {
        let arguments = arguments.iter().map(Argument::for_format_args);
        call("format", format_args(format.clone(), arguments))
    });
    TokenStream::from(writer).into_iter().chain(message).chain(rest).collect()
}

/// An argument of a message.
struct Argument {
    name: Option<Ident>,
    /// What is bound to a reference of the value, as if it stood where the value stands.
    bound: Ident,
}

impl Argument {
    /// Reads `{[name] argument {value}}`.
    fn of(token: TokenTree) -> Option<Self> {
        let mut parts = inside(token)?.into_iter();
        let name = ident(inside(parts.next()?)?.into_iter().next());
        let mut bound = ident(parts.next())?;
        if let Some(value) = inside(parts.next()?)?.into_iter().next() {
            bound.set_span(bound.span().located_at(bare(value).span()));
        }
        Some(Self { name, bound })
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.to_string() == name)
    }

    /// The value, under the name that it had.
    fn for_format_args(&self) -> Vec<TokenTree> {
        let name = self.name.iter().flat_map(|name| [name.clone().into(), punct('=')]);
        name.chain([punct('*'), self.bound.clone().into()]).collect()
    }
}

/// The calls that write the message. `None`: `format_args!` shall see to it.
fn pieces(format: &TokenTree, arguments: &[Argument]) -> Option<TokenStream> {
    let TokenTree::Literal(literal) = format else {
        return None;
    };
    let pieces = template::pieces(&template::meaning(&literal.to_string())?)?;
    let is_formatted = |piece: &Piece| matches!(piece, Piece::Value(_, format) if !format.is_empty());
    let is_plain = |piece: &Piece| matches!(piece, Piece::Value(_, format) if format.is_empty());
    // With nothing but formats to write, one call of the formatter is better than several.
    if pieces.iter().any(is_formatted) && !pieces.iter().any(is_plain) {
        return None;
    }
    // An argument without a name behind one that has one is an error.
    if !arguments.is_sorted_by_key(|argument| argument.name.is_some()) {
        return None;
    }
    let mut is_used = vec![false; arguments.len()];
    let mut calls = TokenStream::new();
    for piece in pieces {
        calls.extend(match piece {
            Piece::Text(text) => call("text", [located(Literal::string(&text), literal.span())]),
            Piece::Value(source, format) => {
                let at = match &source {
                    Source::At(at) => Some(*at),
                    Source::Named(name) => arguments.iter().position(|argument| argument.is_named(name)),
                };
                let (reference, place) = match (at, source) {
                    (Some(at), source) => {
                        let argument = arguments.get(at)?;
                        // One with a name that is taken by its place is worth a warning.
                        if argument.name.is_some() && matches!(source, Source::At(_)) {
                            return None;
                        }
                        *is_used.get_mut(at)? = true;
                        let bound = TokenTree::from(argument.bound.clone());
                        (vec![bound.clone()], vec![punct('*'), bound])
                    }
                    // Raw, as in `format_args!`: a keyword is no name here.
                    (None, Source::Named(name)) => {
                        let name = TokenTree::from(Ident::new_raw(&name, literal.span()));
                        (vec![punct('&'), name.clone()], vec![name])
                    }
                    (None, Source::At(_)) => return None,
                };
                if format.is_empty() {
                    call("value", reference)
                } else {
                    let format = located(Literal::string(&format!("{{:{format}}}")), literal.span());
                    call("format", format_args(format, [place]))
                }
            }
        });
    }
    is_used.iter().all(|used| *used).then_some(calls)
}

/// `.method(arguments)`
fn call(method: &str, arguments: impl IntoIterator<Item = TokenTree>) -> TokenStream {
    let arguments = Group::new(Delimiter::Parenthesis, arguments.into_iter().collect());
    [punct('.'), word(method), arguments.into()].into_iter().collect()
}

/// `::core::format_args!(format, argument, …)`
fn format_args(format: TokenTree, arguments: impl IntoIterator<Item = Vec<TokenTree>>) -> Vec<TokenTree> {
    let arguments = arguments.into_iter().flat_map(|argument| [vec![punct(',')], argument].concat());
    let arguments = Group::new(Delimiter::Parenthesis, [format].into_iter().chain(arguments).collect());
    let path = [path_separator(), vec![word("core")], path_separator(), vec![word("format_args")]].concat();
    path.into_iter().chain([punct('!'), arguments.into()]).collect()
}

fn path_separator() -> Vec<TokenTree> {
    vec![Punct::new(':', Spacing::Joint).into(), punct(':')]
}

fn word(name: &str) -> TokenTree {
    Ident::new(name, Span::mixed_site()).into()
}

fn punct(sign: char) -> TokenTree {
    Punct::new(sign, Spacing::Alone).into()
}

fn located(mut literal: Literal, span: Span) -> TokenTree {
    literal.set_span(span);
    literal.into()
}

/// What stands in a group, with or without delimiters.
fn inside(token: TokenTree) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    }
}

/// The token itself, if macros have passed it on as a whole.
fn bare(token: TokenTree) -> TokenTree {
    if let TokenTree::Group(group) = &token
        && group.delimiter() == Delimiter::None
        && let Some(first) = group.stream().into_iter().next()
    {
        return bare(first);
    }
    token
}

fn ident(token: Option<TokenTree>) -> Option<Ident> {
    match token.map(bare) {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}
