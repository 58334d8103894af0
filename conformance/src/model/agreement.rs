//! Bundles and key agreement (SPEC.md §7.2 to §7.5).

use subrosa::crypto::kem::KemPublic;
use subrosa::wire::Reader;

use super::formula::{
    Bytes32, Shares, decapsulate, dh, encapsulate, gcm, hash, is_canonical, is_prime_order,
    kem_public, label, open_gcm, public, sign, signed_identity, vector, verifies, verifying_key,
};
use super::prekeys::Used;
use super::stored::Prekeys;
use super::{Answer, array, error, require};

/// Bytes of a prefix.
pub const PREFIX: usize = 1_337;

/// `suite`
const SUITE: [u8; 2] = [0, 1];

/// A device as others know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The address.
    pub address: Vec<u8>,
    /// `IKs`
    pub iks: Bytes32,
    /// `IKd`
    pub ikd: Bytes32,
}

/// A device's own secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The address.
    pub address: Vec<u8>,
    /// `IKs.seed`
    pub seed: Bytes32,
    /// `IKd.secret`
    pub secret: Bytes32,
}

impl Secrets {
    /// What others know of the device.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            address: self.address.clone(),
            iks: verifying_key(&self.seed),
            ikd: public(&self.secret),
        }
    }

    /// §6.2-R4.
    fn require_other(&self, peer: &Identity) -> Answer<()> {
        let own = self.identity();
        require(own.iks != peer.iks && own.ikd != peer.ikd, "OwnIdentity")
    }

    /// `idpt` of this device.
    ///
    /// # Errors
    /// None with the present primitives.
    pub fn identity_plaintext(&self, created_at: u64) -> Answer<Vec<u8>> {
        let signed = signed_identity(&self.seed, &public(&self.secret))?;
        let length = u8::try_from(self.address.len()).unwrap_or(u8::MAX);
        Ok(identity_plaintext(
            &signed,
            created_at,
            length,
            &self.address,
        ))
    }
}

/// `idpt` of anything (§7.3).
#[must_use]
pub fn identity_plaintext(signed: &[u8], created_at: u64, length: u8, address: &[u8]) -> Vec<u8> {
    let mut plaintext = [signed, &created_at.to_be_bytes(), &[length], address].concat();
    plaintext.resize(184, 0);
    plaintext
}

/// The keys of one bundle, private halves and all.
#[derive(Clone, Debug)]
pub struct Published {
    /// Id, private half, `not_after`.
    pub spk: (u32, Bytes32, u64),
    /// Id, seed, `not_after`, `last_resort`.
    pub kem: (u32, [u8; 64], u64, bool),
    /// Id, private half.
    pub opk: Option<(u32, Bytes32)>,
}

/// A bundle, and what its signatures sign.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The bundle.
    pub bundle: Vec<u8>,
    /// What SPK's signature signs.
    pub spk_signed: Vec<u8>,
    /// What the KEM key's signature signs.
    pub kem_signed: Vec<u8>,
}

impl Published {
    /// The bundle of a device with these keys (§7.2).
    ///
    /// # Errors
    /// None with the present primitives.
    pub fn bundle(&self, secrets: &Secrets) -> Answer<Encoded> {
        let Secrets {
            address,
            seed,
            secret,
        } = secrets;
        let (spk_id, spk, spk_until) = &self.spk;
        let (kem_id, kem, kem_until, last_resort) = &self.kem;
        let parts = Parts {
            identity: signed_identity(seed, &public(secret))?,
            address: address.clone(),
            spk: (*spk_id, public(spk), *spk_until),
            kem: (*kem_id, *last_resort, *kem_until, kem_public(kem)),
            opk: self.opk.map(|(id, opk)| (id, public(&opk))),
        };
        parts.sign(seed)
    }
}

/// The public parts of a bundle, unsigned.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The address.
    pub address: Vec<u8>,
    /// `IKs || IKd || sig_id`
    pub identity: Vec<u8>,
    /// Id, key, `not_after`.
    pub spk: (u32, Bytes32, u64),
    /// Id, `last_resort`, `not_after`, key.
    pub kem: (u32, bool, u64, Vec<u8>),
    /// Id, key.
    pub opk: Option<(u32, Bytes32)>,
}

impl Parts {
    /// The bundle, its prekeys signed by the key of `seed`.
    ///
    /// # Errors
    /// None with the present primitives.
    pub fn sign(&self, seed: &Bytes32) -> Answer<Encoded> {
        let iks = self.identity.get(..32).unwrap_or_default();
        let (spk_id, spk, spk_until) = &self.spk;
        let (spk_id, spk_until) = (spk_id.to_be_bytes(), spk_until.to_be_bytes());
        let (kem_id, last_resort, kem_until, kem) = &self.kem;
        let last_resort = [u8::from(*last_resort)];
        let (kem_id, kem_until) = (kem_id.to_be_bytes(), kem_until.to_be_bytes());
        let signed = [&label("spk"), iks, &SUITE, &spk_id, &spk_until, spk].concat();
        let parts: [&[u8]; 7] = [
            &label("kem"),
            iks,
            &SUITE,
            &kem_id,
            &last_resort,
            &kem_until,
            kem,
        ];
        let kem_signed = parts.concat();
        let (signature, kem_signature) = (sign(seed, &[&signed])?, sign(seed, &[&kem_signed])?);
        let parts: [&[u8]; 14] = [
            &SUITE,
            &vector(&self.address),
            &self.identity,
            &spk_id,
            spk,
            &spk_until,
            &signature,
            &kem_id,
            &last_resort,
            &kem_until,
            kem,
            &kem_signature,
            &[self.opk.is_some().into()],
            &self.opk.map_or(Vec::new(), |(id, opk)| {
                [&id.to_be_bytes()[..], &opk].concat()
            }),
        ];
        Ok(Encoded {
            bundle: parts.concat(),
            spk_signed: signed,
            kem_signed,
        })
    }
}

/// A bundle that was verified.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Whose it is.
    pub identity: Identity,
    /// Id and key.
    pub spk: (u32, Bytes32),
    /// Id, `last_resort`, key.
    pub kem: (u32, bool, Vec<u8>),
    /// Id and key.
    pub opk: Option<(u32, Bytes32)>,
    /// `spk.not_after` and `kem.not_after` of a bundle received; the transcript has no place for them.
    pub not_after: Option<[u64; 2]>,
}

/// §6.2-R1 to R3.
///
/// # Errors
/// `Malformed`, `BadSignature`.
pub fn verify_identity(identity: &[u8]) -> Answer<(Bytes32, Bytes32)> {
    let (iks, rest) = identity.split_first_chunk().ok_or(error("Malformed"))?;
    let (ikd, rest) = rest.split_first_chunk().ok_or(error("Malformed"))?;
    let signature = rest.try_into().map_err(|_| error("Malformed"))?;
    require(is_canonical(ikd), "Malformed")?;
    require(
        verifies(iks, &[&label("identity"), iks, ikd], signature),
        "BadSignature",
    )?;
    require(is_prime_order(ikd), "Malformed")?;
    Ok((*iks, *ikd))
}

impl Bundle {
    /// §7.2-R1 to R4.
    ///
    /// # Errors
    /// `Malformed`, `UnknownVersion`, `BadSignature`, `StaleBundle`.
    pub fn verify(bundle: &[u8], now: u64) -> Answer<Self> {
        let read = |_| error("Malformed");
        require(bundle.len() <= 8_192, "Malformed")?;
        let mut reader = Reader::new(bundle);
        require(reader.u16().map_err(read)? == 1, "UnknownVersion")?;
        let address = reader.vector(usize::MAX).map_err(read)?.to_vec();
        require((1..=47).contains(&address.len()), "Malformed")?;
        let identity = reader.take(128).map_err(read)?;
        let spk_id = reader.u32().map_err(read)?;
        let spk: Bytes32 = *reader.array().map_err(read)?;
        require(is_canonical(&spk), "Malformed")?;
        let spk_until = reader.u64().map_err(read)?;
        let spk_signature = *reader.array().map_err(read)?;
        let kem_id = reader.u32().map_err(read)?;
        let last_resort = reader.flag().map_err(read)?;
        let kem_until = reader.u64().map_err(read)?;
        let kem: [u8; 1184] = *reader.array().map_err(read)?;
        require(KemPublic::from_bytes(&kem).is_ok(), "Malformed")?;
        let kem_signature = *reader.array().map_err(read)?;
        let opk = match reader.flag().map_err(read)? {
            false => None,
            true => {
                let id = reader.u32().map_err(read)?;
                let key: Bytes32 = *reader.array().map_err(read)?;
                require(id != 0 && is_canonical(&key), "Malformed")?;
                Some((id, key))
            }
        };
        reader.finish().map_err(read)?;

        let (iks, ikd) = verify_identity(identity)?;
        let (id, until) = (spk_id.to_be_bytes(), spk_until.to_be_bytes());
        let signed: [&[u8]; 6] = [&label("spk"), &iks, &SUITE, &id, &until, &spk];
        require(verifies(&iks, &signed, &spk_signature), "BadSignature")?;
        let (id, until) = (kem_id.to_be_bytes(), kem_until.to_be_bytes());
        let last = [u8::from(last_resort)];
        let signed: [&[u8]; 7] = [&label("kem"), &iks, &SUITE, &id, &last, &until, &kem];
        require(verifies(&iks, &signed, &kem_signature), "BadSignature")?;
        require(now < spk_until && now < kem_until, "StaleBundle")?;
        Ok(Self {
            identity: Identity { address, iks, ikd },
            spk: (spk_id, spk),
            kem: (kem_id, last_resort, kem.to_vec()),
            opk,
            not_after: Some([spk_until, kem_until]),
        })
    }

    /// `th1` (§7.3).
    #[must_use]
    pub fn transcript_hash(&self, ek: &Bytes32, ct: &[u8]) -> Bytes32 {
        let (spk_id, spk) = &self.spk;
        let (kem_id, last_resort, kem) = &self.kem;
        let opk = self.opk.map_or(Vec::new(), |(id, opk)| {
            [&id.to_be_bytes()[..], &opk].concat()
        });
        hash(&[
            &label("th1"),
            &SUITE,
            &vector(&self.identity.address),
            &self.identity.iks,
            &self.identity.ikd,
            &spk_id.to_be_bytes(),
            spk,
            &kem_id.to_be_bytes(),
            &[(*last_resort).into()],
            kem,
            &[self.opk.is_some().into()],
            &opk,
            ek,
            ct,
        ])
    }
}

/// Every value of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// `idpt`
    pub idpt: Vec<u8>,
    /// DH1 to DH4 and SS.
    pub shares: Shares,
    /// `th1`
    pub th1: Bytes32,
    /// `Kid`
    pub kid: Bytes32,
    /// `encid`
    pub encid: Vec<u8>,
    /// `th2`
    pub sid: Bytes32,
    /// `SK`
    pub sk: Bytes32,
}

impl Agreement {
    fn new(idpt: Vec<u8>, shares: Shares, th1: Bytes32, encid: Vec<u8>) -> Self {
        Self {
            kid: shares.identity_key(&th1),
            sid: hash(&[&label("th2"), &th1, &encid, &idpt]),
            sk: shares.shared_key(),
            idpt,
            shares,
            th1,
            encid,
        }
    }
}

/// An initiator, honest or not.
#[derive(Clone, Debug)]
pub struct Initiator {
    /// The private half that DH1 is made with.
    pub secret: Bytes32,
    /// `idpt`
    pub idpt: Vec<u8>,
    /// EK's private half.
    pub ek: Bytes32,
    /// EK as it is sent.
    pub sent_ek: Bytes32,
    /// `m`
    pub m: Bytes32,
}

impl Initiator {
    /// An honest one (§7.3, §7.4).
    ///
    /// # Errors
    /// `OwnIdentity`.
    pub fn honest(
        secrets: &Secrets,
        bundle: &Bundle,
        created_at: u64,
        ek: Bytes32,
        m: Bytes32,
    ) -> Answer<Self> {
        secrets.require_other(&bundle.identity)?;
        Ok(Self {
            secret: secrets.secret,
            idpt: secrets.identity_plaintext(created_at)?,
            ek,
            sent_ek: public(&ek),
            m,
        })
    }

    /// The prefix, and every value.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn initiate(&self, bundle: &Bundle) -> Answer<(Vec<u8>, Agreement)> {
        let (spk_id, spk) = &bundle.spk;
        let (kem_id, _, kem) = &bundle.kem;
        let (ct, ss) = encapsulate(kem, &self.m)?;
        let shares = Shares {
            dh1: dh(&self.secret, spk)?,
            dh2: dh(&self.ek, &bundle.identity.ikd)?,
            dh3: dh(&self.ek, spk)?,
            dh4: bundle.opk.map(|(_, opk)| dh(&self.ek, &opk)).transpose()?,
            ss,
        };
        let th1 = bundle.transcript_hash(&self.sent_ek, &ct);
        let encid = gcm(&shares.identity_key(&th1), &[0; 12], &self.idpt, &[&th1])?;
        let opk_id = bundle.opk.map_or(0, |(id, _)| id);
        let parts: [&[u8]; 9] = [
            &[1, 1],
            &SUITE,
            &spk_id.to_be_bytes(),
            &kem_id.to_be_bytes(),
            &[bundle.opk.is_some().into()],
            &opk_id.to_be_bytes(),
            &self.sent_ek,
            &ct,
            &encid,
        ];
        let prefix = parts.concat();
        let agreement = Agreement::new(self.idpt.clone(), shares, th1, encid);
        Ok((prefix, agreement))
    }
}

/// A prefix split into its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// `spk.id`
    pub spk_id: u32,
    /// `kem.id`
    pub kem_id: u32,
    /// `opk.id`
    pub opk_id: Option<u32>,
    /// `EK`
    pub ek: Bytes32,
    /// `CT`
    pub ct: Vec<u8>,
    /// `encid`
    pub encid: Vec<u8>,
}

impl Prefix {
    /// §7.5-R1, behind the envelope.
    ///
    /// # Errors
    /// `UnknownVersion`, `Malformed`.
    pub fn parse(prefix: &[u8]) -> Answer<Self> {
        let read = |_| error("Malformed");
        let mut reader = Reader::new(prefix);
        reader.take(2).map_err(read)?;
        require(reader.u16().map_err(read)? == 1, "UnknownVersion")?;
        let (spk_id, kem_id) = (reader.u32().map_err(read)?, reader.u32().map_err(read)?);
        let has_opk = reader.flag().map_err(read)?;
        let opk_id = reader.u32().map_err(read)?;
        require(has_opk != (opk_id == 0), "Malformed")?;
        let prefix = Self {
            spk_id,
            kem_id,
            opk_id: has_opk.then_some(opk_id),
            ek: *reader.array().map_err(read)?,
            ct: reader.take(1_088).map_err(read)?.to_vec(),
            encid: reader.take(200).map_err(read)?.to_vec(),
        };
        require(is_canonical(&prefix.ek), "Malformed")?;
        Ok(prefix)
    }

    /// `H(EK)[..16]`
    ///
    /// # Errors
    /// None.
    pub fn first_id(&self) -> Answer<[u8; 16]> {
        array(&hash(&[&self.ek]))
    }
}

/// What a responder learns.
#[derive(Clone, Debug)]
pub struct Response {
    /// Who begins.
    pub peer: Identity,
    /// When.
    pub created_at: u64,
    /// SPK's private half.
    pub spk: Bytes32,
    /// The prekeys used.
    pub used: Used,
    /// Every value.
    pub agreement: Agreement,
}

/// §7.5-R3 to R6, as far as the prefix goes.
///
/// # Errors
/// `PrekeyGone`, `ReplayedFirst`, `ReplayRecordFull`, `Malformed`, `BadSignature`, `OwnIdentity`.
pub fn respond(
    secrets: &Secrets,
    prekeys: &Prekeys,
    prefix: &Prefix,
    now: u64,
) -> Answer<Response> {
    let Prefix {
        spk_id,
        kem_id,
        opk_id,
        ek,
        ct,
        encid,
    } = prefix;
    let found = prekeys.find(*spk_id, *kem_id, *opk_id, prefix.first_id()?, now)?;
    let mut shares = Shares {
        dh1: [0; 32],
        dh2: dh(&secrets.secret, ek)?,
        dh3: dh(&found.spk, ek)?,
        dh4: found.opk.map(|opk| dh(&opk, ek)).transpose()?,
        ss: decapsulate(&found.kem, ct)?,
    };
    let own = Bundle {
        identity: secrets.identity(),
        spk: (*spk_id, public(&found.spk)),
        kem: (*kem_id, found.last_resort, kem_public(&found.kem)),
        opk: opk_id.zip(found.opk.as_ref().map(public)),
        not_after: None,
    };
    let th1 = own.transcript_hash(ek, ct);
    let idpt = open_gcm(&shares.identity_key(&th1), &[0; 12], encid, &[&th1]);
    let idpt = idpt.ok_or(error("Malformed"))?;

    let (identity, rest) = idpt.split_at_checked(128).ok_or(error("Malformed"))?;
    let (created_at, rest) = rest.split_first_chunk().ok_or(error("Malformed"))?;
    let (length, rest) = rest.split_first().ok_or(error("Malformed"))?;
    let split = rest.split_at_checked((*length).into());
    let (address, zeros) = split.ok_or(error("Malformed"))?;
    let created_at = u64::from_be_bytes(*created_at);
    require(!address.is_empty(), "Malformed")?;
    require(zeros.iter().all(|byte| *byte == 0), "Malformed")?;
    require(created_at < 1 << 48, "Malformed")?;
    let (iks, ikd) = verify_identity(identity)?;
    let address = address.to_vec();
    let peer = Identity { address, iks, ikd };
    secrets.require_other(&peer)?;
    shares.dh1 = dh(&found.spk, &ikd)?;
    Ok(Response {
        peer,
        created_at,
        spk: found.spk,
        used: found.used,
        agreement: Agreement::new(idpt.clone(), shares, th1, encid.clone()),
    })
}
