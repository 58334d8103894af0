//! The file of a section, and the judgement of one case (`test-vectors/README.md` describes both).

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use subrosa::crypto::hash::sha256;

use crate::report::{FileReport, Outcome, Report};
use crate::sections;
use crate::target::{Response, Target};

/// The version of the format.
pub const FORMAT: u64 = 1;
/// The licence of the vectors.
pub const LICENSE: &str = "CC0-1.0";
/// What stands in front of a hash that is expected in place of long bytes.
pub const DIGEST: &str = "sha256:";

/// The vectors of one section of SPEC.md.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// [`FORMAT`].
    pub format: u64,
    /// The name of the section, and of the file.
    pub section: String,
    /// Where SPEC.md specifies it.
    pub spec: String,
    /// [`LICENSE`].
    pub license: String,
    /// What the cases cover.
    pub description: String,
    /// The cases.
    pub cases: Vec<Case>,
}

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

impl VectorFile {
    /// Parses a file.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = serde_json::from_str(text).map_err(|why| why.to_string())?;
        if file.format != FORMAT {
            return Err(format!(
                "format {}, this program reads {FORMAT}",
                file.format
            ));
        }
        let mut ids: Vec<&str> = file.cases.iter().map(|case| case.id.as_str()).collect();
        ids.sort_unstable();
        if let Some((id, _)) = ids.iter().zip(ids.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(format!("two cases have the id {id:?}"));
        }
        Ok(file)
    }

    /// The file's text: what [`parse`](Self::parse) reads.
    ///
    /// # Errors
    /// Only if a value cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, String> {
        let text = serde_json::to_string_pretty(self).map_err(|why| why.to_string())?;
        Ok(text + "\n")
    }

    /// Puts every case to `target`.
    pub fn verify(&self, name: &str, target: &mut dyn Target) -> FileReport {
        let mut report = FileReport::new(name);
        for case in &self.cases {
            let outcome = match target.call(&case.op, &case.input) {
                Response::Unsupported => Outcome::Unsupported(case.op.clone()),
                Response::NotAsked => Outcome::NotAsked,
                response => case.judge(&response).into(),
            };
            report.add(&case.id, outcome);
        }
        if self.cases.is_empty() {
            report.fail("the file has no case");
        }
        report
    }
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

/// Verifies the file of every section in `folder`, or of `section` alone; a section without a file is a failure.
pub fn verify_folder(folder: &Path, section: Option<&str>, target: &mut dyn Target) -> Report {
    let mut report = Report::default();
    let mut names: Vec<String> = sections::ALL
        .iter()
        .map(|known| known.name.to_owned())
        .collect();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            let mut others: Vec<String> = entries
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
                .filter(|name| !names.contains(name))
                .collect();
            others.sort_unstable();
            names.append(&mut others);
        }
        Err(why) => report.push(FileReport::unreadable(&folder.display().to_string(), why)),
    }
    if let Some(section) = section {
        names = vec![section.to_owned()];
    }
    for name in names {
        let file_name = format!("{name}.json");
        let parsed = std::fs::read_to_string(folder.join(&file_name))
            .map_err(|why| why.to_string())
            .and_then(|text| VectorFile::parse(&text))
            .and_then(|file| match file.section == name {
                true => Ok(file),
                false => Err(format!("its section is {:?}", file.section)),
            });
        report.push(match parsed {
            Ok(file) => file.verify(&file_name, target),
            Err(why) => FileReport::unreadable(&file_name, why),
        });
    }
    report
}
