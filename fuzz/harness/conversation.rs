//! Target `message`: whatever the network makes of a conversation's messages.

use std::sync::OnceLock;

use subrosa::{Conversation, Error, Incoming, StagedFirst};

use super::common::{Device, NOW, SeededRng, pair, snapshot};
use super::script::Script;
use super::stored::import_conversation;

/// Alice's side of a conversation with Bob, who has begun anew in its course: closed chains that still owe
/// messages, a state that only reads, and a state that sends.
pub struct Fixture {
    pub alice: Device,
    /// Exported.
    pub at_alice: Vec<u8>,
    pub bob: Device,
    pub at_bob: Vec<u8>,
    pub messages: Vec<Message>,
    /// What the last message answers to; of use to a second device only.
    pub junk: Vec<u8>,
}

pub struct Message {
    pub bytes: Vec<u8>,
    pub text: Vec<u8>,
    pub was_read: bool,
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

    let junk = messages[0].bytes.iter().map(|byte| byte ^ 1).collect();
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
            text,
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

/// Up to twelve messages in a row, genuine or changed: what is genuine and new is read, everything else is refused
/// and leaves the state as it was; afterwards all that is still owed can be read, and the conversation goes on.
pub fn message(data: &[u8]) {
    let fixture = fixture();
    let alice = &fixture.alice.identity;
    let mut conversation = import_conversation(&fixture.at_alice);
    let genuine: Vec<&[u8]> = fixture
        .messages
        .iter()
        .map(|message| message.bytes.as_slice())
        .collect();
    let mut was_read: Vec<bool> = fixture
        .messages
        .iter()
        .map(|message| message.was_read)
        .collect();
    let mut script = Script::new(data);
    for _ in 0..12 {
        if script.is_empty() {
            break;
        }
        let bytes = script.message(&genuine);
        let position = genuine.iter().position(|genuine| *genuine == bytes);
        let before = snapshot(&conversation, alice);
        let opened = Incoming::parse(&bytes).and_then(|incoming| conversation.open(&incoming, NOW));
        match position {
            Some(position) if !was_read[position] => {
                assert_eq!(opened.unwrap().text, fixture.messages[position].text);
                was_read[position] = true;
            }
            Some(_) => {
                // Read before. A closed chain that owes nothing may be forgotten.
                let refusal = opened.unwrap_err();
                assert!(matches!(refusal, Error::Duplicate | Error::NoSession));
                assert_eq!(snapshot(&conversation, alice), before);
            }
            None => {
                assert!(opened.is_err(), "a changed message was read");
                assert_eq!(snapshot(&conversation, alice), before);
            }
        }
    }
    // Both ends are costly: the length of the input chooses how many messages are read, and whether one is answered.
    let owed = fixture.messages.iter().zip(was_read);
    let owed = owed.filter(|(_, was_read)| !was_read);
    let some = if data.len().is_multiple_of(2) {
        usize::MAX
    } else {
        1
    };
    for (message, _) in owed.take(some) {
        let text = open_genuine(&mut conversation, &message.bytes);
        assert_eq!(text, message.text);
    }
    if data.len().is_multiple_of(4) {
        let mut rng = SeededRng(500);
        let answer = conversation.seal(alice, b"last", NOW, &mut rng).unwrap();
        let mut at_bob = import_conversation(&fixture.at_bob);
        assert_eq!(open_genuine(&mut at_bob, &answer), b"last");
    }
    let state = snapshot(&conversation, alice);
    assert_eq!(snapshot(&import_conversation(&state), alice), state);
}
