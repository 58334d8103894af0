//! The MLS working group's test vectors, as published (`mlswg/mls-implementations`, `test-vectors.md`).
//!
//! `deserialization.json` can be put to any implementation; all others to this library, whose values they name.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use subrosa::mls::{CipherSuite, Error};

use crate::report::{FileReport, Outcome, Report};
use crate::step::{Expected, Step, file_name, read_json};
use crate::target::Target;

mod basics;
mod messages;
mod passive;
mod schedule;
mod tree;

/// What a case finds wrong.
type Check = Result<(), String>;

/// Bytes in hex.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

impl std::ops::Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// The files, and what verifies each.
type File = fn(&Path) -> FileReport;
const FILES: &[(&str, File)] = &[
    ("tree-math.json", tree::math),
    ("crypto-basics.json", basics::crypto),
    ("secret-tree.json", schedule::secret_tree),
    ("message-protection.json", messages::protection),
    ("key-schedule.json", schedule::key_schedule),
    ("psk_secret.json", schedule::psk_secret),
    ("transcript-hashes.json", schedule::transcript_hashes),
    ("welcome.json", messages::welcome),
    ("tree-operations.json", tree::operations),
    ("tree-validation.json", tree::validation),
    ("treekem.json", tree::treekem),
    ("messages.json", messages::messages),
    ("passive-client-welcome.json", passive::client),
    ("passive-client-handling-commit.json", passive::client),
];

/// Verifies all files of `folder`: of the cipher suites that this library has; cases of others are counted as not
/// expressible. A file that is missing is a failure.
pub fn verify(folder: &Path) -> Report {
    let mut report = Report::default();
    for (name, verify) in FILES {
        report.push(verify(&folder.join(name)));
    }
    report
}

/// Verifies each case of a file that is of a suite that this library has.
fn each<T: DeserializeOwned>(
    path: &Path,
    suite: impl Fn(&T) -> Option<u16>,
    check: impl Fn(&T) -> Check,
) -> FileReport {
    let mut report = FileReport::new(&file_name(path));
    let cases: Vec<T> = match read_json(path) {
        Ok(cases) => cases,
        Err(why) => {
            report.fail(why);
            return report;
        }
    };
    for (number, case) in cases.iter().enumerate() {
        let suite = suite(case).map(CipherSuite);
        let outcome = match suite {
            Some(suite) if !CipherSuite::ALL.contains(&suite) => {
                Outcome::Inexpressible(format!("cipher suite {}", suite.0))
            }
            _ => check(case).into(),
        };
        report.add(&format!("case {number}"), outcome);
    }
    if report.passed == 0 {
        report.fail("no case passed");
    }
    report
}

/// An error, and where.
fn at(place: &str) -> impl Fn(Error) -> String {
    move |error| format!("{place}: {error:?}")
}

/// Whether two values are equal, and what they are if not.
fn same<T: PartialEq + std::fmt::Debug>(place: &str, one: T, other: T) -> Check {
    if one == other {
        Ok(())
    } else {
        Err(format!("{place}: {one:?}, expected {other:?}"))
    }
}

fn equal(place: &str, one: &[u8], other: &[u8]) -> Check {
    same(place, hex::encode(one), hex::encode(other))
}

#[derive(Deserialize)]
struct Vector {
    vlbytes_header: String,
    length: u64,
}

/// Reads every header, and writes every length: each must give the other.
pub fn verify_deserialization(path: &Path, target: &mut dyn Target) -> FileReport {
    let mut report = FileReport::new(&file_name(path));
    let vectors: Vec<Vector> = match read_json(path) {
        Ok(vectors) => vectors,
        Err(why) => {
            report.fail(why);
            return report;
        }
    };
    for vector in &vectors {
        let header = vector.vlbytes_header.as_str();
        let steps = [
            Step::new(
                "wire.read_vector_length",
                [("bytes", header.into())],
                Expected::out([("length", vector.length.into())]),
            ),
            Step::new(
                "wire.write_vector_length",
                [("length", vector.length.into())],
                Expected::out([("bytes", header.into())]),
            ),
        ];
        report.add_expressible(&format!("header {header}"), Step::run_all(&steps, target));
    }
    if vectors.is_empty() {
        report.fail("the file has no case");
    }
    report
}
