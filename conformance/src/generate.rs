//! Makes `test-vectors/` anew, byte for byte the same every time: every input comes from SHA-256 of its name.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use subrosa::crypto::hash::sha256;

use crate::file::{Case, FORMAT, LICENSE, VectorFile, describe, digest};
use crate::op::Field;
use crate::schema;
use crate::sections::{self, Section};
use crate::target::{Response, Subrosa, Target};

const README: &str = include_str!("generate/readme.md");
const LICENSE_TEXT: &str = include_str!("../../test-vectors/LICENSE-CC0");
const OPERATIONS: &str = "{{operations}}\n";

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
    pub fn accept(
        &mut self,
        id: &str,
        op: &str,
        comment: &str,
        input: Value,
    ) -> Map<String, Value> {
        self.add(id, op, comment, input, None, false)
    }

    /// As [`accept`](Self::accept); long bytes of the output are written as their hash.
    pub fn accept_digest(
        &mut self,
        id: &str,
        op: &str,
        comment: &str,
        input: Value,
    ) -> Map<String, Value> {
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

    fn add(
        &mut self,
        id: &str,
        op: &str,
        comment: &str,
        input: Value,
        error: Option<&str>,
        digests: bool,
    ) -> Map<String, Value> {
        let op = format!("{}.{op}", self.section);
        let Value::Object(input) = input else {
            self.faults
                .push(format!("{id}: the input is not an object"));
            return Map::new();
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
        let mut full = Map::new();
        match (Subrosa.call(&case.op, &case.input), error) {
            (Response::Out { out, trace }, None) => {
                full.clone_from(&out);
                let shorten = |fields| {
                    if digests {
                        with_digests(fields)
                    } else {
                        fields
                    }
                };
                case.out = Some(shorten(out));
                case.trace = Some(shorten(trace)).filter(|trace| !trace.is_empty());
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
fn with_digests(fields: Map<String, Value>) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(key, value)| {
            let bytes = value.as_str().and_then(|text| hex::decode(text).ok());
            match bytes {
                Some(bytes) if bytes.len() >= schema::DIGEST_FROM => (key, digest(&bytes).into()),
                _ => (key, value),
            }
        })
        .collect()
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
    for known in sections::ALL {
        let file = section(known).map_err(|why| format!("{}: {why}", known.name))?;
        files.push((format!("{}.json", known.name), file.to_text()?));
        files.push((
            format!("schema/{}.schema.json", known.name),
            schema::to_text(known)?,
        ));
    }
    Ok(files)
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
            let fields = |fields: &[Field]| {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|field| format!("`{}`: {}", field.name, field.kind.describe()))
                    .collect();
                fields.join("<br>")
            };
            let mut output = fields(op.output);
            if !op.trace.is_empty() {
                output += &format!("<br>trace: {}", fields(op.trace));
            }
            let errors: Vec<String> = op.errors.iter().map(|error| format!("`{error}`")).collect();
            tables += &format!(
                "| `{}`<br>{} | {} | {output} | {} |\n",
                op.name,
                op.summary.replace('|', "\\|"),
                fields(op.input),
                errors.join(", ")
            );
        }
        tables.push('\n');
    }
    README.replace(OPERATIONS, tables.trim_end_matches('\n')) + "\n"
}
