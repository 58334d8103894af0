//! What the structures of the header look like in memory, on every target that there is a library for.
//!
//! Numbers stand in threes: where pointers have 64 bits, where they have 32, and where they have 32 and `uint64_t` lies at
//! multiples of 4 (i686). Each is asserted wherever the library is built; `tests/header.rs` has C compilers assert the same.

use core::mem::offset_of;

use crate::emoji::subrosa_emoji_shown;
use crate::file::{subrosa_blob_info, subrosa_piece, subrosa_source, subrosa_thumbnail};
use crate::list::subrosa_list_info;
use crate::memory::subrosa_allocator;
use crate::pack::{subrosa_contents, subrosa_pack_info, subrosa_sticker};
use crate::result::{subrosa_bundles_info, subrosa_copy, subrosa_event, subrosa_sent};
use crate::rng::subrosa_rng;
use crate::store::{subrosa_key, subrosa_put, subrosa_store_vtable};
use crate::value::{subrosa_address, subrosa_bytes};

/// A number for each model of memory.
pub type Numbers = [usize; 3];

/// A structure of the header.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Its name in C.
    pub name: &'static str,
    /// Its size.
    pub size: Numbers,
    /// The multiples that it lies at.
    pub align: Numbers,
    /// Its fields, and where they begin.
    pub fields: &'static [(&'static str, Numbers)],
}

/// The number for the target that this is built for.
#[must_use]
pub const fn here([wide, narrow, packed]: Numbers) -> usize {
    match (size_of::<usize>(), align_of::<u64>()) {
        (8, 8) => wide,
        (4, 8) => narrow,
        (4, 4) => packed,
        // No structure has this size.
        _ => usize::MAX,
    }
}

/// Asserts layouts, and lists them.
macro_rules! layouts {
    ($($name:ident $size:tt $align:tt { $($field:ident $offset:tt,)* })*) => {
        $(
            const _: () = assert!(size_of::<$name>() == $crate::layout::here($size));
            const _: () = assert!(align_of::<$name>() == $crate::layout::here($align));
            $(const _: () = assert!(offset_of!($name, $field) == $crate::layout::here($offset));)*
        )*

        /// Every structure.
        pub const LAYOUTS: &[$crate::layout::Layout] = &[$(
            $crate::layout::Layout {
                name: stringify!($name),
                size: $size,
                align: $align,
                fields: &[$((stringify!($field), $offset),)*],
            },
        )*];
    };
}
#[cfg(feature = "conformance")]
pub(crate) use layouts;

layouts! {
    subrosa_bytes [16, 8, 8] [8, 4, 4] {
        data [0, 0, 0],
        len [8, 4, 4],
    }
    subrosa_address [36, 36, 36] [4, 4, 4] {
        account [0, 0, 0],
        device [32, 32, 32],
    }
    subrosa_rng [24, 12, 12] [8, 4, 4] {
        struct_size [0, 0, 0],
        context [8, 4, 4],
        fill [16, 8, 8],
    }
    subrosa_allocator [32, 16, 16] [8, 4, 4] {
        struct_size [0, 0, 0],
        context [8, 4, 4],
        allocate [16, 8, 8],
        release [24, 12, 12],
    }
    subrosa_key [16, 16, 16] [1, 1, 1] {
        bytes [0, 0, 0],
    }
    subrosa_put [32, 24, 24] [8, 4, 4] {
        key [0, 0, 0],
        value [16, 16, 16],
    }
    subrosa_store_vtable [40, 20, 20] [8, 4, 4] {
        struct_size [0, 0, 0],
        context [8, 4, 4],
        get [16, 8, 8],
        commit [24, 12, 12],
        release [32, 16, 16],
    }
    subrosa_list_info [80, 64, 60] [8, 8, 4] {
        struct_size [0, 0, 0],
        bytes [8, 4, 4],
        account [24, 12, 12],
        version [56, 48, 44],
        devices [64, 56, 52],
        next_id [72, 60, 56],
    }
    subrosa_event [184, 168, 168] [8, 8, 4] {
        struct_size [0, 0, 0],
        kind [8, 4, 4],
        status [12, 8, 8],
        action [16, 12, 12],
        content [20, 16, 16],
        notices [24, 20, 20],
        address [28, 24, 24],
        envelope [64, 60, 60],
        version [72, 64, 64],
        id [80, 72, 72],
        received_at [88, 80, 80],
        to [96, 88, 88],
        text [128, 120, 120],
        group [144, 128, 128],
        epoch [176, 160, 160],
    }
    subrosa_sent [104, 84, 84] [8, 4, 4] {
        struct_size [0, 0, 0],
        id [8, 4, 4],
        to [24, 12, 12],
        copies [56, 44, 44],
        kind [64, 48, 48],
        group [68, 52, 52],
    }
    subrosa_copy [64, 48, 48] [8, 4, 4] {
        struct_size [0, 0, 0],
        to [8, 4, 4],
        message [48, 40, 40],
    }
    subrosa_bundles_info [40, 20, 20] [8, 4, 4] {
        struct_size [0, 0, 0],
        last_resort [8, 4, 4],
        one_time [24, 12, 12],
        replaces [32, 16, 16],
    }
    subrosa_emoji_shown [240, 124, 124] [8, 4, 4] {
        struct_size [0, 0, 0],
        numbers [8, 4, 4],
        symbols [16, 12, 12],
        names [128, 68, 68],
    }
    subrosa_source [24, 12, 12] [8, 4, 4] {
        struct_size [0, 0, 0],
        context [8, 4, 4],
        read [16, 8, 8],
    }
    subrosa_blob_info [80, 48, 48] [8, 8, 4] {
        struct_size [0, 0, 0],
        thumbnail [8, 4, 4],
        text_len [16, 8, 8],
        stored_len [24, 16, 16],
        media_type [32, 24, 24],
        thumbnail_type [48, 32, 32],
        thumbnail_bytes [64, 40, 40],
    }
    subrosa_thumbnail [48, 24, 24] [8, 4, 4] {
        struct_size [0, 0, 0],
        media_type [8, 4, 4],
        bytes [24, 12, 12],
        blob [40, 20, 20],
    }
    subrosa_piece [56, 48, 48] [8, 8, 4] {
        struct_size [0, 0, 0],
        proof_len [8, 4, 4],
        leaf [16, 8, 8],
        leaves [24, 16, 16],
        offset [32, 24, 24],
        len [40, 32, 32],
        text_len [48, 40, 40],
    }
    subrosa_sticker [24, 12, 12] [8, 4, 4] {
        blob [0, 0, 0],
        emoji [8, 4, 4],
        count [16, 8, 8],
    }
    subrosa_contents [56, 28, 28] [8, 4, 4] {
        struct_size [0, 0, 0],
        title [8, 4, 4],
        name [24, 12, 12],
        stickers [40, 20, 20],
        count [48, 24, 24],
    }
    subrosa_pack_info [120, 96, 96] [8, 8, 4] {
        struct_size [0, 0, 0],
        title [8, 4, 4],
        name [24, 12, 12],
        stickers [40, 20, 20],
        version [48, 24, 24],
        id [56, 32, 32],
        author_key [88, 64, 64],
    }
}
