//! One call of a public vector, and what must come of it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha512};

use crate::case::{describe, difference};
use crate::op::Kind;
use crate::report::Outcome;
use crate::sections;
use crate::target::{Response, Target};

/// What must come of a call.
pub(crate) enum Expected {
    /// Exactly these fields.
    Out(Map<String, Value>),
    /// This error.
    Error(&'static str),
    /// Bytes that begin with these, or do not.
    Prefix {
        field: &'static str,
        hex: String,
        equal: bool,
    },
    /// A file that was opened so far: the length of what was given out, its SHA-512, and whether the file was refused
    /// then.
    Opened {
        length: u64,
        sha512: String,
        refused: bool,
    },
    /// Any output.
    AnyOut,
    /// Any error.
    AnyError,
}

impl Expected {
    /// Exactly these fields.
    pub(crate) fn out<const N: usize>(fields: [(&str, Value); N]) -> Self {
        let fields = fields.into_iter();
        Self::Out(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }
}

/// One call.
pub(crate) struct Step {
    op: &'static str,
    input: Map<String, Value>,
    expected: Expected,
}

impl Step {
    pub(crate) fn new<const N: usize>(
        op: &'static str,
        input: [(&str, Value); N],
        expected: Expected,
    ) -> Self {
        let input = input.into_iter();
        let input = input
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Self {
            op,
            input,
            expected,
        }
    }

    /// Makes every call; the first that does not pass is the outcome.
    pub(crate) fn run_all(steps: &[Self], target: &mut dyn Target) -> Outcome {
        steps
            .iter()
            .map(|step| step.run(target))
            .find(|outcome| *outcome != Outcome::Passed)
            .unwrap_or(Outcome::Passed)
    }

    fn run(&self, target: &mut dyn Target) -> Outcome {
        let inexpressible = match self.inexpressible() {
            Ok(reason) => reason,
            Err(why) => return Outcome::Failed(why),
        };
        match (target.call(self.op, &self.input), inexpressible) {
            (Response::Unsupported, _) => Outcome::Unsupported(self.op.to_owned()),
            (Response::NotAsked, _) => Outcome::NotAsked,
            (Response::Invalid(_), Some(reason)) => Outcome::Inexpressible(reason),
            (response, Some(reason)) => Outcome::Failed(format!(
                "{}: {reason}, which must not be expressible; found {}",
                self.op,
                describe(&response)
            )),
            (response, None) => self
                .judge(&response)
                .map_err(|why| format!("{}: {why}", self.op))
                .into(),
        }
    }

    /// Why the types of this operation cannot express the input, if so: a length or size that is none of its own.
    ///
    /// # Errors
    /// That the vector itself is broken.
    fn inexpressible(&self) -> Result<Option<String>, String> {
        let op = sections::op(self.op).ok_or("there is no such operation")?;
        let mut reason = None;
        for field in op.input {
            let bytes = self.input.get(field.name).and_then(Value::as_str);
            if let (Kind::Hex | Kind::HexOf(_), Some(bytes)) = (field.kind, bytes) {
                let bytes = hex::decode(bytes)
                    .map_err(|why| format!("the vector's {}: {why}", field.name))?;
                if let Kind::HexOf(length) = field.kind
                    && bytes.len() != length
                {
                    reason.get_or_insert(format!("{} not of {length} bytes", field.name));
                }
            }
        }
        Ok(reason.or(op.accepts(&self.input).err()))
    }

    fn judge(&self, response: &Response) -> Result<(), String> {
        match (&self.expected, response) {
            (Expected::Out(expected), Response::Out { out, .. }) => difference(
                "out",
                &Value::Object(expected.clone()),
                &Value::Object(out.clone()),
            ),
            (Expected::Error(expected), Response::Error(found)) if expected == found => Ok(()),
            (Expected::Prefix { field, hex, equal }, Response::Out { out, .. }) => {
                let found = out.get(*field).and_then(Value::as_str);
                let found = found.ok_or_else(|| format!("out.{field}: missing"))?;
                match (found.starts_with(hex), equal) {
                    (true, true) | (false, false) => Ok(()),
                    (false, true) => Err(format!("out.{field}: {found} does not begin with {hex}")),
                    (true, false) => Err(format!("out.{field}: {found} begins with {hex}")),
                }
            }
            (
                Expected::Opened {
                    length,
                    sha512,
                    refused,
                },
                Response::Out { out, .. },
            ) => opened(out, *length, sha512, *refused),
            (Expected::AnyOut, Response::Out { .. }) | (Expected::AnyError, Response::Error(_)) => {
                Ok(())
            }
            (Expected::AnyError, response) => {
                Err(format!("expected an error, found {}", describe(response)))
            }
            (Expected::Error(expected), response) => Err(format!(
                "expected error {expected}, found {}",
                describe(response)
            )),
            (_, response) => Err(format!("expected an output, found {}", describe(response))),
        }
    }
}

/// Whether `file.open` gave out this text, and refused the file or not.
fn opened(
    out: &Map<String, Value>,
    length: u64,
    sha512: &str,
    refused: bool,
) -> Result<(), String> {
    let text = out.get("text").and_then(Value::as_str);
    let text = hex::decode(text.ok_or("out.text: missing")?).map_err(|why| why.to_string())?;
    let found = (
        text.len() as u64,
        hex::encode(Sha512::digest(&text)),
        out.get("refused").is_some_and(Value::is_string),
    );
    let expected = (length, sha512.to_owned(), refused);
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "expected (length, SHA-512, refused) {expected:?}, found {found:?}"
    ))
}

/// Reads a file of JSON.
pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|why| why.to_string())?;
    serde_json::from_str(&text).map_err(|why| why.to_string())
}

/// The last part of a path.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
