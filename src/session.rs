//! Floor 3: conversations (SPEC §11): which state of a conversation reads and sends, first messages staged until
//! the app has decided, and what to do about everything that is refused.
//!
//! ```text
//!                    begin (bundle)                       accept (staged first message)
//!                          │                                        │
//!                          ▼                                        ▼
//!                 ┌─ Standing::Sending ◄── greatest (created_at, then lower sid) ──┐
//!   outranked by  │   at most one                                                  │ never
//!   a newer state ▼                                                                │
//!                 └► Standing::ReceiveOnly ── 30 days unused, or a fifth state ──► deleted
//! ```

mod conversation;
mod directory;
mod error;
mod first;
mod incoming;
pub mod limits;
mod state;
mod stored;

pub use conversation::{Conversation, Opened};
pub use directory::Directory;
pub use error::{Action, Error};
pub use first::StagedFirst;
pub use incoming::Incoming;
pub use stored::{Stored, export, import};

pub(crate) use stored::{Encoding, export_with};
#[cfg(feature = "hazmat")]
pub(crate) use stored::{decode, encode};

#[cfg(test)]
mod tests;
