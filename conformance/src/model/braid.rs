//! The ML-KEM Braid (SPEC.md §10).

use subrosa::crypto::kem::KemPublic;
use subrosa::hazmat::braid::encapsulate_1;
use subrosa::padding::padded_length;
use subrosa::wire::Reader;

use super::formula::{
    Bytes32, decapsulate, encapsulate, epoch_start, epoch_step, expand, hmac, kem_parts,
};
use super::keccak::sha3_256;
use super::stored::{Braid, Cursor, Live, Phase};
use super::symbols::{self, Symbol, Taken, take, whole};
use super::{Answer, array, error, require};
use crate::op::Refusal;

const Z: Bytes32 = [0; 32];
const P: &[u8] = b"Subrosa_1_MLKEM768";
/// A body is at most 2^20 bytes, its tag included (§10.6-R2).
const LONGEST: usize = (1 << 20) - 16;

/// `AR'`, `AM'` of `update(e, k)` (§10.2).
///
/// # Errors
/// None.
pub fn update(ar: &Bytes32, epoch: u32, k: &Bytes32) -> Answer<(Bytes32, Bytes32)> {
    let prk = hmac(&Z, &[ar, k]);
    let keys: [u8; 64] = expand(&prk, &[P, b":Authenticator Update", &e(epoch)]);
    let (ar, am) = keys.split_first_chunk().ok_or(error("Malformed"))?;
    Ok((*ar, array(am)?))
}

/// `secret_e` (§10.2).
#[must_use]
pub fn secret(epoch: u32, ss: &Bytes32) -> Bytes32 {
    expand(&hmac(&Z, &[ss]), &[P, b":SCKA Key", &e(epoch)])
}

/// The MAC of `hdr` (§10.2).
#[must_use]
pub fn header_mac(am: &Bytes32, epoch: u32, ek_seed: &Bytes32, h3: &Bytes32) -> Bytes32 {
    hmac(am, &[P, b":ekheader", &e(epoch), ek_seed, h3])
}

/// The MAC of `ct2` (§10.2).
#[must_use]
pub fn ciphertext_mac(am: &Bytes32, epoch: u32, ct1: &[u8], ct2: &[u8]) -> Bytes32 {
    hmac(am, &[P, b":ciphertext", &e(epoch), ct1, ct2])
}

/// The epoch as u64.
fn e(epoch: u32) -> [u8; 8] {
    u64::from(epoch).to_be_bytes()
}

/// `ek_seed`, `H3(ek)` and `ek_vector` of a key pair (§10.2).
///
/// # Errors
/// None.
pub fn key_parts(seed: &[u8; 64]) -> Answer<(Bytes32, Bytes32, Vec<u8>)> {
    let (vector, ek_seed) = kem_parts(seed)?;
    Ok((ek_seed, sha3_256(&[&vector[..], &ek_seed].concat()), vector))
}

/// Number of symbols of an object by its type.
const fn k(number: u8) -> usize {
    match number {
        1 => 6,
        2 => 72,
        3 => 60,
        _ => 10,
    }
}

/// How many symbols p bytes have room for beside a content of c bytes (§10.6-R1).
const fn room(p: usize, c: usize) -> usize {
    p.saturating_sub(c).saturating_sub(3) / 16
}

/// A frame (§10.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BraidFrame {
    /// `ack`
    pub ack: bool,
    /// `delta`
    pub delta: bool,
    /// Type, and symbols with their indices.
    pub run: Option<(u8, Vec<Symbol>)>,
}

impl BraidFrame {
    /// §10.4-R1.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn read(reader: &mut Reader<'_>) -> Answer<Self> {
        let read = |_| error("Malformed");
        let pq = reader.u8().map_err(read)?;
        let number = pq >> 5;
        require(number <= 4 && pq & 0b111 == 0, "Malformed")?;
        let mut frame = Self {
            ack: pq & 0x10 != 0,
            delta: pq & 0x08 != 0,
            run: None,
        };
        if number == 0 {
            return Ok(frame);
        }
        let (first, count) = (reader.u16().map_err(read)?, reader.u8().map_err(read)?);
        let end = u32::from(first).saturating_add(count.into());
        require(count > 0 && end <= 65_536, "Malformed")?;
        let mut run = Vec::new();
        for index in (first..=u16::MAX).take(count.into()) {
            run.push((index, *reader.array().map_err(read)?));
        }
        frame.run = Some((number, run));
        Ok(frame)
    }

    /// The bytes of a frame; indices are those of the first symbol and the ones behind it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let number = self.run.as_ref().map_or(0, |(number, _)| *number);
        let pq = number << 5 | u8::from(self.ack) << 4 | u8::from(self.delta) << 3;
        let mut out = vec![pq];
        if let Some((_, symbols)) = &self.run {
            let first = symbols.first().map_or(0, |(index, _)| *index);
            out.extend(first.to_be_bytes());
            out.push(u8::try_from(symbols.len()).unwrap_or(u8::MAX));
            out.extend(symbols.iter().flat_map(|(_, symbol)| symbol));
        }
        out
    }
}

/// What a message takes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The length of `bp`.
    pub padded: usize,
    /// The frame.
    pub frame: Vec<u8>,
    /// `S_a[e]`, `S_b[e]`, if epoch e was taken in.
    pub emitted: Option<[Bytes32; 2]>,
}

/// What a frame led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing outside of the Braid.
    Quiet,
    /// `S_a[e]`, `S_b[e]`: epoch e was taken in.
    Emitted([Bytes32; 2]),
    /// Broken.
    Broken,
}

/// The value that is drawn when a message is sealed (§10.6-R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// `braid seed`
    Seed,
    /// `braid m`
    M,
}

/// The values that are given for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawn {
    /// `braid seed`
    pub seed: Option<[u8; 64]>,
    /// `braid m`
    pub m: Option<Bytes32>,
}

/// Why the exchange cannot go on: the state becomes Broken.
struct Breach;

impl Braid {
    /// Epoch 1 of a state.
    ///
    /// # Errors
    /// None.
    pub fn start(pq0: &Bytes32, ba: &Bytes32, initiator: bool) -> Answer<Self> {
        let [pqroot, _, _] = epoch_start(pq0)?;
        let (ar, am) = update(&Z, 1, ba)?;
        let phase = match initiator {
            true => Phase::KeysUnsampled,
            false => Phase::NoHeaderReceived { hdr: Vec::new() },
        };
        let live = Live {
            pqroot,
            ar,
            am,
            starved: false,
            phase,
        };
        Ok(Self {
            epoch: 1,
            live: Some(live),
        })
    }

    /// Whether we began the state: the EK side of epoch 1 is the initiator, and the sides change with each epoch.
    #[must_use]
    pub fn is_initiator(&self) -> bool {
        let number = self.live.as_ref().map_or(0, |live| live.phase.number());
        (number <= 4) == (self.epoch % 2 == 1)
    }

    /// The type of the object that there is to send, its cursor, and what has to be drawn for it.
    fn to_send(&self) -> Option<(u8, Cursor, Option<Draw>)> {
        let new = Cursor::default();
        Some(match &self.live.as_ref()?.phase {
            Phase::KeysUnsampled => (1, new, Some(Draw::Seed)),
            Phase::KeysSampled { cursor, .. } => (1, *cursor, None),
            Phase::HeaderSent { cursor, .. } | Phase::Ct1Received { cursor, .. } => {
                (2, *cursor, None)
            }
            Phase::HeaderReceived { .. } => (3, new, Some(Draw::M)),
            Phase::Ct1Sampled { cursor, .. } | Phase::EkReceivedCt1Sampled { cursor, .. } => {
                (3, *cursor, None)
            }
            Phase::Ct2Sampled { cursor, .. } => (4, *cursor, None),
            Phase::EkSentCt1Received { .. }
            | Phase::NoHeaderReceived { .. }
            | Phase::Ct1Acknowledged { .. } => return None,
        })
    }

    /// §10.6-R1, R2: p and n for a content of c bytes.
    fn place(&self, c: usize) -> Answer<(usize, usize)> {
        let starved = self.live.as_ref().is_some_and(|live| live.starved);
        let p = padded_length(c).ok_or(error("TooLong"))?;
        let Some((number, cursor, _)) = self.to_send() else {
            return Ok((p, 0));
        };
        let (k, placed) = (k(number), usize::from(cursor.placed));
        let limit = [
            k + 2,
            (3 * k).saturating_sub(placed),
            65_536 - usize::from(cursor.next),
        ];
        let limit = limit.into_iter().min().unwrap_or_default();
        let longer = padded_length(p.saturating_add(1)).filter(|longer| *longer <= LONGEST);
        match longer {
            Some(longer)
                if room(p, c) == 0
                    && placed < (3 * k).div_ceil(2) + 1
                    && (longer.saturating_sub(p) <= 64 || starved) =>
            {
                Ok((longer, room(longer, c).min(limit)))
            }
            _ => Ok((p, room(p, c).min(limit))),
        }
    }

    /// What a message with a content of c bytes draws (§10.6-R3).
    #[must_use]
    pub fn draws(&self, c: usize) -> Option<Draw> {
        match (self.place(c), self.to_send()) {
            (Ok((_, n)), Some((_, _, draw))) if n > 0 => draw,
            _ => None,
        }
    }

    /// §10.6: c is the length of `vec(text)` and the frame's first byte, `e_s` the epoch of the sending chain.
    ///
    /// # Errors
    /// `TooLong`; `Rng` if a value is missing.
    pub fn send(&mut self, c: usize, e_s: u32, drawn: Drawn) -> Answer<Sent> {
        let (padded, n) = self.place(c)?;
        let (due, has_object) = (self.draws(c), self.to_send().is_some());
        if (drawn.seed.is_some() && due != Some(Draw::Seed))
            || (drawn.m.is_some() && due != Some(Draw::M))
        {
            return Err(Refusal::Invalid(
                "nothing is drawn for the Braid".to_owned(),
            ));
        }
        let delta = self.epoch.saturating_sub(1).saturating_sub(e_s);
        let mut frame = BraidFrame {
            ack: false,
            delta: delta == 1,
            run: None,
        };
        require(delta <= 1, "Malformed")?;
        let mut emitted = None;
        if let Some(live) = &mut self.live {
            // R4
            if has_object {
                live.starved = n == 0 && room(padded, c) == 0;
            }
            if n > 0 {
                emitted = live.sample(self.epoch, drawn)?;
            }
            frame.ack = matches!(
                live.phase,
                Phase::Ct1Received { .. } | Phase::EkSentCt1Received { .. }
            );
            if let Some((number, object)) = live.object()?.filter(|_| n > 0)
                && let Some(cursor) = live.phase.cursor_mut()
            {
                let indices = cursor.next..=u16::MAX;
                let run = indices.zip(symbols::run(&object, cursor.next, n)).collect();
                frame.run = Some((number, run));
                // n is at most 74.
                let n = u8::try_from(n).unwrap_or(u8::MAX);
                cursor.next = cursor.next.wrapping_add(n.into());
                cursor.placed = cursor.placed.saturating_add(n);
            }
        }
        Ok(Sent {
            padded,
            frame: frame.encode(),
            emitted,
        })
    }

    /// The turn becomes ours (§10.5).
    pub const fn end_chain(&mut self) {
        if let Some(live) = &mut self.live
            && let Some(cursor) = live.phase.cursor_mut()
        {
            cursor.placed = 0;
        }
    }

    /// §10.7: a frame that came in a chain of epoch `pq_epoch`, while `e_s` is the epoch of the sending chain, if there
    /// is one.
    ///
    /// # Errors
    /// None: what is wrong with a frame leads to Broken.
    pub fn receive(
        &mut self,
        pq_epoch: u32,
        frame: &BraidFrame,
        e_s: Option<u32>,
    ) -> Answer<Received> {
        let f = u64::from(pq_epoch) + 1 + u64::from(frame.delta);
        let own = u64::from(self.epoch);
        // R1
        let Some(live) = self.live.as_mut().filter(|_| f >= own) else {
            return Ok(Received::Quiet);
        };
        // R8
        let next = self.epoch.checked_add(1).filter(|next| {
            *next != u32::MAX && e_s.is_none_or(|e_s| *next <= e_s.saturating_add(2))
        });
        let taken = if f == own {
            live.take(self.epoch, frame, next)?
        } else if f == own + 1 && matches!(live.phase, Phase::Ct2Sampled { .. }) {
            live.phase = Phase::KeysUnsampled;
            next.ok_or(Breach).map(|next| (next, Received::Quiet))
        } else {
            Err(Breach)
        };
        match taken {
            Ok((epoch, received)) => {
                self.epoch = epoch;
                Ok(received)
            }
            Err(Breach) => {
                self.live = None;
                Ok(Received::Broken)
            }
        }
    }
}

/// The epoch afterwards, and what came of a frame.
type Step = Result<(u32, Received), Breach>;

impl Live {
    /// §10.6-R3: the states that draw go on.
    fn sample(&mut self, epoch: u32, drawn: Drawn) -> Answer<Option<[Bytes32; 2]>> {
        let cursor = Cursor::default();
        match self.phase.clone() {
            Phase::KeysUnsampled => {
                let seed = drawn.seed.ok_or(error("Rng"))?;
                let (ek_seed, h3, _) = key_parts(&seed)?;
                let mac = header_mac(&self.am, epoch, &ek_seed, &h3);
                let hdr = array([ek_seed, h3, mac].as_flattened())?;
                self.phase = Phase::KeysSampled { seed, hdr, cursor };
                Ok(None)
            }
            Phase::HeaderReceived { ek_seed, h3 } => {
                let m = drawn.m.ok_or(error("Rng"))?;
                let (_, ss) = encapsulate_1(ek_seed, h3, m);
                self.phase = Phase::Ct1Sampled {
                    ek_seed,
                    h3,
                    m,
                    ek: Vec::new(),
                    cursor,
                };
                self.take_in(epoch, &ss).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `update(e, secret_e)`, and epoch e is taken in (§10.1).
    fn take_in(&mut self, epoch: u32, ss: &Bytes32) -> Answer<[Bytes32; 2]> {
        let secret = secret(epoch, ss);
        (self.ar, self.am) = update(&self.ar, epoch, &secret)?;
        let [pqroot, s_a, s_b] = epoch_step(&self.pqroot, epoch, &secret)?;
        self.pqroot = pqroot;
        Ok([s_a, s_b])
    }

    /// The object that is sent, with its type.
    fn object(&self) -> Answer<Option<(u8, Vec<u8>)>> {
        Ok(Some(match &self.phase {
            Phase::KeysSampled { hdr, .. } => (1, hdr.to_vec()),
            Phase::HeaderSent { seed, .. } | Phase::Ct1Received { seed, .. } => {
                (2, key_parts(seed)?.2)
            }
            Phase::Ct1Sampled { ek_seed, h3, m, .. } => (3, encapsulate_1(*ek_seed, *h3, *m).0),
            Phase::EkReceivedCt1Sampled { ct1, .. } => (3, ct1.to_vec()),
            Phase::Ct2Sampled { ct2, .. } => (4, ct2.to_vec()),
            _ => return Ok(None),
        }))
    }

    /// A frame of our own epoch (§10.7-R2 to R7). `next` is the epoch that a step may lead to.
    fn take(&mut self, epoch: u32, frame: &BraidFrame, next: Option<u32>) -> Answer<Step> {
        let mut step = Ok((epoch, Received::Quiet));
        if let Some((number, run)) = &frame.run {
            step = self.take_symbols(epoch, *number, run, next)?;
        }
        // R6
        if frame.ack {
            match self.phase.clone() {
                Phase::Ct1Sampled {
                    ek_seed, h3, m, ek, ..
                } => {
                    self.phase = Phase::Ct1Acknowledged { ek_seed, h3, m, ek };
                }
                Phase::EkReceivedCt1Sampled { ct2, .. } => {
                    let cursor = Cursor::default();
                    self.phase = Phase::Ct2Sampled { ct2, cursor };
                }
                _ => {}
            }
        }
        Ok(step)
    }

    /// R2 to R5, R7.
    fn take_symbols(
        &mut self,
        epoch: u32,
        number: u8,
        run: &[Symbol],
        next: Option<u32>,
    ) -> Answer<Step> {
        let new = Cursor::default();
        let quiet = Ok((epoch, Received::Quiet));
        match (number, self.phase.clone()) {
            (1, Phase::NoHeaderReceived { hdr }) => match take(&hdr, k(1), run) {
                Taken::Conflict => Ok(Err(Breach)),
                Taken::Held(hdr) => {
                    self.phase = Phase::NoHeaderReceived { hdr };
                    Ok(quiet)
                }
                // R3
                Taken::Complete(hdr) => {
                    let hdr: [u8; 96] = whole(&hdr)?;
                    let parts: [Bytes32; 3] = hdr
                        .as_chunks()
                        .0
                        .try_into()
                        .map_err(|_| error("Malformed"))?;
                    let [ek_seed, h3, mac] = parts;
                    if mac != header_mac(&self.am, epoch, &ek_seed, &h3) {
                        return Ok(Err(Breach));
                    }
                    self.phase = Phase::HeaderReceived { ek_seed, h3 };
                    Ok(quiet)
                }
            },
            (3, Phase::KeysSampled { seed, .. }) => {
                let ct1 = take(&[], k(3), run);
                Ok(self.take_ct1(seed, new, ct1)?.and(quiet))
            }
            (3, Phase::HeaderSent { seed, ct1, cursor }) => {
                let ct1 = take(&ct1, k(3), run);
                Ok(self.take_ct1(seed, cursor, ct1)?.and(quiet))
            }
            (
                2,
                Phase::Ct1Sampled {
                    ek_seed,
                    h3,
                    m,
                    ek,
                    cursor,
                },
            ) => match take(&ek, k(2), run) {
                Taken::Conflict => Ok(Err(Breach)),
                Taken::Held(ek) => {
                    self.phase = Phase::Ct1Sampled {
                        ek_seed,
                        h3,
                        m,
                        ek,
                        cursor,
                    };
                    Ok(quiet)
                }
                Taken::Complete(ek) => {
                    let Some((ct1, ct2)) = self.encapsulate(epoch, &ek_seed, &h3, &m, &ek)? else {
                        return Ok(Err(Breach));
                    };
                    self.phase = Phase::EkReceivedCt1Sampled { ct1, ct2, cursor };
                    Ok(quiet)
                }
            },
            (2, Phase::Ct1Acknowledged { ek_seed, h3, m, ek }) => match take(&ek, k(2), run) {
                Taken::Conflict => Ok(Err(Breach)),
                Taken::Held(ek) => {
                    self.phase = Phase::Ct1Acknowledged { ek_seed, h3, m, ek };
                    Ok(quiet)
                }
                Taken::Complete(ek) => {
                    let Some((_, ct2)) = self.encapsulate(epoch, &ek_seed, &h3, &m, &ek)? else {
                        return Ok(Err(Breach));
                    };
                    self.phase = Phase::Ct2Sampled { ct2, cursor: new };
                    Ok(quiet)
                }
            },
            (4, Phase::Ct1Received { seed, ct1, .. }) => {
                self.take_ct2(epoch, seed, ct1, take(&[], k(4), run), next)
            }
            (4, Phase::EkSentCt1Received { seed, ct1, ct2 }) => {
                self.take_ct2(epoch, seed, ct1, take(&ct2, k(4), run), next)
            }
            _ => Ok(quiet),
        }
    }

    /// R2, R4.
    fn take_ct1(
        &mut self,
        seed: [u8; 64],
        cursor: Cursor,
        ct1: Taken,
    ) -> Answer<Result<(), Breach>> {
        self.phase = match ct1 {
            Taken::Conflict => return Ok(Err(Breach)),
            Taken::Held(ct1) => Phase::HeaderSent { seed, ct1, cursor },
            Taken::Complete(ct1) => Phase::Ct1Received {
                seed,
                ct1: whole(&ct1)?,
                cursor,
            },
        };
        Ok(Ok(()))
    }

    /// R5: `ct1`, and `ct2` with its MAC; none for a key that is not the one announced, or none at all.
    fn encapsulate(
        &self,
        epoch: u32,
        ek_seed: &Bytes32,
        h3: &Bytes32,
        m: &Bytes32,
        vector: &[u8],
    ) -> Answer<Option<([u8; 960], [u8; 160])>> {
        let ek = [vector, ek_seed].concat();
        if sha3_256(&ek) != *h3 || KemPublic::from_bytes(&whole(&ek)?).is_err() {
            return Ok(None);
        }
        let (ct, _) = encapsulate(&ek, m)?;
        let (ct1, ct2) = ct.split_first_chunk().ok_or(error("Malformed"))?;
        // What went out before the vector was there has to be the front of the whole.
        require(encapsulate_1(*ek_seed, *h3, *m).0 == ct1, "Malformed")?;
        let mac = ciphertext_mac(&self.am, epoch, ct1, ct2);
        Ok(Some((*ct1, whole(&[ct2, &mac].concat())?)))
    }

    /// R2, R7.
    fn take_ct2(
        &mut self,
        epoch: u32,
        seed: [u8; 64],
        ct1: [u8; 960],
        ct2: Taken,
        next: Option<u32>,
    ) -> Answer<Step> {
        let object = match ct2 {
            Taken::Conflict => return Ok(Err(Breach)),
            Taken::Held(ct2) => {
                self.phase = Phase::EkSentCt1Received { seed, ct1, ct2 };
                return Ok(Ok((epoch, Received::Quiet)));
            }
            Taken::Complete(object) => object,
        };
        let (ct2, mac) = object.split_at_checked(128).ok_or(error("Malformed"))?;
        let ss = decapsulate(&seed, &[&ct1[..], ct2].concat())?;
        let emitted = self.take_in(epoch, &ss)?;
        let genuine = ciphertext_mac(&self.am, epoch, &ct1, ct2) == mac;
        self.phase = Phase::NoHeaderReceived { hdr: Vec::new() };
        Ok(match next.filter(|_| genuine) {
            Some(next) => Ok((next, Received::Emitted(emitted))),
            None => Err(Breach),
        })
    }
}
