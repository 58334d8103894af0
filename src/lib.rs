#![doc = include_str!("../README.md")]
#![no_std]
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
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod agreement;
pub mod crypto;
pub mod device;
pub mod envelope;
pub mod file;
pub mod identity;
mod memory;
pub mod mls;
pub mod padding;
pub mod ratchet;
pub mod session;
pub mod state;
pub mod wire;

#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod os;

#[cfg(feature = "hazmat")]
#[cfg_attr(docsrs, doc(cfg(feature = "hazmat")))]
pub mod hazmat;

pub use agreement::{Bundle, Prekeys, VerifiedBundle};
pub use crypto::{CryptoRng, TryCryptoRng};
pub use device::Device;
pub use identity::{Address, DeviceIdentity, Identity};
#[cfg(feature = "std")]
pub use os::{os_rng, system_now};
pub use session::{
    Action, Conversation, Directory, Error, Incoming, Opened, StagedFirst, export, import,
};
pub use state::{AppKey, Slot};
