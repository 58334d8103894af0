//! Comparing keys by seven emoji.

use subrosa::identity::{Emoji, EmojiInitiator, EmojiResponder};

use crate::args::{self, Structure};
use crate::call::call;
use crate::device::{subrosa_device, with};
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::{self, subrosa_bytes};

/// A comparison.
pub struct subrosa_emoji(Side);

/// Which side this is, and how far.
enum Side {
    Started(EmojiInitiator),
    Answered(EmojiResponder),
    Over,
}

impl Object for subrosa_emoji {
    const KIND: usize = 8;
}

/// What both users see.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_emoji_shown {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// Places in the table.
    pub numbers: [u8; 7],
    /// The emoji.
    pub symbols: [subrosa_bytes; 7],
    /// What they are called in English.
    pub names: [subrosa_bytes; 7],
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_emoji_shown {}

impl subrosa_emoji_shown {
    fn of(emoji: &Emoji) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            numbers: *emoji.numbers(),
            symbols: emoji
                .symbols()
                .map(|text| subrosa_bytes::of(text.as_bytes())),
            names: emoji.names().map(|text| subrosa_bytes::of(text.as_bytes())),
        }
    }
}

/// Begins a comparison.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_emoji_start(
    device: *mut subrosa_device,
    account: *const u8,
    emoji: *mut *mut subrosa_emoji,
    commitment: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(emoji) }?;
        // SAFETY: the caller's promise.
        let commitment_to = unsafe { args::out_array::<32>(commitment) }?;
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        let reserved = handle::reserve()?;
        let (side, commitment) = with(device, |device, rng| {
            let (own, peer) = device.fingerprints(&account, rng)?;
            let identity = device.identity();
            Ok(EmojiInitiator::start(&own, &peer, identity, rng)?)
        })?;
        to.write(reserved.fill(subrosa_emoji(Side::Started(side))));
        commitment_to.write(commitment);
        Ok(())
    })
}

/// Answers a commitment.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_emoji_answer(
    device: *mut subrosa_device,
    account: *const u8,
    commitment: *const u8,
    emoji: *mut *mut subrosa_emoji,
    answer: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(emoji) }?;
        // SAFETY: the caller's promise.
        let answer_to = unsafe { args::out_array::<32>(answer) }?;
        // SAFETY: the caller's promise.
        let commitment = *unsafe { args::array(commitment) }?;
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        let reserved = handle::reserve()?;
        let (side, answer) = with(device, |device, rng| {
            let (own, peer) = device.fingerprints(&account, rng)?;
            let identity = device.identity();
            Ok(EmojiResponder::answer(
                &own, &peer, commitment, identity, rng,
            )?)
        })?;
        to.write(reserved.fill(subrosa_emoji(Side::Answered(side))));
        answer_to.write(answer);
        Ok(())
    })
}

/// Who started takes the answer, reveals, and shows the emoji.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_emoji_reveal(
    emoji: *mut subrosa_emoji,
    answer: *const u8,
    reveal: *mut u8,
    shown: *mut subrosa_emoji_shown,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let reveal_to = unsafe { args::out_array::<32>(reveal) }?;
        // SAFETY: the caller's promise.
        let shown_to = unsafe { args::out_structure(shown) }?;
        // SAFETY: the caller's promise.
        let answer = unsafe { args::array(answer) }?;
        let mut emoji = handle::exclusive(emoji)?;
        match core::mem::replace(&mut emoji.0, Side::Over) {
            Side::Started(side) => {
                let (reveal, emoji) = side.reveal(answer);
                reveal_to.write(reveal);
                shown_to.write(subrosa_emoji_shown::of(&emoji));
                Ok(())
            }
            other => {
                emoji.0 = other;
                Err(Status::STEP)
            }
        }
    })
}

/// Who answered takes what was revealed, and shows the emoji.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_emoji_finish(
    emoji: *mut subrosa_emoji,
    reveal: *const u8,
    shown: *mut subrosa_emoji_shown,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let shown_to = unsafe { args::out_structure(shown) }?;
        // SAFETY: the caller's promise.
        let reveal = unsafe { args::array(reveal) }?;
        let mut emoji = handle::exclusive(emoji)?;
        match core::mem::replace(&mut emoji.0, Side::Over) {
            Side::Answered(side) => {
                shown_to.write(subrosa_emoji_shown::of(&side.finish(reveal)?));
                Ok(())
            }
            other => {
                emoji.0 = other;
                Err(Status::STEP)
            }
        }
    })
}

/// Frees a comparison.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_emoji_free(emoji: *mut subrosa_emoji) -> subrosa_status {
    call(|| handle::free(emoji))
}
