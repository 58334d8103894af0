//! Sticker packs, shared by link (SPEC §21).
//!
//! ```text
//!   pack secret ──HKDF──► pack id, where the server keeps the manifest; manifest key, which opens it
//!
//!   link     = https://…#v1. base64url( pack secret || hash of the author's public key )
//!   manifest = title, author, version; of each sticker its emoji, blob id, own key, size, media type
//!              signed by the author, padded, sealed with the manifest key
//! ```
//!
//! An [`Author`] publishes a manifest and each later version of it. Who has the [`Link`] opens it, and keeps in a
//! [`Held`] which version that was, so that none that is older, or of another history, takes its place. A sticker that
//! is sent travels as its [`Blob`](crate::file::Blob) alone, which opens that one and tells nothing of the pack.

mod author;
mod contents;
mod error;
#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
mod held;
pub mod limits;
mod link;
mod manifest;
mod secret;
mod sticker;

pub use author::{AUTHOR, Author};
pub use contents::Contents;
pub use error::Error;
pub use held::{HELD, Held, Update};
pub use link::Link;
pub use manifest::Manifest;
pub use secret::PackId;
pub use sticker::Sticker;
