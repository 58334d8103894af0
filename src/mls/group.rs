//! A group as a full member has it.
//!
//! ```text
//!             process(&self)             approve              merge
//!  message ──────────────────> staged ──────────> approved ──────────> the next state
//!                                 │ refused, or not asked: nothing has changed
//! ```

mod build;
mod changes;
mod create;
mod credentials;
mod epoch;
mod external;
#[cfg(feature = "hazmat")]
mod inside;
mod join;
mod member;
mod receive;
mod record;
mod record_name;
mod select;
mod send;
mod snapshot;
mod speakers;
mod stage;
mod stored;
mod stream;

pub use build::{CommitBuilder, CommitMessages};
pub use create::Founder;
pub use credentials::NewCredential;
pub use external::{ExternalCommit, ExternalJoin, propose_from_outside, propose_oneself};
#[cfg(feature = "hazmat")]
pub(super) use inside::Inside;
pub use join::{JoinOptions, Joining};
pub use member::Member;
pub use receive::{Application, ApprovedProposal, Processed, StagedProposal};
pub use record_name::RecordName;
pub use stage::{ApprovedCommit, Effects, StagedCommit};
pub use stored::Changes;
