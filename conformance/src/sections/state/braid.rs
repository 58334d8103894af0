//! SPEC §12.4: the epochs and the Braid in a stored conversation.

use super::conversation::{RECEIVE_ONLY, with_state};
use super::{CONVERSATION, invalid, valid};
use crate::generate::Cases;
use crate::model::stored::{
    Braid, Closed, Conversation, Cursor, Epochs, Keys, Layout, Live, Own, Phase, Ratchet, State,
    Turn,
};
use crate::model::symbols::Symbol;
use crate::sections::braid::moves::{NAMES, number};
use crate::sections::braid::sending::state;
use crate::sections::crypto::edge;

/// The greatest own epoch.
const LAST: u32 = u32::MAX - 1;

/// Conversations of one state that can send: in the peer's turn, with a closed chain; and in ours.
pub(super) struct Bases<'a> {
    pub(super) theirs: &'a Conversation,
    pub(super) ours: &'a Conversation,
}

pub(super) fn cases(cases: &mut Cases, bases: &Bases<'_>) {
    states(cases, bases);
    emitted(cases, bases);
    own_epochs(cases, bases);
    seeds(cases, bases);
    cursors(cases, bases);
    stored_symbols(cases, bases);
    chains(cases, bases);
    raw(cases, bases);
}

/// Whether the secret of the own epoch has been taken in.
const fn has_emitted(number: u8) -> bool {
    7 <= number && number <= 10
}

/// Epochs up to `e` in a state whose chains all have the epoch `of_chains`.
fn epochs(of_chains: u32, e: u32, braid: Braid) -> Epochs {
    let seeds: Vec<[u8; 32]> = (of_chains..=e).map(|_| [0x5e; 32]).collect();
    Epochs {
        e,
        peer: seeds.clone(),
        own: Some(Own { seeds, braid }),
    }
}

/// A conversation whose state has these epochs, and chains of that one.
fn with(base: &Conversation, of_chains: u32, epochs: Epochs) -> Conversation {
    changed(base, |state| {
        let ratchet = &mut state.ratchet;
        ratchet.epochs = Some(epochs);
        set_chains(ratchet, of_chains);
    })
}

fn changed(base: &Conversation, change: impl FnOnce(&mut State)) -> Conversation {
    let mut conversation = base.clone();
    let last = conversation.states.last_mut();
    last.into_iter()
        .zip([change])
        .for_each(|(state, change)| change(state));
    conversation
}

fn set_chains(ratchet: &mut Ratchet, epoch: u32) {
    if let Turn::Theirs {
        sending: Some(chain),
        ..
    } = &mut ratchet.turn
    {
        chain.e_s = epoch;
    }
    if let Some(chain) = &mut ratchet.receiving {
        chain.e_r = epoch;
    }
    for chain in &mut ratchet.closed {
        chain.epoch = epoch;
    }
}

/// A Braid with its fields set to anything.
fn braid(cases: &Cases, number: u8, epoch: u32, cursor: Cursor) -> Braid {
    Braid {
        epoch,
        ..state(cases, number, cursor)
    }
}

const fn at(next: u16, placed: u8) -> Cursor {
    Cursor { next, placed }
}

fn named(number: u8) -> &'static str {
    NAMES.get(usize::from(number)).copied().unwrap_or_default()
}

fn good(cases: &mut Cases, id: &str, comment: &str, conversation: &Conversation) {
    let id = format!("conversation-braid-{id}");
    valid(cases, &id, CONVERSATION, comment, &conversation.encode());
}

fn bad(cases: &mut Cases, id: &str, comment: &str, conversation: &Conversation) {
    let id = format!("conversation-braid-{id}");
    invalid(cases, &id, CONVERSATION, comment, &conversation.encode());
}

/// Each state, in both turns, and with the greatest epoch.
fn states(cases: &mut Cases, bases: &Bases<'_>) {
    for n in 0..=11 {
        let name = named(n);
        let e = |epoch: u32| if has_emitted(n) { epoch } else { epoch - 1 };
        let theirs = braid(cases, n, 2, at(9, 3));
        cases.same(name, number(&theirs), n);
        let conversation = with(bases.theirs, 1, epochs(1, e(2), theirs));
        good(cases, &format!("{name}-theirs"), "", &conversation);
        let ours = braid(cases, n, 2, at(9, 0));
        let conversation = with(bases.ours, 1, epochs(1, e(2), ours));
        good(cases, &format!("{name}-ours"), "", &conversation);
        let last = braid(cases, n, LAST, at(u16::MAX, 0));
        let conversation = with(bases.theirs, LAST - 1, epochs(LAST - 1, e(LAST), last));
        let comment = "The greatest own epoch, 2^32 - 2.";
        good(cases, &format!("{name}-last-epoch"), comment, &conversation);
        let over = braid(cases, n, u32::MAX, at(0, 0));
        let conversation = with(
            bases.theirs,
            LAST,
            epochs(LAST, e(u32::MAX).min(LAST), over),
        );
        let comment = "The own epoch is at most 2^32 - 2.";
        bad(
            cases,
            &format!("{name}-epoch-2-32-minus-1"),
            comment,
            &conversation,
        );
        let none = braid(cases, n, 0, at(0, 0));
        let conversation = with(bases.theirs, 0, epochs(0, 0, none));
        let comment = "The own epoch is at least 1.";
        bad(cases, &format!("{name}-epoch-0"), comment, &conversation);
    }
}

/// E as the table of §10.5 says.
fn emitted(cases: &mut Cases, bases: &Bases<'_>) {
    for n in 0..=11 {
        let name = named(n);
        let made = |cases: &Cases, e: u32| {
            with(bases.theirs, 1, epochs(1, e, braid(cases, n, 2, at(0, 0))))
        };
        let (one, two, three) = (made(cases, 1), made(cases, 2), made(cases, 3));
        let comment = "E against the own epoch, 2.";
        match n {
            11 => {
                good(cases, "broken-e-below", comment, &one);
                good(cases, "broken-e-same", comment, &two);
                bad(cases, "broken-e-above", comment, &three);
                let low = braid(cases, n, 2, at(0, 0));
                let low = with(bases.theirs, 0, epochs(0, 0, low));
                bad(cases, "broken-e-two-below", comment, &low);
            }
            _ if has_emitted(n) => {
                bad(cases, &format!("{name}-e-below"), comment, &one);
                bad(cases, &format!("{name}-e-above"), comment, &three);
            }
            _ => {
                bad(cases, &format!("{name}-e-same"), comment, &two);
                let high = braid(cases, n, 3, at(0, 0));
                let high = with(bases.theirs, 1, epochs(1, 1, high));
                let comment = "E is two below the own epoch, 3.";
                bad(cases, &format!("{name}-e-two-below"), comment, &high);
            }
        }
    }
}

/// The own epoch against that of the sending chain.
fn own_epochs(cases: &mut Cases, bases: &Bases<'_>) {
    let comment = "epoch - 1 - e_s is 0 or 1.";
    for (id, n, epoch, e_s, e, holds) in [
        ("one-above-chain", 5, 2, 0, 1, true),
        ("one-above-chain-three-seeds", 7, 2, 0, 2, true),
        ("two-above-chain", 5, 3, 0, 2, false),
        ("below-chain", 7, 2, 2, 2, false),
        ("broken-two-above-chain", 11, 3, 0, 2, false),
        ("broken-below-chain", 11, 2, 2, 2, false),
    ] {
        let exchange = braid(cases, n, epoch, at(0, 0));
        let conversation = with(bases.theirs, e_s, epochs(e_s, e, exchange));
        match holds {
            true => good(cases, id, comment, &conversation),
            false => bad(cases, id, comment, &conversation),
        }
    }
}

/// The lists of S.
fn seeds(cases: &mut Cases, bases: &Bases<'_>) {
    let base = |cases: &Cases, turn: &Conversation| {
        with(turn, 1, epochs(1, 2, braid(cases, 7, 2, at(0, 0))))
    };
    let theirs = base(cases, bases.theirs);
    let ours = base(cases, bases.ours);
    let lists = |base: &Conversation, change: &dyn Fn(&mut Epochs)| {
        changed(base, |state| {
            state.ratchet.epochs.iter_mut().for_each(change)
        })
    };
    let own = |change: &'static dyn Fn(&mut Vec<[u8; 32]>)| {
        move |epochs: &mut Epochs| {
            if let Some(own) = &mut epochs.own {
                change(&mut own.seeds);
            }
        }
    };
    let first_peer = "The first S of the peer's direction is that of e_r.";
    let first_own = "The first S of our direction is that of e_s.";
    for (id, comment, conversation) in [
        (
            "peer-none",
            "At least one S.",
            lists(&theirs, &|epochs| epochs.peer.clear()),
        ),
        (
            "own-none",
            "At least one S.",
            lists(&theirs, &own(&Vec::clear)),
        ),
        (
            "peer-behind",
            first_peer,
            lists(&theirs, &|epochs| {
                epochs.peer.pop();
            }),
        ),
        (
            "peer-before",
            first_peer,
            lists(&theirs, &|epochs| epochs.peer.push([1; 32])),
        ),
        (
            "own-behind",
            first_own,
            lists(
                &theirs,
                &own(&|seeds| {
                    seeds.pop();
                }),
            ),
        ),
        (
            "own-before",
            first_own,
            lists(&theirs, &own(&|seeds| seeds.push([1; 32]))),
        ),
        (
            "own-not-below",
            "In our turn the first S of our direction is of an epoch below the own one.",
            lists(
                &ours,
                &own(&|seeds| {
                    seeds.pop();
                }),
            ),
        ),
        (
            "ours-peer-behind",
            first_peer,
            lists(&ours, &|epochs| {
                epochs.peer.pop();
            }),
        ),
        (
            "ours-own-none",
            "At least one S.",
            lists(&ours, &own(&Vec::clear)),
        ),
    ] {
        bad(cases, &format!("seeds-{id}"), comment, &conversation);
    }
    let comment = "In our turn a lower S may still be there: no chain was begun in its epoch.";
    let lower = lists(&ours, &own(&|seeds| seeds.push([1; 32])));
    good(cases, "seeds-own-lower", comment, &lower);
    // Four of each: chains of epoch 0, E = 3.
    let four = with(bases.ours, 0, epochs(0, 3, braid(cases, 5, 4, at(0, 0))));
    bad(cases, "seeds-four", "At most three S.", &four);
    let three = with(bases.ours, 0, epochs(0, 2, braid(cases, 5, 3, at(0, 0))));
    good(cases, "seeds-three", "As many as there may be.", &three);
    for (id, count, holds) in [
        ("one", 1u32, true),
        ("three", 3, true),
        ("none", 0, false),
        ("four", 4, false),
    ] {
        let conversation = changed(bases.theirs, |state| {
            state.standing = RECEIVE_ONLY;
            state.ratchet.stop_sending();
            set_chains(&mut state.ratchet, 5);
            if let Some(epochs) = &mut state.ratchet.epochs {
                epochs.e = 4 + count;
                epochs.peer = (0..count).map(|_| [3; 32]).collect();
            }
        });
        let id = format!("seeds-receive-only-{id}");
        let comment = "A receive-only state keeps S of the peer's direction.";
        match holds {
            true => good(cases, &id, comment, &conversation),
            false => bad(cases, &id, comment, &conversation),
        }
    }
}

/// `placed`, and the cursor.
fn cursors(cases: &mut Cases, bases: &Bases<'_>) {
    for (n, k) in [(1, 6u8), (2, 72), (3, 72), (7, 60), (8, 60), (10, 10)] {
        let name = named(n);
        let e = if has_emitted(n) { 1 } else { 0 };
        let made = |cases: &Cases, base: &Conversation, cursor: Cursor| {
            with(base, 0, epochs(0, e, braid(cases, n, 1, cursor)))
        };
        let conversation = made(cases, bases.theirs, at(u16::MAX, 3 * k));
        good(
            cases,
            &format!("{name}-placed-3k"),
            "As many as may be.",
            &conversation,
        );
        let conversation = made(cases, bases.theirs, at(0, 3 * k + 1));
        bad(
            cases,
            &format!("{name}-placed-3k-plus-1"),
            "placed is at most 3k.",
            &conversation,
        );
        let conversation = made(cases, bases.ours, at(0, 1));
        bad(
            cases,
            &format!("{name}-placed-ours"),
            "In our turn placed is 0.",
            &conversation,
        );
    }
}

/// The symbols that a state holds.
fn symbols_of(phase: &mut Phase) -> Option<&mut Vec<Symbol>> {
    match phase {
        Phase::HeaderSent { ct1: list, .. }
        | Phase::EkSentCt1Received { ct2: list, .. }
        | Phase::NoHeaderReceived { hdr: list }
        | Phase::Ct1Sampled { ek: list, .. }
        | Phase::Ct1Acknowledged { ek: list, .. } => Some(list),
        _ => None,
    }
}

fn stored_symbols(cases: &mut Cases, bases: &Bases<'_>) {
    for (n, k, least) in [(2, 60u16, 1), (4, 10, 1), (5, 6, 0), (7, 72, 0), (9, 72, 0)] {
        let name = named(n);
        let e = if has_emitted(n) { 1 } else { 0 };
        let made = |cases: &Cases, indices: &[u16]| {
            let mut exchange = braid(cases, n, 1, at(0, 0));
            if let Some(Live { phase, .. }) = &mut exchange.live
                && let Some(list) = symbols_of(phase)
            {
                *list = indices.iter().map(|index| (*index, [0x77; 16])).collect();
            }
            with(bases.theirs, 0, epochs(0, e, exchange))
        };
        let all: Vec<u16> = (0..k).collect();
        let but_one: Vec<u16> = (1..k).collect();
        let none = made(cases, &[]);
        match least {
            0 => good(cases, &format!("{name}-no-symbol"), "", &none),
            _ => bad(
                cases,
                &format!("{name}-no-symbol"),
                "At least one symbol led here.",
                &none,
            ),
        }
        let conversation = made(cases, &but_one);
        good(
            cases,
            &format!("{name}-k-minus-1-symbols"),
            "All but one.",
            &conversation,
        );
        let conversation = made(cases, &[0, u16::MAX]);
        good(
            cases,
            &format!("{name}-ends"),
            "The first and the last index.",
            &conversation,
        );
        let conversation = made(cases, &all);
        let comment = "k symbols are the object.";
        bad(cases, &format!("{name}-k-symbols"), comment, &conversation);
        let ascend = "Indices ascend.";
        let conversation = made(cases, &[4, 3]);
        bad(
            cases,
            &format!("{name}-symbols-descend"),
            ascend,
            &conversation,
        );
        let conversation = made(cases, &[4, 4]);
        bad(
            cases,
            &format!("{name}-symbol-twice"),
            ascend,
            &conversation,
        );
    }
}

/// The epochs of chains.
fn chains(cases: &mut Cases, bases: &Bases<'_>) {
    let closed = |epoch: u32| Closed {
        hk: [1; 32],
        dh: edge::small(9),
        epoch,
        keys: vec![(0, [2; 32])],
    };
    let made = |cases: &Cases, list: &[u32]| {
        let conversation = with(bases.theirs, 2, epochs(2, 2, braid(cases, 5, 3, at(0, 0))));
        changed(&conversation, |state| {
            state.ratchet.closed = list.iter().map(|epoch| closed(*epoch)).collect();
        })
    };
    let conversation = made(cases, &[0, 0, 1, 2]);
    good(
        cases,
        "closed-epochs",
        "Epochs of closed chains do not fall.",
        &conversation,
    );
    for (id, list) in [
        ("fall", &[1, 0][..]),
        ("above-e-r", &[3]),
        ("far-above-e-r", &[0, u32::MAX]),
    ] {
        let conversation = made(cases, list);
        let comment = "Epochs of closed chains do not fall, and none is above e_r.";
        bad(
            cases,
            &format!("closed-epochs-{id}"),
            comment,
            &conversation,
        );
    }
    // The same where no S says what e_r is.
    let ended = |list: &[u32]| {
        let conversation = with_ended(bases.ours);
        changed(&conversation, |state| {
            set_chains(&mut state.ratchet, 2);
            state.ratchet.closed = list.iter().map(|epoch| closed(*epoch)).collect();
        })
    };
    good(cases, "ended-closed-epochs", "", &ended(&[1, 2]));
    bad(cases, "ended-closed-epoch-above-e-r", "", &ended(&[3]));
}

fn with_ended(base: &Conversation) -> Conversation {
    changed(base, |state| {
        state.standing = RECEIVE_ONLY;
        state.ratchet.stop_sending();
    })
}

/// Encodings that are none.
fn raw(cases: &mut Cases, bases: &Bases<'_>) {
    let exchange = braid(cases, 5, 1, at(0, 0));
    let stored = exchange.encode();
    let conversation = with(bases.theirs, 0, epochs(0, 0, exchange)).encode();
    let found = conversation
        .windows(stored.len())
        .position(|window| window == stored);
    let Some(start) = found else {
        cases.fault("state: the Braid is not found".to_owned());
        return;
    };
    let put = |from: usize, bytes: &[u8]| {
        let (front, behind) = conversation.split_at_checked(from).unwrap_or_default();
        [front, bytes, behind.get(1..).unwrap_or_default()].concat()
    };
    // 0 symbols of hdr: the last byte of the Braid.
    let symbols = start + stored.len() - 1;
    for (id, comment, plaintext) in [
        ("state-12", "There are twelve states.", put(start, &[12])),
        ("state-255", "", put(start, &[255])),
        (
            "starved-2",
            "A flag is 0 or 1.",
            put(start + 1 + 4 + 96, &[2]),
        ),
        ("symbols-long-form", "", put(symbols, &[0x40, 0])),
        (
            "symbols-announced",
            "More symbols announced than there are.",
            put(symbols, &[5]),
        ),
        // E, then two lists of one S each.
        ("seeds-long-form", "", put(start - 33, &[0x40, 1])),
    ] {
        let id = format!("conversation-braid-{id}");
        invalid(cases, &id, CONVERSATION, comment, &plaintext);
    }
    let alone = with_state(bases.theirs, |state| {
        state.standing = RECEIVE_ONLY;
        state.ratchet.closed = vec![Closed {
            hk: [1; 32],
            dh: edge::small(9),
            epoch: 0,
            keys: Keys::new(),
        }];
    });
    let comment = "A receive-only state has no Braid.";
    invalid(
        cases,
        "conversation-braid-receive-only",
        CONVERSATION,
        comment,
        &alone,
    );
}
