//! One call of a public vector, and what must come of it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

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
            (Expected::Error(expected), response) => Err(format!(
                "expected error {expected}, found {}",
                describe(response)
            )),
            (_, response) => Err(format!("expected an output, found {}", describe(response))),
        }
    }
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
