//! SPEC §§20.2 to 20.4: blobs, their tree, descriptors, and uploads that are resumed.

use super::Section;
use crate::op::{Kind, Op, field};

mod cases;
mod descriptor;
mod tree;
mod whole;

pub(super) const SECTION: Section = Section {
    name: "blob",
    spec: "SPEC.md §§20.2 to 20.4",
    description: "Blobs: their tree and their id, proofs of every run of leaves of small trees and of what is none; whole \
                  blobs and pieces of them; descriptors; uploads that are resumed, also with altered text.",
    ops: &[TREE, WHOLE, DESCRIPTOR],
    cases: cases::cases,
};

const HASH: Kind = Kind::HexOf(32);
const HASHES: Kind = Kind::List(&HASH);
const HEADER: Kind = Kind::HexOf(56);
const NULLABLE_TEXT: Kind = Kind::Nullable(&Kind::Text);
const NULLABLE_HEX: Kind = Kind::Nullable(&Kind::Hex);

const TREE: &[Op] = &[
    Op {
        name: "blob.tree",
        summary: "The root over leaves, and all nodes in the order in which they are stored.",
        input: &[field("leaves", HASHES)],
        output: &[field("root", Kind::Nullable(&HASH)), field("nodes", HASHES)],
        trace: &[],
        errors: &[],
        run: tree::tree,
    },
    Op {
        name: "blob.id",
        summary: "The id of a blob with these leaves and this length.",
        input: &[
            field("header", HEADER),
            field("length", Kind::Decimal),
            field("leaves", HASHES),
        ],
        output: &[field("id", HASH)],
        trace: &[],
        errors: &["Truncated", "TooLong"],
        run: tree::id,
    },
    Op {
        name: "blob.hash",
        summary: "The id and the nodes of a blob, from its bytes.",
        input: &[field("stored", Kind::Hex)],
        output: &[field("id", HASH), field("nodes", HASHES)],
        trace: &[],
        errors: &["Truncated"],
        run: tree::hash,
    },
    Op {
        name: "blob.prove",
        summary: "The proof of the leaves from `from` to before `to`, from the stored nodes.",
        input: &[
            field("header", HEADER),
            field("length", Kind::Decimal),
            field("nodes", HASHES),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
        ],
        output: &[field("proof", Kind::Hex)],
        trace: &[],
        errors: &["Truncated", "TooLong", "OutOfRange"],
        run: tree::prove,
    },
    Op {
        name: "blob.verify",
        summary: "Checks a run of leaves: the header, which is genuine then.",
        input: &[
            field("id", HASH),
            field("length", Kind::Decimal),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
            field("leaves", HASHES),
            field("proof", Kind::Hex),
        ],
        output: &[field("header", HEADER)],
        trace: &[],
        errors: &["Truncated", "TooLong", "OutOfRange", "Proof", "Ended"],
        run: tree::verify,
    },
    Op {
        name: "blob.verify_bytes",
        summary: "The same from the bytes of the run.",
        input: &[
            field("id", HASH),
            field("length", Kind::Decimal),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
            field("bytes", Kind::Hex),
            field("proof", Kind::Hex),
        ],
        output: &[field("header", HEADER)],
        trace: &[],
        errors: &["Truncated", "Proof", "Ended"],
        run: tree::verify_bytes,
    },
];

const WHOLE: &[Op] = &[
    Op {
        name: "blob.lengths",
        summary: "The length of a text with its padding, and that of its blob.",
        input: &[field("text", Kind::Decimal)],
        output: &[
            field("padded", Kind::Decimal),
            field("stored", Kind::Decimal),
        ],
        trace: &[],
        errors: &["TooLong"],
        run: whole::lengths,
    },
    Op {
        name: "blob.record",
        summary: "A record, from what the generator and the app give: its plaintext, and the key and the salt of a blob whose \
                  chunk 0 has the text `first`.",
        input: &[
            field("random", HASH),
            field("apart", Kind::Hex),
            field("media_type", Kind::Text),
            field("first", Kind::Hex),
        ],
        output: &[
            field("record", Kind::Hex),
            field("key", HASH),
            field("salt", Kind::HexOf(24)),
        ],
        trace: &[],
        errors: &["Malformed"],
        run: whole::record,
    },
    Op {
        name: "blob.export",
        summary: "Encrypts a record with the salt given.",
        input: &[
            field("record", Kind::Hex),
            field("store_key", Kind::Hex),
            field("generation", Kind::Decimal),
            field("app_key", HASH),
            field("salt", HASH),
        ],
        output: &[field("exported", Kind::Hex)],
        trace: &[],
        errors: &["Malformed"],
        run: whole::export,
    },
    Op {
        name: "blob.import",
        summary: "Decrypts a record.",
        input: &[
            field("exported", Kind::Hex),
            field("store_key", Kind::Hex),
            field("generation", Kind::Decimal),
            field("app_key", HASH),
        ],
        output: &[field("record", Kind::Hex)],
        trace: &[],
        errors: &["Integrity", "UnknownVersion"],
        run: whole::import,
    },
    Op {
        name: "blob.seal",
        summary: "Makes a blob of a text: its bytes, and its descriptor without a thumbnail.",
        input: &[field("record", Kind::Hex), field("text", Kind::Hex)],
        output: &[field("stored", Kind::Hex), field("descriptor", Kind::Hex)],
        trace: &[],
        errors: &[],
        run: whole::seal,
    },
    Op {
        name: "blob.resume",
        summary: "Goes on with a blob from chunk `from`, with the text from its first byte on: the bytes that leave, why no \
                  more do, if the text was altered, and the descriptor, if it was not.",
        input: &[
            field("record", Kind::Hex),
            field("header", Kind::Nullable(&HEADER)),
            field("leaves", HASHES),
            field("from", Kind::Decimal),
            field("text", Kind::Hex),
        ],
        output: &[
            field("left", Kind::Hex),
            field("refused", NULLABLE_TEXT),
            field("descriptor", NULLABLE_HEX),
        ],
        trace: &[],
        errors: &["Commitment", "Truncated", "OutOfRange"],
        run: whole::resume,
    },
    Op {
        name: "blob.open",
        summary: "Opens a blob from front to end: the text that is given out, and why the rest is refused, if it is.",
        input: &[field("descriptor", Kind::Hex), field("stored", Kind::Hex)],
        output: &[field("text", Kind::Hex), field("refused", NULLABLE_TEXT)],
        trace: &[],
        errors: &[],
        run: whole::open,
    },
    Op {
        name: "blob.piece",
        summary: "What to fetch for the bytes of the text from `from` to before `to`: leaves, their place in the blob, and \
                  how long their proof is.",
        input: &[
            field("descriptor", Kind::Hex),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
        ],
        output: &[
            field("first_leaf", Kind::Decimal),
            field("end_leaf", Kind::Decimal),
            field("first_byte", Kind::Decimal),
            field("end_byte", Kind::Decimal),
            field("proof", Kind::Decimal),
        ],
        trace: &[],
        errors: &["OutOfRange"],
        run: whole::piece,
    },
    Op {
        name: "blob.open_piece",
        summary: "Opens such a piece.",
        input: &[
            field("descriptor", Kind::Hex),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
            field("bytes", Kind::Hex),
            field("proof", Kind::Hex),
        ],
        output: &[field("text", Kind::Hex)],
        trace: &[],
        errors: &[
            "OutOfRange",
            "Truncated",
            "Proof",
            "Commitment",
            "Chunk",
            "Padding",
        ],
        run: whole::open_piece,
    },
    Op {
        name: "blob.open_run",
        summary: "Opens the chunks from number `from` to before `to`: all the text in them, perhaps none.",
        input: &[
            field("descriptor", Kind::Hex),
            field("from", Kind::Decimal),
            field("to", Kind::Decimal),
            field("bytes", Kind::Hex),
            field("proof", Kind::Hex),
        ],
        output: &[field("text", Kind::Hex)],
        trace: &[],
        errors: &["OutOfRange", "Padding"],
        run: whole::open_run,
    },
];

const BLOB: &[crate::op::Field] = &[
    field("id", HASH),
    field("key", HASH),
    field("length", Kind::Decimal),
    field("media_type", Kind::Text),
];
const INLINE: &[crate::op::Field] = &[field("media_type", Kind::Text), field("bytes", Kind::Hex)];

const DESCRIPTOR: &[Op] = &[Op {
    name: "blob.descriptor",
    summary: "Reads a descriptor.",
    input: &[field("descriptor", Kind::Hex)],
    output: &[
        field("blob", Kind::Object(BLOB)),
        field("inline", Kind::Nullable(&Kind::Object(INLINE))),
        field("thumbnail", Kind::Nullable(&Kind::Object(BLOB))),
    ],
    trace: &[],
    errors: &["UnknownVersion", "TooLong", "Malformed"],
    run: descriptor::parse,
}];
