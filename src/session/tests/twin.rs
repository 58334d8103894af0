//! A whole copy of one side, which goes on as that side does (SPEC §16.1).
//!
//! The twin is the library's own state machine. It opens what the peer sends; what its original sends it decrypts with
//! the keys that it holds, and then takes the same step with what it knows of the original's draws. What it does not
//! know it draws itself, and is another one from then on.

use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::hedge::{Entropy, Hedged};
use crate::crypto::labels::purpose;
use crate::crypto::{self, Secret};
use crate::ratchet::{Quantum, Turn};
use crate::session::{Conversation, Error};
use crate::wire::Reader;

/// What a side drew for one message.
type Drawn = Vec<(&'static [u8], Vec<u8>)>;

/// Hedged draws, written down.
struct Recording<'a> {
    hedged: Hedged<'a, SeededRng>,
    drawn: Drawn,
}

impl Entropy for Recording<'_> {
    fn derive<const N: usize>(
        &mut self,
        purpose: &'static [u8],
        context: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        let secret = self.hedged.derive(purpose, context)?;
        self.drawn.push((purpose, secret.expose().to_vec()));
        Ok(secret)
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        self.hedged.fresh()
    }
}

/// What the twin is told of its original's draws after the theft.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// X25519 private keys: X25519 is broken, or they leak.
    classical: bool,
    /// Seeds of ML-KEM key pairs and m: ML-KEM is broken.
    quantum: bool,
}

/// The twin's draws: the original's where it is told, else its own.
struct Known<'a> {
    told: Told,
    drawn: &'a Drawn,
    own: &'a mut SeededRng,
}

impl Entropy for Known<'_> {
    fn derive<const N: usize>(
        &mut self,
        purpose: &'static [u8],
        _: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        let told = if purpose == purpose::RATCHET_KEY {
            self.told.classical
        } else {
            assert!([purpose::BRAID_SEED, purpose::BRAID_M].contains(&purpose));
            self.told.quantum
        };
        let known = self
            .drawn
            .iter()
            .find(|(drawn, _)| told && *drawn == purpose);
        Ok(Secret::new(match known {
            Some((_, value)) => value.as_slice().try_into().unwrap(),
            None => self.own.bytes(),
        }))
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Ok(Secret::new(self.own.bytes()))
    }
}

struct Twin {
    conversation: Conversation,
    told: Told,
    rng: SeededRng,
}

impl Twin {
    fn steal(conversation: &Conversation, told: Told) -> Self {
        Self {
            conversation: copy(conversation),
            told,
            rng: SeededRng(0xdead),
        }
    }

    /// A message of the peer.
    fn reads(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        match open_at(&mut self.conversation, message, NOW) {
            Ok(opened) => Some(opened.text),
            Err(Error::Forked | Error::NoSession) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// A message of the original, which drew `drawn` for it.
    fn overhears(&mut self, message: &[u8], drawn: &Drawn) -> Option<Vec<u8>> {
        let state = ratchet(&self.conversation);
        let taken = Taken::new(message, state.session_id);
        let (header_key, keys) = match &state.turn {
            Turn::Theirs {
                sending: Some(chain),
                ..
            } => (*chain.header_key.expose(), halves(&chain.chain_keys)),
            Turn::Ours { .. } => {
                let secret: Secret<32> = Known {
                    told: self.told,
                    drawn,
                    own: &mut self.rng.clone(),
                }
                .derive(purpose::RATCHET_KEY, &[])
                .unwrap();
                let (forge, keys) = Forge::new_chain(&self.conversation, *secret.expose());
                (forge.header_key, keys)
            }
            _ => panic!("the state sends"),
        };
        let header = taken.header(&header_key)?;
        let body = taken.body(&header, &message_key(&keys, 0))?;
        let text = Reader::new(&body).vector(192).unwrap().to_vec();
        let mut known = Known {
            told: self.told,
            drawn,
            own: &mut self.rng,
        };
        self.conversation.seal_with(&text, NOW, &mut known).unwrap();
        Some(text)
    }
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// The side whose state is stolen.
    Victim,
    Peer,
}

/// Two sides that talk; the victim is the initiator, or the responder.
struct Talk {
    victim: Device,
    at_victim: Conversation,
    peer: Device,
    at_peer: Conversation,
    rng: SeededRng,
    /// Who has the floor, and for how many more messages.
    floor: (Who, u64),
}

struct Said {
    who: Who,
    text: Vec<u8>,
    message: Vec<u8>,
    drawn: Drawn,
    /// Of the chain that the message is in.
    epoch: u32,
    /// The victim's key that this chain answers to, if it is the peer's; else the chain's own key.
    key: [u8; 32],
}

impl Talk {
    fn new(seed: u64, initiator: bool) -> Self {
        let Pair {
            alice,
            at_alice,
            bob,
            at_bob,
        } = pair(seed);
        let (victim, at_victim, peer, at_peer) = if initiator {
            (alice, at_alice, bob, at_bob)
        } else {
            (bob, at_bob, alice, at_alice)
        };
        Self {
            victim,
            at_victim,
            peer,
            at_peer,
            rng: SeededRng(seed),
            floor: (Who::Peer, 0),
        }
    }

    /// The next message, sent and read: bursts of one to six, texts that leave room for few symbols or many.
    fn goes_on(&mut self) -> Said {
        if self.floor.1 == 0 {
            let other = match self.floor.0 {
                Who::Victim => Who::Peer,
                Who::Peer => Who::Victim,
            };
            self.floor = (other, 1 + self.rng.below(6));
        }
        self.floor.1 -= 1;
        let mut text = vec![0; 1 + self.rng.below(160) as usize];
        text.fill_with(|| self.rng.next() as u8);
        self.say(self.floor.0, text)
    }

    fn say(&mut self, who: Who, text: Vec<u8>) -> Said {
        let (from, at_from, at_to) = match who {
            Who::Victim => (&mut self.victim, &mut self.at_victim, &mut self.at_peer),
            Who::Peer => (&mut self.peer, &mut self.at_peer, &mut self.at_victim),
        };
        let mut recording = Recording {
            hedged: Hedged::new(from.identity.hedge(), &mut from.rng),
            drawn: Vec::new(),
        };
        let message = at_from.seal_with(&text, NOW, &mut recording).unwrap();
        assert_eq!(read(at_to, &message), text);
        let state = ratchet(at_from);
        let Turn::Theirs { own, .. } = &state.turn else {
            panic!("a message was sent");
        };
        Said {
            who,
            text,
            message,
            drawn: recording.drawn,
            epoch: sending(at_from).epoch,
            key: match who {
                Who::Victim => *own.public().as_bytes(),
                Who::Peer => *state.peer_public.as_bytes(),
            },
        }
    }
}

impl Twin {
    fn listens(&mut self, said: &Said) -> bool {
        let heard = match said.who {
            Who::Victim => self.overhears(&said.message, &said.drawn),
            Who::Peer => self.reads(&said.message),
        };
        if let Some(text) = &heard {
            assert_eq!(*text, said.text);
        }
        heard.is_some()
    }
}

/// Whether the victim's own part of its epoch was drawn before the theft.
fn has_drawn(state: u8) -> bool {
    !matches!(state, 0 | 5 | 6)
}

/// Steals in every state of the Braid, from both sides, and lets them talk on; `check` is asked for each message
/// whether the twin has to read it.
fn steal_everywhere(
    seed: u64,
    told: Told,
    mut expected: impl FnMut(&Theft, &Said) -> bool,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (initiator, state) in [true, false]
        .into_iter()
        .flat_map(|initiator| (0..=10).map(move |state| (initiator, state)))
    {
        let mut talk = Talk::new(seed + 100 * u64::from(state), initiator);
        // Not at its first time: three epochs on, where both sides have had both parts.
        while braid(&talk.at_victim).state != state || braid(&talk.at_victim).epoch < 3 {
            talk.goes_on();
        }
        let mut twin = Twin::steal(&talk.at_victim, told);
        let theft = Theft::new(&talk);
        let mut outcome = Outcome::default();
        for number in 0..220 {
            let said = talk.goes_on();
            let heard = twin.listens(&said);
            assert_eq!(
                heard,
                expected(&theft, &said),
                "{told:?}, state {state}, initiator {initiator}: message {number} of {:?}, epoch {}",
                said.who,
                said.epoch
            );
            if heard {
                outcome.last_read = number;
                outcome.read += 1;
            }
        }
        outcome.epochs = braid(&talk.at_victim).epoch - theft.epoch;
        outcome.drawn = has_drawn(theft.state);
        outcome.twin_knows_the_roots = {
            let held = encoding(&twin.conversation);
            let Quantum::Whole { own, peer, .. } = &ratchet(&talk.at_victim).quantum else {
                panic!("the state sends");
            };
            let mut secrets: Vec<[u8; 32]> = own
                .iter()
                .chain(peer.iter())
                .map(|seed| *seed.expose())
                .collect();
            secrets.extend(braid(&talk.at_victim).roots);
            secrets
                .iter()
                .filter(|secret| contains(&held, *secret))
                .count()
        };
        outcomes.push(outcome);
    }
    outcomes
}

#[derive(Default, Debug)]
struct Outcome {
    read: u32,
    last_read: u32,
    /// Epochs completed after the theft.
    epochs: u32,
    drawn: bool,
    /// How many of the genuine seeds and roots the twin holds at the end.
    twin_knows_the_roots: usize,
}

/// What there was at the moment of the theft.
struct Theft {
    state: u8,
    epoch: u32,
    /// The victim's ratchet keys that the twin has, or that chains it can read answer to.
    keys: Vec<[u8; 32]>,
}

impl Theft {
    fn new(talk: &Talk) -> Self {
        let braid = braid(&talk.at_victim);
        let mut keys = Vec::new();
        // The victim's newest key, if the private half is still there; and the one that the peer's chain answers to.
        if let Turn::Theirs { own, .. } = &ratchet(&talk.at_victim).turn {
            keys.push(*own.public().as_bytes());
        }
        keys.push(*ratchet(&talk.at_peer).peer_public.as_bytes());
        Self {
            state: braid.state,
            epoch: braid.epoch,
            keys,
        }
    }

    /// Chains of this epoch and later ones are closed to one who does not know what the victim drew after the theft:
    /// the first epoch in which it draws.
    fn healed_epoch(&self) -> u32 {
        self.epoch + u32::from(has_drawn(self.state))
    }

    /// Whether a chain rests on a ratchet key of the victim that was stolen.
    fn is_of_a_stolen_key(&self, said: &Said) -> bool {
        self.keys.contains(&said.key)
    }
}

const EVERYTHING: Told = Told {
    classical: true,
    quantum: true,
};

/// The attacker can do it: told of every draw, the twin reads every message for ever.
#[test]
fn attack_r19_twin_that_is_told_everything_reads_everything() {
    for outcome in steal_everywhere(2_000, EVERYTHING, |_, _| true) {
        assert!(outcome.read == 220 && outcome.epochs >= 3, "{outcome:?}");
        assert!(outcome.twin_knows_the_roots >= 5, "{outcome:?}");
    }
}

/// Told of nothing: the twin reads the chains that rest on stolen ratchet keys, and nothing else. That is the victim's
/// present chain, and the peer's chains until it has answered to a key that the victim drew after the theft.
#[test]
fn attack_r19_twin_is_healed_by_the_classical_half() {
    let told = Told {
        classical: false,
        quantum: false,
    };
    let outcomes = steal_everywhere(2_010, told, Theft::is_of_a_stolen_key);
    assert!(outcomes.iter().any(|outcome| outcome.read > 5));
    for outcome in outcomes {
        // A burst of each side, and the messages of one under way.
        assert!(outcome.last_read < 20, "{outcome:?}");
        assert_eq!(outcome.twin_knows_the_roots, 0, "{outcome:?}");
    }
}

/// ML-KEM is broken, X25519 is not: healed at the same messages.
#[test]
fn attack_r19_twin_that_breaks_the_post_quantum_half() {
    let told = Told {
        classical: false,
        quantum: true,
    };
    let outcomes = steal_everywhere(2_010, told, Theft::is_of_a_stolen_key);
    assert!(outcomes.iter().all(|outcome| outcome.last_read < 20));
}

/// X25519 is broken, ML-KEM is not. The twin reads every chain of an epoch whose part the victim had drawn before the
/// theft, and no chain of the first epoch in which it draws afterwards, or of a later one: one epoch, or two.
#[test]
fn attack_r19_twin_that_breaks_the_classical_half() {
    let told = Told {
        classical: true,
        quantum: false,
    };
    let outcomes = steal_everywhere(2_020, told, |theft, said| said.epoch < theft.healed_epoch());
    assert!(outcomes.iter().any(|outcome| outcome.drawn));
    assert!(outcomes.iter().any(|outcome| !outcome.drawn));
    for outcome in outcomes {
        assert!(outcome.epochs >= 3, "{outcome:?}");
        // It reads for a while, and then no more.
        assert!(outcome.read > 0 && outcome.read < 200, "{outcome:?}");
        assert_eq!(outcome.twin_knows_the_roots, 0, "{outcome:?}");
    }
}

/// Nothing heals without answers: neither half, whoever of the two talks on.
#[test]
fn attack_r19_without_answers_nothing_heals() {
    let told = Told {
        classical: false,
        quantum: false,
    };
    for (initiator, who) in [
        (true, Who::Victim),
        (false, Who::Victim),
        (true, Who::Peer),
        (false, Who::Peer),
    ] {
        let mut talk = Talk::new(2_030, initiator);
        for _ in 0..30 {
            talk.goes_on();
        }
        talk.say(Who::Peer, b"the one".to_vec());
        talk.say(Who::Victim, b"the other".to_vec());
        talk.say(who, b"begins".to_vec());
        let mut twin = Twin::steal(&talk.at_victim, told);
        for number in 0..200u8 {
            let said = talk.say(who, vec![number; 40]);
            assert!(twin.listens(&said), "{initiator} {who:?} {number}");
        }
    }
}
