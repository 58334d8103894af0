//! What a state must not keep, and what must never be printed.

use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::kit::*;
use crate::crypto::dh::DhKeyPair;
use crate::crypto::hedge::Hedge;
use crate::crypto::kem::KemKeyPair;
use crate::crypto::sign::SigningKey;
use crate::crypto::{Secret, SharedSecret};
use crate::ratchet::epochs::Seeds;
use crate::ratchet::{Opening, Quantum, Ratchet, Turn};
use crate::session::{Conversation, Directory, Opened};
use crate::state::AppKey;
use crate::{agreement, ratchet};

/// One side and the keys that it has used up.
struct Side {
    device: Device,
    conversation: Conversation,
    used: Vec<[u8; 32]>,
    /// Epochs of the Braid whose secret was taken in.
    epochs: u32,
}

/// A message with its keys.
struct Sent {
    message: Vec<u8>,
    message_key: [u8; 32],
    keys: Halves,
}

/// The seeds of a direction up to that of `epoch`: what a chain of that epoch uses up.
fn seeds_up_to(seeds: &Seeds, epoch: u32) -> Vec<[u8; 32]> {
    let count = (epoch - seeds.first() + 1) as usize;
    seeds
        .iter()
        .take(count)
        .map(|seed| *seed.expose())
        .collect()
}

impl Side {
    fn new(device: Device, conversation: Conversation) -> Self {
        Self {
            device,
            conversation,
            used: Vec::new(),
            epochs: 0,
        }
    }

    /// Seals, and takes note of the keys that are used up by it.
    fn send(&mut self) -> Sent {
        let before = braid(&self.conversation).secrets();
        let mut used = Vec::new();
        let state = ratchet(&self.conversation);
        let begun = match &state.turn {
            Turn::Ours { root, .. } => {
                let Quantum::Whole { own, braid, .. } = &state.quantum else {
                    panic!("the state sends");
                };
                used.push(*root.expose());
                used.extend(seeds_up_to(own, braid.chain_epoch()));
                let (quantum, _) = own.open(braid.chain_epoch()).unwrap();
                Some((*root.expose(), *quantum.expose()))
            }
            _ => None,
        };
        let keys = match &begun {
            None => Some(halves(&sending(&self.conversation).chain_keys)),
            Some(_) => None,
        };
        let message = self.device.seal(&mut self.conversation, b"text");
        let keys = keys.unwrap_or_else(|| {
            let ratchet = ratchet(&self.conversation);
            let Turn::Theirs { own, .. } = &ratchet.turn else {
                panic!("a message was sent");
            };
            let (root, quantum) = begun.unwrap();
            let step = root_key(&root).step(&own.agree(&ratchet.peer_public).unwrap());
            [*step.chain_key.expose(), quantum]
        });
        let message_key = message_key(&keys, 0);
        self.used.extend(used);
        self.used.extend(keys);
        self.used.push(message_key);
        self.note_braid(&before);
        self.assert_forgotten();
        Sent {
            message,
            message_key,
            keys,
        }
    }

    /// Reads, and takes note of the keys that are used up by it.
    fn receive(&mut self, sent: &Sent) {
        let before = braid(&self.conversation).secrets();
        let state = ratchet(&self.conversation);
        let seeds = state.quantum.peer().unwrap();
        let (first, all) = (seeds.first(), seeds_up_to(seeds, seeds.last()));
        let held = match &state.turn {
            Turn::Theirs { own, root, .. } => Some([*own.secret().expose(), *root.expose()]),
            _ => None,
        };
        assert_eq!(read(&mut self.conversation, &sent.message), b"text");
        let state = ratchet(&self.conversation);
        if let (Some(held), Turn::Ours { .. }) = (held, &state.turn) {
            let epoch = state.receiving.as_ref().unwrap().epoch;
            self.used.extend(held);
            self.used
                .extend(all.iter().take((epoch - first + 1) as usize));
        }
        self.used.extend(sent.keys);
        self.used.push(sent.message_key);
        self.note_braid(&before);
        self.assert_forgotten();
    }

    /// What the Braid has left behind.
    fn note_braid(&mut self, before: &[[u8; 32]]) {
        let after = braid(&self.conversation).secrets();
        self.epochs += u32::from(before.first() != after.first());
        let gone = before.iter().filter(|secret| !after.contains(secret));
        self.used.extend(gone);
    }

    fn held(&self) -> BTreeSet<Vec<u8>> {
        let encoded = encoding(&self.conversation);
        encoded.windows(32).map(<[u8]>::to_vec).collect()
    }

    fn assert_forgotten(&self) {
        let held = self.held();
        for key in &self.used {
            assert!(!held.contains(key.as_slice()), "a used key is still there");
        }
    }
}

#[test]
fn attack_r18_used_keys_are_not_in_the_state() {
    let Pair {
        alice,
        at_alice,
        bob,
        at_bob,
    } = pair(1_000);
    let mut sides = [Side::new(alice, at_alice), Side::new(bob, at_bob)];
    let mut rng = SeededRng(1_002);
    let mut late: [Vec<Sent>; 2] = [Vec::new(), Vec::new()];
    let mut stored = 0;
    for round in 0..120 {
        let from = round % 2;
        let mut burst: Vec<_> = (0..=rng.below(4)).map(|_| sides[from].send()).collect();
        let to = &mut sides[1 - from];
        // The last one arrives, the others then, later, or never.
        to.receive(&burst.pop().unwrap());
        for sent in burst {
            // A key that is still needed is there: the search finds what is to be found.
            assert!(to.held().contains(sent.message_key.as_slice()));
            stored += 1;
            if rng.below(2) == 0 {
                to.receive(&sent);
            } else {
                late[1 - from].push(sent);
            }
        }
        if rng.below(3) == 0
            && let Some(sent) = late[1 - from].pop()
        {
            to.receive(&sent);
        }
    }
    assert!(stored > 50, "{stored}");
    assert!(sides.iter().all(|side| side.epochs > 5));
}

/// Whether `secret` is told by `text`: four bytes of it, in hexadecimal or in decimal.
fn tells(text: &str, secret: &[u8]) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = text.to_lowercase();
    secret.windows(4).any(|window| {
        let hex: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
        let decimal = window
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let spaced = window
            .iter()
            .map(|byte| format!("{byte:x}"))
            .collect::<Vec<_>>()
            .join(",");
        // All-equal bytes are no secret, and are found everywhere.
        window.iter().any(|byte| *byte != window[0])
            && [hex, decimal, spaced]
                .iter()
                .any(|form| lower.contains(form))
    })
}

/// Every secret of a ratchet.
fn secrets_of(ratchet: &Ratchet) -> Vec<Vec<u8>> {
    let mut secrets = vec![ratchet.next_header_key.expose().to_vec()];
    let mut add = |secret: &[u8; 32]| secrets.push(secret.to_vec());
    match &ratchet.turn {
        Turn::Theirs { own, root, sending } => {
            add(own.secret().expose());
            add(root.expose());
            if let Some(chain) = sending {
                add(chain.header_key.expose());
                add(chain.next_header_key.expose());
                halves(&chain.chain_keys).iter().for_each(&mut add);
            }
        }
        Turn::Ours {
            root,
            next_header_key,
            ..
        } => {
            add(root.expose());
            add(next_header_key.expose());
        }
        Turn::Ended => {}
    }
    if let Quantum::Whole { own, peer, .. } = &ratchet.quantum {
        let seeds = own.iter().chain(peer.iter());
        seeds.for_each(|seed| add(seed.expose()));
        braid_of(ratchet).secrets().iter().for_each(&mut add);
    }
    if let Some(chain) = &ratchet.receiving {
        add(chain.header_key.expose());
        halves(&chain.chain_keys).iter().for_each(&mut add);
        chain
            .keys
            .iter()
            .for_each(|stored| add(stored.key.expose()));
    }
    for chain in &ratchet.closed {
        add(chain.header_key.expose());
        chain
            .keys
            .iter()
            .for_each(|stored| add(stored.key.expose()));
    }
    secrets
}

#[track_caller]
fn assert_silent(value: &impl core::fmt::Debug, secrets: &[Vec<u8>]) {
    assert!(!secrets.is_empty());
    for text in [
        format!("{value:?}"),
        format!("{value:#?}"),
        format!("{value:x?}"),
        format!("{value:X?}"),
    ] {
        // Silent about secrets, not about everything.
        assert!(text.contains(" {"), "{text:?}");
        for secret in secrets {
            assert!(!tells(&text, secret), "{text}");
        }
    }
}

#[test]
fn attack_i8_debug_prints_no_secret() {
    // The search finds what it looks for.
    let secret: Vec<u8> = (100..132).collect();
    for text in [
        format!("{secret:?}"),
        format!("{secret:#?}"),
        format!("{secret:x?}"),
        format!("{secret:02X?}"),
        secret.iter().map(|byte| format!("{byte:02x}")).collect(),
    ] {
        assert!(tells(&text, &secret), "{text}");
    }

    let mut pair = pair(1_010);
    pair.alice_says(b"text");
    let skipped = pair.alice.seal(&mut pair.at_alice, b"skipped");
    pair.alice_says(b"text");
    pair.bob_says(b"your turn");
    pair.alice_says(b"text");
    pair.alice.seal(&mut pair.at_alice, b"skipped");
    pair.alice_says(b"text");
    for conversation in [&pair.at_alice, &pair.at_bob] {
        let secrets = secrets_of(ratchet(conversation));
        assert!(secrets.len() >= 6);
        assert_silent(conversation, &secrets);
    }
    let encoded = encoding(&pair.alice.identity);
    let private = encoded[1 + 5..].chunks(32).map(<[u8]>::to_vec);
    let private: Vec<_> = private.collect();
    assert_eq!(private.len(), 2);
    assert_silent(&pair.alice.identity, &private);

    // A text is a secret, too; as long as it is read by its owner and by nobody's log.
    let text: Vec<u8> = (0..32).map(|byte| byte * 7 + 3).collect();
    let message = pair.alice.seal(&mut pair.at_alice, &text);
    let opened: Opened = open_at(&mut pair.at_bob, &message, NOW).unwrap();
    assert_eq!(opened.text, text);
    assert_silent(&opened, core::slice::from_ref(&text));

    let mut at_alice = pair.alice.pin(&pair.bob);
    pair.alice.begin(&mut at_alice, &mut pair.bob, NOW);
    let first = pair.alice.seal(&mut at_alice, &text);
    let staged = pair.bob.stage(&first, NOW).unwrap();
    let mut at_bob = pair.bob.pin(&pair.alice);
    pair.bob.accept_into(&mut at_bob, &first, NOW).unwrap();
    let mut secrets = secrets_of(ratchet(&at_bob));
    secrets.push(text);
    assert_silent(&staged, &secrets);

    let mut directory = Directory::new();
    directory.update(&1, &pair.at_bob);
    assert_silent(&directory, &secrets_of(ratchet(&pair.at_bob)));
    assert_eq!(read(&mut pair.at_bob, &skipped), b"skipped");
}

/// Fails to compile if one of the types can be printed.
macro_rules! assert_not_debug {
    ($($type:ty),* $(,)?) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn item() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Prints;
            impl<T: ?Sized + core::fmt::Debug> Ambiguous<Prints> for T {}
            let _ = <$type as Ambiguous<_>>::item;
        };
    )*};
}

assert_not_debug!(
    Secret<32>,
    SharedSecret,
    DhKeyPair,
    KemKeyPair,
    SigningKey,
    Hedge,
    AppKey,
    Ratchet,
    Opening,
    ratchet::RootKey,
    ratchet::ChainKey,
    ratchet::MessageKey,
    ratchet::HeaderKey,
    agreement::Prekeys,
    agreement::Initiation,
    agreement::Response,
);
