//! What lies between devices: a server with a queue for each, and lines to it that lose, double, delay and reorder.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use subrosa::Address;

use crate::common::SeededRng;
use crate::common::server::Server;

/// How bad the lines are, in percent of all transmissions.
#[derive(Clone, Copy)]
pub struct Weather {
    pub loss: u64,
    pub duplication: u64,
    /// Held back on the server for up to a device's six turns.
    pub delay: u64,
    /// Batches that arrive in any order.
    pub shuffling: u64,
}

pub const STORM: Weather = Weather {
    loss: 20,
    duplication: 10,
    delay: 5,
    shuffling: 30,
};

pub const CALM: Weather = Weather {
    loss: 0,
    duplication: 0,
    delay: 0,
    shuffling: 0,
};

/// A message in a queue. The server sees its bytes alone; the rest is for the ledger.
#[derive(Clone)]
pub struct Envelope {
    id: u64,
    /// Which text it carries.
    pub number: u64,
    pub bytes: Rc<[u8]>,
    /// Not handed out before this tick.
    due: u64,
}

#[derive(Default)]
pub struct Counts {
    pub transmissions: u64,
    pub lost: u64,
    pub doubled: u64,
    pub queued: u64,
}

pub struct Network {
    /// Bundles and device lists; its own queues stay empty.
    pub server: Server,
    pub weather: Weather,
    pub counts: Counts,
    queues: BTreeMap<Address, Vec<Envelope>>,
    next_id: u64,
    rng: SeededRng,
}

/// What became of one copy on its way to the server.
pub struct Uploaded {
    /// How often it is in the queue now.
    pub queued: u16,
    /// Whether the sender learns that the server has it, or that nobody wants it.
    pub acknowledged: bool,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self {
            server: Server::default(),
            weather: STORM,
            counts: Counts::default(),
            queues: BTreeMap::new(),
            next_id: 0,
            rng: SeededRng(seed),
        }
    }

    /// One transmission, in either direction.
    pub fn passes(&mut self) -> bool {
        let passes = !self.rng.percent(self.weather.loss);
        self.counts.transmissions += 1;
        self.counts.lost += u64::from(!passes);
        passes
    }

    /// A question to the server and its answer.
    pub fn exchange(&mut self) -> bool {
        self.passes() && self.passes()
    }

    pub fn open_queue(&mut self, of: Address) {
        self.queues.insert(of, Vec::new());
    }

    /// The server forgets all of a device that is off its account's list.
    pub fn forget(&mut self, device: &Address) {
        self.queues.remove(device);
        self.forget_bundles(device);
    }

    pub fn forget_bundles(&mut self, of: &Address) {
        self.server.one_time.remove(of);
        self.server.last_resort.remove(of);
    }

    pub fn upload(
        &mut self,
        to: &Address,
        number: u64,
        bytes: &[u8],
        tick: u64,
        turns: u64,
    ) -> Uploaded {
        if !self.passes() {
            return Uploaded {
                queued: 0,
                acknowledged: false,
            };
        }
        let mut queued = 0;
        if let Some(queue) = self.queues.get_mut(to) {
            let bytes: Rc<[u8]> = bytes.into();
            let doubled = self.rng.percent(self.weather.duplication);
            self.counts.doubled += u64::from(doubled);
            for _ in 0..1 + u16::from(doubled) {
                let late = self.rng.percent(self.weather.delay);
                queue.push(Envelope {
                    id: self.next_id,
                    number,
                    bytes: Rc::clone(&bytes),
                    due: if late {
                        tick + self.rng.below(turns)
                    } else {
                        tick
                    },
                });
                self.next_id += 1;
                queued += 1;
            }
        }
        self.counts.queued += u64::from(queued);
        Uploaded {
            queued,
            acknowledged: self.passes(),
        }
    }

    /// Up to `most` of what waits for a device; all of it stays in the queue.
    pub fn download(&mut self, of: &Address, most: usize, tick: u64) -> Vec<Envelope> {
        let queue = self.queues.get(of).map_or(&[][..], Vec::as_slice);
        let mut batch = Vec::new();
        for envelope in queue.iter().filter(|envelope| envelope.due <= tick) {
            if batch.len() == most {
                break;
            }
            self.counts.transmissions += 1;
            if self.rng.percent(self.weather.loss) {
                self.counts.lost += 1;
            } else {
                batch.push(envelope.clone());
            }
        }
        if self.rng.percent(self.weather.shuffling) {
            for last in (1..batch.len()).rev() {
                batch.swap(last, self.rng.below(last as u64 + 1) as usize);
            }
        }
        batch
    }

    /// The device says that it has dealt with these. Gives those that leave the queue.
    pub fn dealt_with(&mut self, of: &Address, envelopes: &[Envelope]) -> Vec<Envelope> {
        let ids: BTreeSet<u64> = envelopes.iter().map(|envelope| envelope.id).collect();
        let Some(queue) = self.queues.get_mut(of) else {
            return Vec::new();
        };
        queue
            .extract_if(.., |envelope| ids.contains(&envelope.id))
            .collect()
    }

    pub fn waiting(&self) -> usize {
        self.queues.values().map(Vec::len).sum()
    }
}
