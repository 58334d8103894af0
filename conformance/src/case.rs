//! One case of a vector file, and its judgement (`test-vectors/README.md` describes both).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subrosa::crypto::hash::sha256;

use crate::target::Response;

/// What stands in front of a hash that is expected in place of long bytes.
pub const DIGEST: &str = "sha256:";

/// One call and what must come of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique in its file.
    pub id: String,
    /// What the case is about.
    pub comment: String,
    /// The operation.
    pub op: String,
    /// Its input.
    #[serde(rename = "in")]
    pub input: Map<String, Value>,
    /// The output; either this or `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<Map<String, Value>>,
    /// The error; either this or `out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Intermediate values, to find the step that went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Map<String, Value>>,
}

impl Case {
    /// Whether `response` is what the case expects.
    ///
    /// # Errors
    /// A sentence that says what differs.
    pub fn judge(&self, response: &Response) -> Result<(), String> {
        match (&self.out, &self.error, response) {
            (Some(expected), None, Response::Out { out, trace }) => {
                // The trace first: where it differs is nearer to the mistake.
                for (key, expected) in self.trace.iter().flatten() {
                    if let Some(found) = trace.get(key) {
                        difference(&format!("trace.{key}"), expected, found)?;
                    }
                }
                object_difference("out", expected, out)
            }
            (None, Some(expected), Response::Error(found)) if expected == found => Ok(()),
            (Some(_), Some(_), _) => Err("the case expects both an output and an error".to_owned()),
            (None, None, _) => Err("the case expects neither an output nor an error".to_owned()),
            (_, expected, response) => {
                let expected = expected
                    .as_ref()
                    .map_or("an output".to_owned(), |error| format!("error {error}"));
                Err(format!("expected {expected}, found {}", describe(response)))
            }
        }
    }
}

/// A response in a few words.
#[must_use]
pub fn describe(response: &Response) -> String {
    match response {
        Response::Out { .. } => "an output".to_owned(),
        Response::Error(name) => format!("error {name}"),
        Response::Unsupported => "an unsupported operation".to_owned(),
        Response::Invalid(why) => format!("an input that is not valid ({why})"),
        Response::Failed(why) => format!("no answer ({why})"),
        Response::NotAsked => "no answer (not asked)".to_owned(),
    }
}

/// Says where two values differ; a text `sha256:…` stands for any hex whose bytes have that hash.
///
/// # Errors
/// The place, and both values.
pub fn difference(path: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => object_difference(path, expected, found),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .enumerate()
            .try_for_each(|(index, (expected, found))| {
                difference(&format!("{path}[{index}]"), expected, found)
            }),
        (Value::String(expected), Value::String(found)) if is_digest_of(expected, found) => Ok(()),
        (expected, found) if expected == found => Ok(()),
        (expected, found) => Err(format!(
            "{path}: expected {}, found {}",
            shorten(expected),
            shorten(found)
        )),
    }
}

fn object_difference(
    path: &str,
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
) -> Result<(), String> {
    for (key, expected) in expected {
        let found = found.get(key).ok_or(format!("{path}.{key}: missing"))?;
        difference(&format!("{path}.{key}"), expected, found)?;
    }
    match found.keys().find(|key| !expected.contains_key(*key)) {
        Some(key) => Err(format!("{path}.{key}: not expected")),
        None => Ok(()),
    }
}

fn is_digest_of(expected: &str, found: &str) -> bool {
    expected.strip_prefix(DIGEST).is_some_and(|digest| {
        hex::decode(found).is_ok_and(|bytes| hex::encode(sha256(&[&bytes])) == digest)
    })
}

/// The hash that may be expected in place of `hex`.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("{DIGEST}{}", hex::encode(sha256(&[bytes])))
}

fn shorten(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => {
            let (head, _) = text.split_at_checked(end).unwrap_or((&text, ""));
            format!("{head}… ({} characters)", text.chars().count())
        }
        None => text,
    }
}
