//! SPEC §§6.3 to 6.6: accounts, their device lists, fingerprints, emoji.

use serde_json::json;
use subrosa::crypto::Secret;
use subrosa::hazmat::{self, Given};
use subrosa::identity::{
    AccountId, AccountKeys, AccountSecret, Change, DeviceList, Emoji, Fingerprint, IdentityKeys,
    RecoverySecret,
};
use subrosa::{Address, DeviceIdentity};

use super::Section;
use crate::generate::Cases;
use crate::op::{Field, Input, Kind, Op, Output, Refusal, field, refused};

mod compared;
mod made;
mod parsed;
pub(super) mod people;
mod succession;

pub(super) const SECTION: Section = Section {
    name: "account",
    spec: "SPEC.md §§6.3 to 6.6",
    description: "Account ids and addresses; device lists as their account makes them, as others read and refuse them, \
                  and held against a known one; fingerprints; emoji. Lists are signed with the keys of the given seeds; \
                  what is held against each other was checked by itself.",
    ops: &[LISTS, COMPARISONS],
    cases,
};

const U32: u64 = u32::MAX as u64;

const SEED: Kind = Kind::HexOf(32);

/// A device that joins, by its private halves.
const DEVICE: Kind = Kind::Object(&[field("signing_seed", SEED), field("dh_secret", SEED)]);

const LISTED: &[Field] = &[
    field("id", Kind::Integer(U32)),
    field("iks", Kind::HexOf(32)),
    field("ikd", Kind::HexOf(32)),
];

const CHANGE: &[Field] = &[
    field("added", Kind::List(&Kind::Integer(U32))),
    field("removed", Kind::List(&Kind::Integer(U32))),
    field("keys_changed", Kind::Bool),
];

const MADE: &[Field] = &[field("devices", Kind::Hex)];
const HASH: &[Field] = &[field("hash", Kind::HexOf(32))];

const LISTS: &[Op] = &[
    Op {
        name: "account.id",
        summary: "The account whose entry 0 has the keys of these seeds (§6.3).",
        input: &[field("account_seed", SEED), field("recovery_seed", SEED)],
        output: &[
            field("account_key", Kind::HexOf(32)),
            field("recovery_key", Kind::HexOf(32)),
            field("account_id", Kind::HexOf(32)),
        ],
        trace: &[],
        errors: &[],
        run: id,
    },
    Op {
        name: "account.address",
        summary: "The address of a device of an account (§6.3).",
        input: &[
            field("account_id", Kind::HexOf(32)),
            field("device", Kind::Integer(U32)),
        ],
        output: &[field("address", Kind::HexOf(36))],
        trace: &[],
        errors: &[],
        run: |input| {
            let account = AccountId::from_bytes(input.array("account_id")?);
            let address = account.device(input.integer("device")?);
            Ok(Output::new().hex("address", address.as_bytes()))
        },
    },
    Op {
        name: "account.parse_address",
        summary: "Takes such an address apart.",
        input: &[field("address", Kind::Hex)],
        output: &[
            field("account_id", Kind::HexOf(32)),
            field("device", Kind::Integer(U32)),
        ],
        trace: &[],
        errors: &["Malformed"],
        run: parse_address,
    },
    Op {
        name: "account.first",
        summary: "The first list of an account (§6.4), with one device.",
        input: &[
            field("account_seed", SEED),
            field("recovery_seed", SEED),
            field("device", DEVICE),
        ],
        output: MADE,
        trace: HASH,
        errors: &["KeyInUse"],
        run: first,
    },
    Op {
        name: "account.with_device",
        summary: "The next list, with a device more.",
        input: &[
            field("devices", Kind::Hex),
            field("account_seed", SEED),
            field("device", DEVICE),
        ],
        output: MADE,
        trace: HASH,
        errors: &["WrongKey", "TooManyDevices", "KeyInUse", "Exhausted"],
        run: with_device,
    },
    Op {
        name: "account.without_device",
        summary: "The next list, with a device less.",
        input: &[
            field("devices", Kind::Hex),
            field("account_seed", SEED),
            field("id", Kind::Integer(U32)),
        ],
        output: MADE,
        trace: HASH,
        errors: &["WrongKey", "UnknownDevice", "Exhausted"],
        run: without_device,
    },
    Op {
        name: "account.with_keys",
        summary: "The next list, with the keys of `account_seed` and `next_recovery_seed` as a new entry, of the devices those in \
                  `keep`, and `added` behind them. `recovery_seed` is that of the last entry.",
        input: &[
            field("devices", Kind::Hex),
            field("recovery_seed", SEED),
            field("account_seed", SEED),
            field("next_recovery_seed", SEED),
            field("keep", Kind::List(&Kind::Integer(U32))),
            field("added", Kind::Nullable(&DEVICE)),
        ],
        output: MADE,
        trace: HASH,
        errors: &[
            "WrongKey",
            "TooManyKeys",
            "TooManyDevices",
            "KeyInUse",
            "Exhausted",
        ],
        run: with_keys,
    },
    Op {
        name: "account.parse",
        summary: "Reads a list and checks it (§6.4-R1 to R3), and, unless `account_id` is null, that it is this account's (R4).",
        input: &[
            field("devices", Kind::Hex),
            field("account_id", Kind::Nullable(&Kind::HexOf(32))),
        ],
        output: &[
            field("account_id", Kind::HexOf(32)),
            field("entries", Kind::Integer(16)),
            field("account_key", Kind::HexOf(32)),
            field("recovery_key", Kind::HexOf(32)),
            field("version", Kind::Decimal),
            field("prev_hash", Kind::HexOf(32)),
            field("hash", Kind::HexOf(32)),
            field("next_id", Kind::Integer(U32)),
            field("devices", Kind::List(&Kind::Object(LISTED))),
        ],
        trace: &[],
        errors: &[
            "Malformed",
            "UnknownVersion",
            "BadSignature",
            "OtherAccount",
        ],
        run: parse,
    },
    Op {
        name: "account.succession",
        summary: "Holds the list `next` against the list `known` (§6.4-R5 to R8). `change` is null if it is unchanged.",
        input: &[field("known", Kind::Hex), field("next", Kind::Hex)],
        output: &[field("change", Kind::Nullable(&Kind::Object(CHANGE)))],
        trace: &[],
        errors: &[
            "OtherAccount",
            "Equivocation",
            "OldList",
            "MissingLists",
            "BadSignature",
            "Malformed",
        ],
        run: succeed,
    },
];

const EMOJI: &[Field] = &[
    field("numbers", Kind::List(&Kind::Integer(63))),
    field("symbols", Kind::Texts),
    field("names", Kind::Texts),
];

const OWN: Field = field("own", Kind::HexOf(32));
const PEER: Field = field("peer", Kind::HexOf(32));
const R_A: Field = field("r_a", Kind::HexOf(32));
const R_B: Field = field("r_b", Kind::HexOf(32));
const COMMIT: Field = field("commit", Kind::HexOf(32));

/// `own` and `peer` are fingerprints.
const COMPARISONS: &[Op] = &[
    Op {
        name: "account.fingerprint",
        summary: "The fingerprint of the account of a list (§6.5).",
        input: &[field("devices", Kind::Hex)],
        output: &[field("fingerprint", Kind::HexOf(32))],
        trace: &[],
        errors: &[],
        run: |input| {
            let fingerprint = Fingerprint::of(&list(input, "devices")?);
            Ok(Output::new().hex("fingerprint", fingerprint.as_bytes()))
        },
    },
    Op {
        name: "account.digits",
        summary: "The 60 digits of the two fingerprints.",
        input: &[OWN, PEER],
        output: &[field("digits", Kind::Text)],
        trace: &[],
        errors: &[],
        run: |input| {
            let (own, peer) = people(input)?;
            let digits = Fingerprint::digits(&own, &peer);
            let text = String::from_utf8_lossy(digits.as_bytes()).into_owned();
            Ok(Output::new().value("digits", text))
        },
    },
    Op {
        name: "account.code",
        summary: "What is shown to the peer's camera.",
        input: &[OWN, PEER],
        output: &[field("code", Kind::HexOf(65))],
        trace: &[],
        errors: &[],
        run: |input| {
            let (own, peer) = people(input)?;
            Ok(Output::new().hex("code", Fingerprint::qr(&own, &peer)))
        },
    },
    Op {
        name: "account.scan",
        summary: "Holds what the camera read against the two fingerprints.",
        input: &[OWN, PEER, field("scanned", Kind::Hex)],
        output: &[field("equal", Kind::Bool)],
        trace: &[],
        errors: &["Malformed", "UnknownVersion"],
        run: |input| {
            let (own, peer) = people(input)?;
            let equal = Fingerprint::matches(&own, &peer, &input.bytes("scanned")?);
            Ok(Output::new().value("equal", equal.map_err(refused)?))
        },
    },
    Op {
        name: "account.emoji_commit",
        summary: "What the initiator of a comparison (§6.6) sends first.",
        input: &[OWN, PEER, R_A],
        output: &[COMMIT],
        trace: &[],
        errors: &[],
        run: |input| {
            let (_, commit) = initiator(input)?;
            Ok(Output::new().hex("commit", commit))
        },
    },
    Op {
        name: "account.emoji_initiator",
        summary: "What the initiator shows when it has `r_b`: places in the table, emoji, names.",
        input: &[OWN, PEER, R_A, R_B],
        output: EMOJI,
        trace: &[],
        errors: &[],
        run: |input| {
            let (initiator, _) = initiator(input)?;
            let (_, emoji) = initiator.reveal(&input.array("r_b")?);
            Ok(shown(&emoji))
        },
    },
    Op {
        name: "account.emoji_responder",
        summary: "What the responder, who had `commit` and answered `r_b`, shows when it has `r_a`.",
        input: &[OWN, PEER, COMMIT, R_B, R_A],
        output: EMOJI,
        trace: &[],
        errors: &["BadCommitment"],
        run: |input| {
            let (own, peer) = people(input)?;
            let mut given = Given::new([input.bytes("r_b")?]);
            let commit = input.array("commit")?;
            let answered = hazmat::emoji::answer(&own, &peer, commit, &mut given);
            let (responder, _) = answered.map_err(refused)?;
            let emoji = responder.finish(&input.array("r_a")?).map_err(refused)?;
            Ok(shown(&emoji))
        },
    },
];

fn account_secret(input: &Input<'_>) -> Result<AccountSecret, Refusal> {
    let seed = Secret::new(input.array("account_seed")?);
    Ok(AccountSecret::from_seed(&seed))
}

fn recovery_secret(input: &Input<'_>, name: &str) -> Result<RecoverySecret, Refusal> {
    Ok(RecoverySecret::from_seed(&Secret::new(input.array(name)?)))
}

/// The keys of a device that joins.
fn joining(input: &Input<'_>, name: &str) -> Result<IdentityKeys, Refusal> {
    let device = input.object(name)?;
    let seed = Secret::new(device.array("signing_seed")?);
    let secret = Secret::new(device.array("dh_secret")?);
    // The address is no part of the keys.
    let address = Address::new(b"any").map_err(refused)?;
    let device = DeviceIdentity::from_secrets(address, &seed, secret).map_err(refused)?;
    Ok(*device.public().keys())
}

/// A list that was checked before.
fn list(input: &Input<'_>, name: &str) -> Result<DeviceList, Refusal> {
    DeviceList::parse(&input.bytes(name)?)
        .map_err(|why| Refusal::Invalid(format!("{name}: no list that holds: {why}")))
}

fn people(input: &Input<'_>) -> Result<(Fingerprint, Fingerprint), Refusal> {
    let [own, peer] = ["own", "peer"].map(|name| input.array(name).map(Fingerprint::from_bytes));
    Ok((own?, peer?))
}

fn initiator(input: &Input<'_>) -> Result<(subrosa::identity::EmojiInitiator, [u8; 32]), Refusal> {
    let (own, peer) = people(input)?;
    let mut given = Given::new([input.bytes("r_a")?]);
    hazmat::emoji::start(&own, &peer, &mut given).map_err(refused)
}

fn shown(emoji: &Emoji) -> Output {
    Output::new()
        .value("numbers", emoji.numbers().to_vec())
        .value("symbols", emoji.symbols().to_vec())
        .value("names", emoji.names().to_vec())
}

fn id(input: &Input<'_>) -> Result<Output, Refusal> {
    let keys = AccountKeys::new(
        &account_secret(input)?,
        &recovery_secret(input, "recovery_seed")?,
    );
    Ok(Output::new()
        .hex("account_key", keys.account_key().as_bytes())
        .hex("recovery_key", keys.recovery_key().as_bytes())
        .hex("account_id", keys.account_id().as_bytes()))
}

fn parse_address(input: &Input<'_>) -> Result<Output, Refusal> {
    let address = Address::new(&input.bytes("address")?).map_err(refused)?;
    let (account, device) = AccountId::of(&address).ok_or(crate::model::error("Malformed"))?;
    Ok(Output::new()
        .hex("account_id", account.as_bytes())
        .value("device", device))
}

fn made(list: &DeviceList) -> Output {
    Output::new()
        .hex("devices", list.as_bytes())
        .trace_hex("hash", list.hash())
}

fn first(input: &Input<'_>) -> Result<Output, Refusal> {
    let list = DeviceList::first(
        &account_secret(input)?,
        &recovery_secret(input, "recovery_seed")?,
        &joining(input, "device")?,
    );
    Ok(made(&list.map_err(refused)?))
}

fn with_device(input: &Input<'_>) -> Result<Output, Refusal> {
    let (list, device) = (list(input, "devices")?, joining(input, "device")?);
    let next = list.with_device(&device, &account_secret(input)?);
    Ok(made(&next.map_err(refused)?))
}

fn without_device(input: &Input<'_>) -> Result<Output, Refusal> {
    let list = list(input, "devices")?;
    let next = list.without_device(input.integer("id")?, &account_secret(input)?);
    Ok(made(&next.map_err(refused)?))
}

fn with_keys(input: &Input<'_>) -> Result<Output, Refusal> {
    let list = list(input, "devices")?;
    let keep: Vec<u32> = input.integers("keep")?;
    let added = input.nullable("added", joining)?;
    let next = list.with_keys(
        &recovery_secret(input, "recovery_seed")?,
        &account_secret(input)?,
        &recovery_secret(input, "next_recovery_seed")?,
        |id| keep.contains(&id),
        added.as_ref(),
    );
    Ok(made(&next.map_err(refused)?))
}

fn parse(input: &Input<'_>) -> Result<Output, Refusal> {
    let list = DeviceList::parse(&input.bytes("devices")?).map_err(refused)?;
    if let Some(asked) = input.nullable("account_id", |input, name| input.array(name))? {
        let asked = AccountId::from_bytes(asked);
        list.require_account(&asked).map_err(refused)?;
    }
    let devices = list.devices().iter().map(|device| {
        json!({
            "id": device.id(), "iks": hex::encode(device.keys().signing_key().as_bytes()),
            "ikd": hex::encode(device.keys().dh_key().as_bytes()),
        })
    });
    Ok(Output::new()
        .hex("account_id", list.account_id().as_bytes())
        .value("entries", list.entries())
        .hex("account_key", list.keys().account_key().as_bytes())
        .hex("recovery_key", list.keys().recovery_key().as_bytes())
        .value("version", list.version().to_string())
        .hex("prev_hash", list.prev_hash())
        .hex("hash", list.hash())
        .value("next_id", list.next_id())
        .value("devices", devices.collect::<Vec<_>>()))
}

fn succeed(input: &Input<'_>) -> Result<Output, Refusal> {
    let (known, next) = (list(input, "known")?, list(input, "next")?);
    let change = known.succession(&next).map_err(refused)?;
    let change = change.map(|change| {
        let Change {
            added,
            removed,
            keys_changed,
        } = change;
        json!({"added": added, "removed": removed, "keys_changed": keys_changed})
    });
    Ok(Output::new().value("change", change))
}

fn cases(cases: &mut Cases) {
    people::cases(cases);
    made::cases(cases);
    parsed::cases(cases);
    succession::cases(cases);
    compared::cases(cases);
}
