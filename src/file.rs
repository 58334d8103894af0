//! Floor 3: files of any size, encrypted piece by piece (SPEC §20).
//!
//! ```text
//!   key, context, salt ──HKDF──► chunk key, base nonce, commitment
//!
//!   sealed file = salt 24 || commitment 32 || chunk 0 || chunk 1 || … || last chunk
//!   chunk       = AES-256-GCM of 16 KiB of text, under base nonce ⊕ number      16 KiB + 16
//!   last chunk  = the same of less than 16 KiB, perhaps of nothing: its shortness is the end of the file
//! ```
//!
//! This is [C2SP chunked-encryption], instantiated as Cobblestone-256. [`Sealer`] and [`Opener`] take bytes and give out
//! chunks, with memory for one; [`Pieces`] opens any piece of a file. What no chunk's tag has vouched for is never given
//! out. With `std` there are adapters of all three for files and sockets (`io`).
//!
//! A *blob* is such a file as a server stores it: padded, and under an id that its bytes hash to ([`tree`]). A [`Record`]
//! and a [`BlobSealer`] make it, a [`Descriptor`] in a message leads to it, [`Blob::admit`] asks the app, and [`Fetch`]
//! opens all of it or any piece.
//!
//! [C2SP chunked-encryption]: https://c2sp.org/chunked-encryption

mod blob;
mod blob_opener;
mod blob_sealer;
mod buffer;
mod chunk;
mod descriptor;
mod error;
mod fetch;
#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod io;
pub mod limits;
mod open;
pub mod pack;
#[cfg(feature = "threads")]
#[cfg_attr(docsrs, doc(cfg(feature = "threads")))]
pub mod parallel;
mod pieces;
mod record;
mod seal;
pub mod tree;

pub use blob::{Blob, BlobId, MediaType, padded_len, stored_len};
pub use blob_opener::BlobOpener;
pub use blob_sealer::{BlobSealer, SealedChunk};
#[cfg(feature = "hazmat")]
pub(crate) use chunk::Derived;
pub use chunk::{CHUNK, FileKey, HEADER, SALT, SEALED_CHUNK, sealed_len, text_len};
pub use descriptor::{Descriptor, Inline, Thumbnail};
pub use error::Error;
pub use fetch::{BlobPieces, Fetch, Offer, Piece, Texts};
pub use open::Opener;
pub use pieces::Pieces;
pub use record::{Interrupted, Record};
pub use seal::Sealer;

#[cfg(test)]
mod tests;
