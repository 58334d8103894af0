//! The Double Ratchet (SPEC.md §8.2, §9).

use subrosa::padding::is_padded_length;
use subrosa::wire::Reader;

use super::formula::{
    Bytes32, Message, body_key, body_plaintext, chain_step, dh, hash, header_key, header_plaintext,
    initial_keys, is_canonical, open_gcm, public, root_step, tag,
};
use super::stored::{Closed, Keys, Ratchet, Receiving, Sending, Turn};
use super::{Answer, array, error, require};
use crate::op::Refusal;

/// §9.4-R3, R4, §9.5-R3.
const GAP: u32 = 2_000;
/// §9.3-R2, §9.4-R3, R4.
const CHAIN: u32 = 1 << 20;

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
            ench: reader.take(56).map_err(read)?.to_vec(),
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
        let (n, pn) = numbers.split_first_chunk().ok_or(error("Malformed"))?;
        let pn = u32::from_be_bytes(array(pn)?);
        require(is_canonical(dhs) && pn <= CHAIN, "Malformed")?;
        Ok(Some(Header {
            dhs: *dhs,
            n: u32::from_be_bytes(*n),
            pn,
        }))
    }

    /// §9.4-R8.
    fn open_body(&self, sid: &Bytes32, mk: &Bytes32, header: &Header) -> Answer<Vec<u8>> {
        let read = |_| error("Malformed");
        let (key, nonce) = body_key(mk, &self.salt)?;
        let hp = header_plaintext(&header.dhs, header.n, header.pn);
        let ad: [&[u8]; 4] = [sid, &self.kind, &self.salt, &hp];
        let bp = open_gcm(&key, &nonce, &self.body, &ad).ok_or(error("Forked"))?;
        let mut reader = Reader::new(&bp);
        let text = reader.vector(usize::MAX).map_err(read)?;
        require(reader.rest().iter().all(|byte| *byte == 0), "Malformed")?;
        Ok(text.to_vec())
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
}

/// A chain key moved on: the keys of the numbers on the way, the key of the last, and the next chain key.
struct Derived {
    skipped: Keys,
    mk: Bytes32,
    ck: Bytes32,
}

fn derive(ck: &Bytes32, from: u32, to: u32) -> Derived {
    let mut ck = *ck;
    let mut skipped = Keys::new();
    for number in from..to {
        let (mk, next) = chain_step(&ck);
        skipped.push((number, mk));
        ck = next;
    }
    let (mk, ck) = chain_step(&ck);
    Derived { skipped, mk, ck }
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
        let [rk0, hka, nhkb] = initial_keys(sk, sid)?;
        Ok(Self {
            sid: *sid,
            dhr: *spk,
            nhkr: nhkb,
            turn: begin_chain(&rk0, spk, secret, &hka, 0)?,
            receiving: None,
            closed: Vec::new(),
        })
    }

    /// §9.2-R2, §7.5-R6: every failure is of the agreement, except that the numbers of §9.4-R3 keep their names.
    ///
    /// # Errors
    /// `Malformed`, `GapTooLarge`, `ChainExhausted`.
    pub fn respond(
        sk: &Bytes32,
        sid: &Bytes32,
        spk: &Bytes32,
        frame: &Frame,
    ) -> Answer<(Self, Vec<u8>)> {
        let [rk0, hka, nhkb] = initial_keys(sk, sid)?;
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
                    ns: 0,
                    pn: 0,
                }),
            },
            receiving: None,
            closed: Vec::new(),
        };
        require(tag(&hka) == frame.tag, "Malformed")?;
        let header = frame.open_header(sid, &hka)?.ok_or(error("Malformed"))?;
        let opening = before.open(Chain::Next, &header, frame);
        match opening {
            Err(why) if why == error("Forked") => Err(error("Malformed")),
            opening => opening.map(|opening| (opening.after, opening.text)),
        }
    }

    /// Whether it can send.
    #[must_use]
    pub const fn can_send(&self) -> bool {
        match &self.turn {
            Turn::Theirs { sending, .. } => sending.is_some(),
            Turn::Ours { .. } => true,
            Turn::Ended => false,
        }
    }

    /// §11.3-R4.
    pub fn stop_sending(&mut self) {
        match &mut self.turn {
            Turn::Theirs { sending, .. } => *sending = None,
            Turn::Ours { .. } => self.turn = Turn::Ended,
            Turn::Ended => {}
        }
    }

    /// §9.2-R3, §9.3: the message, and what it was made from.
    ///
    /// # Errors
    /// `NoSession`, `ChainExhausted`, `TooLong`; `Rng` if a secret is missing.
    pub fn seal(
        &mut self,
        prefix: &[u8],
        text: &[u8],
        secret: Option<&Bytes32>,
        r32: &Bytes32,
    ) -> Answer<Vec<u8>> {
        let turn = match (&self.turn, secret) {
            (Turn::Ours { rk, nhks, pn }, Some(secret)) => {
                begin_chain(rk, &self.dhr, secret, nhks, *pn)?
            }
            (Turn::Ours { .. }, None) => return Err(error("Rng")),
            (_, Some(_)) => return Err(Refusal::Invalid("no chain begins".to_owned())),
            (turn, _) => turn.clone(),
        };
        let Turn::Theirs {
            secret,
            public,
            rk,
            sending: Some(chain),
        } = turn
        else {
            return Err(error("NoSession"));
        };
        require(chain.ns < CHAIN, "ChainExhausted")?;
        let (mk, cks) = chain_step(&chain.cks);
        let message = Message {
            sid: self.sid,
            hk: chain.hks,
            mk,
            prefix: prefix.to_vec(),
            hp: header_plaintext(&public, chain.ns, chain.pn),
            bp: body_plaintext(text)?,
        };
        let sealed = message.seal(r32)?;
        let ns = chain.ns.saturating_add(1);
        let sending = Some(Sending { cks, ns, ..chain });
        self.turn = Turn::Theirs {
            secret,
            public,
            rk,
            sending,
        };
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

    fn opened(after: Self, text: Vec<u8>) -> Opening {
        Opening {
            after,
            text,
            forked: false,
            gap_dropped: false,
        }
    }

    fn open_present(&self, header: &Header, frame: &Frame) -> Answer<Opening> {
        let mut after = self.clone();
        let chain = after.receiving.as_mut().ok_or(error("Malformed"))?;
        // R4
        require(header.dhs == self.dhr, "Forked")?;
        if header.n >= chain.nr {
            require(header.n < CHAIN, "ChainExhausted")?;
            require(header.n.saturating_sub(chain.nr) <= GAP, "GapTooLarge")?;
            let derived = derive(&chain.ckr, chain.nr, header.n);
            let text = frame.open_body(&self.sid, &derived.mk, header)?;
            chain.ckr = derived.ck;
            chain.keys.extend(derived.skipped);
            chain.move_on(header.n.saturating_add(1));
            chain.record(header.n, &frame.salt)?;
            return Ok(Self::opened(after, text));
        }
        // R5
        if let Some(mk) = take_key(&mut chain.keys, header.n) {
            let text = frame.open_body(&self.sid, &mk, header)?;
            chain.record(header.n, &frame.salt)?;
            return Ok(Self::opened(after, text));
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
        require(header.dhs == chain.dh, "Forked")?;
        let mk = take_key(&mut chain.keys, header.n).ok_or(error("Duplicate"))?;
        let text = frame.open_body(&self.sid, &mk, header)?;
        Ok(Self::opened(after, text))
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
        require(header.n < CHAIN, "ChainExhausted")?;
        require(header.n <= GAP, "GapTooLarge")?;
        let [rk, ck, nhk] = root_step(rk, &dh(secret, &header.dhs)?)?;
        let derived = derive(&ck, 0, header.n);
        let text = frame.open_body(&self.sid, &derived.mk, header)?;
        // R9
        let mut opening = Self::opened(self.clone(), text);
        opening.close(header.pn);
        let after = &mut opening.after;
        let mut chain = Receiving {
            hkr: self.nhkr,
            ckr: derived.ck,
            nr: 0,
            keys: derived.skipped,
            window: [None; 32],
        };
        chain.move_on(header.n.saturating_add(1));
        chain.record(header.n, &frame.salt)?;
        after.receiving = Some(chain);
        after.dhr = header.dhs;
        after.nhkr = nhk;
        after.turn = match sending {
            Some(chain) => Turn::Ours {
                rk,
                nhks: chain.nhks,
                pn: chain.ns,
            },
            None => Turn::Ended,
        };
        Ok(opening)
    }
}

impl Opening {
    /// §9.5-R3.
    fn close(&mut self, pn: u32) {
        let Some(chain) = self.after.receiving.take() else {
            return;
        };
        let mut keys = chain.keys;
        if pn < chain.nr {
            self.forked = true;
        } else if pn.saturating_sub(chain.nr) > GAP {
            self.gap_dropped = true;
        } else {
            keys.extend(derive(&chain.ckr, chain.nr, pn).skipped);
        }
        self.after.closed.push(Closed {
            hk: chain.hkr,
            dh: self.after.dhr,
            keys,
        });
    }
}

/// §9.2-R1, R3.
fn begin_chain(
    rk: &Bytes32,
    dhr: &Bytes32,
    secret: &Bytes32,
    hks: &Bytes32,
    pn: u32,
) -> Answer<Turn> {
    let [rk, cks, nhks] = root_step(rk, &dh(secret, dhr)?)?;
    Ok(Turn::Theirs {
        secret: *secret,
        public: public(secret),
        rk,
        sending: Some(Sending {
            hks: *hks,
            nhks,
            cks,
            ns: 0,
            pn,
        }),
    })
}
