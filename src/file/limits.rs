//! Every limit of files, with its reason.

/// Chunks of a file: what keeps the number of blocks under one key, and the nonces of all files, within the bounds of the
/// standard's analysis.
pub const CHUNKS_MAX: u64 = 1 << 38;

/// Longest text of a file: the last chunk is shorter than the others.
pub const TEXT_MAX: u64 = (1 << 52) - 1;

/// Longest media type, `type/subtype`: all registered ones and a byte for their length.
pub const MEDIA_TYPE_MAX: usize = 127;

/// How far the root of a tree stands above its leaves, at most: 2 to this power are [`CHUNKS_MAX`].
pub const LEVELS_MAX: u32 = CHUNKS_MAX.ilog2();

/// Longest thumbnail in a message: a blurred or small picture, in a message that is still far below its own limit. A larger
/// one is a blob.
pub const THUMBNAIL_MAX: usize = 16 * 1024;

/// Longest descriptor: version, blob, thumbnail; all fields as long as they may be.
pub const DESCRIPTOR_MAX: usize = 1 + BLOB_MAX + 1 + (2 + MEDIA_TYPE_MAX) + (4 + THUMBNAIL_MAX);

/// Longest encoding of a blob: id, key, length, media type.
pub const BLOB_MAX: usize = 32 + 32 + 8 + 2 + MEDIA_TYPE_MAX;
