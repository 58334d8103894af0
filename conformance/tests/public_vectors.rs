//! The public vectors of Wycheproof, CCTV and the MLS working group, where `SUBROSA_VECTORS` names the folder that holds
//! them as `wycheproof/`, `cctv/ed25519vectors.json` and `mls/deserialization.json`. They are not part of this repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use subrosa_conformance::report::FileReport;
use subrosa_conformance::target::Subrosa;
use subrosa_conformance::{cctv, mls, wycheproof};

fn folder() -> Option<PathBuf> {
    let folder = env::var_os("SUBROSA_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("SUBROSA_VECTORS is not set: the public vectors are absent and were not run");
    }
    folder
}

fn counts(file: &FileReport) -> (usize, usize, usize) {
    (
        file.passed,
        file.failed(),
        file.inexpressible.values().sum(),
    )
}

/// Wycheproof's own count of cases that have one of these results and satisfy a condition.
fn count(folder: &Path, file: &str, condition: impl Fn(&Value, &Value) -> bool) -> usize {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let groups = vectors["testGroups"].as_array().unwrap();
    let tests = |group: &Value| {
        let tests = group["tests"].as_array().unwrap();
        tests.iter().filter(|test| condition(group, test)).count()
    };
    groups.iter().map(tests).sum()
}

#[test]
fn wycheproof_holds() {
    let Some(folder) = folder().map(|folder| folder.join("wycheproof")) else {
        return;
    };
    let report = wycheproof::verify(&folder, &mut Subrosa);
    println!("{report}");
    assert!(report.is_success(false));
    let of_length =
        |test: &Value, field: &str, bytes: usize| test[field].as_str().unwrap().len() == 2 * bytes;
    // What is counted as not expressible is exactly what the parameters say, and everything else passed.
    for (file, expressible) in [
        (
            "aes_gcm_test.json",
            &(|group: &Value, _: &Value| {
                group["ivSize"] == 96 && group["tagSize"] == 128 && group["keySize"] != 192
            }) as &dyn Fn(&Value, &Value) -> bool,
        ),
        ("chacha20_poly1305_test.json", &|group, _| {
            group["ivSize"] == 96
        }),
        ("hkdf_sha256_test.json", &|_, _| true),
        ("hmac_sha256_test.json", &|_, _| true),
        ("x25519_test.json", &|_, _| true),
        ("ed25519_test.json", &|_, test| of_length(test, "sig", 64)),
        ("mlkem_768_test.json", &|_, test| {
            of_length(test, "seed", 64) && of_length(test, "c", 1088)
        }),
        ("mlkem_768_encaps_test.json", &|_, test| {
            of_length(test, "ek", 1184)
        }),
        ("mlkem_768_keygen_seed_test.json", &|_, _| true),
        (
            "c2sp_chunked_encryption_aes_256_gcm_test.json",
            &|_, test| of_length(test, "key", 32),
        ),
    ] {
        let found = report
            .files
            .iter()
            .find(|found| found.name == file)
            .unwrap();
        let expressible_count = count(&folder, file, expressible);
        let rest = count(&folder, file, |group, test| !expressible(group, test));
        assert!(expressible_count > 0);
        assert_eq!(counts(found), (expressible_count, 0, rest), "{file}");
    }
    assert!(report.files.iter().any(|file| file.skipped.is_some()));
}

#[test]
fn cctv_holds() {
    let Some(path) = folder().map(|folder| folder.join("cctv/ed25519vectors.json")) else {
        return;
    };
    let report = cctv::verify(&path, &mut Subrosa);
    println!("{report}");
    assert_eq!(counts(&report), (914, 0, 0));
}

#[test]
fn mls_deserialization_holds() {
    let Some(path) = folder().map(|folder| folder.join("mls/deserialization.json")) else {
        return;
    };
    let report = mls::verify_deserialization(&path, &mut Subrosa);
    println!("{report}");
    assert_eq!(counts(&report), (14, 0, 0));
}

/// A folder of this test's own with the public files, one of them changed.
fn changed(name: &str, from: &Path, change: impl Fn(&mut Value)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut vectors = serde_json::from_str(&fs::read_to_string(from).unwrap()).unwrap();
    change(&mut vectors);
    let path = folder.join(from.file_name().unwrap());
    fs::write(&path, vectors.to_string()).unwrap();
    path
}

#[test]
fn changed_public_vectors_fail() {
    let Some(folder) = folder() else {
        return;
    };
    let names = [
        ("aes_gcm_test.json", "tag"),
        ("chacha20_poly1305_test.json", "ct"),
        ("hkdf_sha256_test.json", "okm"),
        ("hmac_sha256_test.json", "tag"),
        ("x25519_test.json", "shared"),
        ("ed25519_test.json", "sig"),
        ("mlkem_768_test.json", "K"),
        ("mlkem_768_encaps_test.json", "K"),
        ("mlkem_768_keygen_seed_test.json", "ek"),
        ("c2sp_chunked_encryption_aes_256_gcm_test.json", "msgSha512"),
    ];
    for (name, field) in names {
        let path = changed("public", &folder.join("wycheproof").join(name), |vectors| {
            let groups = vectors["testGroups"].as_array_mut().unwrap();
            let tests = groups
                .iter_mut()
                .flat_map(|group| group["tests"].as_array_mut().unwrap());
            let test = { tests }.find(|test| test["result"] == "valid").unwrap();
            let value = test[field].as_str().unwrap().to_owned();
            let last = if value.ends_with('0') { '1' } else { '0' };
            test[field] = format!("{}{last}", &value[..value.len() - 1]).into();
        });
        let report = wycheproof::verify(path.parent().unwrap(), &mut Subrosa);
        let file = report.files.iter().find(|file| file.name == name).unwrap();
        assert_eq!(file.failures.len(), 1, "{file}");
        // The other files are not there.
        assert_eq!(report.failed(), names.len(), "{report}");
    }
    let path = changed(
        "public",
        &folder.join("cctv/ed25519vectors.json"),
        |vectors| {
            for vector in vectors.as_array_mut().unwrap() {
                vector["flags"] = Value::Null;
            }
        },
    );
    assert_eq!(cctv::verify(&path, &mut Subrosa).failed(), 914 - 43);
    let path = changed(
        "public",
        &folder.join("mls/deserialization.json"),
        |vectors| {
            vectors[3]["length"] = 62.into();
        },
    );
    assert_eq!(mls::verify_deserialization(&path, &mut Subrosa).failed(), 1);
}

#[test]
fn broken_public_vectors_are_failures_and_never_panics() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-public");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"numberOfTests":0,"testGroups":[]}"#,
        r#"{"numberOfTests":1,"testGroups":[{"tests":[{}]}]}"#,
        r#"{"numberOfTests":2,"testGroups":[{"tests":[]}]}"#,
        r#"{"numberOfTests":1,"testGroups":[{"keySize":256,"tagSize":128,"publicKey":{"pk":"zz"},"tests":[{"result":"valid",
            "key":"zz","iv":"zz","aad":"","msg":"","ct":"","tag":"zz","salt":"z","ikm":"","info":"","size":1,"okm":"",
            "private":"","public":"zz","shared":"","sig":"","seed":"z","ek":"z","c":"","K":"","m":"",
            "ctx":"","msgLength":0,"msgSha512":""}]}]}"#,
    ] {
        for name in [
            "aes_gcm_test.json",
            "chacha20_poly1305_test.json",
            "hkdf_sha256_test.json",
            "hmac_sha256_test.json",
            "x25519_test.json",
            "ed25519_test.json",
            "mlkem_768_test.json",
            "mlkem_768_encaps_test.json",
            "mlkem_768_keygen_seed_test.json",
            "c2sp_chunked_encryption_aes_256_gcm_test.json",
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let report = wycheproof::verify(&folder, &mut Subrosa);
        assert_eq!(
            (report.passed(), report.inexpressible()),
            (0, 0),
            "{text}: {report}"
        );
        assert!(
            report.files.iter().all(|file| file.failed() > 0),
            "{text}: {report}"
        );
    }
    for text in [
        "",
        "[]",
        "{}",
        "[{}]",
        r#"[{"number":1,"key":"00","sig":"","msg":""}]"#,
        r#"[{"vlbytes_header":"z","length":1}]"#,
    ] {
        let path = folder.join("other.json");
        fs::write(&path, text).unwrap();
        for report in [
            cctv::verify(&path, &mut Subrosa),
            mls::verify_deserialization(&path, &mut Subrosa),
        ] {
            assert_eq!((report.passed, report.failed()), (0, 1), "{text}: {report}");
        }
    }
    assert_eq!(
        cctv::verify(Path::new("no/such/file"), &mut Subrosa).failed(),
        1
    );
    let nothing = wycheproof::verify(Path::new("no/such/folder"), &mut Subrosa);
    assert!(!nothing.is_success(true));
}
