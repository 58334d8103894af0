//! Attacks on messages of a conversation by somebody who has none of its keys.

mod common;

use std::collections::BTreeSet;

use common::attack::{FailingRng, Whole, first, flip, msg, patch, stage};
use common::{Device, NOW, SeededRng, open, pair, snapshot};
use subrosa::padding::padded_length;
use subrosa::ratchet::TEXT_MAX;
use subrosa::{AppKey, Conversation, Error, Incoming, StagedFirst, import};

/// Every message must be refused with the error, and leave no trace.
#[track_caller]
fn refused(device: &Device, conversation: &mut Conversation, message: &[u8], error: Error) {
    let before = snapshot(conversation, &device.identity);
    assert_eq!(open(conversation, message, NOW), Err(error));
    assert!(
        before == snapshot(conversation, &device.identity),
        "the state changed"
    );
}

/// What an altered byte at `position` of an ordinary message is answered with.
fn error_at(position: usize) -> Error {
    match position {
        0 => Error::UnknownVersion,
        1 => Error::UnknownKind,
        _ if msg::TAG.contains(&position) => Error::NoSession,
        _ => Error::Malformed,
    }
}

#[test]
fn attack_r1_every_bit_of_a_message() {
    let (mut alice, mut at_alice, bob, mut at_bob) = pair(100);
    for text in [&b""[..], b"text"] {
        // In the first message of a chain, and in the next one.
        let message = alice.seal(&mut at_alice, text, NOW);
        assert_eq!(message.len(), 294);
        let before = Whole::of(&bob, Some(&at_bob));
        for bit in 0..message.len() * 8 {
            assert_eq!(
                open(&mut at_bob, &flip(&message, bit), NOW),
                Err(error_at(bit / 8)),
                "{bit}"
            );
            before.assert_same(&bob, Some(&at_bob));
        }
        assert_eq!(open(&mut at_bob, &message, NOW), Ok(text.to_vec()));
    }
}

#[test]
fn attack_r1_sampled_bits_of_many_messages() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(110);
    let mut rng = SeededRng(112);
    for round in 0..1_000 {
        let text = vec![0x61; rng.below(600) as usize];
        let (from, at_from, to, at_to) = if round % 7 < 4 {
            (&mut alice, &mut at_alice, &bob, &mut at_bob)
        } else {
            (&mut bob, &mut at_bob, &alice, &mut at_alice)
        };
        let message = from.seal(at_from, &text, NOW);
        let before = snapshot(at_to, &to.identity);
        for _ in 0..6 {
            let bit = rng.below(message.len() as u64 * 8) as usize;
            assert_eq!(
                open(at_to, &flip(&message, bit), NOW),
                Err(error_at(bit / 8)),
                "{bit}"
            );
        }
        assert!(before == snapshot(at_to, &to.identity));
        assert_eq!(open(at_to, &message, NOW), Ok(text));
    }
}

/// Tag, salt, header and body of several messages, of one chain and of the next, in every mixture.
#[test]
fn attack_r2_parts_of_messages_exchanged() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(120);
    let mut messages: Vec<_> = (0..3u8)
        .map(|n| alice.seal(&mut at_alice, &[n], NOW))
        .collect();
    assert_eq!(open(&mut at_bob, &messages[2], NOW), Ok(vec![2]));
    let answer = bob.seal(&mut at_bob, b"your turn", NOW);
    open(&mut at_alice, &answer, NOW).unwrap();
    messages.extend((3..5u8).map(|n| alice.seal(&mut at_alice, &[n], NOW)));
    let state = snapshot(&at_bob, &bob.identity);
    let mut mixed = 0;
    let count = messages.len();
    for tag in 0..count {
        for salt in 0..count {
            for header in 0..count {
                for body in 0..count {
                    let message = [
                        &[1, 2],
                        &messages[tag][msg::TAG],
                        &messages[salt][msg::SALT],
                        &messages[header][msg::HEADER],
                        &messages[body][msg::BODY],
                    ]
                    .concat();
                    if messages.contains(&message) {
                        continue;
                    }
                    assert_eq!(open(&mut at_bob, &message, NOW), Err(Error::Malformed));
                    mixed += 1;
                }
            }
        }
    }
    assert!(mixed > 600, "{mixed}");
    assert!(state == snapshot(&at_bob, &bob.identity));
    for (number, message) in messages.iter().enumerate() {
        if number != 2 {
            assert_eq!(open(&mut at_bob, message, NOW), Ok(vec![number as u8]));
        }
    }
}

/// Each of many messages again: at once, and later, when its chain is closed. Every text comes exactly once.
#[test]
fn attack_r5_every_message_replayed() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(130);
    let mut rng = SeededRng(132);
    let mut read = BTreeSet::new();
    let mut number = 0u32;
    // The messages of Alice's last chains, newest chain last.
    let mut chains: Vec<Vec<Vec<u8>>> = Vec::new();
    for _ in 0..150 {
        let mut sent: Vec<_> = (0..1 + rng.below(20))
            .map(|_| {
                number += 1;
                alice.seal(&mut at_alice, &number.to_be_bytes(), NOW)
            })
            .collect();
        // In any order, each twice in a row.
        for at in (1..sent.len()).rev() {
            sent.swap(at, rng.below(at as u64 + 1) as usize);
        }
        for message in &sent {
            let text = open(&mut at_bob, message, NOW).unwrap();
            assert!(read.insert(text));
            refused(&bob, &mut at_bob, message, Error::Duplicate);
        }
        chains.push(sent);
        let before = snapshot(&at_bob, &bob.identity);
        for (back, chain) in chains.iter().rev().enumerate() {
            // Beyond the closed chains that are remembered nobody knows the message.
            let error = if back <= 3 {
                Error::Duplicate
            } else {
                Error::NoSession
            };
            for message in chain {
                assert_eq!(open(&mut at_bob, message, NOW), Err(error), "{back}");
            }
        }
        assert!(before == snapshot(&at_bob, &bob.identity));
        if chains.len() > 6 {
            chains.remove(0);
        }
        let answer = bob.seal(&mut at_bob, b"answer", NOW);
        assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));
        refused(&alice, &mut at_alice, &answer, Error::Duplicate);
    }
    assert_eq!(read.len(), number as usize);
    assert!(number > 1_000, "{number}");
}

/// One side of a bad network.
struct Side {
    device: Device,
    conversation: Conversation,
    /// Number of the next text.
    next: u32,
    read: BTreeSet<u32>,
}

impl Side {
    /// As an app does it: a first message that no state knows is staged and accepted.
    fn receive(&mut self, message: &[u8]) -> Result<u32, Error> {
        let incoming = Incoming::parse(message)?;
        let opened = match self.conversation.open(&incoming, NOW) {
            Err(Error::NoSession) if incoming.first_id().is_some() => {
                let (device, prekeys) = (&self.device.identity, &mut self.device.prekeys);
                StagedFirst::stage(&incoming, device, prekeys, NOW)?.accept(
                    &mut self.conversation,
                    prekeys,
                    NOW,
                )?
            }
            other => other?,
        };
        let number = u32::from_be_bytes(opened.text.try_into().unwrap());
        assert!(self.read.insert(number), "a text came twice");
        Ok(number)
    }
}

/// Messages are lost, doubled and reordered; both sides begin anew now and then, and restart from storage. Whatever
/// arrives is read once, and nothing is ever stuck.
#[test]
fn attack_r6_reordered_lost_and_doubled() {
    for seed in 0..4 {
        let mut rng = SeededRng(220 + seed);
        let (alice, at_alice, bob, at_bob) = pair(230 + 2 * seed);
        let mut sides = [(alice, at_alice), (bob, at_bob)].map(|(device, conversation)| Side {
            device,
            conversation,
            next: 0,
            read: BTreeSet::new(),
        });
        // (to, message, number)
        let mut network: Vec<(usize, Vec<u8>, u32)> = Vec::new();
        let mut lost = 0;
        let mut arrived = [0, 0];
        for _ in 0..3_000 {
            let from = rng.below(2) as usize;
            if rng.below(150) == 0 {
                let [one, two] = &mut sides;
                let (side, peer) = if from == 0 { (one, two) } else { (two, one) };
                let bundle = peer.device.bundle(NOW);
                side.conversation
                    .begin(&side.device.identity, &bundle, NOW, &mut side.device.rng)
                    .unwrap();
            }
            let side = &mut sides[from];
            if rng.below(50) == 0 {
                let exported = snapshot(&side.conversation, &side.device.identity);
                side.conversation =
                    import(&exported, common::SLOT, &AppKey::new(common::APP_KEY)).unwrap();
            }
            let number = side.next;
            side.next += 1;
            let text = number.to_be_bytes();
            let message = side.device.seal(&mut side.conversation, &text, NOW);
            if rng.percent(15) {
                lost += 1;
            } else {
                network.push((1 - from, message.clone(), number));
            }
            if rng.percent(10) {
                network.push((1 - from, message, number));
            }
            while network.len() > 12 || (!network.is_empty() && rng.percent(30)) {
                let window = network.len().min(12) as u64;
                let (to, message, number) = network.remove(rng.below(window) as usize);
                let side = &mut sides[to];
                match side.receive(&message) {
                    Ok(read) => {
                        assert_eq!(read, number);
                        arrived[to] += 1;
                    }
                    // Of a message that was read, its chain may be forgotten by now, and its prekey is.
                    Err(Error::Duplicate | Error::NoSession | Error::PrekeyGone) => {
                        assert!(side.read.contains(&number), "{number} is stuck");
                    }
                    Err(error) => panic!("{number}: {error:?}"),
                }
            }
        }
        assert!(lost > 300, "{lost}");
        for (to, side) in sides.iter().enumerate() {
            assert_eq!(side.read.len(), arrived[to]);
        }
        assert!(arrived[0] > 1_000 && arrived[1] > 1_000, "{arrived:?}");
    }
}

/// Own messages come back.
#[test]
fn attack_r7_own_messages_reflected() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(140);
    for _ in 0..5 {
        let mut own = Vec::new();
        for _ in 0..3 {
            let message = alice.seal(&mut at_alice, b"to bob", NOW);
            refused(&alice, &mut at_alice, &message, Error::NoSession);
            own.push(message);
        }
        for message in &own {
            assert_eq!(open(&mut at_bob, message, NOW), Ok(b"to bob".to_vec()));
            refused(&alice, &mut at_alice, message, Error::NoSession);
        }
        let answer = bob.seal(&mut at_bob, b"to alice", NOW);
        refused(&bob, &mut at_bob, &answer, Error::NoSession);
        // With the tag of a message that Alice does wait for.
        let crossed = patch(&own[0], msg::TAG, &answer[msg::TAG]);
        refused(&alice, &mut at_alice, &crossed, Error::Malformed);
        assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"to alice".to_vec()));
    }
    // First messages, to the conversation that made them and to the prekeys of its device.
    let mut with_bob = alice.begin(&mut bob, NOW);
    let own = alice.seal(&mut with_bob, b"first", NOW);
    let before = Whole::of(&alice, Some(&with_bob));
    assert_eq!(open(&mut with_bob, &own, NOW), Err(Error::NoSession));
    assert_eq!(stage(&alice, &own, NOW), Err(Error::PrekeyGone));
    before.assert_same(&alice, Some(&with_bob));
    assert_eq!(bob.accept(&own, NOW).1, b"first");
}

#[test]
fn attack_r8_message_cut_or_continued() {
    let (mut alice, mut at_alice, bob, mut at_bob) = pair(150);
    let message = alice.seal(&mut at_alice, b"text", NOW);
    let long = alice.seal(&mut at_alice, &[0x61; 1_500], NOW);
    let before = Whole::of(&bob, Some(&at_bob));
    for message in [&message, &long] {
        for length in 0..message.len() {
            assert_eq!(
                open(&mut at_bob, &message[..length], NOW),
                Err(Error::Malformed),
                "{length}"
            );
        }
        // To the next allowed length as well.
        for extra in (1..=320).chain([734, 1_000_000, 1_048_576]) {
            for fill in [0, 0xff] {
                let longer = [message.as_slice(), &vec![fill; extra]].concat();
                assert_eq!(
                    open(&mut at_bob, &longer, NOW),
                    Err(Error::Malformed),
                    "{extra}"
                );
            }
        }
        // One byte in front, or one taken out within.
        for at in [2, 9, 10, 26, 86, message.len() - 16] {
            let mut shorter = message.clone();
            shorter.remove(at);
            let mut longer = message.clone();
            longer.insert(at, 0);
            for altered in [shorter, longer] {
                assert_eq!(open(&mut at_bob, &altered, NOW), Err(Error::Malformed));
            }
        }
    }
    before.assert_same(&bob, Some(&at_bob));
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"text".to_vec()));
    assert_eq!(open(&mut at_bob, &long, NOW), Ok(vec![0x61; 1_500]));
}

/// Version, kind and session are bound: no frame passes as another kind, or in another conversation.
#[test]
fn attack_r14_frames_spliced_over_kinds_and_sessions() {
    let mut alice = Device::new("alice", 160);
    let mut bob = Device::new("bob", 161);
    let mut at_alice = alice.begin(&mut bob, NOW);
    let first_one = alice.seal(&mut at_alice, b"one", NOW);
    let first_two = alice.seal(&mut at_alice, b"two", NOW);
    let (mut at_bob, _) = bob.accept(&first_one, NOW);

    // The frame of a first message as an ordinary one.
    let as_message = [&[1, 2][..], &first_two[first::FRAME..]].concat();
    refused(&bob, &mut at_bob, &as_message, Error::Malformed);
    assert_eq!(open(&mut at_bob, &first_two, NOW), Ok(b"two".to_vec()));
    let answer = bob.seal(&mut at_bob, b"answer", NOW);
    assert_eq!(open(&mut at_alice, &answer, NOW), Ok(b"answer".to_vec()));

    // The frame of an ordinary message behind the prefix of this very conversation.
    let message = alice.seal(&mut at_alice, b"three", NOW);
    let as_first = [&first_one[..first::FRAME], &message[msg::FRAME..]].concat();
    refused(&bob, &mut at_bob, &as_first, Error::Malformed);
    assert_eq!(stage(&bob, &as_first, NOW), Err(Error::PrekeyGone));

    // Session 2 of the same two devices: prefix, frame, tag.
    let mut second = alice.begin(&mut bob, NOW);
    let in_second = alice.seal(&mut second, b"in the second", NOW);
    let crossed = [&in_second[..first::FRAME], &message[msg::FRAME..]].concat();
    let before = Whole::of(&bob, Some(&at_bob));
    assert_eq!(stage(&bob, &crossed, NOW), Err(Error::Malformed));
    assert_eq!(open(&mut at_bob, &crossed, NOW), Err(Error::NoSession));
    let crossed = [&first_one[..first::FRAME], &in_second[first::FRAME..]].concat();
    assert_eq!(open(&mut at_bob, &crossed, NOW), Err(Error::NoSession));
    before.assert_same(&bob, Some(&at_bob));
    let (mut second_at_bob, _) = bob.accept(&in_second, NOW);
    refused(&bob, &mut second_at_bob, &message, Error::NoSession);
    let stolen_tag = patch(
        &message,
        msg::TAG,
        &in_second[first::FRAME..first::FRAME + 8],
    );
    refused(&bob, &mut second_at_bob, &stolen_tag, Error::Malformed);
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"three".to_vec()));
    let answer = bob.seal(&mut second_at_bob, b"answer", NOW);
    assert_eq!(open(&mut second, &answer, NOW), Ok(b"answer".to_vec()));
    refused(&alice, &mut at_alice, &answer, Error::NoSession);
}

/// Every pair (message, conversation) of several conversations and kinds: only its own reads it.
#[test]
fn attack_r14_matrix_of_conversations() {
    let mut bob = Device::new("bob", 170);
    let mut sides = Vec::new();
    for seed in 0..4 {
        let mut peer = Device::new("peer", 171 + seed);
        let mut at_peer = peer.begin(&mut bob, NOW);
        let first = peer.seal(&mut at_peer, b"first", NOW);
        let (mut at_bob, _) = bob.accept(&first, NOW);
        let answer = bob.seal(&mut at_bob, b"answer", NOW);
        open(&mut at_peer, &answer, NOW).unwrap();
        let message = peer.seal(&mut at_peer, &[seed as u8], NOW);
        sides.push((message, at_bob));
    }
    for message in 0..sides.len() {
        let bytes = sides[message].0.clone();
        for (at, (_, conversation)) in sides.iter_mut().enumerate() {
            if at != message {
                refused(&bob, conversation, &bytes, Error::NoSession);
            }
        }
    }
    for (seed, (message, conversation)) in sides.iter_mut().enumerate() {
        assert_eq!(open(conversation, message, NOW), Ok(vec![seed as u8]));
    }
}

/// SPEC §5: four buckets, then Padmé's steps of 64, 128 and 256 bytes.
fn buckets() -> Vec<usize> {
    [192, 256, 512, 1024]
        .into_iter()
        .chain((1_088..=2_048).step_by(64))
        .chain((2_176..=4_096).step_by(128))
        .chain((4_352..=5_376).step_by(256))
        .collect()
}

/// Bytes of `vec(text)` and of the Braid's first byte.
fn content(length: usize) -> usize {
    1 + length
        + match length {
            0..64 => 1,
            64..16_384 => 2,
            _ => 4,
        }
}

/// The length of a message tells the bucket of its text, and nothing else: while the Braid has something to send, the
/// next one if not one symbol fits beside the text, and it is 64 bytes away or none fitted beside the last text either
/// (SPEC §10.6-R2); and that for 109 symbols of a chain, no more.
#[test]
fn attack_r16_lengths_are_the_padding_buckets() {
    let (mut alice, at_alice, _, _) = pair(180);
    let buckets = buckets();
    let key = AppKey::new(common::APP_KEY);
    let copy = |conversation: &Conversation, device: &Device| -> Conversation {
        import(
            &snapshot(conversation, &device.identity),
            common::SLOT,
            &key,
        )
        .unwrap()
    };
    let mut with_bob = copy(&at_alice, &alice);
    let fitting = |length| {
        let mut fitting = buckets.iter().filter(move |b| **b >= content(length));
        (*fitting.next().unwrap(), *fitting.next().unwrap())
    };
    // Three bytes in front of symbols of sixteen.
    let room = |padded: usize, length| (padded - content(length)).saturating_sub(3) / 16;
    // Alice has all of ek to send: each text as the first of a chain, and as one behind a text that left no room.
    let mut starved = copy(&at_alice, &alice);
    alice.seal(&mut starved, &[0x61; 250], NOW);
    for (conversation, step, stepped) in [
        (&at_alice, 64, 300..700),
        (&starved, usize::MAX, 700..1_500),
    ] {
        let stored = snapshot(conversation, &alice.identity);
        let mut longer = 0;
        for length in 0..=5_000usize {
            let mut conversation: Conversation = import(&stored, common::SLOT, &key).unwrap();
            let message = alice.seal(&mut conversation, &vec![0x61; length], NOW);
            let (mut padded, next) = fitting(length);
            if next - padded <= step && room(padded, length) == 0 {
                padded = next;
                longer += 1;
            }
            assert_eq!(message.len(), padded + 102, "{length}");
        }
        assert!(stepped.contains(&longer), "{longer}");
    }
    // One long chain: in the beginning one bucket more now and then, and never again once the chain has carried enough.
    let mut at_alice = at_alice;
    let mut seen = BTreeSet::new();
    let (mut symbols, mut starved) = (0, false);
    for length in (0..=5_000usize).map(|length| (length + 170) % 5_001) {
        let message = alice.seal(&mut at_alice, &vec![0x61; length], NOW);
        let (mut padded, next) = fitting(length);
        let may_step = starved || next - padded <= 64;
        if may_step && room(padded, length) == 0 && symbols < 109 {
            padded = next;
        }
        assert_eq!(message.len(), padded + 102, "{length}");
        starved = room(padded, length) == 0;
        symbols += room(padded, length).min(74).min(216 - symbols);
        seen.insert(padded);
    }
    assert_eq!(symbols, 216);
    let expected = buckets.iter().copied().filter(|bucket| *bucket <= 5_120);
    assert!(seen.into_iter().eq(expected));
    // What the text is does not matter.
    for fill in [0, 0x20, 0xff] {
        let message = alice.seal(&mut at_alice, &[fill; 100], NOW);
        assert_eq!(message.len(), 294);
    }
    for length in [
        16_383,
        16_384,
        100_000,
        1 << 20 >> 1,
        TEXT_MAX - 1,
        TEXT_MAX,
    ] {
        let message = alice.seal(&mut at_alice, &vec![0; length], NOW);
        let padded = padded_length(content(length)).unwrap();
        assert_eq!(message.len(), padded + 102);
    }
    // The longest text leaves no room for one symbol, and there is no longer message.
    for _ in 0..3 {
        let message = alice.seal(&mut with_bob, &vec![0; TEXT_MAX], NOW);
        assert_eq!(message.len(), 1_032_192 + 102);
    }
    let before = snapshot(&at_alice, &alice.identity);
    for length in [TEXT_MAX + 1, TEXT_MAX + 100_000] {
        assert_eq!(
            at_alice.seal(&alice.identity, &vec![0; length], NOW, &mut alice.rng),
            Err(Error::TooLong)
        );
    }
    assert!(before == snapshot(&at_alice, &alice.identity));
}

/// Whatever was altered in a message under a known tag, the answer is one; and under an unknown tag it is another.
/// What the two tell is what the tag tells, which everybody can see.
#[test]
fn attack_r17_one_answer_before_authentication() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(190);
    let mut rng = SeededRng(192);
    let late = alice.seal(&mut at_alice, b"late", NOW);
    let read = alice.seal(&mut at_alice, b"read", NOW);
    open(&mut at_bob, &read, NOW).unwrap();
    let closing = bob.seal(&mut at_bob, b"your turn", NOW);
    open(&mut at_alice, &closing, NOW).unwrap();
    let next = alice.seal(&mut at_alice, b"next", NOW);
    let before = Whole::of(&bob, Some(&at_bob));
    // A chain that is read from, with a stored number and a used one, and a chain to come.
    for genuine in [&late, &read, &next] {
        for _ in 0..200 {
            let mut message = genuine.clone();
            // From one bit to everything behind the tag; lengths as well.
            match rng.below(5) {
                0 => message = flip(&message, 80 + rng.below(280 * 8) as usize),
                1 => {
                    for byte in &mut message[msg::BODY] {
                        *byte = rng.next() as u8;
                    }
                }
                2 => {
                    for byte in &mut message[msg::SALT.start..] {
                        *byte = rng.next() as u8;
                    }
                }
                3 => {
                    for byte in &mut message[msg::HEADER] {
                        *byte = rng.next() as u8;
                    }
                }
                _ => message.resize(86 + 16 + [256, 512, 1024][rng.below(3) as usize], 0),
            }
            assert_eq!(open(&mut at_bob, &message, NOW), Err(Error::Malformed));
            for byte in &mut message[msg::TAG] {
                *byte = rng.next() as u8;
            }
            assert_eq!(open(&mut at_bob, &message, NOW), Err(Error::NoSession));
        }
    }
    before.assert_same(&bob, Some(&at_bob));
    assert_eq!(open(&mut at_bob, &next, NOW), Ok(b"next".to_vec()));
    assert_eq!(open(&mut at_bob, &late, NOW), Ok(b"late".to_vec()));
}

/// Junk of every length and beginning: an error, and nothing else.
#[test]
fn attack_r8_junk() {
    let (mut alice, mut at_alice, bob, mut at_bob) = pair(200);
    let genuine = alice.seal(&mut at_alice, b"text", NOW);
    let mut rng = SeededRng(202);
    let before = Whole::of(&bob, Some(&at_bob));
    for length in 0..2_000usize {
        for start in [&[][..], &[1, 1], &[1, 2], &[1, 1, 0, 1], &genuine[..10]] {
            let mut message = start.to_vec();
            message.extend(std::iter::repeat_with(|| rng.next() as u8).take(length));
            assert!(open(&mut at_bob, &message, NOW).is_err());
            if length % 50 == 0 && Incoming::parse(&message).is_ok() {
                assert!(stage(&bob, &message, NOW).is_err());
            }
        }
    }
    before.assert_same(&bob, Some(&at_bob));
    assert_eq!(open(&mut at_bob, &genuine, NOW), Ok(b"text".to_vec()));
}

/// How many calls of the generator a message takes: with fewer it is refused, and the state stays.
fn calls_of_seal(device: &Device, conversation: &mut Conversation) -> usize {
    for left in 0.. {
        let mut rng = FailingRng {
            rng: SeededRng(1),
            left,
        };
        let before = snapshot(conversation, &device.identity);
        let sealed = conversation.seal(&device.identity, b"text", NOW, &mut rng);
        if sealed.is_ok() {
            return left;
        }
        assert_eq!(sealed, Err(Error::Rng));
        assert!(before == snapshot(conversation, &device.identity));
    }
    unreachable!("a range without end")
}

/// The generator fails at each of its calls, where a chain begins, in it, and in a first message.
#[test]
fn attack_p15_seal_with_a_failing_generator() {
    let (mut alice, mut at_alice, mut bob, mut at_bob) = pair(210);
    let mut with_bob = alice.begin(&mut bob, NOW);
    assert_eq!(calls_of_seal(&alice, &mut at_alice), 2);
    assert_eq!(calls_of_seal(&alice, &mut at_alice), 1);
    // The first one draws the seed of the Braid's first key pair.
    assert_eq!(calls_of_seal(&alice, &mut with_bob), 2);
    assert_eq!(calls_of_seal(&alice, &mut with_bob), 1);
    let message = alice.seal(&mut at_alice, b"text", NOW);
    assert_eq!(open(&mut at_bob, &message, NOW), Ok(b"text".to_vec()));
    let first = alice.seal(&mut with_bob, b"first", NOW);
    assert_eq!(bob.accept(&first, NOW).1, b"first");
}
