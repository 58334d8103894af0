//! Files: sealed and opened piece by piece, read at any place, and stored as blobs that servers cannot read.

mod blob;
mod opener;
mod piece;
mod reader;
mod sealer;

pub use blob::{
    SUBROSA_THUMBNAIL_BLOB, SUBROSA_THUMBNAIL_INLINE, SUBROSA_THUMBNAIL_NONE, subrosa_blob,
    subrosa_blob_admit, subrosa_blob_descriptor, subrosa_blob_free, subrosa_blob_id,
    subrosa_blob_info, subrosa_blob_parse, subrosa_blob_read, subrosa_blob_thumbnail,
    subrosa_thumbnail,
};
pub use opener::{
    subrosa_opener, subrosa_opener_blob, subrosa_opener_file, subrosa_opener_finish,
    subrosa_opener_free, subrosa_opener_push,
};
pub use piece::{
    subrosa_blob_open_piece, subrosa_blob_piece, subrosa_piece, subrosa_piece_of_leaves,
    subrosa_piece_verify,
};
pub use reader::{
    subrosa_reader, subrosa_reader_free, subrosa_reader_len, subrosa_reader_open,
    subrosa_reader_read, subrosa_source,
};
pub use sealer::{
    subrosa_sealer, subrosa_sealer_blob, subrosa_sealer_file, subrosa_sealer_finish,
    subrosa_sealer_free, subrosa_sealer_push, subrosa_sealer_result,
};

/// Bytes of the key of a file.
pub const SUBROSA_FILE_KEY: usize = 32;
/// Bytes of a blob's id.
pub const SUBROSA_BLOB_ID: usize = 32;
/// Room for what a sealer gives at once, bytes.
pub const SUBROSA_SEAL_ROOM: usize = 16_456;
/// Room for what an opener gives at once, bytes.
pub const SUBROSA_OPEN_ROOM: usize = 16_384;
/// Longest descriptor, bytes.
pub const SUBROSA_DESCRIPTOR_MAX: usize = 16_720;

const _: () = assert!(SUBROSA_SEAL_ROOM == subrosa::file::HEADER + subrosa::file::SEALED_CHUNK);
const _: () = assert!(SUBROSA_OPEN_ROOM == subrosa::file::CHUNK);
const _: () = assert!(SUBROSA_DESCRIPTOR_MAX == subrosa::file::limits::DESCRIPTOR_MAX);
