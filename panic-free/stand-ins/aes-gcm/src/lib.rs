//! The part of `aes-gcm` that the core calls, without the cipher: whatever goes in, the compiler knows nothing of what
//! comes out.
#![no_std]

use core::hint::black_box;

pub use aead;
pub use aead::KeyInit;

use aead::consts::{U12, U16, U32};
use aead::inout::InOutBuf;
use aead::{AeadCore, AeadInOut, Error, Key, KeySizeUser, Nonce, Tag, TagPosition};

macro_rules! stand_in {
    ($name:ident, $key:ty) => {
        /// A cipher that ciphers nothing.
        pub struct $name;

        impl KeySizeUser for $name {
            type KeySize = $key;
        }

        impl KeyInit for $name {
            fn new(key: &Key<Self>) -> Self {
                black_box(key);
                Self
            }
        }

        impl AeadCore for $name {
            type NonceSize = U12;
            type TagSize = U16;
            const TAG_POSITION: TagPosition = TagPosition::Postfix;
        }

        impl AeadInOut for $name {
            fn encrypt_inout_detached(
                &self,
                nonce: &Nonce<Self>,
                associated_data: &[u8],
                buffer: InOutBuf<'_, '_, u8>,
            ) -> Result<Tag<Self>, Error> {
                black_box((nonce, associated_data, buffer));
                if cfg!(feature = "planted-panic") && black_box(false) {
                    panic!("planted");
                }
                black_box(Ok(Tag::<Self>::default()))
            }

            fn decrypt_inout_detached(
                &self,
                nonce: &Nonce<Self>,
                associated_data: &[u8],
                buffer: InOutBuf<'_, '_, u8>,
                tag: &Tag<Self>,
            ) -> Result<(), Error> {
                black_box((nonce, associated_data, buffer, tag));
                black_box(Ok(()))
            }
        }
    };
}

stand_in!(Aes128Gcm, U16);
stand_in!(Aes256Gcm, U32);
