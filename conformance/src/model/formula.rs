//! The formulas: keys, hashes, signatures and encryptions by name.

use subrosa::crypto::Secret;
use subrosa::crypto::aead::Aes256Gcm;
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::hash::{self, HmacKey};
use subrosa::crypto::kem::{KemKeyPair, KemPublic};
use subrosa::crypto::sign::{Signature, SigningKey, VerifyingKey};
use subrosa::padding::padded_length;

use super::{Answer, array, error};

/// 32 bytes: a key, a hash, or the result of X25519.
pub type Bytes32 = [u8; 32];

const F: Bytes32 = [0xff; 32];
const Z: Bytes32 = [0; 32];

/// `L(name)` (§3.1).
#[must_use]
pub fn label(name: &str) -> Vec<u8> {
    [b"subrosa/1 ", name.as_bytes(), &[0]].concat()
}

/// `vec(bytes)` (§4).
#[must_use]
pub fn vector(bytes: &[u8]) -> Vec<u8> {
    [&header(bytes.len()), bytes].concat()
}

/// The length in front of a variable vector, and the number in front of a list.
#[must_use]
pub fn header(length: usize) -> Vec<u8> {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    match length {
        [0, 0, 0, low] if low < 0x40 => vec![low],
        [0, 0, high, low] if high < 0x40 => vec![high | 0x40, low],
        [highest, high, low, lowest] => vec![highest | 0x80, high, low, lowest],
    }
}

/// `H` over the parts.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> Bytes32 {
    hash::sha256(&[&parts.concat()])
}

/// `HMAC(key, parts)`.
#[must_use]
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> Bytes32 {
    *HmacKey::new(key).mac(&[&parts.concat()]).expose()
}

/// `Expand(prk, info, N)`.
#[must_use]
pub fn expand<const N: usize>(prk: &Bytes32, info: &[&[u8]]) -> [u8; N] {
    *hash::expand::<N>(prk, &[&info.concat()]).expose()
}

/// `GCM(key, nonce, text, ad)`.
///
/// # Errors
/// Only for a text that is too long for the cipher.
pub fn gcm(key: &Bytes32, nonce: &[u8; 12], text: &[u8], ad: &[&[u8]]) -> Answer<Vec<u8>> {
    let mut sealed = text.to_vec();
    let tag = Aes256Gcm::seal(key, nonce, &ad.concat(), &mut sealed);
    sealed.extend(tag.map_err(|_| error("TooLong"))?);
    Ok(sealed)
}

/// The text of such a ciphertext, if it is genuine.
#[must_use]
pub fn open_gcm(key: &Bytes32, nonce: &[u8; 12], sealed: &[u8], ad: &[&[u8]]) -> Option<Vec<u8>> {
    let (text, tag) = sealed.split_last_chunk()?;
    let mut text = text.to_vec();
    Aes256Gcm::open(key, nonce, &ad.concat(), &mut text, tag).ok()?;
    Some(text)
}

/// The X25519 key of a private half.
#[must_use]
pub fn public(secret: &Bytes32) -> Bytes32 {
    *DhKeyPair::from_secret(Secret::new(*secret))
        .public()
        .as_bytes()
}

/// Whether a u-coordinate is canonical (§3.3-R1).
#[must_use]
pub fn is_canonical(key: &Bytes32) -> bool {
    let mut p = [0xff; 32];
    let [lowest, .., highest] = &mut p;
    (*lowest, *highest) = (0xed, 0x7f);
    key.iter().rev().lt(p.iter().rev())
}

/// X25519 (§3.3-R1, R3).
///
/// # Errors
/// `Malformed`.
pub fn dh(secret: &Bytes32, key: &Bytes32) -> Answer<Bytes32> {
    let shared = DhPublic::from_bytes(key)
        .and_then(|key| DhKeyPair::from_secret(Secret::new(*secret)).agree(&key));
    shared
        .map(|shared| *shared.expose())
        .map_err(|_| error("Malformed"))
}

/// Whether a key may stand for an identity (§3.3-R2).
#[must_use]
pub fn is_prime_order(key: &Bytes32) -> bool {
    DhPublic::from_bytes(key).is_ok_and(|key| key.require_prime_order().is_ok())
}

/// The Ed25519 key of a seed.
#[must_use]
pub fn verifying_key(seed: &Bytes32) -> Bytes32 {
    SigningKey::from_seed(&Secret::new(*seed)).verifying_key().0
}

/// `Sign(seed, parts)`.
///
/// # Errors
/// None with the present primitives.
pub fn sign(seed: &Bytes32, parts: &[&[u8]]) -> Answer<[u8; 64]> {
    let signature = SigningKey::from_seed(&Secret::new(*seed)).sign(&parts.concat());
    Ok(signature.map_err(|_| error("TooLong"))?.0)
}

/// Whether a signature holds (§3.4).
#[must_use]
pub fn verifies(key: &Bytes32, parts: &[&[u8]], signature: &[u8; 64]) -> bool {
    VerifyingKey(*key)
        .verify(&parts.concat(), &Signature(*signature))
        .is_ok()
}

/// The ML-KEM-768 key of a seed.
#[must_use]
pub fn kem_public(seed: &[u8; 64]) -> Vec<u8> {
    let pair = KemKeyPair::from_seed(&Secret::new(*seed));
    pair.public().as_bytes().to_vec()
}

/// The ML-KEM-768 key of a seed in two parts: `ek_vector`, `ek_seed` (§10.2).
///
/// # Errors
/// None.
pub fn kem_parts(seed: &[u8; 64]) -> Answer<(Vec<u8>, Bytes32)> {
    let mut vector = kem_public(seed);
    let ek_seed = array(&vector.split_off(1_152))?;
    Ok((vector, ek_seed))
}

/// CT and SS.
///
/// # Errors
/// `Malformed` for a key that fails the modulus check.
pub fn encapsulate(key: &[u8], m: &Bytes32) -> Answer<(Vec<u8>, Bytes32)> {
    let key = KemPublic::from_bytes(&array(key)?).map_err(|_| error("Malformed"))?;
    let (ciphertext, shared) = key.encapsulate(&Secret::new(*m));
    Ok((ciphertext.to_vec(), *shared.expose()))
}

/// SS of a ciphertext.
///
/// # Errors
/// `Malformed` for a ciphertext of another length.
pub fn decapsulate(seed: &[u8; 64], ciphertext: &[u8]) -> Answer<Bytes32> {
    let pair = KemKeyPair::from_seed(&Secret::new(*seed));
    Ok(*pair.decapsulate(&array(ciphertext)?).expose())
}

/// `IKs || IKd || sig_id` (§6.2), whatever IKd is.
///
/// # Errors
/// None with the present primitives.
pub fn signed_identity(seed: &Bytes32, ikd: &Bytes32) -> Answer<Vec<u8>> {
    let iks = verifying_key(seed);
    let signature = sign(seed, &[&label("identity"), &iks, ikd])?;
    Ok([&iks[..], ikd, &signature].concat())
}

/// What the Diffie-Hellman operations and the encapsulation of an agreement gave (§7.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// `DH1`
    pub dh1: Bytes32,
    /// `DH2`
    pub dh2: Bytes32,
    /// `DH3`
    pub dh3: Bytes32,
    /// `DH4`
    pub dh4: Option<Bytes32>,
    /// `SS`
    pub ss: Bytes32,
}

impl Shares {
    /// `Kid` (§7.3).
    #[must_use]
    pub fn identity_key(&self, th1: &Bytes32) -> Bytes32 {
        let prk = hmac(&Z, &[&F, &self.dh2, &self.dh3, self.dh4(), &self.ss]);
        expand(&prk, &[&label("id"), th1])
    }

    /// `SK` (§7.4).
    #[must_use]
    pub fn shared_key(&self) -> Bytes32 {
        hmac(
            &Z,
            &[&F, &self.dh1, &self.dh2, &self.dh3, self.dh4(), &self.ss],
        )
    }

    fn dh4(&self) -> &[u8] {
        self.dh4.as_ref().map_or(&[], |dh4| dh4)
    }
}

/// `RK0`, `HKa`, `NHKb`, `PQ0`, `BA` (§9.1).
///
/// # Errors
/// None.
pub fn initial_keys(sk: &Bytes32, sid: &Bytes32) -> Answer<[Bytes32; 5]> {
    let keys: [u8; 160] = expand(sk, &[&label("session"), sid]);
    keys.as_chunks()
        .0
        .try_into()
        .map_err(|_| error("Malformed"))
}

/// `RK'`, `CK`, `NHK` (§9.2).
///
/// # Errors
/// None.
pub fn root_step(rk: &Bytes32, dh: &Bytes32) -> Answer<[Bytes32; 3]> {
    thirds(&expand(&hmac(rk, &[dh]), &[&label("root")]))
}

/// `PQROOT`, `S_a[0]`, `S_b[0]` (§10.1).
///
/// # Errors
/// None.
pub fn epoch_start(pq0: &Bytes32) -> Answer<[Bytes32; 3]> {
    thirds(&expand(&hmac(&Z, &[pq0]), &[&label("pq start")]))
}

/// `PQROOT'`, `S_a[e]`, `S_b[e]` (§10.1).
///
/// # Errors
/// None.
pub fn epoch_step(pqroot: &Bytes32, epoch: u32, secret: &Bytes32) -> Answer<[Bytes32; 3]> {
    let prk = hmac(pqroot, &[secret]);
    thirds(&expand(&prk, &[&label("pq epoch"), &epoch.to_be_bytes()]))
}

/// `PCK`, and `S[e]` after it (§10.1-R1).
#[must_use]
pub fn chain_of_epoch(seed: &Bytes32) -> (Bytes32, Bytes32) {
    (hmac(seed, &[&[1]]), hmac(seed, &[&[2]]))
}

fn thirds(bytes: &[u8; 96]) -> Answer<[Bytes32; 3]> {
    let (thirds, _) = bytes.as_chunks();
    thirds.try_into().map_err(|_| error("Malformed"))
}

/// `mk`, `CK'`, `PCK'` (§9.2).
#[must_use]
pub fn chain_step(ck: &Bytes32, pck: &Bytes32) -> (Bytes32, Bytes32, Bytes32) {
    let mk = hmac(&hmac(pck, &[&[1]]), &[&hmac(ck, &[&[1]])]);
    (mk, hmac(ck, &[&[2]]), hmac(pck, &[&[2]]))
}

/// `tag` (§8.2).
#[must_use]
pub fn tag(hk: &Bytes32) -> [u8; 8] {
    expand(hk, &[&label("tag")])
}

/// `hp` (§9.3).
#[must_use]
pub fn header_plaintext(dhs: &Bytes32, n: u32, pn: u32, pq_epoch: u32) -> Vec<u8> {
    let numbers = [n, pn, pq_epoch].map(u32::to_be_bytes);
    [&dhs[..], numbers.as_flattened()].concat()
}

/// `bp` (§9.3) of a length that holds text and frame.
#[must_use]
pub fn body_plaintext(text: &[u8], frame: &[u8], padded: usize) -> Vec<u8> {
    let mut content = [&vector(text), frame].concat();
    content.resize(padded, 0);
    content
}

/// `bp` with the shortest frame there is, padded as a message without symbols.
///
/// # Errors
/// `TooLong` (§9.3-R1).
pub fn body_without_symbols(text: &[u8]) -> Answer<Vec<u8>> {
    super::require(text.len() <= 1_032_187, "TooLong")?;
    let length = vector(text).len().saturating_add(1);
    let padded = padded_length(length).ok_or(error("TooLong"))?;
    Ok(body_plaintext(text, &[0], padded))
}

/// What one message is made from (§9.3): `hp` and `bp` may be anything.
#[derive(Clone, Debug)]
pub struct Message {
    /// `sid`
    pub sid: Bytes32,
    /// `HKs`
    pub hk: Bytes32,
    /// `mk`
    pub mk: Bytes32,
    /// Everything in front of the tag.
    pub prefix: Vec<u8>,
    /// `hp`
    pub hp: Vec<u8>,
    /// `bp`
    pub bp: Vec<u8>,
}

/// A message with every value on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The whole message.
    pub message: Vec<u8>,
    /// `salt`
    pub salt: [u8; 16],
    /// `Kb`, `Nb`
    pub body_key: (Bytes32, [u8; 12]),
    /// `Kh`, `Nh`
    pub header_key: (Bytes32, [u8; 12]),
    /// `H(body)`
    pub body_hash: Bytes32,
}

impl Message {
    /// The message (§9.3).
    ///
    /// # Errors
    /// `Malformed` for a prefix of less than two bytes.
    pub fn seal(&self, r32: &Bytes32) -> Answer<Sealed> {
        let kind: [u8; 2] = array(&self.prefix)?;
        let parts: [&[u8]; 5] = [&label("salt"), r32, &kind, &self.hp, &self.bp];
        let salt = array(&hmac(&self.mk, &parts))?;
        let body_key = body_key(&self.mk, &salt)?;
        let ad: [&[u8]; 4] = [&self.sid, &kind, &salt, &self.hp];
        let body = gcm(&body_key.0, &body_key.1, &self.bp, &ad)?;
        let header_key = header_key(&self.hk, &salt)?;
        let body_hash = hash(&[&body]);
        let tag = tag(&self.hk);
        let ad: [&[u8]; 5] = [&self.sid, &kind, &tag, &salt, &body_hash];
        let ench = gcm(&header_key.0, &header_key.1, &self.hp, &ad)?;
        Ok(Sealed {
            message: [&self.prefix, &tag[..], &salt, &ench, &body].concat(),
            salt,
            body_key,
            header_key,
            body_hash,
        })
    }
}

/// `Kb`, `Nb` (§9.3).
///
/// # Errors
/// None.
pub fn body_key(mk: &Bytes32, salt: &[u8; 16]) -> Answer<(Bytes32, [u8; 12])> {
    key_and_nonce(&expand(mk, &[&label("body"), salt]))
}

/// `Kh`, `Nh` (§9.3).
///
/// # Errors
/// None.
pub fn header_key(hk: &Bytes32, salt: &[u8; 16]) -> Answer<(Bytes32, [u8; 12])> {
    key_and_nonce(&expand(hk, &[&label("head"), salt]))
}

fn key_and_nonce(bytes: &[u8; 44]) -> Answer<(Bytes32, [u8; 12])> {
    let (key, nonce) = bytes.split_first_chunk().ok_or(error("Malformed"))?;
    Ok((*key, array(nonce)?))
}

/// What a container is made for (§12.1).
#[derive(Clone, Debug)]
pub struct Container {
    /// The number of the kind.
    pub kind: u16,
    /// The version of the kind's encoding.
    pub version: u16,
    /// The store's key of the value.
    pub store_key: Vec<u8>,
    /// The generation of the store.
    pub generation: u64,
    /// The app's key.
    pub app_key: Bytes32,
}

/// A container with every value on the way.
#[derive(Clone, Debug)]
pub struct Exported {
    /// `K`
    pub key: Bytes32,
    /// `N`
    pub nonce: [u8; 12],
    /// `commit`
    pub commit: Bytes32,
    /// The associated data.
    pub ad: Vec<u8>,
    /// The whole container.
    pub exported: Vec<u8>,
}

impl Container {
    /// The container of a plaintext.
    ///
    /// # Errors
    /// `TooLong` for a store key of more than 1,024 bytes.
    pub fn seal(&self, salt: &Bytes32, plaintext: &[u8]) -> Answer<Exported> {
        super::require(self.store_key.len() <= 1_024, "TooLong")?;
        let (kind, version) = (self.kind.to_be_bytes(), self.version.to_be_bytes());
        let front = [&b"SRS1"[..], &kind, &version].concat();
        let prk = hmac(salt, &[&self.app_key]);
        let keys: [u8; 76] = expand(&prk, &[&label("export"), &kind, &version]);
        let (key, rest) = keys.split_first_chunk().ok_or(error("Malformed"))?;
        let (nonce, commit) = rest.split_first_chunk().ok_or(error("Malformed"))?;
        let ad = [
            &front,
            &vector(&self.store_key),
            &self.generation.to_be_bytes()[..],
        ]
        .concat();
        let sealed = gcm(key, nonce, plaintext, &[&ad])?;
        Ok(Exported {
            key: *key,
            nonce: *nonce,
            commit: array(commit)?,
            exported: [&front, &salt[..], commit, &sealed].concat(),
            ad,
        })
    }
}
