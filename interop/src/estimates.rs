//! What criterion has written about one run of the bench.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Median times of one run, in nanoseconds, by work and library.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Times(BTreeMap<(String, String), f64>);

impl Times {
    /// Reads every result below `folder`.
    ///
    /// # Errors
    /// A file that cannot be read, or has not the form that criterion writes.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut times = Self::default();
        times.read_below(folder)?;
        Ok(times)
    }

    fn read_below(&mut self, folder: &Path) -> Result<(), String> {
        let name = |why| format!("{}: {why}", folder.display());
        for entry in fs::read_dir(folder).map_err(name)? {
            let path = entry.map_err(name)?.path();
            if !path.is_dir() {
                continue;
            }
            if path.ends_with("new") {
                let benchmark = read_json(&path.join("benchmark.json"))?;
                let estimates = read_json(&path.join("estimates.json"))?;
                let text = |name: &str| benchmark.get(name).and_then(Value::as_str);
                let median = estimates.pointer("/median/point_estimate");
                let (Some(work), Some(library), Some(median)) = (
                    text("group_id"),
                    text("function_id"),
                    median.and_then(Value::as_f64),
                ) else {
                    return Err(format!("{}: no result", path.display()));
                };
                self.insert(work, library, median);
            } else {
                self.read_below(&path)?;
            }
        }
        Ok(())
    }

    /// Sets one time.
    pub fn insert(&mut self, work: &str, library: &str, nanoseconds: f64) {
        self.0
            .insert((work.to_owned(), library.to_owned()), nanoseconds);
    }

    /// One time, in nanoseconds.
    ///
    /// # Errors
    /// It was not measured.
    pub fn of(&self, work: &str, library: &str) -> Result<f64, String> {
        let key = (work.to_owned(), library.to_owned());
        let time = self.0.get(&key).copied();
        time.ok_or_else(|| format!("{work}: no time of {library}"))
    }
}

fn read_json(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    serde_json::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))
}
