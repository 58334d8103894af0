#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
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
#![deny(missing_docs)]

mod error;
mod file;
mod log;
mod mark;
mod slots;
mod store;

pub use error::{Cause, Error};
pub use mark::{BOOT, Durability};
pub use store::{Opened, SqliteStore};
