//! Every input that fuzzing has found worth keeping, run as an ordinary test.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/harness.rs"]
mod harness;

/// The inputs of `target`, in the order of their names.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{folder:?} is empty");
    inputs
}

macro_rules! replay {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                for input in corpus(stringify!($target)) {
                    // A failure names the input that caused it.
                    println!("{}", input.display());
                    harness::$target(&fs::read(&input).unwrap());
                }
                for seed in harness::seeds(stringify!($target)) {
                    harness::$target(&seed);
                }
            }
        )*

        #[test]
        fn every_target_is_replayed_and_has_seeds() {
            let replayed = [$(stringify!($target)),*];
            let targets: Vec<_> = harness::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(targets, replayed);
            // Each has a program, over the library or over the stand-ins.
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let program = |folder: &str, target: &str| {
                root.join(folder).join("fuzz_targets").join(target).with_extension("rs").is_file()
            };
            for target in &targets {
                assert!(program("fuzz", target) || program("fuzz/over_mock", target), "{target}");
            }
            let programs = fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap();
            for program in programs.map(|entry| entry.unwrap().path()) {
                let name = program.file_stem().and_then(|name| name.to_str()).unwrap();
                assert!(targets.contains(&name), "{name}");
            }
            for target in targets {
                assert!(!harness::seeds(target).is_empty(), "{target}");
            }
        }
    };
}

replay!(
    blob_chunks blob_proof braid_frame braid_peer bundle decode_bundle decode_content decode_first
    decode_message decode_state descriptor device_body device_list device_value envelope
    hostile_group hostile_network hostile_peer link manifest mls_message mls_state mls_structure mls_tree
    padding restart state_import wire
);
