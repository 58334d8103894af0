//! Every input that is worth keeping, run over the stand-ins: `cargo test --manifest-path fuzz/over_mock/Cargo.toml`.

use std::fs;
use std::path::Path;

/// Those of the targets of this package; they lie with those of the library.
#[test]
fn every_input_is_replayed() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (target, run) in harness::TARGETS_OVER_MOCK {
        let entries = fs::read_dir(corpora.join(target)).unwrap();
        let inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{target} has no inputs");
        for input in inputs {
            // A failure names the input that caused it.
            println!("{}", input.display());
            run(&fs::read(&input).unwrap());
        }
        for seed in harness::seeds_over_mock(target) {
            run(&seed);
        }
    }
    // The other targets, too, promise nothing less over the stand-ins.
    for (target, run) in harness::TARGETS {
        for seed in harness::seeds(target) {
            run(&seed);
        }
    }
}

#[test]
fn every_target_is_replayed() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs: Vec<_> = fs::read_dir(programs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort();
    let targets = harness::TARGETS_OVER_MOCK.iter().map(|(name, _)| *name);
    assert_eq!(programs, targets.collect::<Vec<_>>());
}
