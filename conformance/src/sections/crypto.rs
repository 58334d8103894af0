//! SPEC §3: the primitives under the library's own rules of acceptance.

use super::Section;
use crate::generate::Cases;

mod aead;
mod dh;
pub(super) mod edge;
mod hash;
mod hedge;
mod kem;
mod sign;

pub(super) const SECTION: Section = Section {
    name: "crypto",
    spec: "SPEC.md §3.2 to §3.7",
    description: "SHA-256, HMAC, HKDF, X25519, Ed25519, AES-GCM, ChaCha20-Poly1305, the hedged generator and \
                  ML-KEM-768: which keys, signatures and ciphertexts are refused, and what the others give.",
    ops: &[
        hash::OPS,
        dh::OPS,
        sign::OPS,
        aead::OPS,
        hedge::OPS,
        kem::OPS,
    ],
    cases,
};

fn cases(cases: &mut Cases) {
    hash::cases(cases);
    dh::cases(cases);
    sign::cases(cases);
    aead::cases(cases);
    hedge::cases(cases);
    kem::cases(cases);
}
