//! The MLS working group's `deserialization.json`: the lengths of variable vectors (RFC 9420 §2.1.2).

use std::path::Path;

use serde::Deserialize;

use crate::report::FileReport;
use crate::step::{Expected, Step, file_name, read_json};
use crate::target::Target;

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
