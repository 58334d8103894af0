//! Targets `braid_frame` and `braid_peer`: what a peer can put behind a text (SPEC §10.4, §10.7).

use subrosa::hazmat::Given;
use subrosa::hazmat::braid::{Exchange, Received, read_frame, symbols};

use super::script::Script;

/// Bytes that a stored exchange takes at most.
const STORED_MAX: usize = 1_500;

/// Numbers of states, as they are stored.
const KEYS_UNSAMPLED: u8 = 0;
const HEADER_RECEIVED: u8 = 6;
const BROKEN: u8 = 11;

/// What is accepted as a frame is the one encoding of what was read.
pub fn braid_frame(data: &[u8]) {
    let Ok(frame) = read_frame(data) else {
        return;
    };
    let number = frame.run.as_ref().map_or(0, |(number, _)| *number);
    let mut bytes = vec![number << 5 | u8::from(frame.ack) << 4 | (frame.delta as u8) << 3];
    if let Some((_, run)) = &frame.run {
        assert!((1..=4).contains(&number));
        let first = run.first().expect("a run has a symbol").0;
        bytes.extend(first.to_be_bytes());
        bytes.push(u8::try_from(run.len()).expect("a count is a byte"));
        for (index, (at, symbol)) in (first..=u16::MAX).zip(run) {
            assert_eq!(*at, index);
            bytes.extend(symbol);
        }
    }
    bytes.extend(&frame.rest);
    assert_eq!(bytes, data);
    // Nothing shorter is a frame, but for the bytes behind it.
    let length = data.len() - frame.rest.len();
    assert!(read_frame(&data[..length]).is_ok_and(|frame| frame.rest.is_empty()));
    assert!(read_frame(&data[..length - 1]).is_err());
}

/// One side of an exchange, with what it must keep to whatever comes.
struct Side {
    exchange: Exchange,
    epoch: u32,
    broken: bool,
    /// Makes each draw another one.
    draws: u8,
}

impl Side {
    fn new(initiator: bool) -> Self {
        Self {
            exchange: Exchange::start([1; 32], [2; 32], initiator),
            epoch: 1,
            broken: false,
            draws: u8::from(initiator),
        }
    }

    fn encode(&self) -> Vec<u8> {
        self.exchange.encode().unwrap()
    }

    fn state(&self) -> u8 {
        self.encode()[0]
    }

    /// After every step.
    fn check(&mut self) {
        let stored = self.encode();
        assert!(stored.len() <= STORED_MAX, "{} bytes", stored.len());
        let again = Exchange::decode(&stored).expect("what was written is read");
        assert_eq!(again.encode().unwrap(), stored);
        assert!(self.exchange.epoch() >= self.epoch, "an epoch fell");
        assert!(
            self.exchange.epoch() - self.epoch <= 1,
            "an epoch was left out"
        );
        if self.broken {
            assert_eq!((stored[0], self.exchange.epoch()), (BROKEN, self.epoch));
        }
        self.broken = stored[0] == BROKEN;
        self.epoch = self.exchange.epoch();
    }

    /// The frame of a message of so many bytes.
    fn send(&mut self, length: usize, chain: u32) -> Vec<u8> {
        let state = self.state();
        self.draws = self.draws.wrapping_add(2);
        let draw = match state {
            KEYS_UNSAMPLED => vec![self.draws; 64],
            _ => vec![self.draws; 32],
        };
        let mut given = Given::new([draw]);
        let sent = self
            .exchange
            .send(&vec![0; length], chain, &mut given)
            .unwrap();
        assert!(given.left() == 1 || matches!(state, KEYS_UNSAMPLED | HEADER_RECEIVED));
        assert_eq!(
            sent.emitted.is_some(),
            state == HEADER_RECEIVED && given.left() == 0
        );
        let frame = read_frame(&sent.frame).expect("what is sent is a frame");
        assert!(frame.rest.is_empty() && sent.frame.len() < sent.padded);
        assert!(!self.broken || (frame.run.is_none() && !frame.ack));
        self.check();
        sent.frame
    }

    fn receive(&mut self, chain: u32, frame: &[u8], highest: u32) {
        let before = (self.epoch, self.broken, self.encode());
        match self.exchange.receive(chain, frame, highest) {
            Err(_) => assert_eq!(
                self.encode(),
                before.2,
                "no frame, and yet something changed"
            ),
            Ok(Received::Quiet) => {
                // The peer may have completed the epoch.
                assert!(self.exchange.epoch() <= before.0.max(highest));
                assert!(before.1 || self.state() != BROKEN);
            }
            Ok(Received::Emitted(_)) => {
                assert_eq!(self.exchange.epoch(), before.0 + 1);
                assert!(self.exchange.epoch() <= highest);
            }
            Ok(Received::Broken) => {
                assert!(!before.1, "it was broken");
                assert_eq!((self.state(), self.exchange.epoch()), (BROKEN, before.0));
            }
        }
        self.check();
    }
}

/// An exchange against a peer that has all keys: genuine frames, changed ones, symbols of any object, any epochs, in
/// any order.
pub fn braid_peer(data: &[u8]) {
    let mut script = Script::new(data);
    let initiator = script.u8() % 2 == 1;
    let mut side = Side::new(initiator);
    // An honest peer, whose frames are the material.
    let mut peer = Side::new(!initiator);
    for _ in 0..200 {
        if script.is_empty() {
            break;
        }
        let own = side.exchange.epoch() - 1;
        match script.u8() % 8 {
            // The line is good for some messages.
            0 | 1 => {
                for _ in 0..=script.below(24) {
                    let length = 4 * script.below(64);
                    let frame = side.send(length, own);
                    peer.receive(own, &frame, u32::MAX);
                    let chain = peer.exchange.epoch() - 1;
                    let frame = peer.send(length, chain);
                    side.receive(chain, &frame, u32::MAX);
                    side.exchange.end_chain();
                    peer.exchange.end_chain();
                }
            }
            2 => {
                let length = script.u16() % 3_000;
                let chain = own.saturating_sub(u32::from(script.u8() % 2));
                let frame = side.send(length, chain);
                if script.u8().is_multiple_of(2) {
                    peer.receive(chain, &frame, u32::MAX);
                }
            }
            // A genuine frame with changes, in a chain of some epoch.
            3 => {
                let length = script.u16() % 3_000;
                let genuine = peer.send(length, peer.exchange.epoch() - 1);
                let chain = near(&mut script, own);
                let frame = script.message(&[&genuine]);
                let highest = near(&mut script, own + 2);
                side.receive(chain, &frame, highest);
            }
            // Symbols of an object that is none.
            4 | 5 => {
                let kind = 1 + script.u8() % 4;
                let flags = script.u8() & 0b0001_1000;
                let first = u16::try_from(script.u16()).unwrap_or(0);
                let count = script
                    .u8()
                    .max(1)
                    .min(u8::try_from(u16::MAX - first).unwrap_or(u8::MAX).max(1));
                let fill = script.u8();
                let mut frame = vec![kind << 5 | flags];
                frame.extend(first.to_be_bytes());
                frame.push(count);
                frame.extend(symbols(&[fill; 160], first, count));
                side.receive(near(&mut script, own), &frame, u32::MAX);
            }
            6 => side.exchange.end_chain(),
            // Bytes of the fuzzer's own.
            _ => {
                let chain = near(&mut script, own);
                let length = script.u16() % 4_200;
                side.receive(chain, script.take(length), u32::MAX);
            }
        }
        side.check();
        peer.check();
    }
    // It can always send.
    for _ in 0..3 {
        let own = side.exchange.epoch() - 1;
        side.send(40, own);
    }
}

/// An epoch a little below or above `epoch`, or far away.
fn near(script: &mut Script<'_>, epoch: u32) -> u32 {
    match script.u8() {
        0..=127 => epoch,
        128..=191 => epoch + 1,
        192..=223 => epoch.saturating_sub(1),
        224..=239 => epoch + 2,
        240..=247 => 0,
        _ => u32::MAX,
    }
}
