//! SPEC §19.4: the plaintext of what only a device stores.

use serde_json::json;

use crate::generate::Cases;
use crate::model::account::address as address_of;
use crate::model::formula::vector;
use crate::model::stored::{Conversation, Generation, Layout, Prekeys};
use crate::model::values::{Account, AccountSeed, Index, OutboxOrder, Peer, Root, judge};
use crate::sections::account::people;
use crate::sections::crypto::edge;
use crate::sections::session::play::{NOW, Play};

mod accounts;
mod boxes;

const ROOT: u16 = 4;
const PEER: u16 = 5;
const ACCOUNT: u16 = 6;
const INDEX: u16 = 7;
const OUTBOX: u16 = 8;
const ORDER: u16 = 9;
const INBOX: u16 = 10;
const SEED: u16 = 11;

/// 2^48: above every number of an entry.
const NUMBERS: u64 = 1 << 48;

/// A value with the name that it is stored under.
pub(super) struct Whole {
    pub(super) id: &'static str,
    pub(super) kind: u16,
    pub(super) name: Vec<u8>,
    pub(super) plaintext: Vec<u8>,
}

impl Whole {
    /// A value of each kind.
    pub(super) fn all(cases: &mut Cases) -> Option<Vec<Self>> {
        let conversation = conversation(cases)?;
        let list = people::Account::new(cases, "alice", 1);
        let content = list.content(1, people::all_listed(cases, [1]));
        let account = Account {
            approved: 1,
            devices: list.sign(&content),
        };
        let account_id = content.account_id();
        let secrets = cases.bytes("identity", 64);
        let address = address_of(&account_id, 1);
        let identity = [&vector(&address)[..], &secrets].concat();
        let prekeys = Prekeys {
            next_id: 3,
            generations: vec![Generation {
                spk_id: 1,
                spk: cases.array("spk"),
                kem_id: 2,
                kem: cases.array("kem"),
                made_at: NOW,
                replaced_at: None,
                records: Vec::new(),
            }],
            opks: Vec::new(),
            kems: Vec::new(),
        };
        let name = b"message 1".to_vec();
        let all: Vec<(&'static str, u16, Vec<u8>, Vec<u8>)> = vec![
            ("identity", 1, Vec::new(), identity),
            ("prekeys", 2, Vec::new(), prekeys.encode()),
            ("root", ROOT, Vec::new(), root().encode()),
            (
                "peer",
                PEER,
                conversation.address.clone(),
                peer(&conversation).encode(),
            ),
            ("account", ACCOUNT, account_id.to_vec(), account.encode()),
            (
                "index",
                INDEX,
                cases.bytes("tag", 8),
                Index(vec![address.clone()]).encode(),
            ),
            (
                "outbox",
                OUTBOX,
                name.clone(),
                boxes::outbox(cases, 2).encode(),
            ),
            (
                "outbox-order",
                ORDER,
                5u64.to_be_bytes().to_vec(),
                OutboxOrder(name.clone()).encode(),
            ),
            (
                "inbox",
                INBOX,
                9u64.to_be_bytes().to_vec(),
                boxes::inbox(cases).encode(),
            ),
            (
                "account-seed",
                SEED,
                Vec::new(),
                AccountSeed(cases.array("seed")).encode(),
            ),
        ];
        let all = all.into_iter().map(|(id, kind, name, plaintext)| Self {
            id,
            kind,
            name,
            plaintext,
        });
        Some(all.collect())
    }
}

pub(super) fn cases(cases: &mut Cases) {
    roots(cases);
    match conversation(cases) {
        Some(conversation) => peers(cases, &conversation),
        None => cases.fault("device: there is no conversation".to_owned()),
    }
    accounts::accounts(cases);
    indexes(cases);
    boxes::outboxes(cases);
    boxes::orders(cases);
    boxes::inboxes(cases);
    accounts::seeds(cases);
}

/// A plaintext that is written again as the same bytes; the model must judge alike.
fn valid(cases: &mut Cases, id: &str, kind: u16, comment: &str, value: &impl Layout) {
    let plaintext = value.encode();
    let id = format!("decode-{id}");
    let input = json!({"kind": kind, "plaintext": hex::encode(&plaintext)});
    let answer = cases.accept_digest(&id, "decode", comment, input);
    cases.same(&id, judge(kind, &plaintext), Ok(()));
    let same = answer.bytes("plaintext") == plaintext;
    cases.same(
        &format!("{id}: written again as the same bytes"),
        same,
        true,
    );
}

fn refused(cases: &mut Cases, id: &str, kind: u16, comment: &str, plaintext: &[u8]) {
    let id = format!("decode-{id}");
    let input = json!({"kind": kind, "plaintext": hex::encode(plaintext)});
    cases.same(
        &id,
        judge(kind, plaintext),
        Err(crate::model::error("Integrity")),
    );
    cases.refuse(&id, "decode", "Integrity", comment, input);
}

fn invalid(cases: &mut Cases, id: &str, kind: u16, comment: &str, value: &impl Layout) {
    refused(cases, id, kind, comment, &value.encode());
}

/// The value cut short at these lengths and before its end, and with a byte behind it.
fn not_whole(cases: &mut Cases, id: &str, kind: u16, value: &impl Layout, lengths: &[usize]) {
    let plaintext = value.encode();
    for length in lengths.iter().chain([&plaintext.len().saturating_sub(1)]) {
        let short = plaintext.get(..*length).unwrap_or_default();
        refused(cases, &format!("{id}-truncated-{length}"), kind, "", short);
    }
    let long = [&plaintext[..], &[0]].concat();
    refused(
        cases,
        &format!("{id}-trailing"),
        kind,
        "A byte is left over.",
        &long,
    );
}

const fn root() -> Root {
    Root {
        incarnation: 3,
        inbox: [9, 12],
        outbox: [5, 6],
        publish_due: 1,
        list_due: 0,
        published_at: NOW,
    }
}

fn roots(cases: &mut Cases) {
    valid(cases, "root", ROOT, "", &root());
    let new = Root {
        incarnation: 0,
        inbox: [0; 2],
        outbox: [0; 2],
        publish_due: 0,
        list_due: 0,
        published_at: 0,
    };
    valid(cases, "root-new", ROOT, "The root of a new device.", &new);
    let most = Root {
        incarnation: u16::MAX,
        inbox: [NUMBERS; 2],
        outbox: [0, NUMBERS],
        publish_due: 1,
        list_due: 1,
        published_at: u64::MAX,
    };
    valid(cases, "root-most", ROOT, "The highest numbers.", &most);
    not_whole(cases, "root", ROOT, &root(), &[0, 1, 2, 17, 18, 34, 35, 36]);
    for (id, comment, ids) in [
        ("first-above-next", "first is above next.", [13, 12]),
        ("first-max", "", [u64::MAX, 12]),
        ("next-2-48-and-1", "next is above 2^48.", [9, NUMBERS + 1]),
        ("next-max", "", [9, u64::MAX]),
        ("both-above", "", [NUMBERS + 1; 2]),
    ] {
        invalid(
            cases,
            &format!("root-inbox-{id}"),
            ROOT,
            comment,
            &Root {
                inbox: ids,
                ..root()
            },
        );
        invalid(
            cases,
            &format!("root-outbox-{id}"),
            ROOT,
            comment,
            &Root {
                outbox: ids,
                ..root()
            },
        );
    }
    for flag in [2, 0xff] {
        let comment = "A flag is 0 or 1.";
        let publish = Root {
            publish_due: flag,
            ..root()
        };
        invalid(
            cases,
            &format!("root-publish-due-{flag}"),
            ROOT,
            comment,
            &publish,
        );
        let list = Root {
            list_due: flag,
            ..root()
        };
        invalid(
            cases,
            &format!("root-list-due-{flag}"),
            ROOT,
            comment,
            &list,
        );
    }
}

/// A conversation of one state, as the library stores it.
fn conversation(cases: &mut Cases) -> Option<Conversation> {
    let mut play = Play::of_two(cases, "stored", "");
    play.bundle("bob", "first");
    play.begin("alice", "first");
    play.seal("alice", "bob", "a0");
    play.conversation("alice", "bob")
}

fn peer(conversation: &Conversation) -> Peer {
    Peer {
        incarnation: 2,
        begin_anew: 0,
        telling: 1,
        told: [4, 0x0102_0304_0506_0708],
        conversation: conversation.clone(),
    }
}

fn peers(cases: &mut Cases, conversation: &Conversation) {
    let base = || peer(conversation);
    let empty = Conversation {
        last_created_at: 0,
        states: Vec::new(),
        ..conversation.clone()
    };
    valid(
        cases,
        "peer",
        PEER,
        "With a conversation of one state.",
        &base(),
    );
    let new = Peer {
        incarnation: 0,
        begin_anew: 1,
        telling: 2,
        told: [0; 2],
        conversation: empty.clone(),
    };
    valid(
        cases,
        "peer-new",
        PEER,
        "Nothing begun, nothing told.",
        &new,
    );
    let most = Peer {
        incarnation: u16::MAX,
        telling: 0,
        told: [u64::MAX; 2],
        ..base()
    };
    valid(cases, "peer-most", PEER, "", &most);
    let short = Peer {
        conversation: empty.clone(),
        ..base()
    };
    not_whole(
        cases,
        "peer",
        PEER,
        &short,
        &[0, 1, 2, 3, 4, 12, 20, 21, 30],
    );
    not_whole(cases, "peer-whole", PEER, &base(), &[1_000]);
    for telling in [3, 0xff] {
        let value = Peer { telling, ..base() };
        invalid(
            cases,
            &format!("peer-telling-{telling}"),
            PEER,
            "At most 2.",
            &value,
        );
    }
    let flag = Peer {
        begin_anew: 2,
        ..base()
    };
    invalid(cases, "peer-begin-anew-2", PEER, "A flag is 0 or 1.", &flag);
    for (id, comment, conversation) in [
        (
            "ikd",
            "The conversation is none: its IKd is not canonical.",
            Conversation {
                ikd: edge::p_plus(0),
                ..empty.clone()
            },
        ),
        (
            "address-0",
            "The conversation is none: its address is empty.",
            Conversation {
                address: Vec::new(),
                ..empty.clone()
            },
        ),
        (
            "address-48",
            "The conversation is none: its address is too long.",
            Conversation {
                address: vec![1; 48],
                ..empty
            },
        ),
    ] {
        let value = Peer {
            conversation,
            ..base()
        };
        invalid(cases, &format!("peer-{id}"), PEER, comment, &value);
    }
}

fn indexes(cases: &mut Cases) {
    let address = |length| cases.bytes("address", length);
    let (one, other) = (address(36), address(47));
    let two = Index(vec![one.clone(), other.clone()]);
    let list: Vec<(&str, &str, Vec<Vec<u8>>)> = vec![
        ("none", "One or two.", vec![]),
        (
            "three",
            "One or two.",
            vec![one.clone(), other.clone(), address(1)],
        ),
        ("address-0", "", vec![address(0)]),
        ("address-48", "", vec![address(48)]),
        ("second-address-48", "", vec![one.clone(), address(48)]),
    ];
    let shortest = Index(vec![address(1)]);
    valid(cases, "index", INDEX, "", &Index(vec![one.clone()]));
    valid(
        cases,
        "index-two",
        INDEX,
        "Two conversations have one tag.",
        &two,
    );
    valid(cases, "index-shortest", INDEX, "", &shortest);
    not_whole(cases, "index", INDEX, &two, &[0, 1, 2, 37, 38, 39]);
    for (id, comment, addresses) in list {
        invalid(
            cases,
            &format!("index-{id}"),
            INDEX,
            comment,
            &Index(addresses),
        );
    }
    let behind = vector(&one);
    for (id, comment, count) in [
        (
            "too-many",
            "More addresses announced than there are.",
            &[2][..],
        ),
        ("too-few", "Fewer addresses announced than there are.", &[0]),
        (
            "long-form",
            "The number is not in its shortest form.",
            &[0x40, 1],
        ),
        ("reserved", "", &[0xc1]),
    ] {
        let plaintext = [count, &behind].concat();
        refused(
            cases,
            &format!("index-count-{id}"),
            INDEX,
            comment,
            &plaintext,
        );
    }
}
