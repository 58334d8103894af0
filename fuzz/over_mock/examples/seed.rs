//! Writes the first inputs of the targets that `fuzz/over_mock` has:
//! `cargo run --manifest-path fuzz/over_mock/Cargo.toml --example seed`.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    for (target, _) in harness::TARGETS_OVER_MOCK {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
        let corpus = corpora.join(target);
        fs::create_dir_all(&corpus)?;
        for (number, seed) in harness::seeds_over_mock(target).iter().enumerate() {
            fs::write(corpus.join(format!("seed-{number:02}")), seed)?;
        }
    }
    Ok(())
}
