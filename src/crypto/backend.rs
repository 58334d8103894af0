//! Who computes AES-256-GCM under a key that is kept ready, X25519 and Ed25519 signatures: chosen here and nowhere else.
//!
//! [`portable`] is what this library is measured, watched and fuzzed with. [`fast`] exists with the feature `fast` where its
//! crate does, asks the processor each time a key is made ready, and falls back on [`portable`]. The two give the same bits and
//! the same refusals for every input. What is accepted is decided above them: which keys are canonical and which results count
//! ([`dh`](super::dh), SPEC §3.3), and which signatures are valid ([`sign`](super::sign), SPEC §3.4): there is one
//! verification, on every machine.

#[cfg(all(
    feature = "fast",
    not(miri),
    any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    )
))]
mod fast;
mod portable;

#[cfg(all(
    feature = "fast",
    not(miri),
    any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    )
))]
use fast as chosen;
#[cfg(not(all(
    feature = "fast",
    not(miri),
    any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_endian = "little")
    )
)))]
use portable as chosen;

pub(super) use chosen::{Gcm, Point, Signer, public_key};
