//! The Braid's intermediate values (SPEC §10).

use alloc::vec;
use alloc::vec::Vec;

use super::given::Given;
use crate::crypto::Secret;
use crate::crypto::kem::{KemKeyPair, KemPublic, encapsulate_first};
use crate::ratchet::braid::authenticator::{Authenticator, epoch_secret};
use crate::ratchet::braid::code::{self, Decoder, SYMBOL};
use crate::ratchet::braid::frame::OutgoingRun;
use crate::ratchet::braid::object::Object;
use crate::ratchet::braid::{Braid, Frame, Outcome, Outgoing};
use crate::ratchet::epochs::{EpochRoot, EpochSeeds};
use crate::session::Error;
use crate::wire::{Reader, Writer};

/// `PQROOT`, `S_a`, `S_b` of epoch 0 (SPEC §10.1).
#[must_use]
pub fn epoch_start(pq0: [u8; 32]) -> [[u8; 32]; 3] {
    triple(&EpochRoot::start(&Secret::new(pq0)))
}

/// `PQROOT'`, `S_a`, `S_b` of a later epoch, from `PQROOT` and `secret_e` (SPEC §10.1).
#[must_use]
pub fn epoch_step(root: [u8; 32], epoch: u32, secret: [u8; 32]) -> [[u8; 32]; 3] {
    triple(&EpochRoot::new(Secret::new(root)).step(epoch, &Secret::new(secret)))
}

fn triple((root, seeds): &(EpochRoot, EpochSeeds)) -> [[u8; 32]; 3] {
    [
        *root.expose(),
        *seeds.initiator.expose(),
        *seeds.responder.expose(),
    ]
}

/// `secret_e` (SPEC §10.2).
#[must_use]
pub fn secret(epoch: u32, shared: [u8; 32]) -> [u8; 32] {
    *epoch_secret(epoch, &Secret::new(shared)).expose()
}

/// `AR'`, `AM'` of `update(e, k)` (SPEC §10.2).
#[must_use]
pub fn update(root: [u8; 32], epoch: u32, key: [u8; 32]) -> [[u8; 32]; 2] {
    let next = authenticator(root, [0; 32]).update(epoch, &Secret::new(key));
    [*next.root.expose(), *next.mac.expose()]
}

/// The MAC of `hdr` under `AM` (SPEC §10.2).
#[must_use]
pub fn header_mac(mac_key: [u8; 32], epoch: u32, seed: [u8; 32], hash: [u8; 32]) -> [u8; 32] {
    authenticator([0; 32], mac_key).header(epoch, &seed, &hash)
}

/// The MAC of `ct2` under `AM` (SPEC §10.2).
#[must_use]
pub fn ciphertext_mac(mac_key: [u8; 32], epoch: u32, ct1: &[u8], ct2: &[u8]) -> [u8; 32] {
    authenticator([0; 32], mac_key).ciphertext(epoch, &[ct1, ct2])
}

const fn authenticator(root: [u8; 32], mac: [u8; 32]) -> Authenticator {
    Authenticator {
        root: Secret::new(root),
        mac: Secret::new(mac),
    }
}

/// The public parts of a key pair: `ek_seed`, `H3(ek)`, `ek_vector`.
#[must_use]
pub fn key_parts(seed: [u8; 64]) -> ([u8; 32], [u8; 32], Vec<u8>) {
    let pair = KemKeyPair::from_seed(&Secret::new(seed));
    let public = pair.public();
    (*public.seed(), pair.public_hash(), public.vector().to_vec())
}

/// `ct1` and `SS` (SPEC §10.2).
#[must_use]
pub fn encapsulate_1(seed: [u8; 32], hash: [u8; 32], m: [u8; 32]) -> (Vec<u8>, [u8; 32]) {
    let (ct1, shared) = encapsulate_first(&seed, &hash, &Secret::new(m));
    (ct1.to_vec(), *shared.expose())
}

/// `ct2`, 128 bytes, once the vector is there.
///
/// # Errors
/// [`Error::Malformed`] for a vector that is not `hash`'s, or not a key.
pub fn encapsulate_2(
    seed: [u8; 32],
    hash: [u8; 32],
    vector: &[u8],
    m: [u8; 32],
) -> Result<Vec<u8>, Error> {
    let vector = vector.try_into().map_err(|_| Error::Malformed)?;
    let public = KemPublic::from_parts(vector, &seed, &hash).map_err(|_| Error::Malformed)?;
    let (ciphertext, _) = public.encapsulate(&Secret::new(m));
    Ok(ciphertext.iter().skip(960).copied().collect())
}

/// `count` symbols of an object, those from `first` on (SPEC §10.3).
#[must_use]
pub fn symbols(object: &[u8], first: u16, count: u8) -> Vec<u8> {
    let mut run = vec![0; usize::from(count).saturating_mul(SYMBOL)];
    code::write_run(object, first, &mut run);
    run
}

/// The object of `k` symbols from symbols with their indices; `None` while there are fewer than `k` of them.
///
/// # Errors
/// [`Error::Malformed`] if one index has two values.
pub fn decode(k: u8, symbols: &[IndexedSymbol]) -> Result<Option<Vec<u8>>, Error> {
    let mut decoder = Decoder::new(usize::from(k));
    for (index, symbol) in symbols {
        decoder
            .insert(*index, symbol)
            .map_err(|_| Error::Malformed)?;
    }
    Ok(decoder.object())
}

/// A frame by its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameParts {
    /// `ack`
    pub ack: bool,
    /// `delta`
    pub delta: bool,
    /// Type, object, `first` and `count`.
    pub run: Option<(u8, Vec<u8>, u16, u8)>,
}

impl FrameParts {
    pub(super) fn outgoing(&self) -> Result<Outgoing<'_>, Error> {
        let run = match &self.run {
            None => None,
            Some((number, bytes, first, count)) => Some(OutgoingRun {
                object: Object::from_number(*number).ok_or(Error::Malformed)?,
                bytes,
                first: *first,
                count: *count,
            }),
        };
        Ok(Outgoing {
            ack: self.ack,
            delta: self.delta,
            run,
        })
    }
}

/// A symbol with its index.
pub type IndexedSymbol = (u16, [u8; 16]);

/// A frame as it was read (SPEC §10.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameFields {
    /// `ack`
    pub ack: bool,
    /// `delta`
    pub delta: u32,
    /// Type, and the symbols with their indices.
    pub run: Option<(u8, Vec<IndexedSymbol>)>,
    /// Bytes behind the frame.
    pub rest: Vec<u8>,
}

/// Reads a frame from the front of `bytes`.
///
/// # Errors
/// [`Error::Malformed`].
pub fn read_frame(bytes: &[u8]) -> Result<FrameFields, Error> {
    let mut reader = Reader::new(bytes);
    let frame = Frame::read(&mut reader)?;
    Ok(FrameFields {
        ack: frame.ack,
        delta: frame.delta,
        run: frame.run.map(|run| {
            let symbols = run.symbols().map(|(index, symbol)| (index, *symbol));
            (run.object.number(), symbols.collect())
        }),
        rest: reader.rest().to_vec(),
    })
}

/// The Braid of one state (SPEC §10.5).
pub struct Exchange(Braid);

/// What a message takes along (SPEC §10.6).
pub struct Sent {
    /// Length of the padded content.
    pub padded: usize,
    /// The frame, without padding.
    pub frame: Vec<u8>,
    /// `S_a` and `S_b` of the epoch that was taken in, if one was.
    pub emitted: Option<[[u8; 32]; 2]>,
}

/// What a frame led to (SPEC §10.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing that concerns the message keys.
    Quiet,
    /// `S_a` and `S_b` of the epoch that was taken in.
    Emitted([[u8; 32]; 2]),
    /// The exchange is broken.
    Broken,
}

impl Exchange {
    /// Epoch 1, from `PQ0` and `BA`.
    #[must_use]
    pub fn start(pq0: [u8; 32], key: [u8; 32], initiator: bool) -> Self {
        let (root, _) = EpochRoot::start(&Secret::new(pq0));
        Self(Braid::start(root, &Secret::new(key), initiator))
    }

    /// The stored form (SPEC §12.4).
    ///
    /// # Errors
    /// None for an exchange that the library made.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::new();
        self.0.write(&mut writer)?;
        Ok(writer.into_bytes())
    }

    /// Reads a stored form.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let braid = Braid::read(&mut reader)?;
        reader.finish().map_err(|_| Error::Malformed)?;
        Ok(Self(braid))
    }

    /// Our own epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.0.epoch()
    }

    /// Sends a message of `text` bytes in a chain of epoch `chain`, with the seed or m given if one is due.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Rng`].
    pub fn send(&mut self, text: &[u8], chain: u32, given: &mut Given) -> Result<Sent, Error> {
        let content = crate::ratchet::content_length(text);
        let placement = self.0.place(content, given)?;
        self.0.prepare();
        let outgoing = self.0.outgoing(&placement, self.0.chain_epoch() > chain);
        let mut frame = vec![0; outgoing.length()];
        outgoing.write(&mut frame);
        let padded = placement.padded;
        let emitted = self.0.placed(placement).as_ref().map(pair);
        Ok(Sent {
            padded,
            frame,
            emitted,
        })
    }

    /// Takes a frame that came in a chain of epoch `chain`; our own epoch may become at most `highest`.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a frame that is none.
    pub fn receive(&mut self, chain: u32, frame: &[u8], highest: u32) -> Result<Received, Error> {
        let mut reader = Reader::new(frame);
        let frame = Frame::read(&mut reader)?;
        reader.finish().map_err(|_| Error::Malformed)?;
        let epoch = chain.saturating_add(1).saturating_add(frame.delta);
        Ok(match self.0.receive(epoch, &frame, highest) {
            Outcome::Quiet => Received::Quiet,
            Outcome::Emitted(seeds) => Received::Emitted(pair(&seeds)),
            Outcome::Broke => Received::Broken,
        })
    }

    /// The turn becomes ours.
    pub const fn end_chain(&mut self) {
        self.0.end_chain();
    }
}

fn pair(seeds: &EpochSeeds) -> [[u8; 32]; 2] {
    [*seeds.initiator.expose(), *seeds.responder.expose()]
}
