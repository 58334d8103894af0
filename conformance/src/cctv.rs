//! CCTV's `ed25519vectors.json`: every combination of small-order and non-canonical parts, described by flags.

use std::path::Path;

use serde::Deserialize;

use crate::report::FileReport;
use crate::step::{Expected, Step, file_name, read_json};
use crate::target::Target;

/// With one of these flags SPEC §3.4 refuses the signature; with none of them it is accepted.
const REFUSED: [&str; 5] = [
    "low_order_A",
    "low_order_R",
    "non_canonical_A",
    "non_canonical_R",
    "low_order_residue",
];

#[derive(Deserialize)]
struct Vector {
    number: u64,
    key: String,
    sig: String,
    msg: String,
    #[serde(default)]
    flags: Option<Vec<String>>,
}

/// Verifies every signature of the file: accepted exactly if none of the refused flags is present.
pub fn verify(path: &Path, target: &mut dyn Target) -> FileReport {
    let mut report = FileReport::new(&file_name(path));
    let vectors: Vec<Vector> = match read_json(path) {
        Ok(vectors) => vectors,
        Err(why) => {
            report.fail(why);
            return report;
        }
    };
    for vector in &vectors {
        let mut flags = vector.flags.iter().flatten();
        let refused = flags.any(|flag| REFUSED.contains(&flag.as_str()));
        let expected = match refused {
            true => Expected::Error("BadSignature"),
            false => Expected::out([]),
        };
        let step = Step::new(
            "crypto.ed25519_verify",
            [
                ("public", vector.key.as_str().into()),
                ("message", hex::encode(&vector.msg).into()),
                ("signature", vector.sig.as_str().into()),
            ],
            expected,
        );
        report.add_expressible(
            &format!("number {}", vector.number),
            Step::run_all(&[step], target),
        );
    }
    if vectors.is_empty() {
        report.fail("the file has no case");
    }
    report
}
