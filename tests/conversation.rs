//! Two devices talk: the ordinary course of a conversation.

mod common;

use common::{Device, NOW, open, pair, snapshot};
use subrosa::{AppKey, Conversation, import};

#[test]
fn messages_pass_in_both_directions_in_any_order() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(1);
    for round in 0..20u8 {
        let sent: Vec<_> = (0..5u8)
            .map(|n| alice.seal(&mut at_alice, &[round, n], NOW))
            .collect();
        for n in [3, 0, 4, 1, 2] {
            assert_eq!(
                open(&mut at_bob, &sent[n], NOW),
                Ok(vec![round, n as u8]),
                "{round} {n}"
            );
        }
        let answer = bob.seal(&mut at_bob, &[round], NOW);
        assert_eq!(open(&mut at_alice, &answer, NOW), Ok(vec![round]));
    }
}

#[test]
fn first_messages_arrive_in_any_order() {
    let mut alice = Device::new("alice", 3);
    let mut bob = Device::new("bob", 4);
    let mut at_alice = alice.begin(&mut bob, NOW);
    let sent: Vec<_> = (0..5u8)
        .map(|n| alice.seal(&mut at_alice, &[n], NOW))
        .collect();
    let (mut at_bob, text) = bob.accept(&sent[3], NOW);
    assert_eq!(text, [3]);
    for n in [4, 0, 2, 1] {
        assert_eq!(open(&mut at_bob, &sent[n], NOW), Ok(vec![n as u8]));
    }
}

#[test]
fn overheads_and_sizes_are_what_the_specification_says() {
    let mut alice = Device::new("alice", 5);
    let mut bob = Device::new("bob", 6);
    let mut at_alice = alice.begin(&mut bob, NOW);
    let first = alice.seal(&mut at_alice, b"", NOW);
    assert_eq!(first.len(), 1_629);
    let (mut at_bob, _) = bob.accept(&first, NOW);
    let message = bob.seal(&mut at_bob, b"", NOW);
    assert_eq!(message.len(), 192 + 102);
}

#[test]
fn a_quiet_conversation_takes_at_most_2700_bytes() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(7);
    for _ in 0..100 {
        for _ in 0..40 {
            let message = alice.seal(&mut at_alice, b"text", NOW);
            open(&mut at_bob, &message, NOW).unwrap();
        }
        let message = bob.seal(&mut at_bob, b"text", NOW);
        open(&mut at_alice, &message, NOW).unwrap();
        for (state, device) in [(&at_alice, &alice), (&at_bob, &bob)] {
            let size = snapshot(state, &device.identity).len();
            assert!(size <= 2_700, "{size}");
        }
    }
}

#[test]
fn an_exported_conversation_goes_on_where_it_was() {
    let (mut alice, at_alice, _, mut at_bob) = pair(9);
    let exported = snapshot(&at_alice, &alice.identity);
    let mut again: Conversation =
        import(&exported, common::SLOT, &AppKey::new(common::APP_KEY)).unwrap();
    assert_eq!(snapshot(&again, &alice.identity), exported);
    let message = alice.seal(&mut again, b"still here", NOW);
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"still here".to_vec()));
}
