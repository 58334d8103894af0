//! What is watched: each operation of the library, from the draw of its first secret on.

use std::error::Error;

use subrosa::session::Stored;
use subrosa::{
    Address, AppKey, Bundle, Conversation, DeviceIdentity, Directory, Incoming, Prekeys, Slot,
    StagedFirst, VerifiedBundle, export, hazmat, import,
};

use crate::files;
use crate::secret::{SecretRng, is_secret, publish, settled, text, watched};
use crate::stored::Secrets;

pub type Done = Result<(), Box<dyn Error>>;
pub type Scenario = (&'static str, fn() -> Done);

pub const ALL: &[Scenario] = &[
    ("identity", identity),
    ("prekeys", prekeys),
    ("agreement-begin", agreement_begin),
    ("agreement-accept", agreement_accept),
    ("agreement-refuse", agreement_refuse),
    ("seal", seal),
    ("open", open),
    ("open-refused", open_refused),
    ("open-out-of-order", open_out_of_order),
    ("ratchet-turns", ratchet_turns),
    ("begun-by-both", begun_by_both),
    ("braid-epochs", braid_epochs),
    ("stored-identity", stored_identity),
    ("stored-prekeys", stored_prekeys),
    ("stored-conversation", stored_conversation),
    ("directory", directory),
    ("file", files::file),
    ("blob", files::blob),
    ("upload", files::upload),
    ("pack-author", files::pack_author),
    ("pack-opened", files::pack_opened),
];

/// Unix milliseconds: 2026-01-01.
const NOW: u64 = 1_767_225_600_000;

const DAY: u64 = 24 * 60 * 60 * 1000;

pub const SLOT: Slot<'static> = Slot {
    store_key: b"slot",
    generation: 1,
};

struct Device {
    identity: DeviceIdentity,
    prekeys: Prekeys,
    rng: SecretRng,
}

impl Device {
    fn new(name: &str, seed: u64) -> Result<Self, Box<dyn Error>> {
        let mut rng = SecretRng(seed);
        let identity = DeviceIdentity::generate(Address::new(name.as_bytes())?, &mut rng)?;
        let prekeys = Prekeys::generate(&identity, NOW, &mut rng)?;
        Ok(Self {
            identity,
            prekeys,
            rng,
        })
    }

    /// A one-time bundle, published and verified.
    fn bundle(&mut self) -> Result<VerifiedBundle, Box<dyn Error>> {
        let bundles = self
            .prekeys
            .replenish(&self.identity, 1, NOW, &mut self.rng)?;
        let published = bundles.into_iter().map(publish).next().ok_or("no bundle")?;
        Ok(Bundle::parse(&published)?.verify(NOW)?)
    }

    fn last_resort_bundle(&self) -> Result<VerifiedBundle, Box<dyn Error>> {
        let published = publish(self.prekeys.last_resort_bundle(&self.identity)?);
        Ok(Bundle::parse(&published)?.verify(NOW)?)
    }

    fn begin(&mut self, bundle: &VerifiedBundle) -> Result<Conversation, Box<dyn Error>> {
        let mut conversation = Conversation::new(*bundle.identity());
        watched(|| conversation.begin(&self.identity, bundle, NOW, &mut self.rng))?;
        Ok(settled(&conversation)?)
    }

    fn seal(
        &mut self,
        conversation: &mut Conversation,
        length: usize,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let text = text(length);
        let message = watched(|| conversation.seal(&self.identity, &text, NOW, &mut self.rng))?;
        settle(conversation)?;
        Ok(publish(message))
    }

    fn accept(
        &mut self,
        message: &[u8],
        mut conversation: Conversation,
    ) -> Result<Conversation, Box<dyn Error>> {
        let incoming = Incoming::parse(message)?;
        let staged = watched(|| StagedFirst::stage(&incoming, &self.identity, &self.prekeys, NOW))?;
        let opened = watched(|| staged.accept(&mut conversation, &mut self.prekeys, NOW))?;
        assert!(is_secret(&opened.text));
        settle(&mut self.prekeys)?;
        Ok(settled(&conversation)?)
    }
}

fn settle<T: Stored + Secrets>(value: &mut T) -> Done {
    *value = settled(value)?;
    Ok(())
}

fn read(conversation: &mut Conversation, message: &[u8]) -> Done {
    let incoming = Incoming::parse(message)?;
    let opened = watched(|| conversation.open(&incoming, NOW))?;
    assert!(opened.text.is_empty() || is_secret(&opened.text));
    settle(conversation)
}

fn refused(conversation: &mut Conversation, message: &[u8]) -> Done {
    let incoming = Incoming::parse(message)?;
    match watched(|| conversation.open(&incoming, NOW)) {
        Ok(_) => Err("it was opened".into()),
        Err(_) => Ok(()),
    }
}

/// A conversation on both sides.
struct Pair {
    alice: Device,
    at_alice: Conversation,
    bob: Device,
    at_bob: Conversation,
}

impl Pair {
    /// Each side has read a message of the other.
    fn new() -> Result<Self, Box<dyn Error>> {
        let (mut alice, mut bob) = (Device::new("alice", 1)?, Device::new("bob", 2)?);
        let bundle = bob.bundle()?;
        let mut at_alice = Conversation::new(*bundle.identity());
        at_alice.begin(&alice.identity, &bundle, NOW, &mut alice.rng)?;
        let first = publish(at_alice.seal(&alice.identity, &text(5), NOW, &mut alice.rng)?);
        let incoming = Incoming::parse(&first)?;
        let staged = StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW)?;
        let mut at_bob = Conversation::new(*staged.peer());
        staged.accept(&mut at_bob, &mut bob.prekeys, NOW)?;
        let answer = publish(at_bob.seal(&bob.identity, &text(2), NOW, &mut bob.rng)?);
        at_alice.open(&Incoming::parse(&answer)?, NOW)?;
        bob.prekeys = settled(&bob.prekeys)?;
        Ok(Self {
            alice,
            at_alice: settled(&at_alice)?,
            bob,
            at_bob: settled(&at_bob)?,
        })
    }

    fn alice_says(&mut self, length: usize) -> Done {
        let message = self.alice.seal(&mut self.at_alice, length)?;
        read(&mut self.at_bob, &message)
    }

    fn bob_says(&mut self, length: usize) -> Done {
        let message = self.bob.seal(&mut self.at_bob, length)?;
        read(&mut self.at_alice, &message)
    }
}

fn identity() -> Done {
    let address = Address::new(b"alice")?;
    let identity = watched(|| DeviceIdentity::generate(address, &mut SecretRng(1)))?;
    assert!(is_secret(identity.public().keys().dh_key().as_bytes()));
    Ok(())
}

fn prekeys() -> Done {
    let Device {
        identity, mut rng, ..
    } = Device::new("bob", 2)?;
    let mut prekeys = watched(|| Prekeys::generate(&identity, NOW, &mut rng))?;
    for bundle in watched(|| prekeys.replenish(&identity, 2, NOW, &mut rng))? {
        publish(bundle);
    }
    watched(|| prekeys.rotate(&identity, NOW + DAY, &mut rng))?;
    publish(watched(|| prekeys.last_resort_bundle(&identity))?);
    watched(|| prekeys.expire(NOW + 60 * DAY));
    Ok(())
}

/// With one-time keys and without, and the second message of a burst.
fn agreement_begin() -> Done {
    let (mut alice, mut bob) = (Device::new("alice", 1)?, Device::new("bob", 2)?);
    let mut at_alice = alice.begin(&bob.bundle()?)?;
    alice.seal(&mut at_alice, 100)?;
    alice.seal(&mut at_alice, 100)?;
    let mut at_alice = alice.begin(&bob.last_resort_bundle()?)?;
    alice.seal(&mut at_alice, 100)?;
    Ok(())
}

fn agreement_accept() -> Done {
    let (mut alice, mut bob) = (Device::new("alice", 1)?, Device::new("bob", 2)?);
    for bundle in [bob.bundle()?, bob.last_resort_bundle()?] {
        let mut at_alice = alice.begin(&bundle)?;
        let first = alice.seal(&mut at_alice, 100)?;
        let second = alice.seal(&mut at_alice, 100)?;
        let at_bob = Conversation::new(*alice.identity.public());
        let mut at_bob = bob.accept(&second, at_bob)?;
        read(&mut at_bob, &first)?;
    }
    Ok(())
}

/// Forged in each part; then refused by the app.
fn agreement_refuse() -> Done {
    let (mut alice, mut bob) = (Device::new("alice", 1)?, Device::new("bob", 2)?);
    let mut at_alice = alice.begin(&bob.bundle()?)?;
    bob.prekeys = settled(&bob.prekeys)?;
    let first = alice.seal(&mut at_alice, 100)?;
    // The ephemeral key, the ciphertext, the encrypted identity, the tag, the header, the body.
    for at in [20, 500, 1_200, 1_340, 1_370, first.len() - 1] {
        let mut forged = first.clone();
        forged[at] ^= 1;
        let incoming = Incoming::parse(&forged)?;
        let staged = watched(|| StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW));
        assert!(staged.is_err());
    }
    let incoming = Incoming::parse(&first)?;
    let staged = StagedFirst::stage(&incoming, &bob.identity, &bob.prekeys, NOW)?;
    watched(|| staged.refuse(&mut bob.prekeys))?;
    Ok(())
}

fn seal() -> Done {
    let mut pair = Pair::new()?;
    for length in [0, 64, 300, 5_000] {
        pair.alice.seal(&mut pair.at_alice, length)?;
    }
    Ok(())
}

fn open() -> Done {
    let mut pair = Pair::new()?;
    for length in [0, 64, 300, 5_000] {
        pair.alice_says(length)?;
    }
    Ok(())
}

fn open_refused() -> Done {
    let mut pair = Pair::new()?;
    pair.alice_says(10)?;
    let message = pair.alice.seal(&mut pair.at_alice, 64)?;
    // The tag of the chain, the salt, the header, its tag, the body, its tag.
    for at in [2, 10, 26, 70, 86, message.len() - 1] {
        let mut forged = message.clone();
        forged[at] ^= 1;
        refused(&mut pair.at_bob, &forged)?;
    }
    read(&mut pair.at_bob, &message)?;
    // A repetition.
    refused(&mut pair.at_bob, &message)
}

/// Late messages of the present chain and of closed ones.
fn open_out_of_order() -> Done {
    let mut pair = Pair::new()?;
    let mut late = Vec::new();
    for _ in 0..3 {
        for _ in 0..4 {
            late.push(pair.alice.seal(&mut pair.at_alice, 10)?);
        }
        pair.alice_says(10)?;
        if let Some(message) = late.pop() {
            read(&mut pair.at_bob, &message)?;
        }
        pair.bob_says(10)?;
    }
    for message in late.iter().rev() {
        read(&mut pair.at_bob, message)?;
        refused(&mut pair.at_bob, message)?;
    }
    Ok(())
}

fn ratchet_turns() -> Done {
    let mut pair = Pair::new()?;
    for _ in 0..4 {
        pair.alice_says(40)?;
        pair.bob_says(40)?;
    }
    Ok(())
}

/// Two states on each side, of which one becomes receive-only.
fn begun_by_both() -> Done {
    let mut pair = Pair::new()?;
    let bundle = pair.alice.bundle()?;
    pair.alice.prekeys = settled(&pair.alice.prekeys)?;
    let Device { identity, rng, .. } = &mut pair.bob;
    watched(|| pair.at_bob.begin(identity, &bundle, NOW + 1, rng))?;
    settle(&mut pair.at_bob)?;
    let first = pair.bob.seal(&mut pair.at_bob, 10)?;
    let old = pair.alice.seal(&mut pair.at_alice, 10)?;
    pair.at_alice = pair.alice.accept(&first, pair.at_alice)?;
    read(&mut pair.at_bob, &old)?;
    pair.alice_says(10)?;
    pair.bob_says(10)
}

/// Symbols, both halves of an encapsulation, and decapsulation; with losses, so that symbols are repaired.
fn braid_epochs() -> Done {
    let mut pair = Pair::new()?;
    let begun = pair.at_alice.pq_epoch();
    for round in 0..60 {
        pair.alice_says(40)?;
        if round % 3 == 0 {
            pair.alice.seal(&mut pair.at_alice, 40)?;
        }
        pair.bob_says(40)?;
        if round % 3 == 1 {
            pair.bob.seal(&mut pair.at_bob, 40)?;
        }
    }
    assert!(pair.at_alice.pq_epoch() > begun.map(|epoch| epoch + 2));
    Ok(())
}

fn stored_identity() -> Done {
    let mut alice = Device::new("alice", 1)?;
    stored(&alice.identity, &alice.identity, &mut alice.rng)
}

fn stored_prekeys() -> Done {
    let mut bob = Device::new("bob", 2)?;
    bob.prekeys.replenish(&bob.identity, 2, NOW, &mut bob.rng)?;
    bob.prekeys.rotate(&bob.identity, NOW + DAY, &mut bob.rng)?;
    bob.prekeys = settled(&bob.prekeys)?;
    stored(&bob.prekeys, &bob.identity, &mut bob.rng)
}

/// In every state that the Braid passes through, and with keys kept for late messages.
fn stored_conversation() -> Done {
    let mut pair = Pair::new()?;
    for _ in 0..12 {
        pair.alice_says(40)?;
        pair.alice.seal(&mut pair.at_alice, 40)?;
        pair.bob_says(40)?;
        stored(&pair.at_alice, &pair.alice.identity, &mut pair.alice.rng)?;
        stored(&pair.at_bob, &pair.bob.identity, &mut pair.bob.rng)?;
    }
    Ok(())
}

/// Export, import, and an import refused for its salt, commitment, text and tag.
fn stored<T: Stored>(value: &T, device: &DeviceIdentity, rng: &mut SecretRng) -> Done {
    let key = AppKey::new(rng.bytes());
    let exported = publish(watched(|| export(value, device, SLOT, &key, rng))?);
    let imported: T = watched(|| import(&exported, SLOT, &key))?;
    assert!(is_secret(&hazmat::encode(&imported)?));
    for at in [8, 40, 72, exported.len() - 1] {
        let mut forged = exported.clone();
        forged[at] ^= 1;
        if watched(|| import::<T>(&forged, SLOT, &key)).is_ok() {
            return Err("it was imported".into());
        }
    }
    Ok(())
}

fn directory() -> Done {
    let mut pair = Pair::new()?;
    let mut directory = Directory::new();
    watched(|| directory.update(&1, &pair.at_bob));
    let message = pair.alice.seal(&mut pair.at_alice, 10)?;
    let incoming = Incoming::parse(&message)?;
    assert_eq!(watched(|| directory.find(&incoming).count()), 1);
    read(&mut pair.at_bob, &message)?;
    watched(|| directory.update(&1, &pair.at_bob));
    Ok(())
}
