//! AES-128-GCM, AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439): 12-byte nonce, 16-byte tag,
//! nothing else (SPEC §3.5).

use aes_gcm::KeyInit;
use aes_gcm::aead::{AeadInOut, inout::InOutBuf};

use super::backend::Gcm;
use super::{Error, counted};

/// Bytes of a nonce.
pub const NONCE: usize = 12;
/// Bytes of a tag.
pub const TAG: usize = 16;

macro_rules! aead {
    ($(#[$doc:meta])* $name:ident, $cipher:ty, $key:literal) => {
        $(#[$doc])*
        pub struct $name;

        impl $name {
            /// Bytes of a key.
            pub const KEY: usize = $key;

            /// Encrypts `text` in place and returns its tag.
            ///
            /// # Errors
            /// [`Error::TooLong`] where the standard's limit of text or associated data is passed.
            pub fn seal(
                key: &[u8; $key],
                nonce: &[u8; NONCE],
                ad: &[u8],
                text: &mut [u8],
            ) -> Result<[u8; TAG], Error> {
                counted!(Seal);
                <$cipher>::new(key.into())
                    .encrypt_inout_detached(nonce.into(), ad, InOutBuf::from(text))
                    .map(Into::into)
                    .map_err(|_| Error::TooLong)
            }

            /// Decrypts `text` in place; on failure `text` is what it was.
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
                #[cfg(test)]
                super::count::opened(text.len());
                <$cipher>::new(key.into())
                    .decrypt_inout_detached(nonce.into(), ad, InOutBuf::from(text), tag.into())
                    .map_err(|_| Error::Decryption)
            }
        }
    };
}

aead!(
    /// AES-128-GCM.
    Aes128Gcm,
    aes_gcm::Aes128Gcm,
    16
);
aead!(
    /// AES-256-GCM: the `GCM` of the pairwise protocol.
    Aes256Gcm,
    aes_gcm::Aes256Gcm,
    32
);
aead!(
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
    chacha20poly1305::ChaCha20Poly1305,
    32
);

/// AES-256-GCM with a key that is kept ready for many texts: for the chunks of files. With the feature `fast` it is the faster
/// one's; the types above are not, because for a message of its own key that is the slower one.
pub struct ReadyAes256Gcm(Gcm);

impl ReadyAes256Gcm {
    /// Expands the key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Gcm::new(key))
    }

    /// Encrypts `text` in place, without associated data, and returns its tag.
    ///
    /// # Errors
    /// [`Error::TooLong`] where the standard's limit of text is passed.
    pub fn seal(&self, nonce: &[u8; NONCE], text: &mut [u8]) -> Result<[u8; TAG], Error> {
        self.0.seal(nonce, text)
    }

    /// Encrypts `text` into `to`, which is as long, and returns its tag.
    ///
    /// # Errors
    /// [`Error::TooLong`] as for [`seal`](Self::seal), and where `to` is not as long.
    pub fn seal_into(
        &self,
        nonce: &[u8; NONCE],
        text: &[u8],
        to: &mut [u8],
    ) -> Result<[u8; TAG], Error> {
        self.0.seal_into(nonce, text, to)
    }

    /// Decrypts `text` in place, without associated data; if the tag is not that of `text`, it is all zero then.
    ///
    /// # Errors
    /// [`Error::Decryption`].
    pub fn open(&self, nonce: &[u8; NONCE], text: &mut [u8], tag: &[u8; TAG]) -> Result<(), Error> {
        self.0.open(nonce, text, tag)
    }

    /// Decrypts `sealed` into `to`, which is as long; if the tag is not that of `sealed`, `to` is all zero then.
    ///
    /// # Errors
    /// [`Error::Decryption`]; where `to` is not as long, it is what it was.
    pub fn open_into(
        &self,
        nonce: &[u8; NONCE],
        sealed: &[u8],
        to: &mut [u8],
        tag: &[u8; TAG],
    ) -> Result<(), Error> {
        self.0.open_into(nonce, sealed, to, tag)
    }
}
