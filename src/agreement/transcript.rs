//! The hashes and keys of one agreement, the same computation on both sides (SPEC §7.3, §7.4).
//!
//! ```text
//! th1 = H(L("th1") || suite || vec(addr_B) || IKs_B || IKd_B || spk.id || SPK || kem.id || last_resort || KEK
//!         || has_opk || [opk.id || OPK] || EK || CT)
//! Kid = Expand(Extract(Z, F || DH2 || DH3 || [DH4] || SS), L("id") || th1, 32)
//! encid = GCM(Kid, 0^12, idpt, th1)
//! th2 = H(L("th2") || th1 || encid || idpt)
//! SK  = Extract(Z, F || DH1 || DH2 || DH3 || [DH4] || SS)
//! ```

use zeroize::Zeroizing;

use super::Error;
use super::bundle::{KemPrekey, OneTimePrekey, SignedPrekey};
use super::limits::{CREATED_AT_MAX, SUITE};
use crate::crypto::aead::{Aes256Gcm, NONCE, TAG};
use crate::crypto::dh::{DhPoint, DhPublic};
use crate::crypto::hash::{expand, extract, sha256};
use crate::crypto::kem::KEM_CIPHERTEXT;
use crate::crypto::{Secret, SharedSecret, labels};
use crate::identity::{
    ADDRESS_MAX, Address, DeviceIdentity, Identity, SignedIdentity, VerifiedKeys,
};
use crate::padding::require_zeros;
use crate::wire::{Reader, Writer};

/// Bytes of `idpt`: `IKs_A || IKd_A || sig_id_A || u64 created_at || u8 len || addr_A || zeros`.
pub(crate) const IDENTITY_PLAINTEXT: usize = 184;

/// Bytes of `encid`.
pub(crate) const ENCRYPTED_IDENTITY: usize = IDENTITY_PLAINTEXT + TAG;

/// `F`: keeps the input of the KDF apart from any XEdDSA use of the same keys, as in X3DH §2.2.
const F: [u8; 32] = [0xff; 32];
/// `Z`: the salt of both extractions.
const Z: [u8; 32] = [0; 32];
/// `Kid` encrypts one plaintext in its life.
const IDENTITY_NONCE: [u8; NONCE] = [0; NONCE];

/// `th1`, the hash over all public keys.
pub(crate) struct Transcript {
    pub(crate) th1: [u8; 32],
}

impl Transcript {
    pub(crate) fn new(
        responder: &Identity,
        signed: &SignedPrekey,
        kem: &KemPrekey,
        one_time: Option<&OneTimePrekey>,
        ephemeral: &DhPublic,
        ciphertext: &[u8; KEM_CIPHERTEXT],
    ) -> Self {
        let mut writer = Writer::with_capacity(2_600);
        writer.bytes(labels::TH1).u16(SUITE);
        responder.address().write(&mut writer);
        writer
            .bytes(responder.keys().signing_key().as_bytes())
            .bytes(responder.keys().dh_key().as_bytes())
            .u32(signed.id)
            .bytes(signed.key.as_bytes())
            .u32(kem.id)
            .flag(kem.last_resort)
            .bytes(kem.key.as_bytes())
            .flag(one_time.is_some());
        if let Some(key) = one_time {
            writer.u32(key.id).bytes(key.key.as_bytes());
        }
        writer.bytes(ephemeral.as_bytes()).bytes(ciphertext);
        Self {
            th1: sha256(&[writer.as_bytes()]),
        }
    }

    /// Encrypts the initiator's identity.
    pub(crate) fn seal_identity(
        &self,
        secrets: &Secrets,
        plaintext: &[u8; IDENTITY_PLAINTEXT],
    ) -> Result<[u8; ENCRYPTED_IDENTITY], Error> {
        let key = secrets.identity_key(&self.th1);
        let mut encrypted = [0; ENCRYPTED_IDENTITY];
        let (text, tag) = encrypted
            .split_last_chunk_mut::<TAG>()
            .ok_or(Error::Malformed)?;
        text.copy_from_slice(plaintext);
        *tag = Aes256Gcm::seal(key.expose(), &IDENTITY_NONCE, &self.th1, text)?;
        Ok(encrypted)
    }

    /// Decrypts the initiator's identity.
    pub(crate) fn open_identity(
        &self,
        secrets: &Secrets,
        encrypted: &[u8; ENCRYPTED_IDENTITY],
    ) -> Result<Zeroizing<[u8; IDENTITY_PLAINTEXT]>, Error> {
        let key = secrets.identity_key(&self.th1);
        let (text, tag) = encrypted
            .split_first_chunk::<IDENTITY_PLAINTEXT>()
            .ok_or(Error::Malformed)?;
        let tag = tag.first_chunk::<TAG>().ok_or(Error::Malformed)?;
        let mut plaintext = Zeroizing::new(*text);
        Aes256Gcm::open(
            key.expose(),
            &IDENTITY_NONCE,
            &self.th1,
            plaintext.as_mut_slice(),
            tag,
        )?;
        Ok(plaintext)
    }

    /// The result of the agreement: `SK` and `th2`.
    pub(crate) fn finish(
        &self,
        secrets: &Secrets,
        encrypted: &[u8; ENCRYPTED_IDENTITY],
        plaintext: &[u8; IDENTITY_PLAINTEXT],
    ) -> SharedSecret {
        let th2 = sha256(&[labels::TH2, &self.th1, encrypted, plaintext]);
        SharedSecret::new(secrets.shared_key(), th2)
    }
}

/// What the Diffie-Hellman operations and the encapsulation gave.
pub(crate) struct Secrets {
    /// (IKd_A, SPK): the only one that authenticates the initiator.
    pub(crate) dh1: Option<Secret<32>>,
    /// (EK, IKd_B)
    pub(crate) dh2: Secret<32>,
    /// (EK, SPK)
    pub(crate) dh3: Secret<32>,
    /// (EK, OPK)
    pub(crate) dh4: Option<Secret<32>>,
    /// The KEM's shared secret.
    pub(crate) ss: Secret<32>,
}

impl Secrets {
    /// `Kid`, from all secrets that need no sender identity (SPEC §7.3-R2).
    pub(crate) fn identity_key(&self, th1: &[u8; 32]) -> Secret<32> {
        expand(self.extract(None).expose(), &[labels::ID, th1])
    }

    /// `SK`, in PQXDH's own order (SPEC §7.4-R2).
    pub(crate) fn shared_key(&self) -> Secret<32> {
        self.extract(self.dh1.as_ref())
    }

    fn extract(&self, dh1: Option<&Secret<32>>) -> Secret<32> {
        const NOTHING: &[u8] = &[];
        let optional =
            |secret: Option<&'_ Secret<32>>| Zeroizing::new(secret.map(|secret| *secret.expose()));
        let (dh1, dh4) = (optional(dh1), optional(self.dh4.as_ref()));
        extract(
            &Z,
            &[
                &F,
                dh1.as_ref().map_or(NOTHING, |bytes| bytes),
                self.dh2.expose(),
                self.dh3.expose(),
                dh4.as_ref().map_or(NOTHING, |bytes| bytes),
                self.ss.expose(),
            ],
        )
    }
}

/// Writes `idpt`.
pub(crate) fn identity_plaintext(
    initiator: &DeviceIdentity,
    created_at: u64,
) -> Result<Zeroizing<[u8; IDENTITY_PLAINTEXT]>, Error> {
    let (length, address) = initiator.public().address().padded();
    let mut writer = Writer::with_capacity(IDENTITY_PLAINTEXT);
    initiator.write_signed(&mut writer);
    writer.u64(created_at).u8(length).bytes(address);
    let bytes = Zeroizing::new(writer.into_bytes());
    let plaintext = bytes.first_chunk().ok_or(Error::Malformed)?;
    Ok(Zeroizing::new(*plaintext))
}

/// Reads and verifies `idpt`: who begins, the prepared `IKd`, and when (SPEC §7.5-R5).
pub(crate) fn read_identity(
    plaintext: &[u8; IDENTITY_PLAINTEXT],
) -> Result<(Identity, DhPoint, u64), Error> {
    let mut reader = Reader::new(plaintext);
    let signed = SignedIdentity::read(&mut reader)?;
    let created_at = reader.u64()?;
    let length = usize::from(reader.u8()?);
    let padded: &[u8; ADDRESS_MAX] = reader.array()?;
    reader.finish()?;
    let (address, padding) = padded.split_at_checked(length).ok_or(Error::Malformed)?;
    let address = Address::new(address)?;
    require_zeros(padding).map_err(|_| Error::Malformed)?;
    if created_at > CREATED_AT_MAX {
        return Err(Error::Malformed);
    }
    let VerifiedKeys { keys, dh_point, .. } = signed.verify()?;
    Ok((Identity { address, keys }, dh_point, created_at))
}
