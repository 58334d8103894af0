//! Makes `test-vectors/` anew, byte for byte the same every time: every input comes from SHA-256 of its name.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use subrosa::crypto::hash::sha256;

use crate::case::{Case, describe, digest};
use crate::file::{FORMAT, LICENSE, VectorFile};
use crate::op::{Field, Kind, Verb};
use crate::schema;
use crate::sections::{self, Section};
use crate::target::{Response, Subrosa, Target};

const README: &str = include_str!("generate/readme.md");
const LICENSE_TEXT: &str = include_str!("../../test-vectors/LICENSE-CC0");
const OPERATIONS: &str = "{{operations}}\n";

/// What an operation answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The output fields, in full.
    pub out: Map<String, Value>,
    /// The intermediate values, in full.
    pub trace: Map<String, Value>,
}

impl Answer {
    /// An output field, or else an intermediate value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.out.get(name).or_else(|| self.trace.get(name))
    }

    /// The same as bytes: none, if there is no such field or it holds no bytes.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let text = self.get(name).and_then(Value::as_str);
        text.and_then(|text| hex::decode(text).ok())
            .unwrap_or_default()
    }
}

/// The cases of a section under construction.
///
/// A case states what kind of answer it is about; an implementation that answers otherwise is a fault, so that
/// vectors are never made anew from a library that broke.
pub struct Cases {
    section: &'static str,
    cases: Vec<Case>,
    faults: Vec<String>,
}

impl Cases {
    /// `length` bytes that depend on the section, on `name` and on nothing else.
    #[must_use]
    pub fn bytes(&self, name: &str, length: usize) -> Vec<u8> {
        let seed = sha256(&[
            b"subrosa test vectors\0",
            self.section.as_bytes(),
            b"\0",
            name.as_bytes(),
        ]);
        let blocks = (0u32..).flat_map(|counter| sha256(&[&seed, &counter.to_be_bytes()]));
        blocks.take(length).collect()
    }

    /// As [`bytes`](Self::bytes), as an array.
    #[must_use]
    pub fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.bytes(name, N)) {
            *to = from;
        }
        array
    }

    /// As [`bytes`](Self::bytes), in hex.
    #[must_use]
    pub fn hex(&self, name: &str, length: usize) -> String {
        hex::encode(self.bytes(name, length))
    }

    /// Adds a case whose operation gives an output, and returns that.
    pub fn accept(&mut self, id: &str, op: &str, comment: &str, input: Value) -> Answer {
        self.add(id, op, comment, input, None, false)
    }

    /// As [`accept`](Self::accept); long bytes of the output are written as their hash.
    pub fn accept_digest(&mut self, id: &str, op: &str, comment: &str, input: Value) -> Answer {
        self.add(id, op, comment, input, None, true)
    }

    /// Adds a case whose operation answers `error`.
    pub fn refuse(&mut self, id: &str, op: &str, error: &str, comment: &str, input: Value) {
        self.add(id, op, comment, input, Some(error), false);
    }

    /// Records that a case could not be made.
    pub fn fault(&mut self, why: String) {
        self.faults.push(why);
    }

    /// Records a fault of `what` unless two ways to the same value gave the same.
    pub fn same<T: PartialEq + Debug>(&mut self, what: &str, one: T, other: T) {
        if one != other {
            self.fault(format!("{what}: {one:?} one way, {other:?} another way"));
        }
    }

    /// The value, or a fault and none.
    pub fn made<T>(&mut self, what: &str, result: Result<T, impl Debug>) -> Option<T> {
        result
            .map_err(|why| self.fault(format!("{what}: {why:?}")))
            .ok()
    }

    fn add(
        &mut self,
        id: &str,
        op: &str,
        comment: &str,
        input: Value,
        error: Option<&str>,
        digests: bool,
    ) -> Answer {
        let op = format!("{}.{op}", self.section);
        let Value::Object(input) = input else {
            self.faults
                .push(format!("{id}: the input is not an object"));
            return Answer::default();
        };
        let mut case = Case {
            id: id.to_owned(),
            comment: comment.to_owned(),
            op,
            input,
            out: None,
            error: None,
            trace: None,
        };
        let mut full = Answer::default();
        match (Subrosa.call(&case.op, &case.input), error) {
            (Response::Out { out, trace }, None) => {
                full.out.clone_from(&out);
                full.trace.clone_from(&trace);
                let shorten = |fields| match (digests, Value::Object(fields)) {
                    (true, fields) => with_digests(fields),
                    (false, fields) => fields,
                };
                case.out = shorten(out).as_object().cloned();
                case.trace = shorten(trace)
                    .as_object()
                    .cloned()
                    .filter(|trace| !trace.is_empty());
            }
            (Response::Error(found), Some(expected)) if found == expected => {
                case.error = Some(found);
            }
            (response, expected) => self.faults.push(format!(
                "{id}: expected {}, found {}",
                expected.unwrap_or("an output"),
                describe(&response)
            )),
        }
        self.cases.push(case);
        full
    }
}

/// Replaces bytes that are long by their hash.
fn with_digests(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(
                fields
                    .map(|(key, value)| (key, with_digests(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(with_digests).collect(),
        Value::String(text) => match hex::decode(&text) {
            Ok(bytes) if bytes.len() >= schema::DIGEST_FROM => digest(&bytes).into(),
            _ => text.into(),
        },
        other => other,
    }
}

/// The vectors of a section.
///
/// # Errors
/// The cases in which this library did not answer as their generator says it must.
pub fn section(section: &'static Section) -> Result<VectorFile, String> {
    let mut cases = Cases {
        section: section.name,
        cases: Vec::new(),
        faults: Vec::new(),
    };
    (section.cases)(&mut cases);
    if !cases.faults.is_empty() {
        return Err(cases.faults.join("\n"));
    }
    Ok(VectorFile {
        format: FORMAT,
        section: section.name.to_owned(),
        spec: section.spec.to_owned(),
        license: LICENSE.to_owned(),
        description: section.description.to_owned(),
        cases: cases.cases,
    })
}

/// Every generated file, as its path in `test-vectors/` and its text.
///
/// # Errors
/// As [`section()`].
pub fn files() -> Result<Vec<(String, String)>, String> {
    let mut files = vec![
        ("README.md".to_owned(), readme()),
        ("LICENSE-CC0".to_owned(), LICENSE_TEXT.to_owned()),
    ];
    let mut faults = Vec::new();
    for known in sections::ALL {
        match section(known) {
            Ok(file) => files.push((format!("{}.json", known.name), file.to_text()?)),
            Err(why) => faults.push(format!("{}: {why}", known.name)),
        }
        files.push((
            format!("schema/{}.schema.json", known.name),
            schema::to_text(known)?,
        ));
    }
    match faults[..] {
        [] => Ok(files),
        _ => Err(faults.join("\n")),
    }
}

/// Writes every generated file into `folder` and returns their number.
///
/// # Errors
/// As [`section()`], or that a file could not be written.
pub fn write(folder: &Path) -> Result<usize, String> {
    let files = files()?;
    fs::create_dir_all(folder.join("schema"))
        .map_err(|why| format!("{}: {why}", folder.display()))?;
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(files.len())
}

/// The description of the format, with a table of every operation.
fn readme() -> String {
    let mut tables = String::new();
    for section in sections::ALL {
        tables += &format!(
            "### `{}` ({})\n\n{}\n\n| operation | in | out | errors |\n|---|---|---|---|\n",
            section.name, section.spec, section.description
        );
        for op in section.ops() {
            let mut output = fields(op.output);
            if !op.trace.is_empty() {
                output += &format!("<br>trace: {}", fields(op.trace));
            }
            tables += &row(op.name, op.summary, op.input, &output, op.errors);
        }
        let inputs = section.ops().flat_map(|op| op.input);
        for field in inputs {
            if let Kind::Steps(verbs) = field.kind {
                tables += &verb_table(verbs);
            }
        }
        tables.push('\n');
    }
    README.replace(OPERATIONS, tables.trim_end_matches('\n')) + "\n"
}

/// The steps of a script, by what they do.
fn verb_table(verbs: &[Verb]) -> String {
    let mut table = "\nA step does one of these. Its result has the fields of the third column, or the one field `error`.\n\n\
                     | `do` | other fields | result | errors |\n|---|---|---|---|\n"
        .to_owned();
    for verb in verbs {
        table += &row(
            verb.name,
            verb.summary,
            verb.input,
            &fields(verb.output),
            verb.errors,
        );
    }
    table
}

fn row(name: &str, summary: &str, input: &[Field], output: &str, errors: &[&str]) -> String {
    let errors: Vec<String> = errors.iter().map(|error| format!("`{error}`")).collect();
    format!(
        "| `{name}`<br>{} | {} | {output} | {} |\n",
        summary.replace('|', "\\|"),
        fields(input),
        errors.join(", ")
    )
}

fn fields(fields: &[Field]) -> String {
    let fields: Vec<String> = fields.iter().map(Field::describe).collect();
    fields.join("<br>")
}
