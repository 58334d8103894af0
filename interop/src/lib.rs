//! subrosa measured beside its peers: the same work in each library, and the table of README.md that comes of it.
//!
//! `cargo run --release -p subrosa-interop` runs the bench `pairwise` and prints the table.

pub mod cpu_time;
pub mod estimates;
pub mod library;
pub mod olm;
pub mod ours;
pub mod quoted;
pub mod sizes;
pub mod table;
pub mod work;
