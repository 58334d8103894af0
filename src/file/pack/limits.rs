//! Every limit of packs (SPEC §21.7), each with its reason.

use crate::crypto::hash::HASH;
use crate::crypto::sign::{SIGNATURE, VERIFYING_KEY};
use crate::file::limits::MEDIA_TYPE_MAX;

/// Stickers of a pack: as many as Telegram's sets have, so that any of those can be carried over.
pub const STICKERS_MAX: usize = 120;

/// Emoji of a sticker: as many as with Telegram.
pub const EMOJI_MAX: usize = 20;

/// Bytes of an emoji: the longest that Unicode recommends has 35; up to 63 their length takes one byte.
pub const EMOJI_BYTES_MAX: usize = 63;

/// Bytes of a title: 64 characters of any script.
pub const TITLE_MAX: usize = 256;

/// Bytes of the author's name: the same.
pub const NAME_MAX: usize = 256;

/// Bytes of a sticker, before padding: 512 KiB, what Telegram takes for its largest kind, a still picture. Whoever takes a
/// whole pack fetches at most 60 MiB.
pub const STICKER_MAX: u64 = 1 << 19;

/// Bytes of a sticker in a manifest: its emoji, and the blob's id, key, length and media type.
const ENTRY_MAX: usize =
    1 + EMOJI_MAX * (1 + EMOJI_BYTES_MAX) + HASH + 32 + 8 + (2 + MEDIA_TYPE_MAX);

/// Longest content of a manifest: pack id, version and hash of the one before, title, name, stickers.
pub const CONTENT_MAX: usize =
    HASH + 8 + HASH + (2 + TITLE_MAX) + (2 + NAME_MAX) + 2 + STICKERS_MAX * ENTRY_MAX;

/// Longest text of a manifest without padding: what follows from all others.
pub const TEXT_MAX: usize = 1 + VERIFYING_KEY + SIGNATURE + 4 + CONTENT_MAX;

/// The same with its padding.
pub const PADDED_MAX: usize = 180_224;

/// Longest manifest as the server has it.
pub const SEALED_MAX: u64 = 180_472;
