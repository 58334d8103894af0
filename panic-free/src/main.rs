//! Links only if no function of the core, in this build, can reach a panic.
//!
//! `panic-never`'s handler calls a symbol that no library has. The linker drops the handler when nothing is left, after
//! link-time optimisation, that could call it; else it reports the missing symbol. Every value that goes in is opaque
//! to the compiler, and so is everything that comes out of the primitives' crates, which `stand-ins/` replaces.
//!
//! Not covered: [`subrosa::Directory`], which stands on alloc's `BTreeMap` and its panics.
#![no_std]
#![no_main]
// Memory that is used up ends in a handler of its own, as it does under `std`; it is no panic.
#![feature(alloc_error_handler)]

extern crate alloc;

mod files;

use core::alloc::Layout;
use core::hint::black_box;

use cortex_m as _;
use libc_alloc::LibcAlloc;
use panic_never as _;
use subrosa::crypto::aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::hash::{HmacKey, sha256};
use subrosa::crypto::kem::{KemKeyPair, KemPublic};
use subrosa::crypto::sign::{Signature, SigningKey, VerifyingKey};
use subrosa::crypto::{Secret, TryCryptoRng, TryRng};
use subrosa::envelope::Envelope;
use subrosa::identity::{
    AccountId, AccountSecret, DeviceList, EmojiInitiator, EmojiResponder, Fingerprint,
    RecoverySecret,
};
use subrosa::wire::{Reader, Writer};
use subrosa::{
    Address, AppKey, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, Slot, StagedFirst,
    VerifiedBundle, export, import, padding,
};

#[global_allocator]
static HEAP: LibcAlloc = LibcAlloc;

#[alloc_error_handler]
fn no_memory(_: Layout) -> ! {
    loop {}
}

/// A generator of which the compiler knows nothing, not even whether it works.
struct Opaque;

impl TryRng for Opaque {
    type Error = Failed;

    fn try_next_u32(&mut self) -> Result<u32, Failed> {
        black_box(Ok(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Failed> {
        black_box(Ok(0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        black_box(bytes);
        black_box(Ok(()))
    }
}

impl TryCryptoRng for Opaque {}

#[derive(Debug)]
struct Failed;

impl core::fmt::Display for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the generator failed")
    }
}

impl core::error::Error for Failed {}

/// Any bytes, any number of them.
fn bytes() -> &'static [u8] {
    black_box(&[])
}

fn array<const N: usize>() -> [u8; N] {
    black_box([0; N])
}

fn secret<const N: usize>() -> Secret<N> {
    Secret::new(array())
}

fn number() -> usize {
    black_box(0)
}

fn now() -> u64 {
    black_box(0)
}

/// Keeps the compiler from leaving out what made `value`.
fn done<T>(value: T) {
    black_box(value);
}

fn primitives() {
    let mut text = array::<99>();
    let text = text.get_mut(..number()).unwrap_or_default();
    done(Aes128Gcm::seal(&array(), &array(), bytes(), text));
    done(Aes128Gcm::open(&array(), &array(), bytes(), text, &array()));
    done(Aes256Gcm::seal(&array(), &array(), bytes(), text));
    done(Aes256Gcm::open(&array(), &array(), bytes(), text, &array()));
    // Its crate has no stand-in. No protocol uses it yet.
    done(ChaCha20Poly1305::KEY);
    done(sha256(&[bytes(), bytes()]));
    let key = HmacKey::new(bytes());
    done(key.mac(&[bytes(), bytes()]).expose());
    done(key.expand(&[bytes()], text));
    if let Ok(public) = DhPublic::from_bytes(&array()) {
        done(public.require_prime_order());
        let pair = DhKeyPair::from_secret(secret());
        done(pair.agree(&public).map(|shared| *shared.expose()));
    }
    let pair = KemKeyPair::from_seed(&secret());
    done(pair.public_hash());
    done(pair.decapsulate(&array()).expose());
    if let Ok(public) = KemPublic::from_bytes(&array()) {
        done(public.encapsulate(&secret()).0);
        done((public.vector(), public.seed()));
    }
    done(KemPublic::from_parts(&array(), &array(), &array()).is_ok());
    let key = SigningKey::from_seed(&secret());
    done(key.sign(bytes()));
    done(VerifyingKey(array()).verify(bytes(), &Signature(array())));
}

fn encodings() {
    let mut reader = Reader::new(bytes());
    done(reader.take(number()));
    done(reader.array::<7>());
    done(reader.flag());
    done((reader.u8(), reader.u16(), reader.u32(), reader.u64()));
    done(reader.vector(number()));
    done(reader.vector_length());
    done(reader.finish());
    let mut writer = Writer::with_capacity(number());
    done(writer.vector(bytes()).is_ok());
    done(writer.vector_length(number()).is_ok());
    writer
        .bytes(bytes())
        .flag(black_box(true))
        .u16(black_box(1));
    done(writer.into_bytes());
    done(padding::padded_length(number()));
    done(padding::is_padded_length(number()));
    done(padding::require_zeros(bytes()));
    done(Envelope::parse(bytes()));
}

fn slot() -> Slot<'static> {
    Slot {
        store_key: bytes(),
        generation: now(),
    }
}

fn app_key() -> AppKey {
    AppKey::new(array())
}

fn device() -> Option<DeviceIdentity> {
    import(bytes(), slot(), &app_key()).ok()
}

fn prekeys() -> Option<Prekeys> {
    import(bytes(), slot(), &app_key()).ok()
}

fn conversation() -> Option<Conversation> {
    import(bytes(), slot(), &app_key()).ok()
}

fn bundle() -> Option<VerifiedBundle> {
    Bundle::parse(bytes()).ok()?.verify(now()).ok()
}

/// An account, its device lists, and two people who compare.
fn account() -> Option<()> {
    let (account, recovery) = (
        AccountSecret::generate(&mut Opaque).ok()?,
        RecoverySecret::from_seed(&secret()),
    );
    done(recovery.seed().expose());
    let device = device()?;
    let keys = device.public().keys();
    done(DeviceList::first(&account, &recovery, keys).is_ok());
    let known = DeviceList::parse(bytes()).ok()?;
    done(known.require_account(&AccountId::from_bytes(array())));
    done(known.with_device(keys, &account).ok());
    done(known.without_device(black_box(1), &account).ok());
    let keep = |id| black_box(id) > 1;
    done(
        known
            .with_keys(&recovery, &account, &recovery, keep, Some(keys))
            .ok(),
    );
    let next = DeviceList::parse(bytes()).ok()?;
    done(known.succession(&next));
    done((known.entries(), known.device(black_box(1)), known.hash()));
    let address = known.account_id().device(black_box(1));
    done(AccountId::of(&address));

    let (own, peer) = (Fingerprint::of(&known), Fingerprint::of(&next));
    done(Fingerprint::digits(&own, &peer));
    done(Fingerprint::qr(&own, &peer));
    done(Fingerprint::matches(&own, &peer, bytes()));
    let rng = &mut Opaque;
    let (initiator, commit) = EmojiInitiator::start(&own, &peer, &device, rng).ok()?;
    let (responder, r_b) = EmojiResponder::answer(&own, &peer, commit, &device, rng).ok()?;
    let (r_a, emoji) = initiator.reveal(&r_b);
    done((emoji.symbols(), emoji.names()));
    done(responder.finish(&r_a));
    Some(())
}

/// A device, its prekeys and what it publishes.
fn publish() -> Option<()> {
    let rng = &mut Opaque;
    let device = DeviceIdentity::generate(Address::new(bytes()).ok()?, rng).ok()?;
    done(device.public().keys());
    let mut prekeys = Prekeys::generate(&device, now(), rng).ok()?;
    done(prekeys.rotation_due(now()));
    done(prekeys.rotate(&device, now(), rng));
    done(prekeys.replenish(&device, number(), now(), rng));
    done(prekeys.last_resort_bundle(&device));
    done(prekeys.one_time_keys());
    prekeys.expire(now());
    done(export(&prekeys, &device, slot(), &app_key(), rng));
    done(export(&device, &device, slot(), &app_key(), rng));
    Some(())
}

/// The initiator.
fn begin() -> Option<()> {
    let device = device()?;
    let bundle = bundle()?;
    done(bundle.is_last_resort());
    let mut conversation = Conversation::new(*bundle.identity());
    conversation
        .begin(&device, &bundle, now(), &mut Opaque)
        .ok()?;
    done(conversation.seal(&device, bytes(), now(), &mut Opaque));
    done(conversation.begin(&device, &bundle, now(), &mut Opaque));
    keep(&conversation, &device);
    Some(())
}

/// The responder.
fn stage() -> Option<()> {
    let (device, mut prekeys) = (device()?, prekeys()?);
    let incoming = Incoming::parse(bytes()).ok()?;
    let staged = StagedFirst::stage(&incoming, &device, &prekeys, now()).ok()?;
    done((staged.created_at(), staged.one_time()));
    let mut conversation = Conversation::new(*staged.peer());
    done(staged.accept(&mut conversation, &mut prekeys, now()));
    let staged = StagedFirst::stage(&incoming, &device, &prekeys, now()).ok()?;
    done(staged.refuse(&mut prekeys));
    keep(&conversation, &device);
    Some(())
}

/// Any conversation that a stored state can be, or none.
fn talk() -> Option<()> {
    let (device, mut conversation) = (device()?, conversation()?);
    done(conversation.seal(&device, bytes(), now(), &mut Opaque));
    let incoming = Incoming::parse(bytes()).ok()?;
    done((incoming.tag(), incoming.first_id()));
    match conversation.open(&incoming, now()) {
        Ok(opened) => done(opened.text),
        Err(error) => done(error.action()),
    }
    if let Some(mut prekeys) = prekeys() {
        let staged = StagedFirst::stage(&incoming, &device, &prekeys, now()).ok()?;
        done(staged.accept(&mut conversation, &mut prekeys, now()));
    }
    conversation.expire(now());
    keep(&conversation, &device);
    Some(())
}

fn keep(conversation: &Conversation, device: &DeviceIdentity) {
    conversation.tags().for_each(done);
    conversation.first_ids().for_each(done);
    done((conversation.can_send(), conversation.is_answered()));
    done((conversation.peer(), conversation.pq_epoch()));
    done(export(
        conversation,
        device,
        slot(),
        &app_key(),
        &mut Opaque,
    ));
}

/// Never called; it only has to be possible.
fn planted() {
    if cfg!(feature = "planted-panic") {
        done(bytes()[number()]);
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    loop {
        primitives();
        encodings();
        done((account(), publish(), begin(), stage(), talk()));
        done((files::sealed(), files::tree(), files::upload()));
        done((files::download(), files::pack()));
        planted();
    }
}
