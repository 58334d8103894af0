//! Runs valgrind for each scenario and each control, and judges what it reported.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::process::{Command, Stdio};
use std::{env, fs, process};

use crate::declassified::{self, Declassified};
use crate::report::{Kind, Place, places};
use crate::{features, scenarios};

/// What has to be found in each control, and what stands on its line.
const PLANTED: &[(&str, Kind, &str)] = &[
    ("planted-branch", Kind::Branch, "secret & 1 == 1"),
    ("planted-lookup", Kind::Address, "[usize::from(secret)]"),
    ("planted-comparison", Kind::Branch, "tag == other"),
];

/// The scenario that is judged a second time with nothing declassified.
const BARE: &str = "open";

pub fn all() -> Result<(), Box<dyn Error>> {
    println!("this processor has  {}", features::here());
    println!("the one watched has {}\n", features_under_valgrind()?);
    let mut failures = Vec::new();
    let mut uses: BTreeMap<usize, usize> = BTreeMap::new();
    for (name, _) in scenarios::ALL {
        let found = under_valgrind(name)?;
        let (named, other) = sorted(&found, declassified::ALL);
        println!(
            "{name}: {} places, {} of them not declassified",
            found.len(),
            other.len()
        );
        for place in other {
            println!("    {place}");
            failures.push(format!("{name}: {place}"));
        }
        for entry in named {
            *uses.entry(entry).or_default() += 1;
        }
        if *name == BARE {
            let (_, bare) = sorted(&found, &[]);
            println!(
                "{name}, with nothing declassified: {} places, which are",
                bare.len()
            );
            for place in &bare {
                println!("    {place}");
            }
            if bare.is_empty() {
                failures.push("the tag of a message opens nothing to see".to_owned());
            }
        }
    }
    for (name, kind, line) in PLANTED {
        let found = under_valgrind(name)?;
        let (_, other) = sorted(&found, declassified::ALL);
        let is_planted = |place: &&Place| place.kind == *kind && place.text.contains(line);
        match other.into_iter().find(is_planted) {
            Some(place) => println!("{name}: found, as it must be: {place}"),
            None => failures.push(format!("{name}: what was planted was not found: {found:?}")),
        }
    }
    println!("\ndeclassified, and in how many scenarios it was met:");
    for (index, entry) in declassified::ALL.iter().enumerate() {
        let count = uses.get(&index).copied().unwrap_or(0);
        println!("{count:>4}  {entry}");
        if count == 0 {
            failures.push(format!("declassified for nothing: {entry}"));
        }
    }
    if failures.is_empty() {
        println!(
            "\nclean: {} scenarios, {} controls",
            scenarios::ALL.len(),
            PLANTED.len() + 1
        );
        return Ok(());
    }
    Err(format!("{} findings:\n{}", failures.len(), failures.join("\n")).into())
}

/// The entries of `list` that name a place, and the places that none names.
fn sorted<'a>(
    found: &'a BTreeSet<Place>,
    list: &[Declassified],
) -> (BTreeSet<usize>, Vec<&'a Place>) {
    let mut named = BTreeSet::new();
    let mut other = Vec::new();
    for place in found {
        match list.iter().position(|entry| entry.names(place)) {
            Some(entry) => {
                named.insert(entry);
            }
            None => other.push(place),
        }
    }
    (named, other)
}

fn under_valgrind(name: &str) -> Result<BTreeSet<Place>, Box<dyn Error>> {
    let file = format!("subrosa-constant-time-{}-{name}.xml", process::id());
    let xml = env::temp_dir().join(file);
    let status = Command::new("valgrind")
        .args(["--tool=memcheck", "--leak-check=no", "--error-limit=no"])
        .args(["--read-inline-info=yes", "--num-callers=60", "--xml=yes"])
        .arg(format!("--xml-file={}", xml.display()))
        .arg(env::current_exe()?)
        .args(["scenario", name])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = fs::read_to_string(&xml)?;
    fs::remove_file(&xml)?;
    if !status.success() {
        return Err(format!("{name}: {status}").into());
    }
    Ok(places(&text))
}

fn features_under_valgrind() -> Result<String, Box<dyn Error>> {
    let output = Command::new("valgrind")
        .args(["--tool=none", "-q"])
        .arg(env::current_exe()?)
        .arg("features")
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
