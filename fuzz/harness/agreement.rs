//! Targets `bundle` and `first_message`: what a stranger can send.

use std::sync::OnceLock;

use subrosa::agreement::limits::VALIDITY;
use subrosa::{Bundle, Conversation, DeviceIdentity, Error, Incoming, StagedFirst, VerifiedBundle};

use super::common::{Device, NOW, SeededRng, snapshot};
use super::script::Script;

/// Bob's published bundles, and first messages to him from Alice and Carol.
pub struct Fixture {
    pub bundles: Vec<Vec<u8>>,
    pub firsts: Vec<First>,
    bob: Device,
    mallory: Device,
    prekeys: Vec<u8>,
}

pub struct First {
    pub bytes: Vec<u8>,
    text: Vec<u8>,
    address: &'static [u8],
    /// Messages of one agreement: only one of them can be accepted as a new conversation.
    agreement: usize,
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let mut bob = Device::new("bob", 100);
        let one_time = bob
            .prekeys
            .replenish(&bob.identity, 2, NOW, &mut bob.rng)
            .unwrap();
        let last_resort = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
        let bundles = [one_time, vec![last_resort]].concat();
        let senders = [("alice", 0), ("alice", 2), ("carol", 1)];
        let mut firsts = Vec::new();
        for (agreement, (name, bundle)) in senders.into_iter().enumerate() {
            let mut sender = Device::new(name, 200 + agreement as u64);
            let bundle = verified(&bundles[bundle]);
            let mut conversation = Conversation::new(*bundle.identity());
            conversation
                .begin(&sender.identity, &bundle, NOW, &mut sender.rng)
                .unwrap();
            for number in 0..2 {
                let text = format!("{name} {agreement} {number}").into_bytes();
                firsts.push(First {
                    bytes: sender.seal(&mut conversation, &text, NOW),
                    text,
                    address: name.as_bytes(),
                    agreement,
                });
            }
        }
        let prekeys = snapshot(&bob.prekeys, &bob.identity);
        Fixture {
            bundles,
            firsts,
            bob,
            mallory: Device::new("mallory", 300),
            prekeys,
        }
    })
}

impl Fixture {
    pub fn bob(&self) -> &DeviceIdentity {
        &self.bob.identity
    }

    /// Bob's prekeys, exported.
    pub fn prekeys(&self) -> &[u8] {
        &self.prekeys
    }
}

fn verified(bundle: &[u8]) -> VerifiedBundle {
    Bundle::parse(bundle).unwrap().verify(NOW).unwrap()
}

/// A bundle of Bob's, changed, or any bytes. Whatever verifies has Bob's keys, and can be written to.
pub fn bundle(data: &[u8]) {
    let fixture = fixture();
    let genuine: Vec<&[u8]> = fixture.bundles.iter().map(Vec::as_slice).collect();
    let bytes = Script::new(data).message(&genuine);
    let borders = [0, NOW + VALIDITY - 1, NOW + VALIDITY, u64::MAX];
    for now in [NOW, borders[data.len() % borders.len()]] {
        let Ok(bundle) = Bundle::parse(&bytes) else {
            return;
        };
        assert_eq!(bundle.as_bytes(), bytes);
        let Ok(verified) = bundle.verify(now) else {
            assert!(!genuine.contains(&bytes.as_slice()) || now >= NOW + VALIDITY);
            continue;
        };
        assert!(now < NOW + VALIDITY);
        // The address and the one-time key are not signed: the agreement binds them. Everything else is.
        let bob = fixture.bob.identity.public();
        assert_eq!(verified.identity().keys(), bob.keys());
        let mut conversation = Conversation::new(*verified.identity());
        let mallory = &fixture.mallory.identity;
        let mut rng = SeededRng(1);
        match conversation.begin(mallory, &verified, now, &mut rng) {
            Ok(()) => {
                let first = conversation.seal(mallory, b"text", now, &mut rng).unwrap();
                assert!(Incoming::parse(&first).is_ok());
                first_to_bob(&first, genuine.contains(&bytes.as_slice()));
            }
            // A one-time key of small order.
            Err(error) => {
                assert_eq!(error, Error::Malformed);
                assert!(!conversation.can_send());
            }
        }
    }
}

/// Bob reads what was sent to him if nobody changed his bundle.
fn first_to_bob(first: &[u8], genuine: bool) {
    let fixture = fixture();
    let incoming = Incoming::parse(first).unwrap();
    let staged = StagedFirst::stage(&incoming, &fixture.bob.identity, &fixture.bob.prekeys, NOW);
    if genuine {
        assert_eq!(staged.unwrap().peer(), fixture.mallory.identity.public());
    }
}

/// Up to four first messages in a row, genuine or changed: only what is genuine, and new, is staged and accepted.
pub fn first_message(data: &[u8]) {
    let fixture = fixture();
    let bob = &fixture.bob.identity;
    let genuine: Vec<&[u8]> = fixture
        .firsts
        .iter()
        .map(|first| first.bytes.as_slice())
        .collect();
    let mut prekeys = super::stored::import_prekeys(&fixture.prekeys);
    let mut accepted: Vec<(usize, Conversation)> = Vec::new();
    let mut script = Script::new(data);
    for _ in 0..4 {
        if script.is_empty() {
            break;
        }
        let bytes = script.message(&genuine);
        let genuine = fixture.firsts.iter().find(|first| first.bytes == bytes);
        let Ok(incoming) = Incoming::parse(&bytes) else {
            assert!(genuine.is_none());
            continue;
        };
        let before = snapshot(&prekeys, bob);
        let staged = StagedFirst::stage(&incoming, bob, &prekeys, NOW);
        assert_eq!(snapshot(&prekeys, bob), before);
        let Some(first) = genuine else {
            assert!(staged.is_err(), "a changed first message was staged");
            for (_, conversation) in &mut accepted {
                let before = snapshot(conversation, bob);
                assert!(conversation.open(&incoming, NOW).is_err());
                assert_eq!(snapshot(conversation, bob), before);
            }
            continue;
        };
        if let Some((_, conversation)) = accepted
            .iter_mut()
            .find(|(agreement, _)| *agreement == first.agreement)
        {
            // An agreement is answered once; its other messages are the conversation's.
            let refusal = staged.map(drop).unwrap_err();
            assert!(matches!(refusal, Error::PrekeyGone | Error::ReplayedFirst));
            match conversation.open(&incoming, NOW) {
                Ok(opened) => assert_eq!(opened.text, first.text),
                Err(error) => assert_eq!(error, Error::Duplicate),
            }
            continue;
        }
        let staged = staged.unwrap();
        assert_eq!(staged.peer().address().as_bytes(), first.address);
        let mut conversation = Conversation::new(*staged.peer());
        let opened = staged.accept(&mut conversation, &mut prekeys, NOW).unwrap();
        assert_eq!(opened.text, first.text);
        accepted.push((first.agreement, conversation));
    }
    // Whatever was refused stands in nobody's way.
    let first = &fixture.firsts[data.len() % fixture.firsts.len()];
    if accepted
        .iter()
        .all(|(agreement, _)| *agreement != first.agreement)
    {
        let incoming = Incoming::parse(&first.bytes).unwrap();
        assert!(StagedFirst::stage(&incoming, bob, &prekeys, NOW).is_ok());
    }
}
