//! What a header declares, without its comments, its macros for compilers, and its layout on the page.

use std::collections::{BTreeMap, BTreeSet};

/// Macros that say something to compilers and nothing about types.
const MARKS: &[&str] = &["SUBROSA_NULLABLE", "SUBROSA_NONNULL", "SUBROSA_CHECKED"];

/// Words of a declaration, with a space between any two.
type Words = String;

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// What it returns.
    pub returns: Words,
    /// Its parameters, each with its name, in order.
    pub parameters: Vec<Words>,
    /// For each parameter that is a pointer: whether it may be NULL.
    pub nullable: Vec<Option<bool>>,
}

/// What a header declares, by names.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    pub functions: BTreeMap<String, Function>,
    /// Fields with their types, in order.
    pub structs: BTreeMap<String, Vec<Words>>,
    pub opaque: BTreeSet<String>,
    /// Other names for types.
    pub types: BTreeMap<String, Words>,
    pub constants: BTreeMap<String, Words>,
}

impl Declarations {
    /// Reads a header. Whatever is no declaration that it knows is an error: nothing is passed over.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut read = Self::default();
        let text = without_comments(text)?;
        let mut rest = String::new();
        let mut in_cplusplus = false;
        for line in text.lines() {
            let line = line.trim();
            if line == "#ifdef __cplusplus" {
                in_cplusplus = true;
            } else if in_cplusplus {
                in_cplusplus = line != "#endif";
            } else if let Some(definition) = line.strip_prefix("#define ") {
                read.define(definition)?;
            } else if !line.starts_with('#') {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        for declaration in split(&words(&rest)?, ";", "{}")? {
            read.declare(&declaration)?;
        }
        Ok(read)
    }

    fn define(&mut self, definition: &str) -> Result<(), String> {
        let (name, value) = definition.split_once(' ').unwrap_or((definition, ""));
        // The guard of a header has no value.
        if MARKS.contains(&name) || value.is_empty() {
            return Ok(());
        }
        insert(&mut self.constants, name, constant(value.trim()))
    }

    fn declare(&mut self, words: &[String]) -> Result<(), String> {
        let shown = words.join(" ");
        let text: Vec<&str> = words.iter().map(String::as_str).collect();
        match text.as_slice() {
            [] => Ok(()),
            ["typedef", "struct", name, "{", fields @ .., "}", also] if name == also => {
                let fields = split(&owned(fields), ";", "()")?;
                let fields = fields.iter().map(|field| plain(field)).collect();
                insert(&mut self.structs, name, fields)
            }
            ["typedef", "struct", name, also] if name == also => {
                let new = self.opaque.insert((*name).to_owned());
                new.then_some(()).ok_or(format!("twice: {name}"))
            }
            ["typedef", ty @ .., name] if !ty.contains(&"{") => {
                insert(&mut self.types, name, plain(&owned(ty)))
            }
            [.., ")"] => {
                let open = text
                    .iter()
                    .position(|word| *word == "(")
                    .unwrap_or_default();
                let [returns @ .., name] = &text[..open] else {
                    return Err(format!("no function: {shown}"));
                };
                let parameters = split(&words[open + 1..words.len() - 1], ",", "()")?;
                let function = Function {
                    returns: plain(&owned(returns)),
                    nullable: parameters
                        .iter()
                        .map(|parameter| nullable(parameter))
                        .collect(),
                    parameters: parameters
                        .iter()
                        .map(|parameter| plain(parameter))
                        .collect(),
                };
                insert(&mut self.functions, name, function)
            }
            _ => Err(format!("not understood: {shown}")),
        }
    }

    /// Takes out what the other declares as well.
    pub fn remove(&mut self, other: &Self) {
        self.functions
            .retain(|name, _| !other.functions.contains_key(name));
        self.structs
            .retain(|name, _| !other.structs.contains_key(name));
        self.opaque.retain(|name| !other.opaque.contains(name));
        self.types.retain(|name, _| !other.types.contains_key(name));
        self.constants
            .retain(|name, _| !other.constants.contains_key(name));
    }

    /// The constants whose names begin like this, as numbers.
    pub fn numbers(&self, prefix: &str) -> BTreeMap<&str, i64> {
        let constants = self.constants.iter();
        let named = constants.filter(|(name, _)| name.starts_with(prefix));
        named
            .map(|(name, value)| (name.as_str(), value.parse().expect("a number")))
            .collect()
    }

    /// What this and the other do not both say; nullability is not compared.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let signature = |(name, function): (&String, &Function)| {
            let parameters = function.parameters.join(", ");
            (name.clone(), format!("{} ({parameters})", function.returns))
        };
        let fields = |(name, fields): (&String, &Vec<Words>)| (name.clone(), fields.join("; "));
        let opaque = |of: &Self| {
            of.opaque
                .iter()
                .map(|name| (name.clone(), String::new()))
                .collect()
        };
        let kinds: [(&str, [BTreeMap<String, String>; 2]); 5] = [
            (
                "function",
                [self, other].map(|of| of.functions.iter().map(signature).collect()),
            ),
            (
                "structure",
                [self, other].map(|of| of.structs.iter().map(fields).collect()),
            ),
            ("object", [self, other].map(opaque)),
            ("type", [self, other].map(|of| of.types.clone())),
            ("constant", [self, other].map(|of| of.constants.clone())),
        ];
        let mut found = Vec::new();
        for (kind, [here, there]) in &kinds {
            let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
            for name in names {
                match (here.get(name), there.get(name)) {
                    (Some(here), Some(there)) if here == there => {}
                    (Some(here), Some(there)) => {
                        found.push(format!("{kind} {name}: {here} / {there}"))
                    }
                    (Some(_), None) => found.push(format!("{kind} {name}: not in the source")),
                    (None, _) => found.push(format!("{kind} {name}: not in the header")),
                }
            }
        }
        found
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn insert<T>(map: &mut BTreeMap<String, T>, name: &str, value: T) -> Result<(), String> {
    match map.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(format!("twice: {name}")),
    }
}

/// A constant as both sides write it.
fn constant(value: &str) -> String {
    match value {
        "SIZE_MAX" | "UINTPTR_MAX" => "SIZE_MAX".to_owned(),
        _ => value.trim_end_matches(['u', 'U']).to_owned(),
    }
}

fn without_comments(text: &str) -> Result<String, String> {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        kept.push(' ');
        let (_, after) = comment
            .split_once("*/")
            .ok_or("a comment that does not end")?;
        rest = after;
    }
    kept.push_str(rest);
    Ok(kept)
}

/// Names, numbers, and marks of punctuation.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_name = false;
    for c in text.chars() {
        let of_name = c.is_ascii_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(word) if in_name && of_name => word.push(c),
            _ if of_name || "*(){}[],;".contains(c) => words.push(c.to_string()),
            _ if c.is_whitespace() => {}
            _ => return Err(format!("not understood: {c:?}")),
        }
        in_name = of_name;
    }
    Ok(words)
}

/// The pieces between separators that are in no pair of these brackets.
fn split(words: &[String], separator: &str, brackets: &str) -> Result<Vec<Vec<String>>, String> {
    let [open, close] = [&brackets[..1], &brackets[1..]];
    let mut pieces = vec![Vec::new()];
    let mut depth = 0_usize;
    for word in words {
        if word == open {
            depth += 1;
        } else if word == close {
            depth = depth
                .checked_sub(1)
                .ok_or("a bracket that nothing opened")?;
        }
        if depth == 0 && word == separator {
            pieces.push(Vec::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(word.clone());
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    if depth == 0 {
        Ok(pieces)
    } else {
        Err(format!("{open} without {close}"))
    }
}

/// The words without what they say to compilers alone. Each structure has a name of its own, so `struct` says nothing.
fn plain(words: &[String]) -> Words {
    let mut words = words.to_vec();
    words.retain(|word| word != "struct" && !MARKS.contains(&word.as_str()));
    words.join(" ")
}

/// Whether a parameter may be NULL, if it is a pointer: the mark behind its outermost asterisk says so.
fn nullable(parameter: &[String]) -> Option<bool> {
    let last = parameter.iter().rposition(|word| word == "*")?;
    Some(
        parameter
            .get(last + 1)
            .is_some_and(|word| word == "SUBROSA_NULLABLE"),
    )
}
