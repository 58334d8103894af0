//! Target `bundle`: what a server can hand out.

use std::sync::OnceLock;

use subrosa::agreement::limits::VALIDITY;
use subrosa::{Bundle, Conversation, DeviceIdentity, Error, Incoming, StagedFirst, VerifiedBundle};

use super::common::{Device, NOW, SeededRng, snapshot};
use super::script::Script;

/// Bob's published bundles, and first messages to him from Alice and Carol.
pub struct Fixture {
    pub bundles: Vec<Vec<u8>>,
    pub firsts: Vec<Vec<u8>>,
    bob: Device,
    mallory: Device,
    prekeys: Vec<u8>,
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
                firsts.push(sender.seal(&mut conversation, &text, NOW));
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
