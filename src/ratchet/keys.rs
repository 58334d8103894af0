//! The keys of the ratchet and what follows from each (SPEC §9.1 to §9.3).

use crate::crypto::Secret;
use crate::crypto::aead::NONCE;
use crate::crypto::hash::{HmacKey, expand, extract};
use crate::crypto::labels;
use crate::wire::{self, Reader};

/// Bytes of a tag.
pub const TAG: usize = 8;

/// Bytes of a message salt.
pub(crate) const SALT: usize = 16;

/// `RK`.
pub(crate) struct RootKey(Secret<32>);

/// What one step of the root key gives.
pub(crate) struct RootStep {
    pub(crate) root: RootKey,
    pub(crate) chain_key: ChainKey,
    pub(crate) next_header_key: HeaderKey,
}

impl RootKey {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// `RK' || CK || NHK = Expand(Extract(RK, dh), L("root"), 96)`.
    pub(crate) fn step(&self, dh: &Secret<32>) -> RootStep {
        let prk = extract(self.expose(), &[dh.expose()]);
        let okm: Secret<96> = expand(prk.expose(), &[labels::ROOT]);
        let [root, chain_key, next_header_key] = split(&okm);
        RootStep {
            root: Self(root),
            chain_key: ChainKey(chain_key),
            next_header_key: HeaderKey::new(next_header_key),
        }
    }
}

/// `CK` or `PCK`.
pub(crate) struct ChainKey(Secret<32>);

impl ChainKey {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// `HMAC(CK, 0x01)`, its share of a message key, and `CK' = HMAC(CK, 0x02)`.
    fn step(&self) -> (Secret<32>, Self) {
        let key = HmacKey::new(self.expose());
        (key.mac(&[&[1]]), Self(key.mac(&[&[2]])))
    }
}

/// `CK` and `PCK`: the two halves of a chain, which go on together.
pub(crate) struct ChainKeys {
    /// `CK`, from the Diffie-Hellman ratchet.
    pub(crate) classical: ChainKey,
    /// `PCK`, from the Braid.
    pub(crate) quantum: ChainKey,
}

impl ChainKeys {
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            classical: self.classical.duplicate(),
            quantum: self.quantum.duplicate(),
        }
    }

    /// `mk = Extract(HMAC(PCK, 0x01), HMAC(CK, 0x01))`, and both chains one step on (Signal's Triple Ratchet).
    pub(crate) fn step(&self) -> (MessageKey, Self) {
        let (classical_share, classical) = self.classical.step();
        let (quantum_share, quantum) = self.quantum.step();
        let key = extract(quantum_share.expose(), &[classical_share.expose()]);
        (MessageKey(key), Self { classical, quantum })
    }
}

/// `mk`: everything secret in one message.
pub(crate) struct MessageKey(Secret<32>);

impl MessageKey {
    pub(crate) const fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The key's two blocks absorbed once, for salt and body.
    pub(crate) fn prepare(&self) -> BodyKeys {
        BodyKeys(HmacKey::new(self.expose()))
    }
}

/// A message key in use.
pub(crate) struct BodyKeys(HmacKey);

impl BodyKeys {
    /// `salt = HMAC(mk, L("salt") || r32 || version || kind || hp || bp)[..16]`.
    pub(crate) fn salt(
        &self,
        fresh: &Secret<32>,
        envelope: &[u8],
        header: &[u8],
        body: &[u8],
    ) -> [u8; SALT] {
        let mac = self
            .0
            .mac(&[labels::SALT, fresh.expose(), envelope, header, body]);
        mac.expose().first_chunk().copied().unwrap_or_default()
    }

    /// `Kb || Nb = Expand(mk, L("body") || salt, 44)`.
    pub(crate) fn body(&self, salt: &[u8; SALT]) -> KeyNonce {
        KeyNonce::new(&self.0.expand_secret(&[labels::BODY, salt]))
    }
}

/// A header key, with the tag that names it, and ready for use.
pub(crate) struct HeaderKey {
    key: Secret<32>,
    prepared: HmacKey,
    tag: [u8; TAG],
}

impl HeaderKey {
    pub(crate) fn new(key: Secret<32>) -> Self {
        let prepared = HmacKey::new(key.expose());
        let tag: Secret<TAG> = prepared.expand_secret(&[labels::TAG]);
        Self {
            tag: *tag.expose(),
            prepared,
            key,
        }
    }

    /// A key whose tag is equal to another one's by chance.
    #[cfg(test)]
    pub(crate) fn with_tag(key: Secret<32>, tag: [u8; TAG]) -> Self {
        Self {
            tag,
            ..Self::new(key)
        }
    }

    pub(crate) const fn expose(&self) -> &[u8; 32] {
        self.key.expose()
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self {
            key: self.key.duplicate(),
            prepared: self.prepared.duplicate(),
            tag: self.tag,
        }
    }

    /// `tag = Expand(HK, L("tag"), 8)`.
    pub(crate) const fn tag(&self) -> &[u8; TAG] {
        &self.tag
    }

    /// `Kh || Nh = Expand(HK, L("head") || salt, 44)`.
    pub(crate) fn header(&self, salt: &[u8; SALT]) -> KeyNonce {
        KeyNonce::new(&self.prepared.expand_secret(&[labels::HEAD, salt]))
    }
}

/// A key and a nonce for one encryption.
pub(crate) struct KeyNonce {
    pub(crate) key: Secret<32>,
    pub(crate) nonce: Secret<NONCE>,
}

impl KeyNonce {
    fn new(okm: &Secret<44>) -> Self {
        let mut pair = Self {
            key: Secret::zero(),
            nonce: Secret::zero(),
        };
        if let Some((key, rest)) = okm.expose().split_first_chunk() {
            *pair.key.expose_mut() = *key;
            if let Some(nonce) = rest.first_chunk() {
                *pair.nonce.expose_mut() = *nonce;
            }
        }
        pair
    }
}

/// Keys of 32 bytes each, from as many bytes as they take together.
pub(crate) fn split<const BYTES: usize, const KEYS: usize>(
    okm: &Secret<BYTES>,
) -> [Secret<32>; KEYS] {
    const { assert!(BYTES == KEYS * 32) };
    let mut keys = [const { Secret::zero() }; KEYS];
    let (parts, _) = okm.expose().as_chunks::<32>();
    for (key, part) in keys.iter_mut().zip(parts) {
        *key.expose_mut() = *part;
    }
    keys
}

/// A secret of the stored form.
pub(super) fn read_secret<const N: usize>(
    reader: &mut Reader<'_>,
) -> Result<Secret<N>, wire::Error> {
    Ok(Secret::new(*reader.array()?))
}
