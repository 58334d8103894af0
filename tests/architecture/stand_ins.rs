//! The stand-ins of `fuzz/mock` are never in the library proper: no feature of this package chooses them, no package of
//! this workspace depends on those that do, and what is published does not contain them.

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ItemMod, Lit, Meta};

use super::house::{Sources, nested};

/// The feature of `fuzz/mock` that puts them in their places.
const FEATURE: &str = "mock-crypto";

/// What has a stand-in, in `crypto`.
const STAND_INS: &[&str] = &["aead", "dh", "hash", "hash512", "kem", "p256", "sign"];

/// What only the real ones stand on, in `crypto`: it is left out with them.
const BEHIND: &[&str] = &["backend"];

/// Each stand-in is declared once, in `crypto`, under its feature, and the real one without it. The feature is named
/// nowhere else, and no other module comes from a path of its own.
pub fn stand_ins_have_one_place(sources: Sources<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in sources {
        let mut reader = Reader::default();
        reader.visit_file(&syn::parse_file(text).expect("source text parses"));
        let at_home = *name == "crypto";
        for module in reader.elsewhere {
            found.push(format!("{name}: `{module}` comes from a path"));
        }
        for module in &reader.stand_ins {
            if !at_home || !reader.real.contains(module) {
                found.push(format!(
                    "{name}: a stand-in for `{module}`, and no real one"
                ));
            }
        }
        let lawful = if at_home {
            reader.stand_ins.len() + reader.real.len() + reader.behind
        } else {
            0
        };
        if text.matches(FEATURE).count() != lawful {
            found.push(format!("{name}: names {FEATURE} outside of its block"));
        }
    }
    found
}

#[derive(Default)]
struct Reader {
    stand_ins: Vec<String>,
    real: Vec<String>,
    behind: usize,
    elsewhere: Vec<String>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        let paths: Vec<_> = item.attrs.iter().filter_map(path).collect();
        let condition = item.attrs.iter().find_map(condition);
        let known = STAND_INS.contains(&name.as_str()) && item.attrs.len() == paths.len() + 1;
        match (&paths[..], condition) {
            ([Some(path)], Some(true)) if known && *path == format!("../fuzz/mock/{name}.rs") => {
                self.stand_ins.push(name);
            }
            ([], Some(false)) if known => self.real.push(name),
            ([], Some(false)) if BEHIND.contains(&name.as_str()) && item.attrs.len() == 1 => {
                self.behind += 1;
            }
            ([], _) => {}
            _ => self.elsewhere.push(name),
        }
        visit::visit_item_mod(self, item);
    }
}

/// The file that `#[path]` names; an inner `None` for one under a condition of its own.
fn path(attr: &Attribute) -> Option<Option<String>> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => Some(text(&pair.value)),
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let mut metas = nested(list).into_iter();
            metas
                .any(|meta| meta.path().is_ident("path"))
                .then_some(None)
        }
        _ => None,
    }
}

/// True for `#[cfg(feature = …)]` of the feature and nothing else, false for its opposite.
fn condition(attr: &Attribute) -> Option<bool> {
    let Meta::List(list) = &attr.meta else {
        return None;
    };
    match &nested(list)[..] {
        [predicate] if list.path.is_ident("cfg") && is_feature(predicate) => Some(true),
        [Meta::List(not)] if list.path.is_ident("cfg") && not.path.is_ident("not") => {
            matches!(&nested(not)[..], [predicate] if is_feature(predicate)).then_some(false)
        }
        _ => None,
    }
}

fn is_feature(predicate: &Meta) -> bool {
    let Meta::NameValue(pair) = predicate else {
        return false;
    };
    pair.path.is_ident("feature") && text(&pair.value).is_some_and(|text| text == FEATURE)
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// A manifest of this workspace, or its lock: no feature, no dependency and no target of the name. The one line that
/// may have it tells the compiler that the condition is no misspelling.
pub fn manifest_knows_no_stand_ins(manifest: &str) -> Vec<String> {
    let expected = format!("check-cfg = ['cfg(feature, values(\"{FEATURE}\"))']");
    let named = manifest.lines().filter(|line| line.contains("mock"));
    named
        .filter(|line| !(line.starts_with("unexpected_cfgs = ") && line.contains(&expected)))
        .map(|line| format!("names the stand-ins: {line}"))
        .collect()
}

/// What is published is listed name by name, and the folder of the stand-ins is not in the list.
pub fn package_holds_no_stand_ins(manifest: &str) -> Vec<String> {
    let list = manifest
        .lines()
        .find_map(|line| line.strip_prefix("include = [")?.strip_suffix(']'));
    let Some(list) = list else {
        return vec!["no list of what is published".to_owned()];
    };
    let entries = list.split(',').map(|entry| entry.trim().trim_matches('"'));
    let wide = entries.filter(|entry| {
        let name = entry.strip_prefix('/').unwrap_or_default();
        name.is_empty() || name.contains(['*', '?', '[', '!']) || name.starts_with("fuzz")
    });
    wide.map(|entry| format!("publishes {entry:?}")).collect()
}
