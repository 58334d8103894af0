//! RFC 9420 once more, from its text, over the primitives alone: a group as nobody has it, with the signature keys of
//! all of its members. It signs and encrypts whatever it is told to send, and checks nothing.

use subrosa::crypto::hash::{HmacKey, sha256};
use subrosa::crypto::hpke::{Aead, Hpke, Kem};
use subrosa::crypto::sign::SigningKey;
use subrosa::crypto::{Secret, p256};

use super::Answer;
use crate::op::refused;

pub mod client;
pub mod commit;
pub mod group;
pub mod message;
pub mod proposal;
pub mod schedule;
pub mod stored;
pub mod tree;
pub mod wide;

/// `KDF.Nh`
pub const HASH: usize = 32;

/// A hash or a secret.
pub type Hash = [u8; HASH];

/// `opaque x<V>` (§2.1.2)
#[must_use]
pub fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u32;
    let header = match length {
        0..0x40 => vec![length as u8],
        0x40..0x4000 => (0x4000 | length as u16).to_be_bytes().to_vec(),
        _ => (0x8000_0000 | length).to_be_bytes().to_vec(),
    };
    [header.as_slice(), bytes].concat()
}

/// `uint16 x<V>`
#[must_use]
pub fn numbers(numbers: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    vector(&bytes)
}

/// `T x<V>` of what is encoded already.
#[must_use]
pub fn list(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = items.into_iter().collect();
    vector(&items.concat())
}

/// `optional<T>`
#[must_use]
pub fn optional(value: Option<Vec<u8>>) -> Vec<u8> {
    value.map_or(vec![0], |value| [vec![1], value].concat())
}

/// Extensions: type and value.
pub type Extensions = Vec<(u16, Vec<u8>)>;

/// `Extension x<V>`
#[must_use]
pub fn extensions(all: &[(u16, Vec<u8>)]) -> Vec<u8> {
    list(
        all.iter()
            .map(|(kind, value)| [kind.to_be_bytes().to_vec(), vector(value)].concat()),
    )
}

/// A private key and its public one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The private key.
    pub secret: [u8; 32],
    /// The public key.
    pub public: Vec<u8>,
}

/// A cipher suite (§17.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its number.
    pub id: u16,
    hpke: Hpke,
}

impl Suite {
    /// Suite 1, 2 or 3.
    #[must_use]
    pub const fn of(id: u16) -> Self {
        let kem = match id {
            2 => Kem::P256,
            _ => Kem::X25519,
        };
        let aead = match id {
            3 => Aead::ChaCha20Poly1305,
            _ => Aead::Aes128Gcm,
        };
        let hpke = Hpke { kem, aead };
        Self { id, hpke }
    }

    /// `Nk`
    #[must_use]
    pub const fn key_length(self) -> usize {
        self.hpke.aead.key_length()
    }

    /// `DeriveKeyPair` (RFC 9180 §7.1.3).
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn pair(self, ikm: &[u8]) -> Answer<Pair> {
        let pair = self.hpke.kem.derive_key_pair(ikm).map_err(refused)?;
        Ok(Pair {
            secret: *pair.secret().expose(),
            public: pair.public().to_vec(),
        })
    }

    /// A signature key: the seed of Ed25519, or `DeriveKeyPair`.
    ///
    /// # Errors
    /// As for [`pair`](Self::pair).
    pub fn signer(self, seed: [u8; 32]) -> Answer<Pair> {
        if self.hpke.kem == Kem::P256 {
            return self.pair(&seed);
        }
        let key = SigningKey::from_seed(&Secret::new(seed));
        Ok(Pair {
            secret: seed,
            public: key.verifying_key().as_bytes().to_vec(),
        })
    }

    /// `SignWithLabel` (§5.1.2).
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn sign(self, signer: &Pair, label: &str, content: &[u8]) -> Answer<Vec<u8>> {
        let label = format!("MLS 1.0 {label}");
        let content = [vector(label.as_bytes()), vector(content)].concat();
        let secret = Secret::new(signer.secret);
        if self.hpke.kem == Kem::P256 {
            let key = p256::KeyPair::from_secret(&secret).map_err(refused)?;
            return key.sign(&content, <[u8]>::to_vec).map_err(refused);
        }
        let signature = SigningKey::from_seed(&secret).sign(&content);
        Ok(signature.map_err(refused)?.0.to_vec())
    }

    /// `EncryptWithLabel` (§5.1.3) as `HPKECiphertext`; the ephemeral key is derived from `random`.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn encrypt(
        self,
        public: &[u8],
        label: &str,
        context: &[u8],
        text: &[u8],
        random: &Hash,
    ) -> Answer<Vec<u8>> {
        let label = format!("MLS 1.0 {label}");
        let info = self
            .hpke
            .info(&[&vector(label.as_bytes()), &vector(context)]);
        let ephemeral = self.hpke.kem.derive_key_pair(random).map_err(refused)?;
        let sealed = self.hpke.seal(public, &info, text, &ephemeral);
        Ok([
            vector(ephemeral.public()),
            vector(&sealed.map_err(refused)?),
        ]
        .concat())
    }

    /// `SendExportBase` of an external init (§8.3): `kem_output` and the init secret.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn external_init(self, external_pub: &[u8], random: &Hash) -> Answer<(Vec<u8>, Hash)> {
        let ephemeral = self.hpke.kem.derive_key_pair(random).map_err(refused)?;
        let label = b"MLS 1.0 external init secret";
        let secret = self
            .hpke
            .send_export(external_pub, &self.hpke.info(&[]), label, &ephemeral)
            .map_err(refused)?;
        Ok((ephemeral.public().to_vec(), *secret.expose()))
    }

    /// The AEAD: ciphertext and tag.
    ///
    /// # Errors
    /// `TooLong`.
    pub fn seal(self, key: &[u8], nonce: &[u8], ad: &[u8], text: &[u8]) -> Answer<Vec<u8>> {
        let mut whole = [0; 32];
        for (to, from) in whole.iter_mut().zip(key) {
            *to = *from;
        }
        let nonce = super::array(nonce)?;
        let mut sealed = text.to_vec();
        let tag = self
            .hpke
            .aead
            .seal(&Secret::new(whole), &nonce, ad, &mut sealed);
        sealed.extend(tag.map_err(refused)?);
        Ok(sealed)
    }
}

/// `KDF.Extract`
#[must_use]
pub fn extract(salt: &[u8], ikm: &[u8]) -> Hash {
    *HmacKey::new(salt).mac(&[ikm]).expose()
}

/// `MAC`
#[must_use]
pub fn mac(key: &[u8], content: &[u8]) -> Hash {
    extract(key, content)
}

/// `ExpandWithLabel` (§8)
///
/// # Errors
/// `TooLong`.
pub fn expand(secret: &[u8], label: &str, context: &[u8], length: usize) -> Answer<Vec<u8>> {
    let label = format!("MLS 1.0 {label}");
    let info = [
        (length as u16).to_be_bytes().to_vec(),
        vector(label.as_bytes()),
        vector(context),
    ]
    .concat();
    let mut out = vec![0; length];
    HmacKey::new(secret)
        .expand(&[&info], &mut out)
        .map_err(refused)?;
    Ok(out)
}

/// `DeriveSecret` (§8)
///
/// # Errors
/// None.
pub fn derive(secret: &[u8], label: &str) -> Answer<Hash> {
    super::array(&expand(secret, label, &[], HASH)?)
}

/// `RefHash` (§5.2)
#[must_use]
pub fn reference(label: &str, value: &[u8]) -> Hash {
    let label = format!("MLS 1.0 {label}");
    sha256(&[&vector(label.as_bytes()), &vector(value)])
}

/// Values that depend on a name and their number, in place of random ones.
#[derive(Clone, Debug)]
pub struct Draw {
    seed: Hash,
    number: u32,
}

impl Draw {
    /// The first one is yet to be drawn.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            seed: sha256(&[b"subrosa test vectors\0mls\0", name.as_bytes()]),
            number: 0,
        }
    }

    /// Draws the next value.
    pub fn draw(&mut self) -> Hash {
        self.number += 1;
        sha256(&[&self.seed, &self.number.to_be_bytes()])
    }
}
