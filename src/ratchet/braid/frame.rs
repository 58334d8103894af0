//! What a message carries of the Braid behind its text (SPEC §10.4).
//!
//! ```text
//! u8: type 3 bits || ack 1 || delta 1 || 000      [ u16 first || u8 count || count symbols of 16 bytes ]
//! ```

use alloc::boxed::Box;

use super::code::{Conflict, Decoder, SYMBOL, Symbol, write_run};
use super::object::Object;
use crate::ratchet::Error;
use crate::wire::Reader;

/// Bytes of a frame without symbols.
pub(crate) const FRAME_MIN: usize = 1;

/// Bytes of a run in front of its symbols.
const RUN: usize = 3;

const ACK: u8 = 1 << 4;
const DELTA: u8 = 1 << 3;

/// Symbols that fit into `slack` bytes behind a frame's first byte.
pub(crate) const fn room(slack: usize) -> usize {
    slack.saturating_sub(RUN) / SYMBOL
}

/// A frame as it arrived; the symbols are in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// The EK side has all of ct1.
    pub(crate) ack: bool,
    /// 0 or 1: the frame's epoch less the chain's, less one.
    pub(crate) delta: u32,
    pub(crate) run: Option<Run<'a>>,
}

/// Consecutive symbols of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    pub(crate) object: Object,
    first: u16,
    symbols: &'a [Symbol],
}

impl<'a> Run<'a> {
    /// The symbols with their indices.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = (u16, &'a Symbol)> {
        (self.first..=u16::MAX).zip(self.symbols)
    }
}

impl Decoder {
    /// Takes the symbols of a run until it holds enough: whether it does.
    pub(super) fn take(&mut self, run: &Run<'_>) -> Result<bool, Conflict> {
        for (index, symbol) in run.symbols() {
            if self.insert(index, symbol)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The object, once it is complete; `N` is its size.
    pub(super) fn array<const N: usize>(&self) -> Option<Box<[u8; N]>> {
        self.object()?.into_boxed_slice().try_into().ok()
    }
}

impl<'a> Frame<'a> {
    /// SPEC §10.4-R1.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let pq = reader.u8()?;
        if pq & !(0b111 << 5 | ACK | DELTA) != 0 {
            return Err(Error::Malformed);
        }
        let run = match pq >> 5 {
            0 => None,
            number => {
                let object = Object::from_number(number).ok_or(Error::Malformed)?;
                let first = reader.u16()?;
                let count = reader.u8()?;
                let end = u32::from(first).saturating_add(u32::from(count));
                if count == 0 || end > 1 << 16 {
                    return Err(Error::Malformed);
                }
                let bytes = reader.take(usize::from(count).saturating_mul(SYMBOL))?;
                let (symbols, _) = bytes.as_chunks();
                Some(Run {
                    object,
                    first,
                    symbols,
                })
            }
        };
        Ok(Self {
            ack: pq & ACK != 0,
            delta: u32::from(pq & DELTA != 0),
            run,
        })
    }
}

#[cfg(feature = "hazmat")]
impl Frame<'_> {
    /// Bytes of the frame.
    pub(crate) fn length(&self) -> usize {
        self.run
            .map_or(FRAME_MIN, |run| run_length(run.symbols.len()))
    }
}

#[cfg(feature = "hazmat")]
const fn run_length(symbols: usize) -> usize {
    (FRAME_MIN + RUN).saturating_add(symbols.saturating_mul(SYMBOL))
}

/// A frame about to be sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outgoing<'a> {
    pub(crate) ack: bool,
    /// Whether our epoch has grown since the sending chain began.
    pub(crate) delta: bool,
    pub(crate) run: Option<OutgoingRun<'a>>,
}

/// `count` symbols of `bytes`, those from `first` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingRun<'a> {
    pub(crate) object: Object,
    pub(crate) bytes: &'a [u8],
    pub(crate) first: u16,
    pub(crate) count: u8,
}

impl Outgoing<'_> {
    /// Bytes of the frame.
    #[cfg(feature = "hazmat")]
    pub(crate) const fn length(&self) -> usize {
        match self.run {
            Some(run) => run_length(run.count as usize),
            None => FRAME_MIN,
        }
    }

    /// Writes the frame to the front of `to`, which has room for it: the caller computed its padding by [`room`].
    pub(crate) fn write(&self, to: &mut [u8]) {
        let number = self.run.map_or(0, |run| run.object.number());
        let mut pq = number << 5;
        if self.ack {
            pq |= ACK;
        }
        if self.delta {
            pq |= DELTA;
        }
        let Some((front, rest)) = to.split_first_mut() else {
            return;
        };
        *front = pq;
        let Some(run) = self.run else {
            return;
        };
        let [high, low] = run.first.to_be_bytes();
        if let Some((head, rest)) = rest.split_first_chunk_mut::<RUN>() {
            *head = [high, low, run.count];
            let length = usize::from(run.count).saturating_mul(SYMBOL);
            if let Some(symbols) = rest.get_mut(..length) {
                write_run(run.bytes, run.first, symbols);
            }
        }
    }
}
