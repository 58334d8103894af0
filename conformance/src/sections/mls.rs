//! SPEC §22: groups, as scripts of what arrives at a member.

use super::Section;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, Verb, field};

mod cases;
mod play;

pub(super) const SECTION: Section = Section {
    name: "mls",
    spec: "SPEC.md §22",
    description: "Groups, each a script of what arrives at members: every rule of §22.2 broken by a message that is \
                  otherwise valid, and the valid message after it; the other errors; late messages; groups of 1,000 \
                  and 10,000. An id that begins with `rule-` has the number of the rule that the refused steps break.",
    ops: &[OPS],
    cases: cases::cases,
};

const NAME: Kind = Kind::Text;
const HEX: Kind = Kind::Hex;
const KEY: Kind = Kind::HexOf(32);
const LEAF: Kind = Kind::Integer(u32::MAX as u64);
const NOW: Field = field("now", Kind::Decimal);
const GROUP: Field = field("group", NAME);

const PSKS: &[Field] = &[field("id", HEX), field("psk", HEX)];

/// What a member that joined knows, and every member after a commit.
const STATE: &[Field] = &[
    field("epoch", Kind::Decimal),
    field("members", LEAF),
    field("tree_hash", KEY),
    field("epoch_authenticator", KEY),
];

const RECORD: &[Field] = &[field("name", HEX), field("content", Kind::Nullable(&HEX))];

const APPLICATION: &[Field] = &[
    field("sender", LEAF),
    field("authenticated_data", HEX),
    field("data", HEX),
];

/// What the steps of a script do. What a step makes is kept under its `as` for the steps after it.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "client",
        summary: "A client with its key package, an `MLSMessage`, and its private keys.",
        input: &[
            field("as", NAME),
            field("key_package", HEX),
            field("init_key", KEY),
            field("encryption_key", KEY),
            field("signature_key", KEY),
        ],
        output: &[field("reference", KEY)],
        errors: &[],
    },
    Verb {
        name: "tree",
        summary: "Keeps a `ratchet_tree`.",
        input: &[field("as", NAME), field("tree", HEX)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "wide_tree",
        summary: "Makes the `ratchet_tree` of a group of §22.7 and keeps it.",
        input: &[
            field("as", NAME),
            field("cipher_suite", Kind::Integer(3)),
            field("group_id", HEX),
            field("seed", HEX),
            field("members", LEAF),
            field("not_before", Kind::Decimal),
            field("not_after", Kind::Decimal),
        ],
        output: &[field("length", LEAF), field("sha256", KEY)],
        errors: &[],
    },
    Verb {
        name: "join",
        summary: "A client joins by a Welcome; `tree` is the name of a tree that came otherwise, `old_group` that of \
                  a group from which the new one stems, or `null`. The app knows and approves every credential.",
        input: &[
            field("as", NAME),
            field("client", NAME),
            field("welcome", HEX),
            field("tree", Kind::Nullable(&NAME)),
            field("old_group", Kind::Nullable(&NAME)),
            NOW,
        ],
        output: STATE,
        errors: &[
            "Malformed",
            "UnsupportedSuite",
            "Decryption",
            "BadSignature",
            "BadTag",
            "UnknownPsk",
            "NotForThisKeyPackage",
            "Invalid 1",
            "Invalid 3",
            "Invalid 4",
            "Invalid 5",
            "Invalid 6",
            "Invalid 7",
            "Invalid 9",
            "Invalid 10",
            "Invalid 11",
            "Invalid 26",
            "Invalid 34",
            "Invalid 35",
            "Invalid 36",
            "Invalid 37",
            "Invalid 44",
            "Invalid 45",
            "Invalid 46",
            "Invalid 47",
            "Invalid 48",
            "Invalid 49",
            "Invalid 50",
            "Invalid 52",
        ],
    },
    Verb {
        name: "join_by_commit",
        summary: "A client makes an external commit from a `GroupInfo`; the commit has random values and is thrown \
                  away. The client's leaf has what its key package says.",
        input: &[
            field("client", NAME),
            field("group_info", HEX),
            field("tree", Kind::Nullable(&NAME)),
            NOW,
        ],
        output: &[field("epoch", Kind::Decimal), field("members", LEAF)],
        errors: &[
            "Malformed",
            "UnsupportedSuite",
            "InvalidKey",
            "BadSignature",
            "Invalid 1",
            "Invalid 3",
            "Invalid 5",
            "Invalid 9",
            "Invalid 10",
            "Invalid 11",
            "Invalid 35",
            "Invalid 36",
            "Invalid 48",
            "Invalid 51",
            "Invalid 52",
        ],
    },
    Verb {
        name: "process",
        summary: "A message arrives. A commit is merged, a proposal kept, the key of a message of the app used up. \
                  `approve` is the app's word on new credentials, if there are any.",
        input: &[
            GROUP,
            field("message", HEX),
            field("approve", Kind::Bool),
            NOW,
        ],
        output: &[
            field("application", Kind::Nullable(&Kind::Object(APPLICATION))),
            field("proposals", LEAF),
            field("state", Kind::Object(STATE)),
            field("removed", Kind::Bool),
        ],
        errors: &[
            "Malformed",
            "UnsupportedVersion",
            "InvalidKey",
            "WrongGroup",
            "WrongEpoch",
            "EpochGone",
            "Decryption",
            "BadSignature",
            "BadTag",
            "UnknownSender",
            "GenerationUsed",
            "GenerationTooFar",
            "UnknownProposal",
            "UnknownPsk",
            "OwnMessage",
            "Over",
            "Refused",
            "Invalid 1",
            "Invalid 2",
            "Invalid 3",
            "Invalid 4",
            "Invalid 5",
            "Invalid 6",
            "Invalid 7",
            "Invalid 8",
            "Invalid 9",
            "Invalid 10",
            "Invalid 11",
            "Invalid 12",
            "Invalid 13",
            "Invalid 14",
            "Invalid 15",
            "Invalid 16",
            "Invalid 17",
            "Invalid 18",
            "Invalid 19",
            "Invalid 20",
            "Invalid 21",
            "Invalid 22",
            "Invalid 23",
            "Invalid 24",
            "Invalid 25",
            "Invalid 26",
            "Invalid 27",
            "Invalid 28",
            "Invalid 29",
            "Invalid 30",
            "Invalid 31",
            "Invalid 32",
            "Invalid 33",
            "Invalid 34",
            "Invalid 38",
            "Invalid 39",
            "Invalid 40",
            "Invalid 41",
            "Invalid 42",
            "Invalid 43",
        ],
    },
    Verb {
        name: "restart",
        summary: "Everything that is stored of the member (§22.6) is written and read again.",
        input: &[GROUP],
        output: STATE,
        errors: &[],
    },
    Verb {
        name: "stored",
        summary: "What is stored of the member, before it is encrypted: how many records there are; SHA-256 of all of \
                  them, `vec name || vec content` each, in the order of their names; and, if it is asked for, those \
                  that have changed since the last such step of the group, in that order, a deleted one without \
                  content.",
        input: &[GROUP, field("changes", Kind::Bool)],
        output: &[
            field("records", LEAF),
            field("sha256", KEY),
            field(
                "changes",
                Kind::Nullable(&Kind::List(&Kind::Object(RECORD))),
            ),
        ],
        errors: &[],
    },
    Verb {
        name: "keep_past_epochs",
        summary: "The app says of how many past epochs messages stay readable.",
        input: &[GROUP, field("epochs", LEAF)],
        output: &[],
        errors: &[],
    },
];

const OPS: &[Op] = &[Op {
    name: "mls.run",
    summary: "Runs a script. The app has the pre-shared keys given. A refused step changes nothing. Times are in \
              seconds.",
    input: &[
        field("psks", Kind::List(&Kind::Object(PSKS))),
        field("steps", Kind::Steps(VERBS)),
    ],
    output: &[field("results", Kind::Results(VERBS))],
    trace: &[],
    errors: &[],
    run,
}];

fn run(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut world = play::World::new(input)?;
    let mut results = Vec::new();
    for (index, step) in input.objects("steps")?.iter().enumerate() {
        let result = world.step(step).map_err(|why| match why {
            Refusal::Invalid(why) => Refusal::Invalid(format!("step {index}: {why}")),
            other => other,
        });
        results.push(result?);
    }
    Ok(Output::new().value("results", results))
}
