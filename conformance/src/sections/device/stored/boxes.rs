//! Kinds 8 to 10: outbox and inbox.

use serde_json::json;

use super::{INBOX, NUMBERS, ORDER, OUTBOX, invalid, not_whole, refused, valid};
use crate::generate::Cases;
use crate::model::formula::{Bytes32, header, vector};
use crate::model::stored::Layout;
use crate::model::values::{InboxEntry, OutboxEntry, OutboxOrder, message_id};
use crate::sections::session::play::NOW;

pub(super) fn outbox(cases: &Cases, copies: usize) -> OutboxEntry {
    let copies = (0..copies).map(|index| {
        let name = format!("copy {index}");
        (cases.bytes(&name, 36), cases.bytes(&name, 20 + index))
    });
    OutboxEntry {
        order: 5,
        account_id: cases.array("account id"),
        copies: copies.collect(),
    }
}

pub(super) fn outboxes(cases: &mut Cases) {
    let base = outbox(cases, 2);
    valid(cases, "outbox", OUTBOX, "", &base);
    for copies in [0, 1, 63, 64] {
        let id = format!("outbox-{copies}-copies");
        let value = outbox(cases, copies);
        valid(cases, &id, OUTBOX, "", &value);
    }
    for (id, length) in [
        ("empty", 0),
        ("63", 63),
        ("64", 64),
        ("16383", 16_383),
        ("16384", 16_384),
    ] {
        let copy = (cases.bytes("address", 1), cases.bytes("message", length));
        let value = OutboxEntry {
            copies: vec![copy],
            order: NUMBERS - 1,
            ..base.clone()
        };
        let comment = "Nothing is checked about a message.";
        valid(
            cases,
            &format!("outbox-message-{id}"),
            OUTBOX,
            comment,
            &value,
        );
    }
    not_whole(
        cases,
        "outbox",
        OUTBOX,
        &base,
        &[0, 7, 8, 39, 40, 41, 42, 78, 79, 98, 99],
    );
    let many = outbox(cases, 65);
    invalid(cases, "outbox-65-copies", OUTBOX, "At most 64.", &many);
    for length in [0, 48] {
        let copy = (cases.bytes("address", length), Vec::new());
        let value = OutboxEntry {
            copies: vec![copy],
            ..base.clone()
        };
        invalid(
            cases,
            &format!("outbox-address-{length}"),
            OUTBOX,
            "",
            &value,
        );
    }
    let front = [&base.order.to_be_bytes()[..], &base.account_id].concat();
    let [address, message] = [cases.bytes("address", 36), cases.bytes("message", 20)];
    for (id, comment, behind) in [
        (
            "count-too-high",
            "More copies announced than there are.",
            [&header(2)[..], &vector(&address), &vector(&message)].concat(),
        ),
        (
            "count-long-form",
            "The number is not in its shortest form.",
            [&[0x40, 1][..], &vector(&address), &vector(&message)].concat(),
        ),
        ("count-huge", "", vec![0xbf, 0xff, 0xff, 0xff]),
        (
            "message-long-form",
            "The length of the message is not in its shortest form.",
            [&header(1)[..], &vector(&address), &[0x40, 20], &message].concat(),
        ),
        (
            "message-short",
            "The message is longer than what is there.",
            [&header(1)[..], &vector(&address), &header(21), &message].concat(),
        ),
    ] {
        let plaintext = [&front[..], &behind].concat();
        refused(cases, &format!("outbox-{id}"), OUTBOX, comment, &plaintext);
    }
}

pub(super) fn orders(cases: &mut Cases) {
    let of = |length| OutboxOrder(cases.bytes("name", length));
    let [shortest, usual, longest] = [1, 36, 64].map(of);
    let [empty, long, longer] = [0, 65, 100].map(of);
    valid(cases, "outbox-order-1", ORDER, "", &shortest);
    valid(cases, "outbox-order", ORDER, "", &usual);
    valid(cases, "outbox-order-64", ORDER, "", &longest);
    not_whole(cases, "outbox-order", ORDER, &usual, &[0, 1]);
    invalid(
        cases,
        "outbox-order-0",
        ORDER,
        "A name is not empty.",
        &empty,
    );
    invalid(cases, "outbox-order-65", ORDER, "At most 64 bytes.", &long);
    invalid(cases, "outbox-order-100", ORDER, "", &longer);
    let long_form = [&[0x40, 1][..], b"a"].concat();
    let comment = "The length is not in its shortest form.";
    refused(cases, "outbox-order-long-form", ORDER, comment, &long_form);
}

pub(super) fn inbox(cases: &Cases) -> InboxEntry {
    InboxEntry {
        incarnation: 3,
        address: cases.bytes("address", 36),
        received_at: NOW,
        notices: 0,
        content: 0,
        account_id: None,
        text: b"Meet me sub rosa.".to_vec(),
    }
}

pub(super) fn inboxes(cases: &mut Cases) {
    let base = inbox(cases);
    let account_id: Bytes32 = cases.array("account id");
    let copy = InboxEntry {
        content: 1,
        account_id: Some(account_id),
        ..base.clone()
    };
    valid(cases, "inbox", INBOX, "", &base);
    valid(cases, "inbox-copy", INBOX, "", &copy);
    for (id, value) in [
        (
            "empty",
            InboxEntry {
                text: Vec::new(),
                ..base.clone()
            },
        ),
        (
            "copy-empty",
            InboxEntry {
                text: Vec::new(),
                ..copy.clone()
            },
        ),
        (
            "unknown",
            InboxEntry {
                content: 2,
                text: vec![0x20, 1, 2],
                ..base.clone()
            },
        ),
        (
            "unknown-empty",
            InboxEntry {
                content: 2,
                text: Vec::new(),
                ..base.clone()
            },
        ),
        (
            "highest",
            InboxEntry {
                incarnation: u16::MAX,
                received_at: u64::MAX,
                ..base.clone()
            },
        ),
        (
            "address-1",
            InboxEntry {
                address: vec![0],
                ..base.clone()
            },
        ),
        (
            "address-47",
            InboxEntry {
                address: vec![0xff; 47],
                ..base.clone()
            },
        ),
    ] {
        valid(cases, &format!("inbox-{id}"), INBOX, "", &value);
    }
    for (notices, comment) in [
        (1, "Forked."),
        (2, "Gap dropped."),
        (4, "Pq broken."),
        (8, "Old state."),
        (15, "All four."),
    ] {
        let value = InboxEntry {
            notices,
            ..base.clone()
        };
        valid(
            cases,
            &format!("inbox-notices-{notices}"),
            INBOX,
            comment,
            &value,
        );
    }
    let plaintext = base.encode();
    // The text may have any length: only what stands before it can be missing.
    for length in [0, 1, 2, 3, 38, 39, 46, 47] {
        let short = plaintext.get(..length).unwrap_or_default();
        refused(
            cases,
            &format!("inbox-truncated-{length}"),
            INBOX,
            "",
            short,
        );
    }
    let plaintext = copy.encode();
    for length in [49, 79, 80] {
        let short = plaintext.get(..length).unwrap_or_default();
        let comment = "It ends in the account id.";
        refused(
            cases,
            &format!("inbox-copy-truncated-{length}"),
            INBOX,
            comment,
            short,
        );
    }
    for notices in [16, 0x1f, 0x80] {
        let value = InboxEntry {
            notices,
            ..base.clone()
        };
        let comment = "A bit that means nothing.";
        invalid(
            cases,
            &format!("inbox-notices-{notices}"),
            INBOX,
            comment,
            &value,
        );
    }
    for content in [3, 0xff] {
        let value = InboxEntry {
            content,
            ..base.clone()
        };
        invalid(
            cases,
            &format!("inbox-content-{content}"),
            INBOX,
            "There is no such content.",
            &value,
        );
    }
    for length in [0, 48] {
        let value = InboxEntry {
            address: vec![1; length],
            ..base.clone()
        };
        invalid(cases, &format!("inbox-address-{length}"), INBOX, "", &value);
    }
    for (incarnation, sequence) in [
        (0, 0),
        (0, NUMBERS - 1),
        (1, 0),
        (3, 9),
        (u16::MAX, NUMBERS - 1),
    ] {
        let entry = InboxEntry {
            incarnation,
            ..base.clone()
        };
        let id = format!("message-id-{incarnation}-{sequence}");
        let input =
            json!({"plaintext": hex::encode(entry.encode()), "sequence": sequence.to_string()});
        let answer = cases.accept(&id, "message_id", "", input);
        let expected = message_id(incarnation, sequence).to_string();
        cases.same(&id, answer.get("id").cloned(), Some(expected.into()));
    }
}
