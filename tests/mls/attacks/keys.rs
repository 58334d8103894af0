//! Keys are used once, and gone when they were used (G18).

use std::collections::BTreeSet;
use std::convert::Infallible;

use subrosa::crypto::aead::{Aes128Gcm, ChaCha20Poly1305};
use subrosa::crypto::{TryCryptoRng, TryRng};
use subrosa::mls::ContentType;
use subrosa::mls::hazmat::{self, Insider, SentAs};
use subrosa::wire::Writer;

use super::insider::sent_as;
use super::*;

/// A generator that is broken.
struct Zeros;

impl TryRng for Zeros {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeros {}

/// The sender, the generation and the reuse guard of a message of the member's epoch.
fn sender_data(member: &Member, message: &[u8]) -> (u32, u32, [u8; 4]) {
    let Ok(Message::Private(message)) = Message::decode(message) else {
        panic!("an encrypted message");
    };
    let suite = member.cipher_suite();
    let secrets = Insider::new(member).secrets();
    let mut secrets = secrets.iter();
    let (_, secret) = secrets
        .find(|(name, _)| *name == "sender_data_secret")
        .unwrap();
    let (key, nonce) = hazmat::sender_data(suite, secret, &message.ciphertext).unwrap();
    let nonce = nonce[..].try_into().unwrap();
    let mut ad = Writer::new();
    ad.vector(&message.group_id).unwrap().u64(message.epoch);
    ad.u8(match message.content_type {
        ContentType::Application => 1,
        ContentType::Proposal => 2,
        ContentType::Commit => 3,
    });
    let (text, tag) = message.encrypted_sender_data.split_last_chunk().unwrap();
    let mut text = text.to_vec();
    match suite {
        CipherSuite::X25519_CHACHA20 => {
            let key = key[..].try_into().unwrap();
            ChaCha20Poly1305::open(key, nonce, ad.as_bytes(), &mut text, tag).unwrap();
        }
        _ => {
            let key = key[..].try_into().unwrap();
            Aes128Gcm::open(key, nonce, ad.as_bytes(), &mut text, tag).unwrap();
        }
    }
    let number =
        |range: std::ops::Range<usize>| u32::from_be_bytes(text[range].try_into().unwrap());
    (number(0..4), number(4..8), text[8..].try_into().unwrap())
}

/// One client twice, as after a restore: the same state, and the same keys.
fn twins(suite: CipherSuite, rng: &mut Rng) -> (Member, [Member; 2]) {
    let mut first = create(suite, Extensions::new(), rng);
    let newcomer = Newcomer::new(suite, "twin", rng);
    let built = first.commit().add_client(newcomer.key_package.clone());
    let welcome = built.build(&NoPsks, NOW, rng).unwrap().welcome.unwrap();
    first.merge_pending().unwrap();
    let join = || newcomer.again().join(&welcome, &JoinOptions::default());
    (first, [join().unwrap(), join().unwrap()])
}

#[test]
fn attack_g18_two_copies_of_one_state() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(340 + u64::from(suite.0));
        let (reader, [mut one, mut other]) = twins(suite, rng);
        let messages = match suite {
            CipherSuite::P256_AES128 => 20,
            _ => 200,
        };
        let mut used = BTreeSet::new();
        for number in 0..messages {
            let text = format!("message {number}");
            for (twin, seed) in [(&mut one, 1), (&mut other, 2)] {
                let rng = &mut Rng(1_000 * seed + number);
                let message = twin.seal(text.as_bytes(), b"", rng).unwrap();
                let (leaf, generation, guard) = sender_data(&reader, &message);
                assert_eq!((leaf, u64::from(generation)), (1, number));
                assert!(used.insert((generation, guard)), "{generation}");
            }
        }
        // Generator and all: the same message is the same, and others have other nonces. A broken one does as well.
        for number in messages..messages + 20 {
            let seal = |twin: &mut Member, text: &[u8]| match number % 2 {
                0 => twin.seal(text, b"", &mut Rng(number)),
                _ => twin.seal(text, b"", &mut Zeros),
            };
            let said = [
                (&mut one, b"to be or not".as_slice()),
                (&mut other, b"to be, or not"),
            ];
            let guards = said.map(|(twin, text)| sender_data(&reader, &seal(twin, text).unwrap()));
            assert_eq!(guards[0].1, guards[1].1);
            assert_ne!(guards[0].2, guards[1].2);
        }
        // What one of them sent is the other's own message.
        let message = one.seal(b"mine", b"", rng).unwrap();
        assert_eq!(other.open(&message), Err(Error::OwnMessage));
        for format in FORMATS {
            let proposal = one.propose_update(None, None, format, rng).unwrap();
            let refused = other.process(&proposal, &NoPsks, NOW).err();
            assert_eq!(refused, Some(Error::OwnMessage));
            one.clear_proposals();
        }
    }
}

/// Whoever takes the state after a message was sealed or opened finds no key of it, nor of those that were passed over and came
/// later.
#[test]
fn attack_g18_used_keys_are_gone() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(350 + u64::from(suite.0));
        let mut group = group_of(suite, 3, rng);
        let sender = group[0].leaf();
        let key = |member: &Member, generation| {
            let sent_as = SentAs {
                generation: Some(generation),
                ..sent_as(sender)
            };
            let insider = Insider::new(member);
            insider
                .message_key(ContentType::Application, sent_as)
                .map(|(key, _)| key.to_vec())
        };
        let keys: Vec<_> = (0..6).map(|number| key(&group[1], number)).collect();
        let messages: Vec<_> = (0..6)
            .map(|_| group[0].seal(b"once", b"", rng).unwrap())
            .collect();
        for number in 0..6 {
            // The sender has them no more, the others have the same.
            assert_eq!(key(&group[0], number), Err(Error::GenerationUsed));
            assert_eq!(key(&group[2], number), keys[number as usize]);
        }
        for number in [3, 0, 5, 1, 2, 4] {
            let message = &messages[number as usize];
            assert!(key(&group[1], number).is_ok());
            assert!(group[1].process(message, &NoPsks, NOW).is_ok());
            assert_eq!(key(&group[1], number), keys[number as usize]);
            group[1].open(message).unwrap();
            assert_eq!(key(&group[1], number), Err(Error::GenerationUsed));
            assert_eq!(group[1].open(message), Err(Error::GenerationUsed));
            let held = Insider::new(&group[1]).held();
            let length = keys[0].as_ref().unwrap().len();
            let mut gone = held.iter().map(|held| held[..length].to_vec());
            assert!(gone.all(|held| Ok(held) != keys[number as usize]));
        }
    }
}

#[test]
fn attack_g18_keys_of_old_epochs_are_gone() {
    for limit in 0..5 {
        let rng = &mut Rng(360);
        let mut group = group_of(CipherSuite::X25519_AES128, 2, rng);
        group[1].keep_past_epochs(limit);
        let mut late = Vec::new();
        for age in (0..7).rev() {
            late.push((age, group[0].seal(b"late", b"", rng).unwrap()));
            if age > 0 {
                let commit = group[0].commit().build(&NoPsks, NOW, rng).unwrap().commit;
                everybody(&mut group, 0, &commit);
            }
        }
        for (age, message) in &late {
            let before = seen(&group[1]);
            let read = group[1].process(message, &NoPsks, NOW).err();
            let expected = (*age > limit).then_some(Error::EpochGone);
            assert_eq!(read, expected, "{age} of {limit}");
            assert_eq!(seen(&group[1]), before);
        }
        // What the app no longer wants is gone at once, and does not come back.
        group[1].keep_past_epochs(0);
        group[1].keep_past_epochs(9);
        for (age, message) in &late {
            let read = group[1].open(message).err();
            assert_eq!(read, (*age > 0).then_some(Error::EpochGone));
        }
    }
}
