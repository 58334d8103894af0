//! Target `state_import`: stored bytes, altered outside or, with the app's key, inside of their encryption.

use subrosa::crypto::hedge::Entropy;
use subrosa::crypto::{self, Secret};
use subrosa::session::Stored;
use subrosa::state::{Format, open, seal};
use subrosa::{
    AppKey, Bundle, Conversation, DeviceIdentity, Error, Incoming, Prekeys, StagedFirst, import,
};

use super::common::{APP_KEY, DAY, NOW, SLOT, SeededRng, snapshot};
use super::{agreement, conversation};

pub const DEVICE: u16 = 1;
pub const PREKEYS: u16 = 2;
pub const CONVERSATION: u16 = 3;
const VERSION: u16 = 1;

/// Gives the same secrets every time: the harness's containers differ by their plaintext only.
struct Fixed;

impl Entropy for Fixed {
    fn derive<const N: usize>(
        &mut self,
        _: &'static [u8],
        _: &[&[u8]],
    ) -> Result<Secret<N>, crypto::Error> {
        Ok(Secret::new([1; N]))
    }

    fn fresh(&mut self) -> Result<Secret<32>, crypto::Error> {
        Ok(Secret::new([1; 32]))
    }
}

/// The plaintext of an exported state.
pub fn plaintext(kind: u16, exported: &[u8]) -> Vec<u8> {
    let format = Format {
        kind,
        version: VERSION,
    };
    open(format, SLOT, exported, &AppKey::new(APP_KEY))
        .unwrap()
        .to_vec()
}

/// The first byte chooses: 0 the rest as it is, 1 to 3 the rest as the plaintext of a state of that kind.
pub fn state_import(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    match u16::from(choice % 4) {
        DEVICE => inside(DEVICE, bytes, use_device),
        PREKEYS => inside(PREKEYS, bytes, use_prekeys),
        CONVERSATION => inside(CONVERSATION, bytes, use_conversation),
        _ => {
            outside::<DeviceIdentity>(bytes);
            outside::<Prekeys>(bytes);
            outside::<Conversation>(bytes);
        }
    }
}

/// Only what was exported is imported: the same bytes come out again.
fn outside<T: Stored>(bytes: &[u8]) {
    let device = &conversation::fixture().alice.identity;
    match import::<T>(bytes, SLOT, &AppKey::new(APP_KEY)) {
        Ok(value) => assert_eq!(snapshot(&value, device).len(), bytes.len()),
        Err(error) => assert!(matches!(error, Error::Integrity | Error::UnknownVersion)),
    }
}

/// What is accepted is the encoding of what was read, and stays one through every use.
fn inside<T: Stored>(kind: u16, bytes: &[u8], exercise: fn(&mut T)) {
    let format = Format {
        kind,
        version: VERSION,
    };
    let key = AppKey::new(APP_KEY);
    let exported = seal(format, SLOT, bytes, &key, &mut Fixed).unwrap();
    let mut value: T = match import(&exported, SLOT, &key) {
        Ok(value) => value,
        Err(error) => {
            assert_eq!(error, Error::Integrity);
            return;
        }
    };
    let device = &conversation::fixture().alice.identity;
    assert_eq!(plaintext(kind, &snapshot(&value, device)), bytes);
    exercise(&mut value);
    let after = snapshot(&value, device);
    let again: T = import(&after, SLOT, &key).expect("a state that was used is still a state");
    assert_eq!(snapshot(&again, device), after);
}

fn use_device(device: &mut DeviceIdentity) {
    let mut rng = SeededRng(1);
    let mut prekeys = Prekeys::generate(device, NOW, &mut rng).unwrap();
    for bundle in prekeys.replenish(device, 1, NOW, &mut rng).unwrap() {
        let verified = Bundle::parse(&bundle).unwrap().verify(NOW).unwrap();
        assert_eq!(verified.identity(), device.public());
    }
}

fn use_prekeys(prekeys: &mut Prekeys) {
    let fixture = agreement::fixture();
    let device = &conversation::fixture().alice.identity;
    let mut rng = SeededRng(1);
    for first in &fixture.firsts {
        let incoming = Incoming::parse(first).unwrap();
        let staged = StagedFirst::stage(&incoming, fixture.bob(), prekeys, NOW);
        if let Ok(staged) = staged {
            staged.refuse(prekeys).unwrap();
            assert!(StagedFirst::stage(&incoming, fixture.bob(), prekeys, NOW).is_err());
        }
    }
    for now in [NOW + DAY, NOW, NOW + 10 * DAY, u64::MAX] {
        let before = snapshot(prekeys, device);
        match prekeys.replenish(device, 2, now, &mut rng) {
            Ok(bundles) => {
                for bundle in bundles {
                    Bundle::parse(&bundle).unwrap();
                }
            }
            Err(_) => assert_eq!(snapshot(prekeys, device), before),
        }
        let before = snapshot(prekeys, device);
        if prekeys.rotation_due(now) && prekeys.rotate(device, now, &mut rng).is_err() {
            assert_eq!(snapshot(prekeys, device), before);
        }
        let bundle = prekeys.last_resort_bundle(device).unwrap();
        Bundle::parse(&bundle).unwrap();
        prekeys.expire(now);
    }
}

fn use_conversation(conversation: &mut Conversation) {
    let fixture = conversation::fixture();
    let alice = &fixture.alice.identity;
    let mut rng = SeededRng(1);
    assert!(conversation.tags().count() <= 24);
    assert!(conversation.first_ids().count() <= 4);
    let junk = junk_for(conversation, &fixture.junk);
    for message in junk.iter().chain(&fixture.messages) {
        let Ok(incoming) = Incoming::parse(message) else {
            continue;
        };
        let before = snapshot(conversation, alice);
        if conversation.open(&incoming, NOW).is_err() {
            assert_eq!(snapshot(conversation, alice), before);
        }
    }
    for now in [NOW, NOW + 60 * DAY, 0, u64::MAX] {
        let before = snapshot(conversation, alice);
        match conversation.seal(alice, b"text", now, &mut rng) {
            Ok(message) => assert!(Incoming::parse(&message).is_ok()),
            Err(_) => assert_eq!(snapshot(conversation, alice), before),
        }
        conversation.expire(now);
    }
    // Whoever the state is pinned to: only Bob's bundle is Bob's.
    let bundle = Bundle::parse(&agreement::fixture().bundles[0]).unwrap();
    let bundle = bundle.verify(NOW).unwrap();
    let before = snapshot(conversation, alice);
    match conversation.begin(alice, &bundle, NOW, &mut rng) {
        Ok(()) => assert_eq!(conversation.peer(), bundle.identity()),
        Err(error) => {
            assert_eq!(error, Error::IdentityChanged);
            assert_eq!(snapshot(conversation, alice), before);
        }
    }
}

/// `junk` under each tag of the conversation: it reaches the trial of the header key.
fn junk_for(conversation: &Conversation, junk: &[u8]) -> Vec<Vec<u8>> {
    let under = |tag: &[u8; 8]| {
        let mut message = junk.to_vec();
        message[..2].copy_from_slice(&[subrosa::envelope::VERSION, 2]);
        message[2..10].copy_from_slice(tag);
        message
    };
    conversation.tags().map(under).collect()
}
