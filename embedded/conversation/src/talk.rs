//! Two devices that talk over a line that loses and reorders, with a forger on it.

use alloc::format;
use alloc::vec::Vec;

use subrosa::{Action, Conversation, Error, Incoming};

use crate::device::{Device, NOW, SeededRng, loaded};

/// Messages on the line at one time, at most.
const UNDER_WAY: usize = 8;

pub struct Side {
    pub device: Device,
    pub conversation: Conversation,
}

struct Message {
    to: usize,
    number: u32,
    bytes: Vec<u8>,
}

/// What came of the messages.
#[derive(Default)]
pub struct Counts {
    pub sent: u32,
    pub lost: u32,
    pub read: u32,
    pub out_of_order: u32,
    pub forged: u32,
    pub repeated: u32,
    pub restarts: u32,
}

pub struct Talk {
    pub sides: [Side; 2],
    pub counts: Counts,
    line: Vec<Message>,
    /// The greatest number that each side has read.
    newest: [u32; 2],
    rng: SeededRng,
    now: u64,
}

impl Talk {
    pub const fn new(sides: [Side; 2], seed: u64) -> Self {
        Self {
            sides,
            counts: Counts {
                sent: 0,
                lost: 0,
                read: 0,
                out_of_order: 0,
                forged: 0,
                repeated: 0,
                restarts: 0,
            },
            line: Vec::new(),
            newest: [0; 2],
            rng: SeededRng(seed),
            now: NOW,
        }
    }

    /// The sides send `messages` in turns of one to four, and at the end everything that was not lost has arrived.
    pub fn run(&mut self, messages: u32) -> Result<(), Error> {
        let (end, mut speaker, mut left) = (self.counts.sent + messages, 0, 0);
        while self.counts.sent < end {
            if left == 0 {
                (speaker, left) = (1 - speaker, 1 + self.rng.below(4));
            }
            left -= 1;
            self.send(speaker)?;
            while self.line.len() > UNDER_WAY || (!self.line.is_empty() && self.rng.percent(60)) {
                self.deliver()?;
            }
            if self.rng.percent(2) {
                self.restart(speaker)?;
            }
        }
        while !self.line.is_empty() {
            self.deliver()?;
        }
        Ok(())
    }

    fn send(&mut self, speaker: usize) -> Result<(), Error> {
        self.now += 1_000;
        self.counts.sent += 1;
        let number = self.counts.sent;
        let side = &mut self.sides[speaker];
        let Device { identity, rng, .. } = &mut side.device;
        let bytes = side
            .conversation
            .seal(identity, &text(number), self.now, rng)?;
        if self.rng.percent(8) {
            self.counts.lost += 1;
        } else {
            self.line.push(Message {
                to: 1 - speaker,
                number,
                bytes,
            });
        }
        Ok(())
    }

    /// A message arrives: one time in three not the oldest, and one time in eight with a forged copy before it and
    /// itself once more behind it.
    fn deliver(&mut self) -> Result<(), Error> {
        let oldest = !self.rng.percent(33);
        let position = if oldest {
            0
        } else {
            self.rng.below(self.line.len())
        };
        let Message { to, number, bytes } = self.line.remove(position);
        let attacked = self.rng.percent(12);
        if attacked {
            self.forge(to, &bytes)?;
        }
        let side = &mut self.sides[to];
        let opened = side
            .conversation
            .open(&Incoming::parse(&bytes)?, self.now)?;
        assert!(
            opened.text == expected(number),
            "message {number}: another text"
        );
        assert_eq!(opened.action, Action::Nothing, "message {number}");
        assert!(!opened.old_state && !opened.gap_dropped, "message {number}");
        self.counts.read += 1;
        self.counts.out_of_order += u32::from(number < self.newest[to]);
        self.newest[to] = self.newest[to].max(number);
        if attacked {
            self.counts.repeated += 1;
            let refused = self.refused(to, &bytes)?;
            assert_eq!(refused, Error::Duplicate, "message {number} again");
        }
        Ok(())
    }

    /// One bit is turned over anywhere in the message.
    fn forge(&mut self, to: usize, bytes: &[u8]) -> Result<(), Error> {
        let mut forged = bytes.to_vec();
        let bit = self.rng.below(8 * forged.len());
        forged[bit / 8] ^= 1 << (bit % 8);
        self.counts.forged += 1;
        let refused = self.refused(to, &forged)?;
        let known = matches!(
            refused,
            Error::Malformed | Error::NoSession | Error::UnknownVersion | Error::UnknownKind
        );
        assert!(known, "bit {bit} turned over: {refused:?}");
        Ok(())
    }

    /// The message is refused, and the state of the side is bit for bit what it was.
    fn refused(&mut self, to: usize, bytes: &[u8]) -> Result<Error, Error> {
        let Side {
            device,
            conversation,
        } = &mut self.sides[to];
        let before = device.stored(conversation)?;
        let result =
            Incoming::parse(bytes).and_then(|incoming| conversation.open(&incoming, self.now));
        let after = device.stored(conversation)?;
        assert!(before == after, "a message refused has changed the state");
        Ok(result.expect_err("a message that has to be refused"))
    }

    /// A side stores its conversation and goes on with what it loads.
    fn restart(&mut self, side: usize) -> Result<(), Error> {
        let Side {
            device,
            conversation,
        } = &mut self.sides[side];
        let stored = device.stored(conversation)?;
        *conversation = loaded(&stored)?;
        assert!(
            device.stored(conversation)? == stored,
            "a restart changed the state"
        );
        self.counts.restarts += 1;
        Ok(())
    }
}

/// From 10 to 299 bytes.
fn text(number: u32) -> Vec<u8> {
    let length = 10 + (number * 7919 % 290) as usize;
    let name = format!("message {number} ");
    name.bytes().cycle().take(length).collect()
}

/// What the peer has to read.
fn expected(number: u32) -> Vec<u8> {
    let mut text = text(number);
    if cfg!(feature = "planted-fault") && number == 100 {
        text[0] ^= 1;
    }
    text
}
