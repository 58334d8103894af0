//! Target `restart`: devices that stop, are copied, and are set back to old backups, at arbitrary points (SPEC §16.1).

use std::collections::{BTreeMap, BTreeSet};

use subrosa::hazmat;
use subrosa::{
    AppKey, Bundle, Conversation, DeviceIdentity, Error, Incoming, Opened, Prekeys, StagedFirst,
    import,
};

use super::common::{APP_KEY, DAY, Device, NOW, SLOT, SeededRng, pair, snapshot};
use super::script::Script;

/// Steps of one input.
const STEPS: usize = 48;
/// Copies of one device that live at once, and backups of it.
const COPIES: usize = 3;
const BACKUPS: usize = 4;
/// Numbers of a chain that a receiver tells apart for certain (SPEC §9.5-R2).
const WINDOW: u32 = 32;
/// States that are not used so long are deleted; they are not part of this.
const LONGEST_WAIT: u64 = 20 * DAY;

type Tag = [u8; 8];

/// What the harness knows of one line of states: it is copied and set back with the state.
#[derive(Clone)]
struct Book {
    rng: SeededRng,
    /// Messages read, by their place in the log.
    read: BTreeSet<usize>,
    /// How many were sealed in each chain.
    sealed: BTreeMap<Tag, u32>,
    /// Which message was read at each number of each chain.
    numbers: BTreeMap<(Tag, u32), usize>,
    /// The chain that was opened last, if no state was added since.
    newest: Option<Tag>,
}

/// One of the copies of a device, as it lives.
struct Copy {
    conversation: Conversation,
    prekeys: Prekeys,
    book: Book,
}

/// A copy at rest.
#[derive(Clone)]
struct Backup {
    conversation: Vec<u8>,
    prekeys: Vec<u8>,
    book: Book,
}

impl Copy {
    fn new(device: Device, conversation: Conversation) -> (DeviceIdentity, Self) {
        let Device {
            identity,
            prekeys,
            rng,
        } = device;
        let book = Book {
            rng,
            read: BTreeSet::new(),
            sealed: BTreeMap::new(),
            numbers: BTreeMap::new(),
            newest: None,
        };
        let copy = Self {
            conversation,
            prekeys,
            book,
        };
        (identity, copy)
    }

    fn store(&self, device: &DeviceIdentity) -> Backup {
        Backup {
            conversation: snapshot(&self.conversation, device),
            prekeys: snapshot(&self.prekeys, device),
            book: self.book.clone(),
        }
    }

    /// The stored state, in the clear.
    fn plaintext(&self) -> (Vec<u8>, Vec<u8>) {
        let conversation = hazmat::encode(&self.conversation).unwrap();
        (conversation, hazmat::encode(&self.prekeys).unwrap())
    }
}

impl Backup {
    /// The copy as it was. With `seed` its generator gives something else from now on; else it repeats itself.
    fn load(&self, seed: Option<u64>) -> Copy {
        let key = AppKey::new(APP_KEY);
        let mut book = self.book.clone();
        if let Some(seed) = seed {
            book.rng = SeededRng(seed);
        }
        Copy {
            conversation: import(&self.conversation, SLOT, &key).unwrap(),
            prekeys: import(&self.prekeys, SLOT, &key).unwrap(),
            book,
        }
    }
}

struct Sent {
    side: usize,
    bytes: Vec<u8>,
    text: Vec<u8>,
    tag: Tag,
    number: u32,
}

/// A device: its identity is the same in all copies.
struct Side {
    identity: DeviceIdentity,
    copies: Vec<Copy>,
    backups: Vec<Backup>,
}

struct World {
    sides: [Side; 2],
    log: Vec<Sent>,
    /// Where each salt was used.
    salts: BTreeMap<[u8; 16], usize>,
    now: u64,
    seeds: u64,
}

/// Both devices of a conversation in any number of copies. No key meets a nonce twice, nothing is accepted twice in one
/// line of states, a message that contradicts one that was read is `Forked`, and the conversation can begin anew.
pub fn restart(data: &[u8]) {
    let mut script = Script::new(data);
    let (alice, at_alice, bob, at_bob) = pair(700);
    let sides = [(alice, at_alice), (bob, at_bob)].map(|(device, conversation)| {
        let (identity, copy) = Copy::new(device, conversation);
        Side {
            identity,
            copies: vec![copy],
            backups: Vec::new(),
        }
    });
    let mut world = World {
        sides,
        log: Vec::new(),
        salts: BTreeMap::new(),
        now: NOW,
        seeds: 0,
    };
    for _ in 0..STEPS {
        if script.is_empty() {
            break;
        }
        world.now += 1;
        world.step(&mut script);
    }
    let (a, b) = (world.choose(&mut script, 0), world.choose(&mut script, 1));
    world.begin_anew(a, b);
}

impl World {
    fn choose(&self, script: &mut Script<'_>, side: usize) -> usize {
        script.below(self.sides[side].copies.len())
    }

    /// Another seed every second time: a copied machine may have copied its generator, too.
    fn seed(&mut self, script: &mut Script<'_>) -> Option<u64> {
        self.seeds += 1;
        (script.u8() % 2 == 1).then_some(1_000 + self.seeds)
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let kind = script.u8() % 12;
        let side = script.below(2);
        let at = self.choose(script, side);
        match kind {
            0..=2 => {
                let text = [b't', side as u8, script.u8() % 4];
                self.seal(side, at, &text);
            }
            3..=6 => {
                let place = script.u8();
                // The newest ones, most of the time.
                let place = match usize::from(place) {
                    old @ 200.. => (old - 200).checked_rem(self.log.len()),
                    new => self.log.len().checked_sub(1 + new % 16),
                };
                if let Some(place) = place {
                    let to = 1 - self.log[place].side;
                    let at = self.choose(script, to);
                    let _: Result<Opened, Error> = self.deliver(place, to, at);
                }
            }
            7 => {
                let side = &mut self.sides[side];
                let stored = side.copies[at].store(&side.identity);
                let copy = stored.load(None);
                let again = copy.store(&side.identity);
                assert_eq!(again.conversation, stored.conversation);
                assert_eq!(again.prekeys, stored.prekeys);
                side.copies[at] = copy;
            }
            8 => {
                let seed = self.seed(script);
                let side = &mut self.sides[side];
                let copy = side.copies[at].store(&side.identity).load(seed);
                if side.copies.len() < COPIES {
                    side.copies.push(copy);
                } else {
                    let last = side.copies.len() - 1;
                    side.copies[last] = copy;
                }
            }
            9 => {
                let side = &mut self.sides[side];
                if side.backups.len() < BACKUPS {
                    let backup = side.copies[at].store(&side.identity);
                    side.backups.push(backup);
                }
            }
            10 => {
                let seed = self.seed(script);
                let which = script.u8();
                let side = &mut self.sides[side];
                if !side.backups.is_empty() {
                    let which = usize::from(which) % side.backups.len();
                    side.copies[at] = side.backups[which].load(seed);
                }
            }
            _ => match script.u8() % 4 {
                0 => self.now = (self.now + DAY).min(NOW + LONGEST_WAIT),
                one_time => {
                    let from = self.choose(script, 1 - side);
                    self.begin(side, at, from, one_time > 1);
                }
            },
        }
    }

    fn seal(&mut self, side: usize, at: usize, text: &[u8]) -> Option<usize> {
        let Side {
            identity, copies, ..
        } = &mut self.sides[side];
        let Copy {
            conversation, book, ..
        } = &mut copies[at];
        let before = hazmat::encode(conversation).unwrap();
        let bytes = match conversation.seal(identity, text, self.now, &mut book.rng) {
            Ok(bytes) => bytes,
            Err(error) => {
                assert_eq!(error, Error::Unanswered);
                assert_eq!(hazmat::encode(conversation).unwrap(), before);
                return None;
            }
        };
        let tag = *Incoming::parse(&bytes).unwrap().tag();
        let sealed = book.sealed.entry(tag).or_default();
        let number = *sealed;
        *sealed += 1;
        let salt = hazmat::parse(&bytes).unwrap().salt;
        let place = self.log.len();
        let first = *self.salts.entry(salt).or_insert(place);
        if first != place {
            // SPEC §9.3-R4: key and nonce follow from a chain's key and the salt.
            let other = &self.log[first];
            assert_eq!(other.bytes, bytes, "one salt for two messages");
            return Some(first);
        }
        self.log.push(Sent {
            side,
            bytes,
            text: text.to_vec(),
            tag,
            number,
        });
        Some(place)
    }

    /// `at` of `side` begins with a bundle of `from` of the other side.
    fn begin(&mut self, side: usize, at: usize, from: usize, one_time: bool) {
        let now = self.now;
        let owner = &mut self.sides[1 - side];
        let Copy { prekeys, book, .. } = &mut owner.copies[from];
        let bundle = if one_time {
            let made = prekeys.replenish(&owner.identity, 1, now, &mut book.rng);
            made.unwrap().remove(0)
        } else {
            prekeys.last_resort_bundle(&owner.identity).unwrap()
        };
        let bundle = Bundle::parse(&bundle).unwrap().verify(now).unwrap();
        let Side {
            identity, copies, ..
        } = &mut self.sides[side];
        let Copy {
            conversation, book, ..
        } = &mut copies[at];
        conversation
            .begin(identity, &bundle, now, &mut book.rng)
            .unwrap();
        assert!(conversation.can_send());
        book.newest = None;
    }

    /// A genuine message, to any copy of its addressee.
    fn deliver(&mut self, place: usize, to: usize, at: usize) -> Result<Opened, Error> {
        let now = self.now;
        let sender = *self.sides[1 - to].identity.public();
        let Side {
            identity, copies, ..
        } = &mut self.sides[to];
        let copy = &mut copies[at];
        let sent = &self.log[place];
        let incoming = Incoming::parse(&sent.bytes).unwrap();
        let before = copy.plaintext();
        let mut opened = copy.conversation.open(&incoming, now);
        if opened.as_ref().err() == Some(&Error::NoSession) && incoming.first_id().is_some() {
            let staged = StagedFirst::stage(&incoming, identity, &copy.prekeys, now);
            opened = staged.and_then(|staged| {
                assert_eq!(*staged.peer(), sender);
                staged.accept(&mut copy.conversation, &mut copy.prekeys, now)
            });
            if opened.is_ok() {
                copy.book.newest = None;
            }
        }
        let book = &mut copy.book;
        let key = (sent.tag, sent.number);
        let error = match opened {
            Ok(opened) => {
                assert_eq!(opened.text, sent.text);
                assert!(book.read.insert(place), "a message was read twice");
                assert_eq!(
                    book.numbers.insert(key, place),
                    None,
                    "two were read at one number"
                );
                let is_new = !book
                    .numbers
                    .keys()
                    .any(|(tag, number)| *tag == key.0 && *number != key.1);
                if is_new {
                    book.newest = Some(sent.tag);
                }
                return Ok(opened);
            }
            Err(error) => error,
        };
        assert_eq!(copy.plaintext(), before, "{error:?}");
        let book = &copy.book;
        if book.read.contains(&place) {
            assert!(matches!(
                error,
                Error::Duplicate | Error::NoSession | Error::ReplayedFirst | Error::PrekeyGone
            ));
        } else if book.newest == Some(sent.tag) && book.numbers.contains_key(&key) {
            let chain = book.numbers.keys().filter(|(tag, _)| *tag == sent.tag);
            let next = chain.map(|(_, number)| number + 1).max().unwrap_or(0);
            if next - sent.number <= WINDOW {
                assert_eq!(error, Error::Forked, "a copy was not noticed");
            }
        }
        assert!(!matches!(
            error,
            Error::TooLong
                | Error::Integrity
                | Error::Rng
                | Error::UnknownVersion
                | Error::UnknownKind
                | Error::BadSignature
                | Error::OwnIdentity
                | Error::IdentityChanged
        ));
        Err(error)
    }

    /// Whatever happened: two copies that begin anew talk to each other.
    fn begin_anew(&mut self, a: usize, b: usize) {
        let at = [a, b];
        self.now += 1;
        self.begin(0, a, b, true);
        let first = self.seal(0, a, b"begin").unwrap();
        let opened = self.deliver(first, 1, b).unwrap();
        if opened.old_state {
            // The other side has seen a younger agreement; its own is the youngest of all.
            self.begin(1, b, a, true);
            let first = self.seal(1, b, b"begin").unwrap();
            assert!(!self.deliver(first, 0, a).unwrap().old_state);
        }
        for side in [1, 0, 1, 0] {
            let message = self.seal(side, at[side], b"goes on").unwrap();
            let opened = self.deliver(message, 1 - side, at[1 - side]).unwrap();
            assert!(!opened.old_state && !opened.forked && !opened.pq_broken);
        }
    }
}

/// Each step once, and the storms that they are for.
pub fn seeds() -> Vec<Vec<u8>> {
    let seal = |side, at| [0, side, at, at];
    let deliver = |place, at| [3, 0, 0, place, at];
    let copy = |side, other| [8, side, 0, other];
    let mut seeds = vec![Vec::new()];
    // Two copies in one chain; two copies that begin a chain each; with one generator and with two.
    for other in [0, 1] {
        for side in [0, 1] {
            let mut seed = Vec::new();
            seed.extend(copy(side, other));
            seed.extend(seal(side, 0));
            seed.extend(deliver(0, 0));
            seed.extend(seal(side, 1));
            seed.extend(deliver(0, 0));
            seed.extend(deliver(1, 0));
            seed.extend(seal(1 - side, 0));
            seed.extend([deliver(0, 0), deliver(0, 1)].concat());
            seeds.push(seed);
        }
        // A backup, some talk, back, and the same again.
        let turn = [seal(0, 0), seal(1, 0)].map(|sealed| [&sealed[..], &deliver(0, 0)].concat());
        let talk = turn.concat().repeat(3);
        let mut seed = vec![9, 0, 0];
        seed.extend(&talk);
        seed.extend([10, 0, 0, other, 0]);
        seed.extend(&talk);
        seeds.push(seed);
    }
    // Agreements of copies with one-time and last-resort bundles, restarts, days.
    for one_time in [1, 2] {
        let mut seed = copy(1, 1).to_vec();
        for at in [0, 1, 0, 1, 0] {
            seed.extend([11, 0, 0, one_time, at]);
            seed.extend([seal(0, 0).as_slice(), &deliver(0, at), &deliver(0, 1 - at)].concat());
            seed.extend([7, 0, 0, 7, 1, at, 11, 0, 0, 0]);
            seed.extend([seal(1, at).as_slice(), &deliver(0, 0)].concat());
        }
        seeds.push(seed);
    }
    seeds
}
