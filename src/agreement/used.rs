//! The prekeys that a first message took (SPEC §7.6).

/// Which one-time keys a first message used: what its forward secrecy rests on (SPEC §16.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimeUse {
    /// A one-time X25519 key: gone as soon as the message is accepted.
    pub dh: bool,
    /// A one-time ML-KEM key: gone as soon as the message is accepted.
    pub kem: bool,
}

impl OneTimeUse {
    /// Neither: the message has forward secrecy only once the signed prekey and the last-resort KEM key are gone.
    #[must_use]
    pub const fn last_resort_only(self) -> bool {
        !self.dh && !self.kem
    }
}

/// The prekeys that a first message used, to be taken away when it is accepted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    pub(crate) signed_id: u32,
    /// `Some` for a one-time KEM key, `None` for a last-resort one.
    pub(crate) one_time_kem: Option<u32>,
    pub(crate) one_time_dh: Option<u32>,
    /// `H(EK)[..16]`.
    pub(crate) first_id: [u8; 16],
}

impl Used {
    /// Which one-time keys were used.
    #[must_use]
    pub const fn one_time(&self) -> OneTimeUse {
        OneTimeUse {
            dh: self.one_time_dh.is_some(),
            kem: self.one_time_kem.is_some(),
        }
    }
}
