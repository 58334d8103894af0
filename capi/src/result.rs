//! What calls of a device give out: objects of their own, whose memory C looks at until it frees them.

mod addresses;
mod bundles;
mod events;
mod outbox;

pub use addresses::{
    subrosa_addresses, subrosa_addresses_count, subrosa_addresses_free, subrosa_addresses_get,
};
pub use bundles::{
    subrosa_bundles, subrosa_bundles_free, subrosa_bundles_info, subrosa_bundles_one_time,
    subrosa_bundles_read,
};
pub use events::*;
pub use outbox::*;
