//! The Double Ratchet (SPEC.md §8.2, §9).

use subrosa::padding::is_padded_length;
use subrosa::wire::Reader;

use super::braid::{BraidFrame, Draw, Drawn, Received};
use super::formula::{
    Bytes32, Message, body_key, body_plaintext, chain_of_epoch, chain_step, dh, epoch_start, hash,
    header_key, header_plaintext, initial_keys, is_canonical, open_gcm, public, root_step, tag,
    vector,
};
use super::stored::{Braid, Closed, Epochs, Keys, Own, Ratchet, Receiving, Sending, Turn};
use super::{Answer, array, error, require};
use crate::op::Refusal;

/// §9.4-R3, R4, §9.5-R3.
const GAP: u32 = 2_000;
/// §9.3-R2, §9.4-R3, R4.
const CHAIN: u32 = 1 << 20;
/// §9.3-R1.
const TEXT: usize = 1_032_187;

/// A frame and what stands in front of it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// `version || kind`
    pub kind: [u8; 2],
    /// `tag`
    pub tag: [u8; 8],
    /// `salt`
    pub salt: [u8; 16],
    /// `ench`
    pub ench: Vec<u8>,
    /// `body`
    pub body: Vec<u8>,
}

impl Frame {
    /// §8.2-R1.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn parse(kind: [u8; 2], frame: &[u8]) -> Answer<Self> {
        let read = |_| error("Malformed");
        let mut reader = Reader::new(frame);
        let frame = Self {
            kind,
            tag: *reader.array().map_err(read)?,
            salt: *reader.array().map_err(read)?,
            ench: reader.take(60).map_err(read)?.to_vec(),
            body: reader.rest().to_vec(),
        };
        let padded = frame
            .body
            .len()
            .checked_sub(16)
            .filter(|length| *length > 0);
        require(padded.is_some_and(is_padded_length), "Malformed")?;
        require(frame.body.len() <= 1 << 20, "Malformed")?;
        Ok(frame)
    }

    /// §9.4-R2: the header under one key, if it is genuine.
    fn open_header(&self, sid: &Bytes32, hk: &Bytes32) -> Answer<Option<Header>> {
        let (key, nonce) = header_key(hk, &self.salt)?;
        let body_hash = hash(&[&self.body]);
        let ad: [&[u8]; 5] = [sid, &self.kind, &self.tag, &self.salt, &body_hash];
        let Some(hp) = open_gcm(&key, &nonce, &self.ench, &ad) else {
            return Ok(None);
        };
        let (dhs, numbers) = hp.split_first_chunk().ok_or(error("Malformed"))?;
        let numbers: [[u8; 4]; 3] = numbers
            .as_chunks()
            .0
            .try_into()
            .map_err(|_| error("Malformed"))?;
        let [n, pn, pq_epoch] = numbers.map(u32::from_be_bytes);
        require(is_canonical(dhs) && pn <= CHAIN, "Malformed")?;
        Ok(Some(Header {
            dhs: *dhs,
            n,
            pn,
            pq_epoch,
        }))
    }

    /// §9.4-R8.
    fn open_body(&self, sid: &Bytes32, mk: &Bytes32, header: &Header) -> Answer<Content> {
        let read = |_| error("Malformed");
        let (key, nonce) = body_key(mk, &self.salt)?;
        let hp = header_plaintext(&header.dhs, header.n, header.pn, header.pq_epoch);
        let ad: [&[u8]; 4] = [sid, &self.kind, &self.salt, &hp];
        let bp = open_gcm(&key, &nonce, &self.body, &ad).ok_or(error("Forked"))?;
        let mut reader = Reader::new(&bp);
        let text = reader.vector(usize::MAX).map_err(read)?.to_vec();
        let frame = BraidFrame::read(&mut reader)?;
        require(reader.rest().iter().all(|byte| *byte == 0), "Malformed")?;
        Ok(Content { text, frame })
    }
}

/// `hp`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `DHs`
    pub dhs: Bytes32,
    /// `N`
    pub n: u32,
    /// `PN`
    pub pn: u32,
    /// `pq_epoch`
    pub pq_epoch: u32,
}

/// `bp` without its padding.
struct Content {
    text: Vec<u8>,
    frame: BraidFrame,
}

/// A chain under whose header key a message may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// `HKr`
    Present,
    /// `NHKr`
    Next,
    /// The closed chain at this position.
    Closed(usize),
}

/// A message opened in a ratchet.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The ratchet afterwards.
    pub after: Ratchet,
    /// The text.
    pub text: Vec<u8>,
    /// §9.5-R3
    pub forked: bool,
    /// §9.5-R3
    pub gap_dropped: bool,
    /// §10.7
    pub pq_broken: bool,
}

/// The values that are drawn when a message is sealed, in the order of §3.6-R2; `r32` comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// `ratchet key`
    pub ratchet: bool,
    /// `braid seed` or `braid m`
    pub braid: Option<Draw>,
}

/// Chain keys moved on: the keys of the numbers on the way, the key of the last, and the next chain keys.
struct Derived {
    skipped: Keys,
    mk: Bytes32,
    ck: Bytes32,
    pck: Bytes32,
}

fn derive(ck: &Bytes32, pck: &Bytes32, from: u32, to: u32) -> Derived {
    let (mut ck, mut pck) = (*ck, *pck);
    let mut skipped = Keys::new();
    for number in from..to {
        let mk;
        (mk, ck, pck) = chain_step(&ck, &pck);
        skipped.push((number, mk));
    }
    let (mk, ck, pck) = chain_step(&ck, &pck);
    Derived {
        skipped,
        mk,
        ck,
        pck,
    }
}

impl Epochs {
    /// Epoch 0 (§10.1), and the Braid of epoch 1.
    fn start(pq0: &Bytes32, ba: &Bytes32, initiator: bool) -> Answer<Self> {
        let [_, s_a, s_b] = epoch_start(pq0)?;
        let (ours, theirs) = if initiator { (s_a, s_b) } else { (s_b, s_a) };
        Ok(Self {
            e: 0,
            peer: vec![theirs],
            own: Some(Own {
                seeds: vec![ours],
                braid: Braid::start(pq0, ba, initiator)?,
            }),
        })
    }

    /// Takes in the epoch after E.
    fn take_in(&mut self, [s_a, s_b]: [Bytes32; 2]) {
        if let Some(own) = &mut self.own {
            let initiator = own.braid.is_initiator();
            let (ours, theirs) = if initiator { (s_a, s_b) } else { (s_b, s_a) };
            self.e = self.e.saturating_add(1);
            self.peer.push(theirs);
            own.seeds.push(ours);
        }
    }
}

/// §10.1-R1: `PCK` of a new chain of epoch e in a direction whose last `S` is that of epoch `last`; no chain has an epoch
/// of which there is no `S`.
fn open_epoch(seeds: &mut Vec<Bytes32>, last: u32, e: u32) -> Option<Bytes32> {
    let behind = usize::try_from(last.checked_sub(e)?).ok()?;
    let position = seeds.len().checked_sub(1)?.checked_sub(behind)?;
    seeds.drain(..position);
    let seed = seeds.first_mut()?;
    let (pck, next) = chain_of_epoch(seed);
    *seed = next;
    Some(pck)
}

impl Receiving {
    /// §9.5-R2: `Nr` moves to `to`.
    fn move_on(&mut self, to: u32) {
        for number in self.nr..to {
            *self.slot(number) = None;
        }
        self.nr = to;
    }

    /// §9.5-R2: message `number` was opened.
    fn record(&mut self, number: u32, salt: &[u8; 16]) -> Answer<()> {
        if self.nr.saturating_sub(number) <= 32 {
            *self.slot(number) = Some(array(salt)?);
        }
        Ok(())
    }

    fn slot(&mut self, number: u32) -> &mut Option<[u8; 4]> {
        let [first, rest @ ..] = &mut self.window;
        match usize::try_from(number % 32).unwrap_or(0).checked_sub(1) {
            None => first,
            Some(index) => rest.get_mut(index).unwrap_or(first),
        }
    }
}

/// The key of `number` among `keys`, taken out.
fn take_key(keys: &mut Keys, number: u32) -> Option<Bytes32> {
    let position = keys.iter().position(|(stored, _)| *stored == number)?;
    Some(keys.remove(position).1)
}

impl Ratchet {
    /// §9.2-R1.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn initiate(sk: &Bytes32, sid: &Bytes32, spk: &Bytes32, secret: &Bytes32) -> Answer<Self> {
        let [rk0, hka, nhkb, pq0, ba] = initial_keys(sk, sid)?;
        let mut epochs = Epochs::start(&pq0, &ba, true)?;
        let turn = begin_chain(&mut epochs, &rk0, spk, secret, &hka, 0)?;
        Ok(Self {
            sid: *sid,
            dhr: *spk,
            nhkr: nhkb,
            turn,
            epochs: Some(epochs),
            receiving: None,
            closed: Vec::new(),
        })
    }

    /// §9.2-R2, §7.5-R6: every failure is of the agreement, except that the numbers of §9.4-R3 keep their names.
    ///
    /// # Errors
    /// `Malformed`, `GapTooLarge`, `ChainExhausted`.
    pub fn respond(sk: &Bytes32, sid: &Bytes32, spk: &Bytes32, frame: &Frame) -> Answer<Opening> {
        let [rk0, hka, nhkb, pq0, ba] = initial_keys(sk, sid)?;
        let before = Self {
            sid: *sid,
            dhr: [0; 32],
            nhkr: hka,
            turn: Turn::Theirs {
                secret: *spk,
                public: public(spk),
                rk: rk0,
                sending: Some(Sending {
                    hks: [0; 32],
                    nhks: nhkb,
                    cks: [0; 32],
                    pcks: [0; 32],
                    e_s: 0,
                    ns: 0,
                    pn: 0,
                }),
            },
            epochs: Some(Epochs::start(&pq0, &ba, false)?),
            receiving: None,
            closed: Vec::new(),
        };
        require(tag(&hka) == frame.tag, "Malformed")?;
        let header = frame.open_header(sid, &hka)?.ok_or(error("Malformed"))?;
        match before.open(Chain::Next, &header, frame) {
            Err(why) if why == error("Forked") => Err(error("Malformed")),
            opening => opening,
        }
    }

    /// Whether it can send.
    #[must_use]
    pub const fn can_send(&self) -> bool {
        self.turn.can_send()
    }

    /// §11.3-R4.
    pub fn stop_sending(&mut self) {
        match &mut self.turn {
            Turn::Theirs { sending, .. } => {
                *sending = None;
                if let Some(epochs) = &mut self.epochs {
                    epochs.own = None;
                }
            }
            Turn::Ours { .. } => {
                self.turn = Turn::Ended;
                self.epochs = None;
            }
            Turn::Ended => {}
        }
    }

    /// What sealing a text draws.
    #[must_use]
    pub fn draws(&self, text: &[u8]) -> Draws {
        let own = self.epochs.as_ref().and_then(|epochs| epochs.own.as_ref());
        Draws {
            ratchet: matches!(self.turn, Turn::Ours { .. }),
            braid: own.and_then(|own| own.braid.draws(vector(text).len() + 1)),
        }
    }

    /// §9.2-R3, §9.3, §10.6: the message, and what it was made from.
    ///
    /// # Errors
    /// `NoSession`, `ChainExhausted`, `TooLong`; `Rng` if a secret is missing.
    pub fn seal(
        &mut self,
        prefix: &[u8],
        text: &[u8],
        (secret, drawn): (Option<&Bytes32>, Drawn),
        r32: &Bytes32,
    ) -> Answer<Vec<u8>> {
        let mut after = self.clone();
        let epochs = after.epochs.as_mut().filter(|epochs| epochs.own.is_some());
        let epochs = epochs.ok_or(error("NoSession"))?;
        if let Turn::Theirs {
            sending: Some(chain),
            ..
        } = &self.turn
        {
            require(chain.ns < CHAIN, "ChainExhausted")?;
        }
        require(text.len() <= TEXT, "TooLong")?;
        if let Turn::Ours { rk, nhks, pn } = &self.turn {
            let secret = secret.ok_or(error("Rng"))?;
            after.turn = begin_chain(epochs, rk, &self.dhr, secret, nhks, *pn)?;
        } else if secret.is_some() {
            return Err(Refusal::Invalid("no chain begins".to_owned()));
        }
        let Turn::Theirs {
            public,
            sending: Some(chain),
            ..
        } = &mut after.turn
        else {
            return Err(error("NoSession"));
        };
        let own = epochs.own.as_mut().ok_or(error("NoSession"))?;
        let sent = own.braid.send(vector(text).len() + 1, chain.e_s, drawn)?;
        if let Some(emitted) = sent.emitted {
            epochs.take_in(emitted);
        }
        let (mk, cks, pcks) = chain_step(&chain.cks, &chain.pcks);
        let message = Message {
            sid: self.sid,
            hk: chain.hks,
            mk,
            prefix: prefix.to_vec(),
            hp: header_plaintext(public, chain.ns, chain.pn, chain.e_s),
            bp: body_plaintext(text, &sent.frame, sent.padded),
        };
        let sealed = message.seal(r32)?;
        (chain.cks, chain.pcks) = (cks, pcks);
        chain.ns = chain.ns.saturating_add(1);
        *self = after;
        Ok(sealed.message)
    }

    /// Every chain with its header key, in the order of §9.4-R2.
    #[must_use]
    pub fn chains(&self) -> Vec<(Chain, Bytes32)> {
        let present = self
            .receiving
            .iter()
            .map(|chain| (Chain::Present, chain.hkr));
        let closed = self.closed.iter().enumerate();
        let closed = closed.map(|(position, chain)| (Chain::Closed(position), chain.hk));
        present
            .chain([(Chain::Next, self.nhkr)])
            .chain(closed)
            .collect()
    }

    /// §9.4-R2 under one header key.
    ///
    /// # Errors
    /// `Malformed` for an authentic header that is none.
    pub fn open_header(&self, hk: &Bytes32, frame: &Frame) -> Answer<Option<Header>> {
        frame.open_header(&self.sid, hk)
    }

    /// §9.4-R3 to R9.
    ///
    /// # Errors
    /// `Forked`, `Malformed`, `ChainExhausted`, `GapTooLarge`, `Duplicate`.
    pub fn open(&self, chain: Chain, header: &Header, frame: &Frame) -> Answer<Opening> {
        match chain {
            Chain::Present => self.open_present(header, frame),
            Chain::Next => self.open_next(header, frame),
            Chain::Closed(position) => self.open_closed(position, header, frame),
        }
    }

    /// §9.4-R9: last, the frame goes to the Braid, if the state can send (§10.7).
    fn opened(mut after: Self, content: Content, header: &Header) -> Answer<Opening> {
        let mut pq_broken = false;
        let e_s = match &after.turn {
            Turn::Theirs {
                sending: Some(chain),
                ..
            } => Some(chain.e_s),
            _ => None,
        };
        if let Some(epochs) = &mut after.epochs
            && let Some(own) = &mut epochs.own
        {
            match own.braid.receive(header.pq_epoch, &content.frame, e_s)? {
                Received::Quiet => {}
                Received::Emitted(emitted) => epochs.take_in(emitted),
                Received::Broken => pq_broken = true,
            }
        }
        Ok(Opening {
            after,
            text: content.text,
            forked: false,
            gap_dropped: false,
            pq_broken,
        })
    }

    fn open_present(&self, header: &Header, frame: &Frame) -> Answer<Opening> {
        let mut after = self.clone();
        let chain = after.receiving.as_mut().ok_or(error("Malformed"))?;
        // R4
        let same = header.dhs == self.dhr && header.pq_epoch == chain.e_r;
        require(same, "Forked")?;
        if header.n >= chain.nr {
            require(header.n < CHAIN, "ChainExhausted")?;
            require(header.n.saturating_sub(chain.nr) <= GAP, "GapTooLarge")?;
            let derived = derive(&chain.ckr, &chain.pckr, chain.nr, header.n);
            let content = frame.open_body(&self.sid, &derived.mk, header)?;
            (chain.ckr, chain.pckr) = (derived.ck, derived.pck);
            chain.keys.extend(derived.skipped);
            chain.move_on(header.n.saturating_add(1));
            chain.record(header.n, &frame.salt)?;
            return Self::opened(after, content, header);
        }
        // R5
        if let Some(mk) = take_key(&mut chain.keys, header.n) {
            let content = frame.open_body(&self.sid, &mk, header)?;
            chain.record(header.n, &frame.salt)?;
            return Self::opened(after, content, header);
        }
        // R6
        let within = chain.nr.saturating_sub(header.n) <= 32;
        let differs = chain
            .slot(header.n)
            .is_some_and(|slot| !frame.salt.starts_with(&slot));
        Err(error(if within && differs {
            "Forked"
        } else {
            "Duplicate"
        }))
    }

    fn open_closed(&self, position: usize, header: &Header, frame: &Frame) -> Answer<Opening> {
        let mut after = self.clone();
        let chain = after.closed.get_mut(position).ok_or(error("Malformed"))?;
        // R7
        let same = header.dhs == chain.dh && header.pq_epoch == chain.epoch;
        require(same, "Forked")?;
        let mk = take_key(&mut chain.keys, header.n).ok_or(error("Duplicate"))?;
        let content = frame.open_body(&self.sid, &mk, header)?;
        Self::opened(after, content, header)
    }

    fn open_next(&self, header: &Header, frame: &Frame) -> Answer<Opening> {
        // R3
        let Turn::Theirs {
            secret,
            public,
            rk,
            sending,
        } = &self.turn
        else {
            return Err(error("Forked"));
        };
        require(header.dhs != self.dhr && header.dhs != *public, "Malformed")?;
        let e_r = self.receiving.as_ref().map_or(0, |chain| chain.e_r);
        let mut after = self.clone();
        let epochs = after.epochs.as_mut().ok_or(error("Forked"))?;
        let known = (e_r..=epochs.e).contains(&header.pq_epoch);
        require(known, "Forked")?;
        require(header.n < CHAIN, "ChainExhausted")?;
        require(header.n <= GAP, "GapTooLarge")?;
        let [rk, ck, nhk] = root_step(rk, &dh(secret, &header.dhs)?)?;
        let pck = open_epoch(&mut epochs.peer, epochs.e, header.pq_epoch);
        let derived = derive(&ck, &pck.ok_or(error("Forked"))?, 0, header.n);
        let content = frame.open_body(&self.sid, &derived.mk, header)?;
        // R9
        let (forked, gap_dropped) = after.close(header.pn);
        let mut chain = Receiving {
            hkr: self.nhkr,
            ckr: derived.ck,
            pckr: derived.pck,
            e_r: header.pq_epoch,
            nr: 0,
            keys: derived.skipped,
            window: [None; 32],
        };
        chain.move_on(header.n.saturating_add(1));
        chain.record(header.n, &frame.salt)?;
        after.receiving = Some(chain);
        after.dhr = header.dhs;
        after.nhkr = nhk;
        match sending {
            Some(chain) => {
                after.turn = Turn::Ours {
                    rk,
                    nhks: chain.nhks,
                    pn: chain.ns,
                };
                let own = after.epochs.as_mut().and_then(|epochs| epochs.own.as_mut());
                own.into_iter().for_each(|own| own.braid.end_chain());
            }
            None => {
                after.turn = Turn::Ended;
                after.epochs = None;
            }
        }
        let opening = Self::opened(after, content, header)?;
        Ok(Opening {
            forked,
            gap_dropped,
            ..opening
        })
    }

    /// §9.5-R3: gives *forked* and *gap dropped*.
    fn close(&mut self, pn: u32) -> (bool, bool) {
        let Some(chain) = self.receiving.take() else {
            return (false, false);
        };
        let mut keys = chain.keys;
        let forked = pn < chain.nr;
        let gap_dropped = pn.saturating_sub(chain.nr) > GAP;
        if !forked && !gap_dropped {
            keys.extend(derive(&chain.ckr, &chain.pckr, chain.nr, pn).skipped);
        }
        self.closed.push(Closed {
            hk: chain.hkr,
            dh: self.dhr,
            epoch: chain.e_r,
            keys,
        });
        (forked, gap_dropped)
    }
}

/// §9.2-R1, R3, R4.
fn begin_chain(
    epochs: &mut Epochs,
    rk: &Bytes32,
    dhr: &Bytes32,
    secret: &Bytes32,
    hks: &Bytes32,
    pn: u32,
) -> Answer<Turn> {
    let [rk, cks, nhks] = root_step(rk, &dh(secret, dhr)?)?;
    let own = epochs.own.as_mut().ok_or(error("NoSession"))?;
    let e_s = own.braid.epoch.saturating_sub(1);
    let pcks = open_epoch(&mut own.seeds, epochs.e, e_s).ok_or(error("NoSession"))?;
    Ok(Turn::Theirs {
        secret: *secret,
        public: public(secret),
        rk,
        sending: Some(Sending {
            hks: *hks,
            nhks,
            cks,
            pcks,
            e_s,
            ns: 0,
            pn,
        }),
    })
}
