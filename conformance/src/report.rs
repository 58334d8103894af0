//! What a run found, and how it is told.

use std::collections::BTreeMap;
use std::fmt;

/// Failures of one file that are printed; the rest is counted.
const SHOWN: usize = 20;

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected, and how.
    Failed(String),
    /// Not even tried, as the implementation failed to answer before: counted as failed.
    NotAsked,
    /// The implementation does not have the operation named.
    Unsupported(String),
    /// The implementation's types cannot express the input, as they must not: counted neither way.
    Inexpressible(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(why) => Self::Failed(why),
        }
    }
}

/// What came of one file.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// The file.
    pub name: String,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed, and how.
    pub failures: Vec<String>,
    /// Cases that were not asked, as the implementation failed to answer before.
    pub not_asked: usize,
    /// Unsupported operations, and how many cases each left out.
    pub unsupported: BTreeMap<String, usize>,
    /// Why cases could not be expressed, and how many.
    pub inexpressible: BTreeMap<String, usize>,
    /// Why the whole file was left out.
    pub skipped: Option<String>,
}

impl FileReport {
    /// Nothing found yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// A file that could not be read.
    #[must_use]
    pub fn unreadable(name: &str, why: impl fmt::Display) -> Self {
        let mut report = Self::new(name);
        report.fail(why);
        report
    }

    /// A file that is not for this program.
    #[must_use]
    pub fn skipped(name: &str, why: &str) -> Self {
        Self {
            skipped: Some(why.to_owned()),
            ..Self::new(name)
        }
    }

    /// Records a failure of the file itself.
    pub fn fail(&mut self, why: impl fmt::Display) {
        self.failures.push(why.to_string());
    }

    /// Records a case.
    pub fn add(&mut self, case: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed = self.passed.saturating_add(1),
            Outcome::Failed(why) => self.fail(format!("{case}: {why}")),
            Outcome::NotAsked => self.not_asked = self.not_asked.saturating_add(1),
            Outcome::Unsupported(op) => count(&mut self.unsupported, op),
            Outcome::Inexpressible(why) => count(&mut self.inexpressible, why),
        }
    }

    /// Records a case of a file in which every case must be expressible.
    pub fn add_expressible(&mut self, case: &str, outcome: Outcome) {
        self.add(
            case,
            match outcome {
                Outcome::Inexpressible(why) => Outcome::Failed(why),
                other => other,
            },
        );
    }

    /// Cases that failed or were not asked, and failures of the file itself.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failures.len().saturating_add(self.not_asked)
    }

    fn left_out(&self) -> (usize, usize) {
        (
            self.unsupported.values().sum(),
            self.inexpressible.values().sum(),
        )
    }
}

fn count(counts: &mut BTreeMap<String, usize>, key: String) {
    let counted = counts.entry(key).or_default();
    *counted = counted.saturating_add(1);
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.skipped {
            return write!(f, "{}: skipped, {why}", self.name);
        }
        let (passed, failed) = (self.passed, self.failed());
        write!(f, "{}: {passed} passed, {failed} failed", self.name)?;
        if self.not_asked > 0 {
            write!(f, " ({} of them not asked)", self.not_asked)?;
        }
        let (unsupported, inexpressible) = self.left_out();
        if unsupported > 0 {
            write!(f, ", {unsupported} unsupported")?;
        }
        if inexpressible > 0 {
            write!(f, ", {inexpressible} not expressible")?;
        }
        for failure in self.failures.iter().take(SHOWN) {
            write!(f, "\n    FAILED {failure}")?;
        }
        if self.failures.len() > SHOWN {
            let more = self.failures.len().saturating_sub(SHOWN);
            write!(f, "\n    … and {more} more")?;
        }
        Ok(())
    }
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// File by file.
    pub files: Vec<FileReport>,
}

impl Report {
    /// Adds a file.
    pub fn push(&mut self, file: FileReport) {
        self.files.push(file);
    }

    /// Adds the files of another run.
    pub fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
    }

    /// Cases that passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.files.iter().map(|file| file.passed).sum()
    }

    /// Cases and files that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.files.iter().map(FileReport::failed).sum()
    }

    /// Cases of operations that the implementation does not have.
    #[must_use]
    pub fn unsupported(&self) -> usize {
        self.files.iter().map(|file| file.left_out().0).sum()
    }

    /// Cases that the implementation's types cannot express.
    #[must_use]
    pub fn inexpressible(&self) -> usize {
        self.files.iter().map(|file| file.left_out().1).sum()
    }

    /// Whether the run is a success: something passed, nothing failed, nothing was left out unasked.
    #[must_use]
    pub fn is_success(&self, allow_unsupported: bool) -> bool {
        self.passed() > 0 && self.failed() == 0 && (allow_unsupported || self.unsupported() == 0)
    }

    fn list(
        &self,
        f: &mut fmt::Formatter<'_>,
        title: &str,
        counts: impl Fn(&FileReport) -> &BTreeMap<String, usize>,
    ) -> fmt::Result {
        let mut title = Some(title);
        for file in &self.files {
            for (what, times) in counts(file) {
                if let Some(title) = title.take() {
                    writeln!(f, "{title}:")?;
                }
                writeln!(f, "    {}: {times} with {what}", file.name)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    /// File by file, then what was left out, then `N passed, M failed` as the last line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            writeln!(f, "{file}")?;
        }
        self.list(
            f,
            "not expressible in the implementation's types, hence refused (counted neither way)",
            |file| &file.inexpressible,
        )?;
        self.list(f, "unsupported", |file| &file.unsupported)?;
        write!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}
