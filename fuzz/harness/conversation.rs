//! A conversation in the middle of its life, as material.

use std::sync::OnceLock;

use subrosa::{Conversation, Incoming, StagedFirst};

use super::common::{Device, NOW, pair, snapshot};

/// Alice's side of a conversation with Bob, who has begun anew in its course: closed chains that still owe
/// messages, a state that only reads, and a state that sends.
pub struct Fixture {
    pub alice: Device,
    /// Exported.
    pub at_alice: Vec<u8>,
    pub bob: Device,
    pub at_bob: Vec<u8>,
    /// Read ones, missing ones, late ones.
    pub messages: Vec<Vec<u8>>,
    /// What the last message answers to; of use to a second device only.
    pub junk: Vec<u8>,
}

struct Message {
    bytes: Vec<u8>,
    was_read: bool,
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(build)
}

fn build() -> Fixture {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(400);
    let mut messages = Vec::new();
    // Three chains of Bob's, each with gaps, each but the last one answered.
    for (chain, read) in [[5, 0, 2], [3, 1, 1], [1, 1, 1]].into_iter().enumerate() {
        let sent = burst(&mut bob, &mut at_bob, chain, 7);
        deliver(&mut at_alice, sent, &read, &mut messages);
        if chain < 2 {
            let answer = alice.seal(&mut at_alice, b"answer", NOW);
            open_genuine(&mut at_bob, &answer);
        }
    }
    // Bob begins anew; Alice answers, and Bob goes on in a second chain.
    let bundle = alice.bundle(NOW + 1);
    at_bob
        .begin(&bob.identity, &bundle, NOW + 1, &mut bob.rng)
        .unwrap();
    let mut firsts = burst(&mut bob, &mut at_bob, 3, 4);
    let first = firsts.remove(1);
    let incoming = Incoming::parse(&first.bytes).unwrap();
    StagedFirst::stage(&incoming, &alice.identity, &alice.prekeys, NOW)
        .unwrap()
        .accept(&mut at_alice, &mut alice.prekeys, NOW)
        .unwrap();
    messages.push(Message {
        was_read: true,
        ..first
    });
    deliver(&mut at_alice, firsts, &[2], &mut messages);
    let answer = alice.seal(&mut at_alice, b"answer", NOW);
    open_genuine(&mut at_bob, &answer);
    let sent = burst(&mut bob, &mut at_bob, 4, 3);
    deliver(&mut at_alice, sent, &[], &mut messages);
    assert!(messages.iter().any(|message| message.was_read));

    let messages: Vec<_> = messages.into_iter().map(|message| message.bytes).collect();
    let junk = messages[0].iter().map(|byte| byte ^ 1).collect();
    Fixture {
        at_alice: snapshot(&at_alice, &alice.identity),
        at_bob: snapshot(&at_bob, &bob.identity),
        alice,
        bob,
        messages,
        junk,
    }
}

fn burst(
    sender: &mut Device,
    conversation: &mut Conversation,
    chain: usize,
    count: usize,
) -> Vec<Message> {
    let seal = |number| {
        let text = format!("chain {chain} number {number}").into_bytes();
        Message {
            bytes: sender.seal(conversation, &text, NOW),
            was_read: false,
        }
    };
    (0..count).map(seal).collect()
}

fn deliver(
    conversation: &mut Conversation,
    mut sent: Vec<Message>,
    read: &[usize],
    messages: &mut Vec<Message>,
) {
    for number in read {
        if !sent[*number].was_read {
            open_genuine(conversation, &sent[*number].bytes);
            sent[*number].was_read = true;
        }
    }
    messages.extend(sent);
}

fn open_genuine(conversation: &mut Conversation, message: &[u8]) -> Vec<u8> {
    let incoming = Incoming::parse(message).unwrap();
    conversation.open(&incoming, NOW).unwrap().text
}
