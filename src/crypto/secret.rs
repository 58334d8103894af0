//! Secrets as types: zeroized on drop, compared in constant time, never printed.

use subtle::ConstantTimeEq;
use zeroize::optimization_barrier;

/// `N` secret bytes.
///
/// No `Clone`, `Copy`, `Debug`, `Deref` or serialization; the bytes leave through [`expose`](Self::expose)
/// and nowhere else, and are overwritten when the value is dropped.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes over `bytes`.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All zero, to be filled by the caller.
    #[must_use]
    pub(crate) const fn zero() -> Self {
        Self([0; N])
    }

    /// The bytes: the one named door.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled.
    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// A second instance of the same secret, for a state that is worked on before it replaces the first.
    pub(crate) const fn duplicate(&self) -> Self {
        Self(self.0)
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0 = [0; N];
        optimization_barrier(&self.0);
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Secret<N> {}

/// Whether two byte strings are the same, in time that depends on their lengths only.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// The one value in which key agreement and ratchet meet: PQXDH's `SK`, with the hash of the whole transcript
/// that names the session (SPEC §7.4).
pub struct SharedSecret {
    /// `SK`, 32 bytes.
    pub(crate) key: Secret<32>,
    /// `th2`, the session id.
    pub(crate) session_id: [u8; 32],
}

impl SharedSecret {
    /// Joins a key and the transcript hash that it belongs to.
    #[must_use]
    pub const fn new(key: Secret<32>, session_id: [u8; 32]) -> Self {
        Self { key, session_id }
    }
}
