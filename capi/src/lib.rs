//! The C interface of subrosa: what `include/subrosa.h` declares.
//!
//! ```text
//!   pointer of C ──► handle ──► object, held by this call alone or by readers only
//!   pointers, lengths ──► args ──► slices, checked          (both refuse, and touch nothing)
//!                          │
//!             device, file, pack ──► result ──► a handle of its own
//! ```
//!
//! # Safety
//! Every function is safe to call by the rules of the header: a pointer to bytes or to a structure is NULL or shows memory
//! of the length that stands beside it, which nobody else writes to during the call, and an output pointer shows memory
//! that may be written. Pointers to objects may be anything at all.

#![cfg_attr(not(feature = "std"), no_std)]
// The names are those of the header.
#![allow(non_camel_case_types)]
#![deny(
    missing_docs,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block
)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(not(any(feature = "std", feature = "bare")))]
compile_error!("one of the features `std` and `bare` must be there");

mod args;
#[cfg(not(feature = "std"))]
mod bare;
mod call;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod device;
pub mod emoji;
pub mod file;
pub mod handle;
pub mod layout;
pub mod list;
pub mod memory;
pub mod pack;
pub mod result;
pub mod rng;
pub mod status;
pub mod store;
pub mod value;
pub mod version;
