//! Conformance vectors of subrosa: what makes them, what checks an implementation against them, and the same
//! checks over the public vectors of others.
//!
//! A [`target::Target`] answers operations. The library itself is one ([`target::Subrosa`]); any other program is
//! one through JSON lines ([`exec::Exec`]). A section of SPEC.md is one file in [`sections`]: its operations and
//! the generator of its cases.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
#![deny(missing_docs)]

pub mod cctv;
pub mod example;
pub mod exec;
pub mod file;
pub mod generate;
pub mod mls;
pub mod model;
pub mod op;
pub mod report;
pub mod schema;
pub mod script;
pub mod sections;
mod step;
pub mod target;
pub mod wycheproof;
