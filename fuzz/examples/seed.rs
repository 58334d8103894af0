//! Writes the first inputs of every target into its corpus:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seed`.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    for (target, _) in harness::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target);
        fs::create_dir_all(&corpus)?;
        for (number, seed) in harness::seeds(target).iter().enumerate() {
            fs::write(corpus.join(format!("seed-{number:02}")), seed)?;
        }
    }
    Ok(())
}
