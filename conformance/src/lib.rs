//! Conformance vectors of subrosa: what makes them, what checks an implementation against them, and the same
//! checks over the public vectors of others.
//!
//! A [`target::Target`] answers operations. The library itself is one ([`target::Subrosa`]); any other program is
//! one through JSON lines ([`exec::Exec`]). A section of SPEC.md is one file in [`sections`]: its operations and
//! the generator of its cases.
//!
//! Without the feature `std` there is what runs the scripts of session.json where there is no operating system: the
//! operation ([`script::OPS`]) and the judgement of a case ([`case::Case`]).

#![cfg_attr(not(feature = "std"), no_std)]
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

extern crate alloc;

pub mod case;
pub mod op;
pub mod script;
pub mod target;

#[cfg(feature = "std")]
pub mod cctv;
#[cfg(feature = "std")]
pub mod example;
#[cfg(feature = "std")]
pub mod exec;
#[cfg(feature = "std")]
pub mod file;
#[cfg(feature = "std")]
pub mod generate;
#[cfg(feature = "std")]
pub mod mls;
#[cfg(feature = "std")]
pub mod model;
#[cfg(feature = "std")]
pub mod report;
#[cfg(feature = "std")]
pub mod schema;
#[cfg(feature = "std")]
pub mod sections;
#[cfg(feature = "std")]
mod step;
#[cfg(feature = "std")]
pub mod wycheproof;
