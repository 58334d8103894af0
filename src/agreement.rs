//! Floor 2: prekeys, bundles and PQXDH with the hidden initiator (SPEC §7).
//!
//! ```text
//!   initiator A                                        responder B
//!   ───────────                                        ───────────
//!                        bundle                        Prekeys: SPK + last-resort KEM (rotating),
//!   Bundle ◄────────────────────────────────────────── one-time DH and KEM keys
//!     │ verify(now)
//!   VerifiedBundle
//!     │ initiate ── EK, CT, encid ───────────────────► FirstPrefix
//!   Initiation                                           │ respond
//!     │                                                Response ── consume ──► Prekeys'
//!     └──────────────── SharedSecret ──────────────────┘
//! ```

mod bundle;
mod error;
mod initiator;
pub mod limits;
mod prefix;
mod prekeys;
mod responder;
mod state;
mod transcript;
mod used;

pub use bundle::{Bundle, OneTimePrekey, SignedPrekey, VerifiedBundle};
pub use error::Error;
pub use initiator::{Initiation, initiate};
pub use prefix::{FirstPrefix, PREFIX, first_id};
pub use prekeys::Prekeys;
pub use responder::{Response, respond};
pub use used::{OneTimeUse, Used};

#[cfg(feature = "hazmat")]
pub(crate) use {
    bundle::KemPrekey, initiator::InitiatorWork, responder::ResponderWork, transcript::Secrets,
};

#[cfg(test)]
mod tests;
