//! What was sent and what was read, kept without the library's help, and what must hold of it.
//!
//! 1. A text is given out at most once after its acknowledgement, to the devices it was sealed for, with the right
//!    sender, address and content. A restored backup may give out once more what came before the restoring.
//! 2. A copy is *promised* unless, since it was sealed, its sender or receiver was taken off its account's list, its
//!    receiver was set back, or its sender was set back before the server had it. When nothing of a promised copy is
//!    left on the way, it was read.
//! 3. Who was set back cannot read those who have not noticed. Copies to it are promised again from the one on that
//!    follows a read answer to what it wrote since.
//! 4. Of a conversation four states are kept (SPEC §11.3-R7): a copy is not promised once the conversation was begun
//!    four times of which its sender did not know when it was sealed.
//! 5. Forks and broken post-quantum exchanges are found only where one of the two was set back.

use std::collections::{BTreeMap, BTreeSet};

use subrosa::Address;
use subrosa::device::{Content, Received};
use subrosa::identity::AccountId;

use crate::common::SeededRng;

pub type Fault = String;

/// A device from its making to its loss.
pub type LifeId = u32;

#[derive(Default)]
pub struct Totals {
    pub texts: u64,
    pub copies: u64,
    pub promised: u64,
    pub read: u64,
    /// Once more, after a restored backup.
    pub read_again: u64,
    /// Not promised any more, and not read.
    pub excused: u64,
    /// Of those the ones whose conversation was begun too often meanwhile.
    pub overtaken: u64,
}

struct Copy {
    to: LifeId,
    /// Envelopes in the server's queue.
    queued: u16,
    read: bool,
    promised: bool,
    /// Sealed after the sender had read what a set-back receiver wrote since.
    answers: bool,
    /// How often the conversation was begun by the sender, and by the receiver as far as the sender knew.
    begun: [u32; 2],
}

/// States of a conversation that are kept.
const STATES: u32 = 4;

/// From one device to another: how often the conversation was begun by it, and by the other as far as it knows.
#[derive(Clone, Copy, Default)]
struct Begun {
    own: u32,
    heard: u32,
}

struct Entry {
    from: LifeId,
    in_outbox: bool,
    copies: Vec<Copy>,
}

struct SetBack {
    /// The first text sealed since.
    at: u64,
    /// Texts from before `at` that were read since.
    read: BTreeSet<u64>,
    /// Who has read something that was sealed since.
    heard: BTreeSet<LifeId>,
    /// Who has answered that, and was read.
    well: BTreeSet<LifeId>,
}

struct Life {
    account: usize,
    address: Address,
    alive: bool,
    born: u64,
    /// Given out and not acknowledged: the inbox's id and the text.
    shown: BTreeMap<u64, u64>,
    last_id: Option<u64>,
    set_back: Option<SetBack>,
}

/// What an app's own database says of a device: it is set back with the device's store.
#[derive(Clone)]
pub struct Bookmark {
    shown: BTreeMap<u64, u64>,
    last_id: Option<u64>,
}

#[derive(Default)]
pub struct Ledger {
    pub totals: Totals,
    /// Texts of which something is still on its way.
    entries: BTreeMap<u64, Entry>,
    lives: Vec<Life>,
    accounts: Vec<AccountId>,
    by_address: BTreeMap<Address, LifeId>,
    begun: BTreeMap<(LifeId, LifeId), Begun>,
    next: u64,
    fresh: Option<(u64, BTreeSet<(LifeId, LifeId)>)>,
}

/// Text `number`: who wrote it to whom, and up to 400 bytes that follow from it.
pub fn text(number: u64, from: LifeId, to: usize) -> Vec<u8> {
    let mut rng = SeededRng(number);
    let length = 1 << rng.below(8);
    let length = length + rng.below(length);
    let mut text = number.to_be_bytes().to_vec();
    text.extend(from.to_be_bytes());
    text.extend((to as u32).to_be_bytes());
    text.extend((0..length).map(|_| rng.next() as u8));
    text
}

impl Ledger {
    pub fn account_opened(&mut self, id: AccountId) {
        self.accounts.push(id);
    }

    pub fn born(&mut self, account: usize, address: Address) -> LifeId {
        let life = self.lives.len() as LifeId;
        self.by_address.insert(address, life);
        self.lives.push(Life {
            account,
            address,
            alive: true,
            born: self.next,
            shown: BTreeMap::new(),
            last_id: None,
            set_back: None,
        });
        life
    }

    /// The number of the next text.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// A device has begun a conversation, or begun it anew.
    pub fn begun(&mut self, by: LifeId, with: &Address) {
        let with = self.by_address[with];
        self.begun.entry((by, with)).or_default().own += 1;
    }

    /// Text `next()` was sealed for these devices, and is in the outbox.
    pub fn sealed<'a>(&mut self, from: LifeId, copies: impl Iterator<Item = &'a Address>) {
        let born = self.lives[from as usize].born;
        let copies: Vec<Copy> = copies
            .filter_map(|address| self.by_address.get(address).copied())
            .filter(|to| self.lives[*to as usize].alive)
            .map(|to| {
                let set_back = self.lives[to as usize].set_back.as_ref();
                Copy {
                    to,
                    queued: 0,
                    read: false,
                    promised: set_back
                        .is_none_or(|back| born >= back.at || back.well.contains(&from)),
                    answers: set_back.is_some_and(|back| back.heard.contains(&from)),
                    begun: self.known(from, to),
                }
            })
            .collect();
        self.totals.texts += 1;
        self.totals.copies += copies.len() as u64;
        self.totals.promised += copies.iter().filter(|copy| copy.promised).count() as u64;
        self.entries.insert(
            self.next,
            Entry {
                from,
                in_outbox: true,
                copies,
            },
        );
        self.next += 1;
    }

    fn copy(&mut self, number: u64, to: LifeId) -> Option<&mut Copy> {
        let entry = self.entries.get_mut(&number)?;
        entry.copies.iter_mut().find(|copy| copy.to == to)
    }

    /// The server has put a copy into the queue, so many times.
    pub fn queued(&mut self, number: u64, to: &Address, times: u16) {
        let to = self.by_address[to];
        if let Some(copy) = self.copy(number, to) {
            copy.queued += times;
        }
    }

    /// The server has every copy.
    pub fn left_outbox(&mut self, number: u64) -> Result<(), Fault> {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.in_outbox = false;
        }
        self.settle(number)
    }

    /// An envelope has left the queue, because the device has dealt with it.
    pub fn dealt_with(
        &mut self,
        number: u64,
        by: LifeId,
        refusal: Option<&str>,
    ) -> Result<(), Fault> {
        let overtaken = self.overtaken(number, by);
        let Some(copy) = self.copy(number, by) else {
            return Ok(());
        };
        copy.queued -= 1;
        copy.promised &= !overtaken;
        if copy.promised && !copy.read {
            let from = self.entries[&number].from;
            return Err(format!(
                "device {by} has dealt with text {number} of device {from} and not read it: {}",
                refusal.unwrap_or("without a word")
            ));
        }
        self.settle(number)
    }

    fn overtaken(&self, number: u64, to: LifeId) -> bool {
        let Some(entry) = self.entries.get(&number) else {
            return false;
        };
        let [own, _] = self.known(entry.from, to);
        let [other, _] = self.known(to, entry.from);
        let copy = entry.copies.iter().find(|copy| copy.to == to);
        copy.is_some_and(|copy| {
            let since = own.saturating_sub(copy.begun[0]) + other.saturating_sub(copy.begun[1]);
            !copy.read && since >= STATES
        })
    }

    fn known(&self, by: LifeId, of: LifeId) -> [u32; 2] {
        let begun = self.begun.get(&(by, of)).copied().unwrap_or_default();
        [begun.own, begun.heard]
    }

    /// Forgets a text of which nothing is left on the way.
    fn settle(&mut self, number: u64) -> Result<(), Fault> {
        let Some(entry) = self.entries.get(&number) else {
            return Ok(());
        };
        if entry.in_outbox || entry.copies.iter().any(|copy| copy.queued > 0) {
            return Ok(());
        }
        for copy in entry.copies.iter().filter(|copy| !copy.read) {
            if copy.promised {
                return Err(format!(
                    "text {number} of device {} never came to device {}",
                    entry.from, copy.to
                ));
            }
            self.totals.excused += 1;
            self.totals.overtaken += u64::from(self.overtaken(number, copy.to));
        }
        self.entries.remove(&number);
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), Fault> {
        let numbers: Vec<u64> = self.entries.keys().copied().collect();
        numbers
            .into_iter()
            .try_for_each(|number| self.settle(number))
    }

    /// A message was given out to the app of `by`.
    pub fn given_out(&mut self, by: LifeId, received: &Received) -> Result<(), Fault> {
        let number = self.check(by, received)?;
        let life = &mut self.lives[by as usize];
        if let Some(known) = life.shown.get(&received.id) {
            return if *known == number {
                Ok(())
            } else {
                Err(format!(
                    "device {by}: id {} is of texts {known} and {number}",
                    received.id
                ))
            };
        }
        if life.last_id.is_some_and(|last| received.id <= last) {
            return Err(format!(
                "device {by} was given text {number} after its acknowledgement"
            ));
        }
        life.last_id = Some(received.id);
        life.shown.insert(received.id, number);
        // Whether it may be read once more.
        let before = life
            .set_back
            .as_mut()
            .is_some_and(|back| number < back.at && back.read.insert(number));
        let entry = self.entries.get_mut(&number);
        let copy = entry.and_then(|entry| entry.copies.iter_mut().find(|copy| copy.to == by));
        match copy {
            Some(copy) if !copy.read => {
                copy.read = true;
                self.totals.read += 1;
                let (answers, [begun, _]) = (copy.answers, copy.begun);
                let from = self.entries[&number].from;
                let known = self.begun.entry((by, from)).or_default();
                known.heard = known.heard.max(begun);
                self.heard(by, from, number, answers);
                Ok(())
            }
            _ if before => {
                self.totals.read_again += 1;
                Ok(())
            }
            _ => Err(format!(
                "device {by} was given text {number} twice, or it was not for it"
            )),
        }
    }

    fn heard(&mut self, by: LifeId, from: LifeId, number: u64, answers: bool) {
        if let Some(back) = &mut self.lives[from as usize].set_back
            && number >= back.at
        {
            back.heard.insert(by);
        }
        if answers && let Some(back) = &mut self.lives[by as usize].set_back {
            back.well.insert(from);
        }
        if let Some((first, pairs)) = &mut self.fresh
            && number >= *first
        {
            pairs.insert((from, by));
        }
    }

    /// The number of a text that is what its writer wrote, from where it says, to where it says.
    fn check(&self, by: LifeId, received: &Received) -> Result<u64, Fault> {
        let wrong = |what| {
            Err(format!(
                "device {by} was given a text {what}: {received:?}, {:02x?}",
                received.text
            ))
        };
        let (Some(number), Some(from), Some(to)) = (
            received.text.first_chunk::<8>(),
            received.text[8..].first_chunk::<4>(),
            received.text[12..].first_chunk::<4>(),
        ) else {
            return wrong("that nobody wrote");
        };
        let (number, from) = (u64::from_be_bytes(*number), u32::from_be_bytes(*from));
        let to = u32::from_be_bytes(*to) as usize;
        let Some(writer) = self.lives.get(from as usize) else {
            return wrong("of nobody");
        };
        if received.text != text(number, from, to) || number >= self.next {
            return wrong("that is another than was written");
        }
        if received.from != writer.address {
            return wrong("from elsewhere");
        }
        let own = self.lives[by as usize].account;
        let right = match received.content {
            Content::Message => own == to,
            Content::Copy { to: account } => {
                own == writer.account && own != to && account == self.accounts[to]
            }
            _ => false,
        };
        if !right {
            return wrong("that was for others");
        }
        Ok(number)
    }

    /// The app has said that it has these.
    pub fn acknowledged(&mut self, by: LifeId, ids: &[u64]) {
        for id in ids {
            self.lives[by as usize].shown.remove(id);
        }
    }

    pub fn bookmark(&self, of: LifeId) -> Bookmark {
        let life = &self.lives[of as usize];
        Bookmark {
            shown: life.shown.clone(),
            last_id: life.last_id,
        }
    }

    /// A device is taken off its account's list.
    pub fn lost(&mut self, life: LifeId) -> Result<(), Fault> {
        let record = &mut self.lives[life as usize];
        record.alive = false;
        record.set_back = record.set_back.take().map(|back| SetBack {
            at: back.at,
            read: BTreeSet::new(),
            heard: BTreeSet::new(),
            well: BTreeSet::new(),
        });
        record.shown.clear();
        for entry in self.entries.values_mut() {
            let sender = entry.from == life;
            entry.in_outbox &= !sender;
            for copy in &mut entry.copies {
                let receiver = copy.to == life;
                copy.promised &= !sender && !receiver;
                if receiver {
                    copy.queued = 0;
                }
            }
        }
        for back in self.lives.iter_mut().filter_map(|l| l.set_back.as_mut()) {
            back.heard.remove(&life);
            back.well.remove(&life);
        }
        self.begun.retain(|(a, b), _| *a != life && *b != life);
        self.settle_all()
    }

    /// A device was set back to where this bookmark was set, with these texts in its outbox.
    pub fn restored(
        &mut self,
        life: LifeId,
        bookmark: Bookmark,
        outbox: &BTreeSet<u64>,
    ) -> Result<(), Fault> {
        for (number, entry) in &mut self.entries {
            let sender = entry.from == life;
            if sender {
                entry.in_outbox = outbox.contains(number);
            }
            for copy in &mut entry.copies {
                let nowhere = sender && !entry.in_outbox && copy.queued == 0 && !copy.read;
                copy.promised &= !nowhere && copy.to != life;
                copy.answers &= copy.to != life;
            }
        }
        for back in self.lives.iter_mut().filter_map(|l| l.set_back.as_mut()) {
            back.heard.remove(&life);
        }
        for begun in self.begun.range_mut((life, 0)..=(life, LifeId::MAX)) {
            begun.1.heard = 0;
        }
        let record = &mut self.lives[life as usize];
        record.shown = bookmark.shown;
        record.last_id = bookmark.last_id;
        record.set_back = Some(SetBack {
            at: self.next,
            read: BTreeSet::new(),
            heard: BTreeSet::new(),
            well: BTreeSet::new(),
        });
        self.settle_all()
    }

    /// Whether it is no wonder that this device finds the other one forked, or their exchange broken.
    pub fn expects_forks(&self, life: LifeId, other: &Address) -> bool {
        let set_back = |life: LifeId| self.lives[life as usize].set_back.is_some();
        set_back(life)
            || self
                .by_address
                .get(other)
                .is_some_and(|other| set_back(*other))
    }

    /// From now on takes down which device reads which.
    pub fn begin_round_trip(&mut self) {
        self.fresh = Some((self.next, BTreeSet::new()));
    }

    /// Whether since then each of two devices has read the other.
    pub fn round_trip(&self, a: LifeId, b: LifeId) -> bool {
        let (_, pairs) = self.fresh.as_ref().expect("a round trip was begun");
        pairs.contains(&(a, b)) && pairs.contains(&(b, a))
    }

    /// Texts of which something is on the way.
    pub fn under_way(&self) -> usize {
        self.entries.len()
    }

    /// Messages given out and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.lives.iter().map(|life| life.shown.len()).sum()
    }
}
