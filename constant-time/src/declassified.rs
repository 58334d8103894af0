//! What is public although it is made of secrets: the one list of places that may decide on a branch or an address.
//!
//! An entry names a function, and where the function also handles secrets, what stands on the line. Nothing is
//! silenced but the report: the values stay secret to memcheck, and so does all that is computed from them.

use std::fmt;

use crate::report::Place;

/// A place that may be reported.
pub struct Declassified {
    file: &'static str,
    function: &'static str,
    /// What the line has to hold; empty for any line of the function.
    line: &'static str,
    why: &'static str,
}

impl Declassified {
    pub fn names(&self, place: &Place) -> bool {
        place.file.ends_with(self.file)
            && place.function == self.function
            && place.text.contains(self.line)
    }
}

impl fmt::Display for Declassified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            function,
            line,
            why,
        } = self;
        write!(f, "{file} {function}")?;
        if !line.is_empty() {
            write!(f, " `{line}`")?;
        }
        write!(f, ": {why}")
    }
}

macro_rules! declassified {
    ($($why:literal { $($file:literal: $function:ident $($line:literal)?;)* })*) => {
        pub const ALL: &[Declassified] = &[$($(Declassified {
            file: $file,
            function: stringify!($function),
            line: concat!("" $(, $line)?),
            why: $why,
        }),*),*];
    };
}

declassified! {
    "whether a tag or a MAC fits, known to all by what happens next" {
        "aes-gcm-0.11.1/src/lib.rs": decrypt_inout_detached "ct_eq(tag)";
        "src/file/chunk.rs": open "self.cipher.open";
        "src/file/open.rs": begin "!= commitment";
        "src/state.rs": open "secret::equal";
        "src/state.rs": open "Aes256Gcm::open";
        "src/agreement/transcript.rs": open_identity "Aes256Gcm::open";
        "src/ratchet/message.rs": open_header ".ok()?";
        "src/ratchet/message.rs": open_body "Error::Forked";
        "src/ratchet/braid/ct_side.rs": take "fits(";
        "src/ratchet/braid/ek_side.rs": verify "fits(";
        "src/ratchet/braid.rs": within "completed.verify(";
    }
    "an X25519 result that is all zero ends the agreement (SPEC §3.3-R3)" {
        "src/crypto/dh.rs": agree_at "is_identity";
    }
    "the matrix of an ML-KEM key is public: sampled from a seed that is a part of the key" {
        "libcrux-ml-kem-0.0.11/src/sampling.rs": sample_from_xof;
        "libcrux-ml-kem-0.0.11/src/sampling.rs": sample_from_uniform_distribution_next;
        "libcrux-ml-kem-0.0.11/src/vector/avx2/sampling.rs": rejection_sample;
    }
    "an encapsulation key is public, though the Braid sends it encrypted" {
        "libcrux-ml-kem-0.0.11/src/ind_cca.rs": validate_public_key;
        "libcrux-ml-kem-0.0.11/src/ind_cca/incremental.rs": validate_pk_parts;
    }
    "our own public keys" {
        "src/agreement/initiator.rs": new "shares_a_key";
        "src/identity.rs": shares_a_key;
    }
    "the initiator's public keys, address and signature, which come encrypted; the time may tell who begins" {
        "curve25519-dalek-5.0.0/src/backend/vector/scalar_mul/vartime_double_base.rs": _impl_mul;
        "curve25519-dalek-5.0.0/src/backend/vector/avx2/field.rs": _impl_mul "unpack_pair(rhs.0[0])";
        "curve25519-dalek-5.0.0/src/window.rs": select "self.0[x / 2]";
        "curve25519-dalek-5.0.0/src/scalar.rs": non_adjacent_form;
        "curve25519-dalek-5.0.0/src/edwards.rs": decompress "is_valid_y_coord";
        "curve25519-dalek-5.0.0/src/montgomery.rs": to_edwards "FieldElement::MINUS_ONE";
        "subtle-2.6.1/src/lib.rs": from "source.is_some()";
        "src/crypto/sign.rs": new;
        "src/crypto/sign.rs": verify "has_small_order_point";
        "src/crypto/sign.rs": has_small_order_point;
        "src/crypto/dh.rs": require_prime_order;
        "src/identity.rs": verify;
        "src/identity.rs": eq;
        "src/identity/address.rs": eq;
        "src/identity/address.rs": new;
        "src/agreement/transcript.rs": read_identity;
        "src/agreement/responder.rs": new "shares_a_key";
        "src/session/first.rs": accept "peer";
    }
    "a peer's public key, wherever it comes from" {
        "src/crypto/dh.rs": from_bytes;
    }
    "a tag is public: it names a chain to the relay" {
        "src/session/conversation.rs": open_in_state "zip(matching)";
        "src/ratchet/open.rs": respond "initiator.tag()";
        "src/session/directory.rs": find;
        "src/session/directory.rs": update;
        "src/session/directory.rs": remove;
    }
    "what an authenticated header says decides which key is used: ratchet key, number, count, epoch" {
        "src/ratchet/message.rs": from_bytes;
        "src/ratchet/open.rs": open_current;
        "src/ratchet/open.rs": open_closed;
        "src/ratchet/open.rs": open_next;
        "src/ratchet/open.rs": open;
        "src/ratchet/open.rs": closing_keys;
        "src/ratchet/chain.rs": advance;
        "src/ratchet/chain.rs": judge;
        "src/ratchet/chain.rs": record;
        "src/ratchet/chain.rs": require_reach;
        "src/ratchet/chain.rs": skip_to;
        "src/ratchet/stored_keys.rs": position;
        "src/ratchet/stored_keys.rs": remove "rotate_left";
        "src/ratchet/epochs.rs": open "position";
        "src/ratchet/epochs.rs": take "first_mut";
        "src/ratchet/epochs.rs": push;
        "src/ratchet/epochs.rs": forget;
        "src/crypto/hash.rs": new "front.copy_from_slice(key)";
        "src/crypto/secret.rs": drop;
    }
    "where an accepted text ends, its padding, and what it carries of the Braid" {
        "src/ratchet/message.rs": parse;
        "src/ratchet/message.rs": frame;
        "src/ratchet/message.rs": into_text;
        "src/padding.rs": require_zeros;
        "src/file/blob_opener.rs": cut "require_zeros";
        "src/file/fetch.rs": require_padding "require_zeros";
        "src/ratchet/braid/frame.rs": read;
        "src/ratchet/braid/frame.rs": take;
        "src/ratchet/braid.rs": receive;
        "src/ratchet/braid.rs": is_moved_by;
        "src/ratchet/braid.rs": take;
        "src/ratchet/braid.rs": next_epoch;
        "src/ratchet/braid/code.rs": insert;
        "src/ratchet/braid/code.rs": object;
        "zeroize-1.9.2/src/lib.rs": zeroize "for elem in self";
        "zeroize-1.9.2/src/bulk.rs": zeroize_byte_ptr;
    }
    "how much there is, and where: lengths, counts, flags, ids and times, never a key" {
        "src/wire/reader.rs": array;
        "src/wire/reader.rs": take;
        "src/wire/reader.rs": finish;
        "src/wire/reader.rs": UnknownInlinedFun "self.rest.is_empty()";
        "src/wire/reader.rs": flag;
        "src/wire/reader.rs": u8;
        "src/wire/reader.rs": u16;
        "src/wire/reader.rs": u32;
        "src/wire/reader.rs": read;
        "src/wire/reader.rs": vector;
        "src/wire/reader.rs": vector_length;
        "src/memory.rs": with_capacity;
        "src/memory.rs": reserve;
        "src/memory.rs": insert;
        "src/memory.rs": push;
        "src/memory.rs": write;
        "src/memory.rs": extend;
    }
    "the structure of a stored state, which opened under the app's key" {
        "src/identity/state.rs": read;
        "src/agreement/state.rs": read;
        "src/agreement/state.rs": read_generation;
        "src/agreement/state.rs": require_ascending;
        "src/agreement/state.rs": count;
        "src/agreement/state.rs": write;
        "src/session/state.rs": read;
        "src/session/state.rs": read_origin;
        "src/session/state.rs": read_standing;
        "src/session/state.rs": require_invariants;
        "src/session/state.rs": write;
        "src/ratchet/keys.rs": read_secret;
        "src/ratchet/state.rs": read;
        "src/ratchet/state.rs": require_epochs;
        "src/ratchet/state.rs": write;
        "src/ratchet/braid.rs": epoch;
        "src/ratchet/braid/send.rs": cursor;
        "src/ratchet/braid/state.rs": read;
        "src/ratchet/braid/state.rs": boxed;
        "src/ratchet/braid/state.rs": fits;
        "src/ratchet/braid/state.rs": write;
    }
    "whether a state that opened under the app's key is in its one encoding; what the library wrote always is" {
        "src/session/stored.rs": decode "!= plaintext";
    }
    "the structure of a record or a manifest, which opened under its key: media types, emoji, lengths, version, author" {
        "src/file/blob.rs": as_str;
        "src/file/blob.rs": is_restricted_name;
        "src/file/blob.rs": new;
        "src/file/blob.rs": read;
        "src/file/blob.rs": stored_len;
        "src/file/descriptor.rs": parse;
        "src/file/pack/contents.rs": new "STICKERS_MAX";
        "src/file/pack/contents.rs": new "title.is_empty()";
        "src/file/pack/contents.rs": read;
        "src/file/pack/contents.rs": text;
        "src/file/pack/manifest.rs": read;
        "src/file/pack/manifest.rs": read_content;
        "src/file/pack/sticker.rs": new;
        "src/file/pack/sticker.rs": of;
        "src/file/pack/sticker.rs": read;
        "src/padding.rs": padded_file_length;
        "src/padding.rs": padme;
        "src/wire/reader.rs": u64;
        "src/wire/writer.rs": vector_length;
    }
    "how long a manifest is, and hence how many blocks are hashed" {
        "block-buffer-0.12.1/src/lib.rs": digest_blocks;
        "block-buffer-0.12.1/src/lib.rs": digest_pad;
        "block-buffer-0.12.1/src/lib.rs": set_data_unchecked "buf.len()";
        "sha2-0.11.1/src/sha256/soft/unroll.rs": compress "for block in blocks";
        "sha2-0.11.1/src/sha512/x86_avx2.rs": compress "if let [block] = head";
        "sha2-0.11.1/src/sha512/x86_avx2.rs": compress "for block_chunk in block_chunks";
        "sha2-0.11.1/src/sha512/x86_avx2.rs": load_data_avx2 "x[$i] =";
        "src/memory.rs": copied "extend_from_slice";
    }
    "whether two stickers of a pack have the same key, which is compared in constant time and ends it" {
        "src/file/pack/contents.rs": new "shares_a_key";
    }
    "which version of a pack it is: pack id, author's key, number and hash are public" {
        "src/file/pack/held.rs": require_same;
        "src/file/pack/held.rs": update;
    }
    "whether a link is base64; that base64 is ASCII" {
        "base64ct-1.8.3/src/encoding.rs": decode "err == 0";
        "src/file/pack/link.rs": to_text "from_utf8";
    }
    "a leaf that was recorded: the server has it" {
        "src/file/blob_sealer.rs": seal_in_place "recorded";
    }
    "the session ids and times of the states of one conversation: the greatest one sends" {
        "src/session/conversation.rs": add "rank()";
    }
    "the end of a refused message: how long its text was" {
        "src/session/first.rs": refuse;
    }
}
