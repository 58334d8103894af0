//! Memory that is given back to the allocator holds no key, and no text that the library had a buffer for.
//!
//! The allocator of this program never gives memory out twice: a block that was freed stays as it was left. When
//! everything has been dropped, all blocks there ever were are searched for every secret there was. Growing a block
//! counts as freeing it, unless it is the newest one. Registers and the stack are not searched.
#![cfg(target_os = "linux")]

mod common;
mod freed_memory {
    pub mod arena;
    pub mod files;
    pub mod groups;
    pub mod needles;
    pub mod sending;
    pub mod stored;
}

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Mutex;

use common::{DAY, NOW, SLOT, SeededRng};
use freed_memory::arena::{Finding, Watch};
use freed_memory::files::{blobs, files, packs};
use freed_memory::groups::groups;
use freed_memory::sending::sending_chain;
use freed_memory::stored;
use subrosa::crypto::hash::expand;
use subrosa::crypto::{TryCryptoRng, TryRng, labels};
use subrosa::session::Stored;
use subrosa::{
    Address, AppKey, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, StagedFirst,
    VerifiedBundle, export, hazmat, import,
};
use zeroize::{Zeroize, Zeroizing};

/// One test at a time: their blocks lie side by side.
static TURN: Mutex<()> = Mutex::new(());

/// The watch, and the generator of everything that happens before it.
struct Scene {
    watch: Watch,
    rng: SeededRng,
}

/// A device and its prekeys.
struct Device {
    identity: DeviceIdentity,
    prekeys: Prekeys,
}

/// A generator whose outputs are known.
struct Overheard<'a> {
    rng: &'a mut SeededRng,
    watch: &'a mut Watch,
}

impl TryRng for Overheard<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.rng.try_fill_bytes(dst)?;
        self.watch.add("an output of the generator", dst);
        Ok(())
    }
}

impl TryCryptoRng for Overheard<'_> {}

impl Scene {
    fn new(seed: u64) -> Self {
        Self {
            watch: Watch::begin(),
            rng: SeededRng(seed),
        }
    }

    fn rng(&mut self) -> Overheard<'_> {
        Overheard {
            rng: &mut self.rng,
            watch: &mut self.watch,
        }
    }

    /// Every secret that `value` holds now.
    fn note<T: Stored + stored::Secrets>(&mut self, value: &T) {
        self.watch.aside(|needles| {
            let encoded = hazmat::encode(value).unwrap();
            T::secrets(&encoded, &mut |what, secret| needles.add(what, secret));
        });
    }

    fn device(&mut self, name: &str) -> Device {
        let address = Address::new(name.as_bytes()).unwrap();
        let identity = DeviceIdentity::generate(address, &mut self.rng()).unwrap();
        let prekeys = Prekeys::generate(&identity, NOW, &mut self.rng()).unwrap();
        self.note(&identity);
        self.note(&prekeys);
        Device { identity, prekeys }
    }

    fn bundle(&mut self, device: &mut Device) -> VerifiedBundle {
        let bundles = device
            .prekeys
            .replenish(&device.identity, 3, NOW, &mut self.rng())
            .unwrap();
        self.note(&device.prekeys);
        Bundle::parse(&bundles[0]).unwrap().verify(NOW).unwrap()
    }

    fn begin(
        &mut self,
        device: &Device,
        conversation: &mut Conversation,
        bundle: &VerifiedBundle,
        now: u64,
    ) {
        conversation
            .begin(&device.identity, bundle, now, &mut self.rng())
            .unwrap();
        self.note(conversation);
    }

    /// Seals a text of its own, which is a secret as well.
    fn seal(&mut self, device: &Device, conversation: &mut Conversation) -> Vec<u8> {
        let mut text = [0; 48];
        let Ok(()) = self.rng.try_fill_bytes(&mut text);
        self.watch.add("a text", &text);
        let before = self
            .watch
            .aside(|_| sending_chain(&hazmat::encode(conversation).unwrap()));
        let message = conversation
            .seal(&device.identity, &text, NOW, &mut self.rng())
            .unwrap();
        self.note(conversation);
        self.watch.aside(|needles| {
            // A new chain's first key has been used up in the same call.
            let Some([header_key, classical, quantum]) = before else {
                return;
            };
            let salt = hazmat::parse(&message).unwrap().salt;
            let [message_key, ..] = hazmat::chain_step(classical, quantum);
            needles.add("a message key", &message_key);
            let body = expand::<44>(&message_key, &[labels::BODY, &salt]);
            needles.add("a body key", body.expose());
            let head = expand::<44>(&header_key, &[labels::HEAD, &salt]);
            needles.add("the key of one header", head.expose());
        });
        message
    }

    fn read(&mut self, conversation: &mut Conversation, message: &[u8]) {
        let incoming = Incoming::parse(message).unwrap();
        let mut opened = conversation.open(&incoming, NOW).unwrap();
        // The text is the app's now, and so is its end.
        opened.text.zeroize();
        self.note(conversation);
    }

    fn say(&mut self, device: &Device, from: &mut Conversation, to: &mut Conversation) {
        let message = self.seal(device, from);
        self.read(to, &message);
    }

    /// What the two sides of an agreement compute.
    fn agreement(&mut self, device: &Device, message: &[u8]) {
        self.watch.aside(|needles| {
            let trace = hazmat::respond(&device.identity, &device.prekeys, message, NOW).unwrap();
            let values = trace.values;
            needles.add("DH1", &values.dh1);
            needles.add("DH2", &values.dh2);
            needles.add("DH3", &values.dh3);
            if let Some(dh4) = values.dh4 {
                needles.add("DH4", &dh4);
            }
            needles.add("SS", &values.ss);
            needles.add("Kid", &values.identity_key);
            needles.add("SK", &values.shared_key);
            for key in hazmat::initial_keys(values.shared_key, values.session_id) {
                needles.add("a key of a state's beginning", &key);
            }
        });
    }

    fn stage(&mut self, device: &Device, message: &[u8], now: u64) -> StagedFirst {
        self.agreement(device, message);
        let incoming = Incoming::parse(message).unwrap();
        StagedFirst::stage(&incoming, &device.identity, &device.prekeys, now).unwrap()
    }

    fn accept(&mut self, device: &mut Device, conversation: &mut Conversation, message: &[u8]) {
        let staged = self.stage(device, message, NOW);
        let mut opened = staged
            .accept(conversation, &mut device.prekeys, NOW)
            .unwrap();
        opened.text.zeroize();
        self.note(conversation);
    }

    /// Out to the store and back; the value in memory is dropped.
    fn stored<T: Stored>(&mut self, device: &DeviceIdentity, value: T) -> T {
        let (exported, app_key) = self.export(device, &value);
        drop(value);
        import(&exported, SLOT, &app_key).unwrap()
    }

    fn stored_identity(&mut self, identity: DeviceIdentity) -> DeviceIdentity {
        let (exported, app_key) = self.export(&identity, &identity);
        drop(identity);
        import(&exported, SLOT, &app_key).unwrap()
    }

    fn export<T: Stored>(&mut self, device: &DeviceIdentity, value: &T) -> (Vec<u8>, AppKey) {
        let mut key = [0; 32];
        let Ok(()) = self.rng().try_fill_bytes(&mut key);
        let app_key = AppKey::new(key);
        let exported = export(value, device, SLOT, &app_key, &mut self.rng()).unwrap();
        (exported, app_key)
    }

    /// There was enough to be found, so many secrets, and none of it was.
    #[track_caller]
    fn require_nothing_found(&self, needles: usize) {
        let (found, searched) = self.watch.search();
        println!("{searched:?}");
        assert!(searched.needles > needles && searched.bytes > 500_000);
        assert!(
            found.is_empty(),
            "{} findings:\n{}",
            found.len(),
            lines(&found)
        );
    }
}

#[test]
fn a_life_of_two_devices_leaves_no_secret_in_freed_memory() {
    let _turn = TURN.lock();
    let mut scene = Scene::new(1);
    life(&mut scene);
    scene.require_nothing_found(5_000);
}

#[test]
fn files_and_packs_leave_no_secret_in_freed_memory() {
    let _turn = TURN.lock();
    let mut scene = Scene::new(3);
    files(&mut scene);
    blobs(&mut scene);
    packs(&mut scene);
    scene.require_nothing_found(5_000);
}

#[test]
fn groups_leave_no_secret_in_freed_memory() {
    let _turn = TURN.lock();
    let mut scene = Scene::new(4);
    groups(&mut scene);
    scene.require_nothing_found(2_000);
}

/// The search finds what it looks for: a key in a vector that is freed as it is, one that a vector left behind when it
/// grew, and one behind the end of a vector.
#[test]
fn a_key_that_is_not_overwritten_is_found() {
    let _turn = TURN.lock();
    let mut scene = Scene::new(2);
    let mut keys = [[0; 32]; 4];
    for key in &mut keys {
        let Ok(()) = scene.rng().try_fill_bytes(key);
    }
    let [freed, outgrown, shifted, wiped] = keys;

    scene.watch.step("freed");
    drop(black_box(freed.to_vec()));

    scene.watch.step("outgrown");
    let mut keys = vec![outgrown];
    // Something else is allocated behind it, so that it cannot grow where it is.
    let behind = black_box(Box::new(0));
    keys.push([0; 32]);
    keys.zeroize();
    drop((black_box(keys), behind));

    scene.watch.step("shifted");
    let mut keys = vec![[1; 32], shifted];
    keys.remove(0);
    keys.iter_mut().for_each(Zeroize::zeroize);
    drop(black_box(keys));

    scene.watch.step("wiped");
    let mut key = black_box(wiped.to_vec());
    key.zeroize();
    drop(black_box(key));

    let (found, _) = scene.watch.search();
    let steps: Vec<_> = found.iter().map(|finding| finding.step).collect();
    // Two needles a key.
    let expected = [
        "freed", "freed", "outgrown", "outgrown", "shifted", "shifted",
    ];
    assert_eq!(steps, expected, "{}", lines(&found));
}

fn lines(found: &[Finding]) -> String {
    let lines: Vec<_> = found.iter().map(Finding::to_string).collect();
    lines.join("\n")
}

fn life(scene: &mut Scene) {
    scene.watch.step("generation");
    let mut alice = scene.device("alice");
    let mut bob = scene.device("bob");

    scene.watch.step("bundles");
    for _ in 0..3 {
        scene.bundle(&mut bob);
    }

    scene.watch.step("agreement");
    let bundle = scene.bundle(&mut bob);
    let mut at_alice = Conversation::new(*bundle.identity());
    scene.begin(&alice, &mut at_alice, &bundle, NOW);
    let first = scene.seal(&alice, &mut at_alice);
    let mut at_bob = Conversation::new(*alice.identity.public());
    scene.accept(&mut bob, &mut at_bob, &first);

    scene.watch.step("turns and epochs");
    for _ in 0..80 {
        scene.say(&bob, &mut at_bob, &mut at_alice);
        scene.say(&alice, &mut at_alice, &mut at_bob);
    }
    assert!(at_alice.pq_epoch() > Some(4));

    scene.watch.step("skipped messages");
    let mut late = Vec::new();
    for _ in 0..10 {
        for _ in 0..20 {
            late.push(scene.seal(&alice, &mut at_alice));
        }
        scene.say(&alice, &mut at_alice, &mut at_bob);
        scene.say(&bob, &mut at_bob, &mut at_alice);
    }
    // The keys of the oldest chains are forgotten by now.
    for message in late.iter().rev().take(90).step_by(2) {
        scene.read(&mut at_bob, message);
    }

    scene.watch.step("export and import");
    at_bob = scene.stored(&bob.identity, at_bob);
    at_alice = scene.stored(&alice.identity, at_alice);
    bob.prekeys = scene.stored(&bob.identity, bob.prekeys);
    bob.identity = scene.stored_identity(bob.identity);

    scene.watch.step("a fork");
    let old = hazmat::encode(&at_bob).unwrap();
    scene.say(&bob, &mut at_bob, &mut at_alice);
    scene.say(&alice, &mut at_alice, &mut at_bob);
    at_bob = hazmat::decode(&Zeroizing::new(old)).unwrap();
    let forked = scene.seal(&bob, &mut at_bob);
    let refused = at_alice.open(&Incoming::parse(&forked).unwrap(), NOW);
    assert!(refused.is_err());

    scene.watch.step("begun anew");
    for round in 1..7 {
        let bundle = scene.bundle(&mut alice);
        scene.begin(&bob, &mut at_bob, &bundle, NOW + round);
        let first = scene.seal(&bob, &mut at_bob);
        scene.accept(&mut alice, &mut at_alice, &first);
        scene.say(&alice, &mut at_alice, &mut at_bob);
    }

    scene.watch.step("refused by the app");
    let bundle = scene.bundle(&mut alice);
    let mut other = Conversation::new(*bundle.identity());
    scene.begin(&bob, &mut other, &bundle, NOW);
    let first = scene.seal(&bob, &mut other);
    let staged = scene.stage(&alice, &first, NOW);
    staged.refuse(&mut alice.prekeys).unwrap();

    scene.watch.step("forged");
    let mut forged = scene.seal(&alice, &mut at_alice);
    if let Some(last) = forged.last_mut() {
        *last ^= 1;
    }
    let refused = at_bob.open(&Incoming::parse(&forged).unwrap(), NOW);
    assert!(refused.is_err());

    scene.watch.step("rotation and expiry");
    for week in 1..20 {
        alice
            .prekeys
            .rotate(&alice.identity, NOW + week * 7 * DAY, &mut scene.rng())
            .unwrap();
        scene.note(&alice.prekeys);
    }
    alice.prekeys.expire(NOW + 1_000 * DAY);

    scene.watch.step("the end");
    drop((at_alice, at_bob, other));
    drop((Box::new(alice), Box::new(bob)));
}
