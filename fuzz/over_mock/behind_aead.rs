//! Target `behind_aead`: genuine messages with other plaintexts written into them, as if the sender had sealed them so.
//! What a key encrypts is in the open over the stand-ins, and its checksum is not looked at here.

use subrosa::crypto::aead::forgive;
use subrosa::session::Stored;
use subrosa::{AppKey, Conversation, Error, Incoming, Prekeys, StagedFirst, hazmat, import};

use crate::harness::common::{APP_KEY, NOW, SLOT, SeededRng};
use crate::harness::script::Script;
use crate::harness::{agreement, conversation};

/// SPEC §13: what a conversation takes, exported, whatever arrives; 76 bytes of it are the container.
const CEILING: usize = 96_000 - 76;

fn load<T: Stored>(exported: &[u8]) -> T {
    import(exported, SLOT, &AppKey::new(APP_KEY)).unwrap()
}

/// Up to eight messages to a conversation in the middle of its life, then first messages to a device.
pub fn behind_aead(data: &[u8]) {
    let (messages, firsts) = (conversation::fixture(), agreement::fixture());
    forgive(true);
    let mut script = Script::new(data);
    if script.u8().is_multiple_of(2) {
        let mut at_alice = load(&messages.at_alice);
        let genuine: Vec<&[u8]> = messages.messages.iter().map(Vec::as_slice).collect();
        for _ in 0..8 {
            if !script.is_empty() {
                deliver(&mut at_alice, &script.message(&genuine));
            }
        }
        still_sends(&mut at_alice);
    } else {
        let mut prekeys = load(firsts.prekeys());
        let genuine: Vec<&[u8]> = firsts.firsts.iter().map(Vec::as_slice).collect();
        for _ in 0..4 {
            if !script.is_empty() {
                stage(&mut prekeys, &script.message(&genuine));
            }
        }
    }
    forgive(false);
}

/// Whatever is refused changes nothing; whatever is read leaves a state.
fn deliver(conversation: &mut Conversation, message: &[u8]) {
    let before = hazmat::encode(conversation).unwrap();
    let opened = Incoming::parse(message).and_then(|incoming| conversation.open(&incoming, NOW));
    let after = hazmat::encode(conversation).unwrap();
    if let Err(error) = opened {
        assert!(!matches!(
            error,
            Error::Integrity | Error::Rng | Error::TooLong
        ));
        assert_eq!(after, before, "{error:?}");
        return;
    }
    is_state(conversation);
}

fn is_state(conversation: &Conversation) {
    let state = hazmat::encode(conversation).unwrap();
    assert!(state.len() < CEILING, "{}", state.len());
    assert!(conversation.tags().count() <= 24);
    let again: Conversation = hazmat::decode(&state).expect("what was written is read");
    assert_eq!(hazmat::encode(&again).unwrap(), state);
}

fn still_sends(conversation: &mut Conversation) {
    let alice = &conversation::fixture().alice.identity;
    let mut rng = SeededRng(1);
    for _ in 0..3 {
        let message = conversation.seal(alice, b"text", NOW, &mut rng).unwrap();
        assert!(Incoming::parse(&message).is_ok());
    }
    is_state(conversation);
}

/// A first message is staged or changes nothing; once accepted, it is a state, and never accepted again.
fn stage(prekeys: &mut Prekeys, message: &[u8]) {
    let bob = agreement::fixture().bob();
    let before = hazmat::encode(prekeys).unwrap();
    let Ok(incoming) = Incoming::parse(message) else {
        return;
    };
    let Ok(staged) = StagedFirst::stage(&incoming, bob, prekeys, NOW) else {
        assert_eq!(hazmat::encode(prekeys).unwrap(), before);
        return;
    };
    assert_ne!(staged.peer().keys(), bob.public().keys());
    let mut conversation = Conversation::new(*staged.peer());
    staged.accept(&mut conversation, prekeys, NOW).unwrap();
    is_state(&conversation);
    let mut rng = SeededRng(1);
    conversation.seal(bob, b"text", NOW, &mut rng).unwrap();
    let again = StagedFirst::stage(&incoming, bob, prekeys, NOW).map(drop);
    assert!(matches!(
        again,
        Err(Error::PrekeyGone | Error::ReplayedFirst)
    ));
}

/// Each genuine message as it is, and with bytes of its header, its content and its identity altered.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    let messages = conversation::fixture().messages.len() as u8;
    for base in 0..messages {
        seeds.push(vec![0, base, 0]);
        // Key, number, PN and epoch of the header; the front of the content; its padding.
        for at in [26_u16, 58, 62, 66, 86, 88, 200] {
            let [high, low] = at.to_be_bytes();
            seeds.push(vec![0, base, 1, 1, high, low, 0, 4, 0, 0, 0, 3]);
        }
    }
    for base in 0..agreement::fixture().firsts.len() as u8 {
        seeds.push(vec![1, base, 0]);
        // The identity's keys, its time, its address; the header and the content.
        for at in [1137_u16, 1265, 1273, 1280, 1361, 1393, 1397, 1421, 1430] {
            let [high, low] = at.to_be_bytes();
            seeds.push(vec![1, base, 1, 1, high, low, 0, 2, 0, 3]);
        }
    }
    seeds
}
