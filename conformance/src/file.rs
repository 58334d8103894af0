//! The file of a section (`test-vectors/README.md` describes it).

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::report::{FileReport, Outcome, Report};
use crate::sections;
use crate::target::{Response, Target};

/// The version of the format.
pub const FORMAT: u64 = 1;
/// The licence of the vectors.
pub const LICENSE: &str = "CC0-1.0";

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
