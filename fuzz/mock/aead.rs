//! In the place of `src/crypto/aead.rs`: the ciphertext is the plaintext. Of the tag, the first half shows that the
//! sender knew the key, for this nonce; the second half is a checksum of everything else. Who turns the checksum off
//! ([`forgive`]) can write another header or body into a genuine message, and it passes.
//!
//! Every sealing is remembered where that is asked for, for the promise that no key meets a nonce twice ([`watch`]).

use std::cell::{Cell, RefCell};
use std::vec::Vec;

use super::hash::mix::{digest, mix};
use super::{Error, counted};

/// Bytes of a nonce.
pub const NONCE: usize = 12;
/// Bytes of a tag.
pub const TAG: usize = 16;

/// One call of `seal` in this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sealing {
    /// Stands for the key and the nonce.
    pub key_and_nonce: u64,
    /// Stands for the text and the associated data.
    pub content: u64,
}

std::thread_local! {
    static SEALINGS: RefCell<Vec<Sealing>> = const { RefCell::new(Vec::new()) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static FORGIVING: Cell<bool> = const { Cell::new(false) };
}

/// Whether `open` in this thread looks at the first half of a tag only.
pub fn forgive(forgiving: bool) {
    FORGIVING.set(forgiving);
}

/// Remembers what is sealed in this thread from now on.
pub fn watch() {
    SEALINGS.take();
    WATCHED.set(true);
}

/// What was sealed in this thread since [`watch`]; no more is remembered.
#[must_use]
pub fn sealings() -> Vec<Sealing> {
    WATCHED.set(false);
    SEALINGS.take()
}

/// The tag.
fn tag(key: &[u8], nonce: &[u8; NONCE], ad: &[u8], text: &[u8]) -> [u8; TAG] {
    let (proof, checksum) = (digest::<8>(&[key, nonce]), digest::<8>(&[ad, text]));
    let mut tag = [0; TAG];
    for (to, from) in tag.iter_mut().zip(proof.into_iter().chain(checksum)) {
        *to = from;
    }
    tag
}

macro_rules! aead {
    ($(#[$doc:meta])* $name:ident, $key:literal) => {
        $(#[$doc])*
        pub struct $name;

        impl $name {
            /// Bytes of a key.
            pub const KEY: usize = $key;

            /// Gives the tag of `text`, which stays what it is.
            ///
            /// # Errors
            /// None.
            pub fn seal(
                key: &[u8; $key],
                nonce: &[u8; NONCE],
                ad: &[u8],
                text: &mut [u8],
            ) -> Result<[u8; TAG], Error> {
                counted!(Seal);
                if WATCHED.get() {
                    let sealing = Sealing {
                        key_and_nonce: mix(&[key, nonce]),
                        content: mix(&[ad, text]),
                    };
                    SEALINGS.with_borrow_mut(|sealings| sealings.push(sealing));
                }
                Ok(tag(key, nonce, ad, text))
            }

            /// Compares the tag.
            ///
            /// # Errors
            /// [`Error::Decryption`].
            pub fn open(
                key: &[u8; $key],
                nonce: &[u8; NONCE],
                ad: &[u8],
                text: &mut [u8],
                tag: &[u8; TAG],
            ) -> Result<(), Error> {
                counted!(Open);
                let expected = self::tag(key, nonce, ad, text);
                let proof = expected[..TAG / 2] == tag[..TAG / 2];
                if proof && (FORGIVING.get() || expected == *tag) {
                    Ok(())
                } else {
                    Err(Error::Decryption)
                }
            }
        }
    };
}

aead!(
    /// Stands in for AES-128-GCM.
    Aes128Gcm,
    16
);
aead!(
    /// Stands in for AES-256-GCM.
    Aes256Gcm,
    32
);
aead!(
    /// Stands in for ChaCha20-Poly1305.
    ChaCha20Poly1305,
    32
);

/// Stands in for AES-256-GCM with a key that is kept ready.
pub struct ReadyAes256Gcm([u8; 32]);

impl ReadyAes256Gcm {
    /// Keeps the key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(*key)
    }

    /// Gives the tag of `text`, which stays what it is.
    ///
    /// # Errors
    /// None.
    pub fn seal(&self, nonce: &[u8; NONCE], text: &mut [u8]) -> Result<[u8; TAG], Error> {
        Aes256Gcm::seal(&self.0, nonce, &[], text)
    }

    /// Compares the tag.
    ///
    /// # Errors
    /// [`Error::Decryption`].
    pub fn open(&self, nonce: &[u8; NONCE], text: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        Aes256Gcm::open(&self.0, nonce, &[], text, tag).inspect_err(|_| text.fill(0))
    }

    /// Copies `text` to `to`, and gives its tag.
    ///
    /// # Errors
    /// [`Error::TooLong`] where `to` is not as long.
    pub fn seal_into(
        &self,
        nonce: &[u8; NONCE],
        text: &[u8],
        to: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        if text.len() != to.len() {
            return Err(Error::TooLong);
        }
        to.copy_from_slice(text);
        self.seal(nonce, to)
    }

    /// Compares the tag, and copies `sealed` to `to`.
    ///
    /// # Errors
    /// [`Error::Decryption`].
    pub fn open_into(
        &self,
        nonce: &[u8; NONCE],
        sealed: &[u8],
        to: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        if sealed.len() != to.len() {
            return Err(Error::Decryption);
        }
        to.copy_from_slice(sealed);
        self.open(nonce, to, tag)
    }
}
