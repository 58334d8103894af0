//! The modules of a crate as its text has them: what each declares, defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};

use syn::buffer::{Cursor, TokenBuffer};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, Token, UseTree, Visibility};

/// (module name, source text); the crate root is `lib`.
pub type Sources<'a> = &'a [(&'a str, &'a str)];

/// The modules of a crate by name (`session::peer`; the root is the empty name), files and inline modules alike.
pub struct House {
    pub modules: BTreeMap<String, Module>,
}

#[derive(Default)]
pub struct Module {
    pub has_text: bool,
    pub declared: bool,
    /// Some declaration of it is compiled outside tests.
    in_production: bool,
    definitions: BTreeSet<String>,
    /// What its `use` lines bring into scope, as written.
    bindings: BTreeMap<String, Vec<String>>,
    /// Those of the names above that others may take from here.
    passed_on: BTreeSet<String>,
    globs: Vec<Vec<String>>,
    mentions: Vec<Mention>,
    pub literals: Vec<Vec<u8>>,
}

/// A path in the text: of a `use` item, or inline. An absolute path (`::core`, `extern crate`) begins with `::`.
pub struct Mention {
    pub path: Vec<String>,
    pub kind: Kind,
    /// A `use` that passes the name on: `pub use`, `pub(crate) use`.
    pub public: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Use,
    Glob,
    Inline,
}

pub enum Target {
    /// A module of the crate, and what is named inside it.
    Inside(String, Vec<String>),
    /// Another crate, or a name that is local to the code.
    Outside(String),
}

impl House {
    pub fn read(sources: Sources<'_>) -> Self {
        let mut house = House {
            modules: BTreeMap::new(),
        };
        for (name, text) in sources {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let name = if *name == "lib" { "" } else { name };
            house.module(name).has_text = true;
            let mut reader = Reader {
                house: &mut house,
                at: name.to_owned(),
            };
            reader.visit_file(&file);
        }
        let root = house.module("");
        (root.declared, root.in_production) = (true, true);
        house
    }

    fn module(&mut self, name: &str) -> &mut Module {
        self.modules.entry(name.to_owned()).or_default()
    }

    /// A file without a `mod` line is another rule's finding; until it is mended it is judged as production code.
    pub fn is_test_code(&self, name: &str) -> bool {
        let mut at = if name == "lib" { "" } else { name };
        loop {
            match self.modules.get(at) {
                Some(module) if module.declared && !module.in_production => return true,
                _ if at.is_empty() => return false,
                _ => at = parent(at),
            }
        }
    }

    pub fn production(&self) -> impl Iterator<Item = (&str, &Module)> {
        let all = self
            .modules
            .iter()
            .map(|(name, module)| (name.as_str(), module));
        all.filter(|(name, _)| !self.is_test_code(name))
    }

    pub fn production_mentions(&self) -> impl Iterator<Item = (&str, &Mention)> {
        self.production()
            .flat_map(|(name, module)| module.mentions.iter().map(move |mention| (name, mention)))
    }

    /// Where `path`, written in module `at`, leads: as written, re-exports not followed.
    pub fn resolve(&self, at: &str, path: &[String]) -> Target {
        self.resolve_except(at, path, None)
    }

    /// `binding` is the `use` name being resolved: in `use hex::hex` the first `hex` is not the second.
    fn resolve_except(&self, at: &str, path: &[String], binding: Option<&str>) -> Target {
        let (first, rest) = path.split_first().expect("a path has a segment");
        match first.as_str() {
            "::" => Target::Outside(rest.first().cloned().unwrap_or_default()),
            "crate" => self.split("", rest),
            "self" => self.split(at, rest),
            "super" => {
                let ups = rest
                    .iter()
                    .take_while(|segment| *segment == "super")
                    .count();
                let up = (0..ups).fold(parent(at), |at, _| parent(at));
                self.split(up, &rest[ups..])
            }
            name if self.modules.contains_key(&join(at, name)) => self.split(at, path),
            name => {
                let module = &self.modules[at];
                match module.bindings.get(name).filter(|_| binding != Some(name)) {
                    Some(bound) => {
                        let mut whole = bound.clone();
                        whole.extend_from_slice(rest);
                        self.resolve_except(at, &whole, Some(name))
                    }
                    None if module.definitions.contains(name) => self.split(at, path),
                    None => Target::Outside(name.to_owned()),
                }
            }
        }
    }

    /// The innermost module that `path` reaches from module `at`, and the rest of the path.
    fn split(&self, at: &str, path: &[String]) -> Target {
        let mut module = at.to_owned();
        for (taken, segment) in path.iter().enumerate() {
            let inner = join(&module, segment);
            if !self.modules.contains_key(&inner) {
                return Target::Inside(module, path[taken..].to_vec());
            }
            module = inner;
        }
        Target::Inside(module, Vec::new())
    }

    /// Where the thing named by `rest` inside `module` is defined: through re-exports to its own text.
    pub fn home(&self, module: String, rest: Vec<String>) -> Target {
        let Some(name) = rest.first() else {
            return Target::Inside(module, rest);
        };
        let text = &self.modules[&module];
        if text.bindings.contains_key(name) {
            return match self.resolve(&module, &rest) {
                Target::Inside(next, rest) if next != module => self.home(next, rest),
                target => target,
            };
        }
        if !text.definitions.contains(name) {
            for glob in &text.globs {
                let Target::Inside(from, inner) = self.resolve(&module, glob) else {
                    continue;
                };
                let source = &self.modules[&from];
                let gives = source.definitions.contains(name) || source.passed_on.contains(name);
                if inner.is_empty() && from != module && gives {
                    return self.home(from, rest);
                }
            }
        }
        Target::Inside(module, rest)
    }
}

/// Reads one file into the house.
struct Reader<'a> {
    house: &'a mut House,
    at: String,
}

impl Reader<'_> {
    fn here(&mut self) -> &mut Module {
        self.house
            .modules
            .get_mut(&self.at)
            .expect("the module being read")
    }

    fn mention(&mut self, path: Vec<String>) {
        self.here().mentions.push(Mention {
            path,
            kind: Kind::Inline,
            public: false,
        });
    }

    fn use_tree(&mut self, tree: &UseTree, mut path: Vec<String>, public: bool) {
        let (last, name) = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.use_tree(&tree.tree, path, public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, path.clone(), public);
                }
                return;
            }
            UseTree::Glob(_) => {
                self.here().globs.push(path.clone());
                self.here().mentions.push(Mention {
                    path,
                    kind: Kind::Glob,
                    public,
                });
                return;
            }
            UseTree::Name(name) => (&name.ident, None),
            UseTree::Rename(rename) => (&rename.ident, Some(rename.rename.to_string())),
        };
        if last != "self" || path.is_empty() {
            path.push(last.to_string());
        }
        let name = name.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
        if public {
            self.here().passed_on.insert(name.clone());
        }
        self.here().bindings.insert(name, path.clone());
        self.here().mentions.push(Mention {
            path,
            kind: Kind::Use,
            public,
        });
    }

    /// The paths and literals among the tokens of a macro or an attribute.
    fn tokens(&mut self, tokens: TokenBuffer) {
        let mut path: Vec<String> = Vec::new();
        let mut joined = false;
        let mut lexemes = flatten(tokens.begin());
        lexemes.push(Lexeme::Other);
        for lexeme in lexemes {
            match lexeme {
                Lexeme::Ident(name) if joined || path.is_empty() => {
                    path.push(name);
                    joined = false;
                    continue;
                }
                Lexeme::PathSep => {
                    if path.is_empty() {
                        path.push("::".to_owned());
                    }
                    joined = true;
                    continue;
                }
                Lexeme::Ident(name) => {
                    self.path(std::mem::replace(&mut path, vec![name]), false);
                    continue;
                }
                Lexeme::Literal(text) => {
                    if let Ok(literal) = syn::parse_str::<Lit>(&text) {
                        self.visit_lit(&literal);
                    }
                    self.path(std::mem::take(&mut path), false);
                }
                Lexeme::Open => self.path(std::mem::take(&mut path), true),
                Lexeme::Other => self.path(std::mem::take(&mut path), false),
            }
            joined = false;
        }
    }

    /// A lone lower-case name is a mention only where it is called: elsewhere it is a variable.
    fn path(&mut self, path: Vec<String>, called: bool) {
        let lone = path.len() == 1 && !path[0].starts_with(char::is_uppercase);
        if !path.is_empty() && (!lone || called) {
            self.mention(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attrs, name) = head(item);
        if is_test(attrs) && !matches!(item, Item::Mod(_)) {
            return;
        }
        if let Some(name) = name {
            self.here().definitions.insert(name);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = join(&self.at, &item.ident.to_string());
        let module = self.house.module(&name);
        module.declared = true;
        module.in_production |= !is_test(&item.attrs);
        if let Some((_, items)) = &item.content {
            module.has_text = true;
            let outer = std::mem::replace(&mut self.at, name);
            items.iter().for_each(|item| self.visit_item(item));
            self.at = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let start = item.leading_colon.as_ref().map(|_| "::".to_owned());
        let public = !matches!(item.vis, Visibility::Inherited);
        self.use_tree(&item.tree, start.into_iter().collect(), public);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let path = vec!["::".to_owned(), item.ident.to_string()];
        self.here().mentions.push(Mention {
            path,
            kind: Kind::Use,
            public: false,
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments: Vec<_> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if path.leading_colon.is_some() {
            segments.insert(0, "::".to_owned());
        }
        self.path(segments, false);
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(callee) = &*call.func
            && let Some(name) = callee.path.get_ident()
        {
            self.path(vec![name.to_string()], true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(TokenBuffer::new2(call.tokens.clone()));
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.tokens(TokenBuffer::new2(list.tokens.clone()));
    }

    fn visit_lit(&mut self, literal: &'ast Lit) {
        let bytes = match literal {
            Lit::Str(text) => text.value().into_bytes(),
            Lit::ByteStr(bytes) => bytes.value(),
            Lit::CStr(text) => text.value().into_bytes(),
            _ => return,
        };
        self.here().literals.push(bytes);
    }

    /// `pub(in crate::session)` says who may look, and takes nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

/// A token, groups flattened.
#[derive(PartialEq)]
enum Lexeme {
    Ident(String),
    PathSep,
    Literal(String),
    Open,
    Other,
}

/// Whether `name` stands anywhere in the text outside literals and comments.
pub fn has_ident(text: &str, name: &str) -> bool {
    let read =
        |input: ParseStream<'_>| input.step(|cursor| Ok((flatten(*cursor), Cursor::empty())));
    let lexemes = read.parse_str(text).expect("source text parses");
    lexemes.contains(&Lexeme::Ident(name.to_owned()))
}

fn flatten(mut cursor: Cursor<'_>) -> Vec<Lexeme> {
    let mut lexemes = Vec::new();
    while !cursor.eof() {
        if let Some((ident, next)) = cursor.ident() {
            lexemes.push(Lexeme::Ident(ident.to_string()));
            cursor = next;
        } else if let Some((inside, _, _, next)) = cursor.any_group() {
            lexemes.push(Lexeme::Open);
            lexemes.extend(flatten(inside));
            lexemes.push(Lexeme::Other);
            cursor = next;
        } else if let Some((literal, next)) = cursor.literal() {
            lexemes.push(Lexeme::Literal(literal.to_string()));
            cursor = next;
        } else {
            let colon = |cursor: Cursor<'_>| {
                cursor
                    .punct()
                    .is_some_and(|(punct, _)| punct.as_char() == ':')
            };
            let (_, next) = cursor.token_tree().expect("not at the end");
            let is_path_sep = colon(cursor) && colon(next);
            lexemes.push(if is_path_sep {
                Lexeme::PathSep
            } else {
                Lexeme::Other
            });
            cursor = if is_path_sep {
                next.token_tree().expect("a colon").1
            } else {
                next
            };
        }
    }
    lexemes
}

pub fn label(module: &str) -> &str {
    if module.is_empty() { "lib" } else { module }
}

pub fn top(module: &str) -> &str {
    label(module.split("::").next().unwrap_or_default())
}

pub fn leaf(module: &str) -> &str {
    module.rsplit("::").next().unwrap_or_default()
}

pub fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

pub fn join(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}

pub fn is_within(module: &str, around: &str) -> bool {
    let inside = module.strip_prefix(around);
    around.is_empty() || inside.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether what stands under these attributes is compiled for tests only.
pub fn is_test(attrs: &[Attribute]) -> bool {
    fn implies_test(predicate: &Meta) -> bool {
        match predicate {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => nested(list).iter().any(implies_test),
            Meta::List(list) if list.path.is_ident("any") => nested(list).iter().all(implies_test),
            _ => false,
        }
    }
    attrs.iter().any(|attr| match &attr.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => nested(list).iter().any(implies_test),
        _ => false,
    })
}

pub fn nested(list: &syn::MetaList) -> Vec<Meta> {
    let metas = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    metas.expect("a list of attributes").into_iter().collect()
}

/// The lint levels and `no_std` of a crate root. A level may be stated for `not(test)` alone; a forbidden lint counts
/// as denied, too.
pub fn inner_lints(attrs: &[Attribute]) -> Vec<String> {
    fn name(path: &syn::Path) -> String {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        segments.join("::")
    }
    fn state(meta: &Meta, conditional: bool, stated: &mut Vec<String>) {
        match meta {
            Meta::Path(path) if !conditional => stated.push(name(path)),
            Meta::List(list) if list.path.is_ident("deny") || list.path.is_ident("forbid") => {
                for lint in nested(list).iter().map(Meta::path) {
                    stated.push(format!("deny({})", name(lint)));
                    if list.path.is_ident("forbid") && !conditional {
                        stated.push(format!("forbid({})", name(lint)));
                    }
                }
            }
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let inner = nested(list);
                let Some((Meta::List(predicate), attrs)) = inner.split_first() else {
                    return;
                };
                let test = nested(predicate);
                let is_not_test = predicate.path.is_ident("not")
                    && matches!(&test[..], [Meta::Path(path)] if path.is_ident("test"));
                if is_not_test {
                    attrs.iter().for_each(|attr| state(attr, true, stated));
                }
            }
            _ => {}
        }
    }
    let mut stated = Vec::new();
    attrs
        .iter()
        .for_each(|attr| state(&attr.meta, false, &mut stated));
    stated
}

/// The attributes of an item, and its name if it defines one.
fn head(item: &Item) -> (&[Attribute], Option<String>) {
    let (attrs, name) = match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::ExternCrate(item) => (&item.attrs, None),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => panic!("an item of a kind that these rules cannot read"),
    };
    (attrs, name.map(ToString::to_string))
}
