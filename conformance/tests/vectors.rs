//! `test-vectors/`: complete, made anew byte for byte, valid by its schemas, and able to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use subrosa::mls::Rule;
use subrosa_conformance::case::{Case, digest};
use subrosa_conformance::file::{VectorFile, verify_folder};
use subrosa_conformance::op::{Kind, VERB, Verb};
use subrosa_conformance::report::Report;
use subrosa_conformance::target::{Response, Subrosa, Target};
use subrosa_conformance::{generate, sections};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors")
}

fn read(section: &str) -> VectorFile {
    let text = fs::read_to_string(folder().join(format!("{section}.json"))).unwrap();
    VectorFile::parse(&text).unwrap()
}

fn read_json(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(path)).unwrap()).unwrap()
}

/// An empty folder of this test's own.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn last_line(report: &Report) -> String {
    report.to_string().lines().last().unwrap().to_owned()
}

#[test]
fn the_library_passes_every_case() {
    let report = verify_folder(&folder(), None, &mut Subrosa);
    assert!(report.is_success(false), "{report}");
    let cases: usize = sections::ALL
        .iter()
        .map(|section| read(section.name).cases.len())
        .sum();
    assert_eq!(last_line(&report), format!("{cases} passed, 0 failed"));
    assert!(cases > 400);
}

#[test]
fn the_files_are_made_anew_byte_for_byte() {
    let fresh = scratch("generated");
    generate::write(&fresh).unwrap();
    for (name, text) in generate::files().unwrap() {
        assert_eq!(fs::read_to_string(fresh.join(&name)).unwrap(), text);
        let committed = fs::read_to_string(folder().join(&name)).unwrap();
        assert!(committed == text, "{name} is not what `generate` makes");
    }
}

#[test]
fn every_corrupted_expectation_fails() {
    for section in sections::ALL {
        for case in read(section.name).cases {
            let response = Subrosa.call(&case.op, &case.input);
            assert_eq!(case.judge(&response), Ok(()), "{}", case.id);
            // The input plays no part in the judgement.
            let expectation = Case {
                input: Map::new(),
                ..case
            };
            each_corruption(&expectation, &|corrupted| {
                assert!(corrupted.judge(&response).is_err(), "{corrupted:?}");
            });
        }
    }
}

/// The case with each of its expected values changed in turn, and with the other kind of expectation.
fn each_corruption(case: &Case, check: &dyn Fn(&Case)) {
    let add = |change: &dyn Fn(&mut Case)| {
        let mut corrupted = case.clone();
        change(&mut corrupted);
        check(&corrupted);
    };
    add(&|case| (case.out, case.error) = (None, Some("Other".to_owned())));
    add(&|case| (case.out, case.error) = (None, None));
    for (key, value) in case.out.iter().flatten() {
        for corrupted in corruptions(value) {
            add(&|case| {
                let out = case.out.as_mut().unwrap();
                out.insert(key.clone(), corrupted.clone());
            });
        }
        add(&|case| {
            case.out.as_mut().unwrap().remove(key);
        });
    }
    for (key, value) in case.trace.iter().flatten() {
        for corrupted in corruptions(value) {
            add(&|case| {
                let trace = case.trace.as_mut().unwrap();
                trace.insert(key.clone(), corrupted.clone());
            });
        }
    }
    match case.out {
        Some(_) => add(&|case| {
            let out = case.out.as_mut().unwrap();
            out.insert("another".to_owned(), json!(1));
        }),
        None => add(&|case| (case.out, case.error) = (Some(Map::new()), None)),
    }
}

/// The value with each of its parts changed in turn.
fn corruptions(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => match text.char_indices().last() {
            Some((last, '0')) => vec![format!("{}1", &text[..last]).into()],
            Some((last, _)) => vec![format!("{}0", &text[..last]).into()],
            None => vec!["00".into()],
        },
        Value::Number(number) => vec![(number.as_u64().unwrap() + 1).into()],
        Value::Bool(flag) => vec![(!flag).into()],
        Value::Null => vec![json!(0)],
        Value::Array(items) => {
            let mut all = vec![json!([items, [0]])];
            for (index, item) in items.iter().enumerate() {
                for corrupted in corruptions(item) {
                    let mut items = items.clone();
                    items[index] = corrupted;
                    all.push(items.into());
                }
                all.push([&items[..index], &items[index + 1..]].concat().into());
            }
            all
        }
        Value::Object(fields) => {
            let mut all = vec![Value::Null];
            for (key, field) in fields {
                for corrupted in corruptions(field) {
                    let mut fields = fields.clone();
                    fields.insert(key.clone(), corrupted);
                    all.push(fields.into());
                }
                let mut fields = fields.clone();
                fields.remove(key);
                all.push(fields.into());
            }
            all
        }
    }
}

#[test]
fn a_corrupted_file_fails_the_run() {
    let corrupted = scratch("corrupted");
    generate::write(&corrupted).unwrap();
    let path = corrupted.join("padding.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen("\"length\": 192", "\"length\": 193", 1),
    )
    .unwrap();
    let report = verify_folder(&corrupted, None, &mut Subrosa);
    assert!(!report.is_success(true));
    assert_eq!(report.failed(), 1, "{report}");
    assert!(last_line(&report).ends_with(" passed, 1 failed"));
    assert!(
        report
            .to_string()
            .contains("FAILED padded-length-0: out.length: expected 193, found 192")
    );
    let alone = verify_folder(&corrupted, Some("wire"), &mut Subrosa);
    assert!(alone.is_success(false), "{alone}");
}

#[test]
fn broken_files_are_failures_and_never_panics() {
    let good = read("padding");
    let text = good.to_text().unwrap();
    let mut doubled = good.clone();
    doubled.cases.push(good.cases[0].clone());
    let mut empty = good.clone();
    empty.cases.clear();
    for (what, text) in [
        ("no JSON", "{".to_owned()),
        ("empty", String::new()),
        ("another type", "[1]".to_owned()),
        ("deep", "[".repeat(100_000)),
        (
            "format 2",
            text.replacen("\"format\": 1", "\"format\": 2", 1),
        ),
        (
            "unknown field",
            text.replacen("\"format\": 1", "\"format\": 1, \"more\": 1", 1),
        ),
        ("two cases of one name", doubled.to_text().unwrap()),
        ("no case", empty.to_text().unwrap()),
        (
            "other section",
            text.replacen("\"section\": \"padding\"", "\"section\": \"wire\"", 1),
        ),
        ("truncated", text[..text.len() / 2].to_owned()),
    ] {
        let broken = scratch("broken");
        fs::write(broken.join("padding.json"), text).unwrap();
        let report = verify_folder(&broken, Some("padding"), &mut Subrosa);
        assert!(!report.is_success(true), "{what}");
        assert_eq!(last_line(&report), "0 passed, 1 failed", "{what}");
    }
    let empty = verify_folder(&scratch("empty"), None, &mut Subrosa);
    assert_eq!(empty.failed(), sections::ALL.len());
    let missing = verify_folder(Path::new("no/such/folder"), None, &mut Subrosa);
    assert!(!missing.is_success(true));
}

#[test]
fn an_operation_nobody_knows_is_unsupported_and_no_success() {
    let mut file = read("padding");
    file.cases[0].op = "padding.other".to_owned();
    let mut report = Report::default();
    report.push(file.verify("padding.json", &mut Subrosa));
    assert_eq!((report.failed(), report.unsupported()), (0, 1));
    assert!(!report.is_success(false));
    assert!(report.is_success(true));
    assert!(report.to_string().contains("padding.other"));
}

#[test]
fn a_hash_stands_for_bytes_and_for_no_other() {
    let case = |expected: Value| Case {
        id: "a".to_owned(),
        comment: String::new(),
        op: "wire.write_vector".to_owned(),
        input: Map::new(),
        out: Some(Map::from_iter([("bytes".to_owned(), expected)])),
        error: None,
        trace: None,
    };
    let response = |bytes: &str| Response::Out {
        out: Map::from_iter([("bytes".to_owned(), json!(bytes))]),
        trace: Map::new(),
    };
    let expected = case(json!(digest(&[1, 2, 3])));
    assert_eq!(expected.judge(&response("010203")), Ok(()));
    assert!(expected.judge(&response("010204")).is_err());
    assert!(expected.judge(&response("")).is_err());
    assert!(expected.judge(&response("zz")).is_err());
}

#[test]
fn every_operation_and_every_error_has_a_case() {
    for section in sections::ALL {
        let file = read(section.name);
        for op in section.ops() {
            assert_eq!(op.name.split('.').next(), Some(section.name));
            let cases: Vec<&Case> = file
                .cases
                .iter()
                .filter(|case| case.op == op.name)
                .collect();
            assert!(cases.iter().any(|case| case.out.is_some()), "{}", op.name);
            let errors: BTreeSet<&str> = cases
                .iter()
                .filter_map(|case| case.error.as_deref())
                .collect();
            assert_eq!(errors, op.errors.iter().copied().collect(), "{}", op.name);
        }
    }
}

#[test]
fn every_step_of_a_script_and_every_error_of_it_has_a_case() {
    let mut scripts = 0;
    for section in sections::ALL {
        let inputs = section.ops().flat_map(|op| op.input);
        for field in inputs {
            if let Kind::Steps(verbs) = field.kind {
                every_step_has_a_case(section.name, verbs);
                scripts += 1;
            }
        }
    }
    assert_eq!(scripts, 2);
}

fn every_step_has_a_case(section: &str, verbs: &[Verb]) {
    let mut found: BTreeMap<&str, (bool, BTreeSet<String>)> = BTreeMap::new();
    let file = read(section);
    for case in &file.cases {
        let (steps, results) = steps(case);
        for (step, result) in steps.iter().zip(results) {
            let (done, errors) = found.entry(step[VERB].as_str().unwrap()).or_default();
            match result.get("error") {
                Some(error) => drop(errors.insert(error.as_str().unwrap().to_owned())),
                None => *done = true,
            }
        }
    }
    assert_eq!(found.len(), verbs.len());
    for verb in verbs {
        let (done, errors) = &found[verb.name];
        assert!(done, "{}", verb.name);
        let errors: BTreeSet<&str> = errors.iter().map(String::as_str).collect();
        assert_eq!(
            errors,
            verb.errors.iter().copied().collect(),
            "{}",
            verb.name
        );
    }
}

/// The steps of a script, and as many results.
fn steps(case: &Case) -> (&[Value], &[Value]) {
    let steps = case.input["steps"].as_array().unwrap();
    let results = case.out.as_ref().unwrap()["results"].as_array().unwrap();
    assert_eq!(steps.len(), results.len(), "{}", case.id);
    (steps, results)
}

/// Its refused steps break this rule and no other, and something valid comes behind them.
fn cites(case: &Case, rule: Rule) {
    let (_, results) = steps(case);
    let expected = format!("Invalid {}", rule.number());
    let refused: Vec<usize> = (0..results.len())
        .filter(|place| results[*place].get("error").is_some())
        .collect();
    assert!(!refused.is_empty(), "{}", case.id);
    for place in &refused {
        assert_eq!(results[*place]["error"], json!(expected), "{}", case.id);
    }
    let behind = &results[refused[0] + 1..];
    let accepted = |result: &&Value| result.get("epoch").or(result.get("state")).is_some();
    assert!(behind.iter().find(accepted).is_some(), "{}", case.id);
}

#[test]
fn every_rule_of_groups_is_broken_by_a_case_of_its_number() {
    let file = read("mls");
    let spec = fs::read_to_string(folder().join("../SPEC.md")).unwrap();
    let of_rules = |case: &&Case| case.id.starts_with("rule-");
    assert_eq!(file.cases.iter().filter(of_rules).count(), Rule::ALL.len());
    for (rule, number) in Rule::ALL.iter().zip(1..) {
        assert_eq!(rule.number(), number);
        let row = format!("| {number} | `{rule:?}` | {} | {rule} |\n", rule.section());
        assert!(spec.contains(&row), "SPEC.md lacks the row {row}");
        let begins = format!("rule-{number:02}-");
        let mut cases = file.cases.iter();
        let case = cases.find(|case| case.id.starts_with(&begins));
        cites(case.unwrap_or_else(|| panic!("{rule:?}")), *rule);
    }
}

#[test]
fn every_file_is_valid_by_its_schema_and_corrupted_ones_are_not() {
    for section in sections::ALL {
        let schema = read_json(&format!("schema/{}.schema.json", section.name));
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let file = read_json(&format!("{}.json", section.name));
        if let Err(why) = schema.validate(&file) {
            panic!("{}: {why} at {}", section.name, why.instance_path());
        }
        for (pointer, value) in [
            ("/format", json!(2)),
            ("/section", json!("other")),
            ("/license", json!("MIT")),
            ("/cases", json!([])),
            ("/cases/0/id", json!("Not an id")),
            ("/cases/0/op", json!("wire.other")),
            ("/cases/0/in", json!({"unknown": 1})),
            ("/cases/0/out", json!({"unknown": 1})),
        ] {
            let mut corrupted = file.clone();
            *corrupted.pointer_mut(pointer).unwrap() = value;
            assert!(!schema.is_valid(&corrupted), "{} {pointer}", section.name);
        }
        for case in file["cases"].as_array().unwrap() {
            let alone = json!({
                "format": 1, "section": section.name, "spec": section.spec, "license": "CC0-1.0",
                "description": "one case", "cases": [case],
            });
            assert!(schema.is_valid(&alone), "{}", case["id"]);
            let mut both = alone.clone();
            both["cases"][0]["out"] = json!({});
            both["cases"][0]["error"] = json!("Length");
            assert!(!schema.is_valid(&both), "{case}");
            for (field, value) in case["in"].as_object().unwrap() {
                let mut corrupted = alone.clone();
                corrupted["cases"][0]["in"][field] = match value {
                    Value::String(_) => json!(17),
                    _ => json!("0G"),
                };
                assert!(!schema.is_valid(&corrupted), "{} {field}", case["id"]);
            }
        }
    }
}

#[test]
fn the_readme_lists_every_operation() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for op in sections::ALL.iter().flat_map(sections::Section::ops) {
        assert!(
            readme.contains(&format!("| `{}`<br>", op.name)),
            "{}",
            op.name
        );
        for line in readme
            .lines()
            .filter(|line| line.starts_with(&format!("| `{}`", op.name)))
        {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
        }
    }
    assert!(!readme.contains("{{"));
}
