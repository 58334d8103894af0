//! SPEC §12.4, §12.5: stored conversations.

use super::{CONVERSATION, braid, invalid, not_whole, valid};
use crate::generate::Cases;
use crate::model::prekeys::DAY;
use crate::model::stored::{
    Closed, Conversation, Keys, Layout, Origin, Ratchet, Receiving, Sending, Standing, State, Turn,
};
use crate::sections::crypto::edge;
use crate::sections::session::play::{HOUR, Play};

/// 2^20: the most messages of a chain.
const CHAIN: u32 = 1 << 20;

/// Conversations as the library stores them, in every shape that there is.
struct Made {
    /// One state, unanswered.
    begun: Conversation,
    /// One state that the peer began; our turn.
    taken: Conversation,
    /// One state that we began and the peer answered; the peer's turn, a closed chain, stored keys.
    answered: Conversation,
    /// The other side of it: the peer's turn as well, while a message is under way.
    answering: Conversation,
    /// The same when it was read: our turn.
    owing: Conversation,
    /// Two states: a receive-only one that the peer may still answer, and one unanswered.
    anew: Conversation,
    /// Four states.
    four: Conversation,
}

impl Made {
    fn new(cases: &mut Cases) -> Option<Self> {
        let mut play = Play::of_two(cases, "stored", "");
        for name in ["first", "second", "third", "fourth"] {
            play.bundle("bob", name);
        }
        play.begin("alice", "first");
        play.seal("alice", "bob", "a0");
        play.seal("alice", "bob", "a1");
        let begun = play.conversation("alice", "bob")?;
        play.takes("bob", "a1");
        let taken = play.conversation("bob", "alice")?;
        for name in ["b0", "b1", "b2"] {
            play.seal("bob", "alice", name);
        }
        play.reads("alice", "b2");
        for name in ["a2", "a3", "a4", "a5"] {
            play.seal("alice", "bob", name);
        }
        play.reads("bob", "a3");
        play.reads("bob", "a5");
        play.seal("bob", "alice", "b3");
        play.seal("bob", "alice", "b4");
        play.reads("alice", "b4");
        play.seal("alice", "bob", "a6");
        let answered = play.conversation("alice", "bob")?;
        let answering = play.conversation("bob", "alice")?;
        play.reads("bob", "a6");
        let owing = play.conversation("bob", "alice")?;
        play.wait(HOUR);
        play.begin("alice", "second");
        let anew = play.conversation("alice", "bob")?;
        play.wait(DAY + 1);
        play.reads_with("alice", "b3", &["old_state"], false);
        play.seal("alice", "bob", "a7");
        play.takes("bob", "a7");
        play.seal("bob", "alice", "b5");
        play.reads("alice", "b5");
        play.begin("alice", "third");
        play.begin("alice", "fourth");
        let four = play.conversation("alice", "bob")?;
        Some(Self {
            begun,
            taken,
            answered,
            answering,
            owing,
            anew,
            four,
        })
    }
}

pub(super) fn cases(cases: &mut Cases) {
    let Some(made) = Made::new(cases) else {
        cases.fault("state: there is no conversation".to_owned());
        return;
    };
    let Made {
        begun,
        taken,
        answered,
        answering,
        owing,
        anew,
        four,
    } = &made;
    for (id, comment, conversation) in [
        (
            "begun",
            "One state that we began, unanswered: its deadline and its prefix are kept.",
            begun,
        ),
        (
            "taken",
            "One state that the peer began; our turn; a stored key.",
            taken,
        ),
        (
            "answered",
            "One state that we began; the peer's turn; a closed chain, stored keys, a window.",
            answered,
        ),
        (
            "answering",
            "The other side of it, which waits for an answer as well.",
            answering,
        ),
        (
            "owing",
            "The same when the answer was read: our turn.",
            owing,
        ),
        (
            "anew",
            "A receive-only state in the peer's turn, and a newer one.",
            anew,
        ),
        (
            "four",
            "Four states: one late, in whose turn nobody sends; two that nobody answered.",
            four,
        ),
    ] {
        valid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &conversation.encode(),
        );
    }
    cases.same("state: four", four.states.len(), 4);
    not_whole(
        cases,
        "conversation",
        CONVERSATION,
        &answered.encode(),
        &[
            0, 1, 4, 36, 68, 76, 77, 85, 86, 87, 119, 151, 183, 184, 300, 500,
        ],
    );
    at_the_bounds(cases, &made);
    prefixes(cases, &made);
    conversations(cases, &made);
    standings(cases, &made);
    ratchets(cases, &made);
    stored_keys(cases, &made);
    raw(cases, &made);
    let bases = braid::Bases {
        theirs: &made.answered,
        ours: &made.owing,
    };
    braid::cases(cases, &bases);
}

fn changed(base: &Conversation, change: impl FnOnce(&mut Conversation)) -> Vec<u8> {
    let mut other = base.clone();
    change(&mut other);
    other.encode()
}

/// The last state changed.
pub(super) fn with_state(base: &Conversation, change: impl FnOnce(&mut State)) -> Vec<u8> {
    changed(base, |conversation| {
        conversation
            .states
            .last_mut()
            .into_iter()
            .for_each(change_once(change));
    })
}

fn change_once<T>(change: impl FnOnce(&mut T)) -> impl FnMut(&mut T) {
    let mut change = Some(change);
    move |value| {
        if let Some(change) = change.take() {
            change(value);
        }
    }
}

fn with_ratchet(base: &Conversation, change: impl FnOnce(&mut Ratchet)) -> Vec<u8> {
    with_state(base, |state| change(&mut state.ratchet))
}

fn with_receiving(base: &Conversation, change: impl FnOnce(&mut Receiving)) -> Vec<u8> {
    with_ratchet(base, |ratchet| {
        ratchet.receiving.iter_mut().for_each(change_once(change))
    })
}

fn with_sending(base: &Conversation, change: impl FnOnce(&mut Sending)) -> Vec<u8> {
    with_ratchet(base, |ratchet| {
        if let Turn::Theirs {
            sending: Some(chain),
            ..
        } = &mut ratchet.turn
        {
            change(chain);
        }
    })
}

fn with_closed(base: &Conversation, change: impl FnOnce(&mut Vec<Closed>)) -> Vec<u8> {
    with_ratchet(base, |ratchet| change(&mut ratchet.closed))
}

/// Keys of these numbers.
fn keys(numbers: impl IntoIterator<Item = u32>) -> Keys {
    numbers
        .into_iter()
        .map(|number| (number, [0x5a; 32]))
        .collect()
}

/// So many closed chains, each with so many keys.
fn chains(cases: &Cases, count: u8, stored: u32) -> Vec<Closed> {
    (0..count)
        .map(|index| Closed {
            hk: cases.array(&format!("closed {index}")),
            dh: edge::small(9),
            epoch: 0,
            keys: keys(0..stored),
        })
        .collect()
}

fn at_the_bounds(cases: &mut Cases, made: &Made) {
    let Made {
        answered,
        answering,
        owing,
        taken,
        ..
    } = made;
    let empty = changed(answered, |conversation| {
        conversation.states.clear();
        conversation.last_created_at = 0;
    });
    let deadline = |value: u64| {
        with_state(&made.begun, |state| {
            if let Origin::Unanswered { deadline, .. } = &mut state.origin {
                *deadline = value;
            }
        })
    };
    let sixteen = chains(cases, 16, 1);
    let three = chains(cases, 3, 0);
    for (id, comment, plaintext) in [
        ("empty", "Pinned, and not begun.", empty),
        (
            "created-at-max",
            "The greatest created_at.",
            changed(answered, |conversation| {
                conversation.last_created_at = (1 << 48) - 1
            }),
        ),
        (
            "deadline-0",
            "The deadline is any number: this one was over when the state was begun.",
            deadline(0),
        ),
        ("deadline-max", "", deadline(u64::MAX)),
        (
            "ns-2-20",
            "A chain that is exhausted.",
            with_sending(answered, |chain| chain.ns = CHAIN),
        ),
        (
            "pn-2-20",
            "",
            with_sending(answered, |chain| chain.pn = CHAIN),
        ),
        (
            "nr-2-20",
            "",
            with_receiving(answered, |chain| chain.nr = CHAIN),
        ),
        (
            "key-below-2-20",
            "The greatest number of a closed chain.",
            with_closed(answered, |closed| {
                closed
                    .iter_mut()
                    .take(1)
                    .for_each(|chain| chain.keys = keys([0, CHAIN - 1]));
            }),
        ),
        (
            "2000-keys",
            "As many as there may be.",
            with_receiving(answering, |chain| {
                chain.nr = 2_001;
                chain.keys = keys(1..2_000);
            }),
        ),
        (
            "16-closed-chains",
            "As many as there may be.",
            with_closed(taken, |closed| *closed = sixteen),
        ),
        (
            "3-spent-chains",
            "As many without keys as there may be.",
            with_closed(taken, |closed| *closed = three),
        ),
        (
            "window-full",
            "All 32 slots, from Nr = 32 on.",
            with_receiving(answered, |chain| {
                chain.nr = 32;
                chain.window = [Some([7; 4]); 32];
            }),
        ),
        (
            "window-empty",
            "",
            with_receiving(answered, |chain| chain.window = [None; 32]),
        ),
        (
            "receive-only-alone",
            "No state sends: the conversation is to be begun anew.",
            with_state(answered, |state| {
                state.standing = RECEIVE_ONLY;
                state.ratchet.stop_sending();
            }),
        ),
        (
            "ended",
            "The same in the turn of nobody.",
            with_state(owing, |state| {
                state.standing = RECEIVE_ONLY;
                state.ratchet.stop_sending();
            }),
        ),
        (
            "never-answered",
            "A state that we began, receive-only before it was answered.",
            with_state(&made.begun, |state| {
                state.standing = RECEIVE_ONLY;
                state.origin = Origin::Answered;
                state.ratchet.stop_sending();
            }),
        ),
    ] {
        valid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
}

const LOWER_SID: &str = "Of two states with one created_at the lower sid ranks higher.";

pub(super) const RECEIVE_ONLY: Standing = Standing::ReceiveOnly {
    since: 1,
    last_used: 2,
    late: false,
};

fn conversations(cases: &mut Cases, made: &Made) {
    let Made {
        answered,
        anew,
        four,
        ..
    } = made;
    let long = cases.bytes("address", 48);
    let fifth = |conversation: &mut Conversation| {
        let mut state = conversation.states.first().cloned();
        state.iter_mut().for_each(|state| state.created_at = 1);
        conversation.states.splice(0..0, state);
    };
    let equal = |higher: u8, lower: u8| {
        changed(anew, |conversation| {
            let created_at = conversation.last_created_at;
            for (state, sid) in conversation.states.iter_mut().zip([higher, lower]) {
                state.created_at = created_at;
                state.ratchet.sid = [sid; 32];
            }
        })
    };
    valid(
        cases,
        "conversation-equal-created-at",
        CONVERSATION,
        LOWER_SID,
        &equal(2, 1),
    );
    for (id, comment, plaintext) in [
        (
            "address-0",
            "",
            changed(answered, |conversation| conversation.address.clear()),
        ),
        (
            "address-48",
            "",
            changed(answered, |conversation| conversation.address = long),
        ),
        (
            "ikd-p",
            "IKd is not canonical.",
            changed(answered, |conversation| conversation.ikd = edge::p_plus(0)),
        ),
        (
            "ikd-high-bit",
            "IKd is not canonical.",
            changed(answered, |conversation| {
                conversation.ikd = edge::with_high_bit(conversation.ikd)
            }),
        ),
        (
            "last-created-at-below",
            "Below a state's created_at.",
            changed(answered, |conversation| {
                conversation.last_created_at = conversation.last_created_at.saturating_sub(1);
            }),
        ),
        (
            "last-created-at-2-48",
            "At most 2^48 - 1.",
            changed(answered, |conversation| {
                conversation.last_created_at = 1 << 48
            }),
        ),
        (
            "last-created-at-max",
            "At most 2^48 - 1.",
            changed(answered, |conversation| {
                conversation.last_created_at = u64::MAX
            }),
        ),
        (
            "ranks-descend",
            "By ascending rank.",
            changed(four, |conversation| {
                let mut times = conversation
                    .states
                    .iter()
                    .map(|state| state.created_at)
                    .collect::<Vec<_>>();
                times.swap(1, 2);
                for (state, time) in conversation.states.iter_mut().zip(times) {
                    state.created_at = time;
                }
            }),
        ),
        ("equal-created-at-higher-sid", LOWER_SID, equal(1, 2)),
        ("equal-ranks", "Ranks ascend strictly.", equal(1, 1)),
        ("five-states", "At most four.", changed(four, fifth)),
        (
            "two-send",
            "Only the last state may send.",
            changed(anew, |conversation| {
                let sending = conversation.states.last().cloned();
                for (state, sending) in conversation.states.iter_mut().zip(sending) {
                    let created_at = state.created_at;
                    *state = sending;
                    state.created_at = created_at;
                }
            }),
        ),
        (
            "lower-state-sends",
            "Only the last state may send.",
            changed(anew, |conversation| {
                for (state, other) in conversation.states.iter_mut().zip(&answered.states) {
                    state.standing = Standing::Sends;
                    state.ratchet = other.ratchet.clone();
                }
                conversation.states.iter_mut().skip(1).for_each(|state| {
                    state.standing = RECEIVE_ONLY;
                    state.origin = Origin::Answered;
                    state.ratchet.stop_sending();
                });
            }),
        ),
    ] {
        invalid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
}

fn standings(cases: &mut Cases, made: &Made) {
    let Made {
        begun,
        taken,
        answered,
        owing,
        ..
    } = made;
    let prefix = begun
        .states
        .last()
        .map(|state| state.origin.clone())
        .unwrap_or(Origin::Answered);
    let by_peer = Origin::Peer {
        first_id: [1; 16],
        prefix_hash: [2; 16],
    };
    for (id, comment, plaintext) in [
        (
            "sends-without-chain",
            "A state that sends, in the peer's turn, has a sending chain.",
            with_ratchet(answered, Ratchet::stop_sending),
        ),
        (
            "sends-ended",
            "A state whose turn has ended does not send.",
            with_ratchet(owing, Ratchet::stop_sending),
        ),
        (
            "receive-only-ours",
            "A receive-only state is not in our turn.",
            with_state(owing, |state| state.standing = RECEIVE_ONLY),
        ),
        (
            "receive-only-with-chain",
            "A receive-only state has no sending chain.",
            with_state(answered, |state| state.standing = RECEIVE_ONLY),
        ),
        (
            "prefix-receive-only",
            "A state with a prefix sends.",
            with_state(begun, |state| {
                state.standing = RECEIVE_ONLY;
                state.ratchet.stop_sending();
            }),
        ),
        (
            "prefix-answered",
            "A state with a prefix has no receiving chain.",
            with_state(answered, |state| state.origin = prefix),
        ),
        (
            "no-prefix-unanswered",
            "A state that we began, that sends and was not answered has its prefix.",
            with_state(begun, |state| state.origin = Origin::Answered),
        ),
        (
            "peer-began-nothing-read",
            "A state that the peer began has a receiving chain.",
            with_state(begun, |state| state.origin = by_peer),
        ),
        (
            "ours-without-receiving",
            "Without a receiving chain the turn is the peer's.",
            with_ratchet(taken, |ratchet| ratchet.receiving = None),
        ),
        (
            "ended-without-receiving",
            "Without a receiving chain the turn is the peer's.",
            with_state(begun, |state| {
                state.standing = RECEIVE_ONLY;
                state.origin = Origin::Answered;
                state.ratchet.turn = Turn::Ended;
                state.ratchet.epochs = None;
            }),
        ),
        (
            "closed-without-receiving",
            "Without a receiving chain there are no closed chains.",
            with_ratchet(begun, |ratchet| {
                ratchet.closed.push(Closed {
                    hk: [1; 32],
                    dh: edge::small(9),
                    epoch: 0,
                    keys: Keys::new(),
                });
            }),
        ),
    ] {
        invalid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
}

/// The prefix is sent as it is stored: it has to be one.
fn prefixes(cases: &mut Cases, made: &Made) {
    let with = |at: usize, bytes: &[u8]| {
        with_state(&made.begun, |state| {
            if let Origin::Unanswered { prefix, .. } = &mut state.origin {
                for (to, from) in prefix.iter_mut().skip(at).zip(bytes) {
                    *to = *from;
                }
            }
        })
    };
    for (id, comment, plaintext) in [
        ("version", "", with(0, &[0])),
        ("kind", "", with(1, &[2])),
        ("suite", "", with(2, &[0, 2])),
        ("has-opk-2", "A flag is 0 or 1.", with(12, &[2])),
        ("has-opk-0", "opk.id without OPK.", with(12, &[0])),
        ("opk-id-0", "OPK without opk.id.", with(13, &[0; 4])),
        ("ek-p", "EK is not canonical.", with(17, &edge::p_plus(0))),
    ] {
        let id = format!("conversation-prefix-{id}");
        invalid(cases, &id, CONVERSATION, comment, &plaintext);
    }
}

fn ratchets(cases: &mut Cases, made: &Made) {
    let Made {
        answered, owing, ..
    } = made;
    let pn = |base: &Conversation, value: u32| {
        with_ratchet(base, |ratchet| match &mut ratchet.turn {
            Turn::Theirs {
                sending: Some(chain),
                ..
            } => chain.pn = value,
            Turn::Ours { pn, .. } => *pn = value,
            _ => {}
        })
    };
    let canonical = "Ratchet keys are canonical.";
    let bound = "At most 2^20.";
    for (id, comment, plaintext) in [
        (
            "dhr-p",
            canonical,
            with_ratchet(answered, |ratchet| ratchet.dhr = edge::p_plus(0)),
        ),
        (
            "dhr-high-bit",
            canonical,
            with_ratchet(answered, |ratchet| {
                ratchet.dhr = edge::with_high_bit(ratchet.dhr)
            }),
        ),
        (
            "own-key-p",
            canonical,
            with_ratchet(answered, |ratchet| {
                if let Turn::Theirs { public, .. } = &mut ratchet.turn {
                    *public = edge::p_plus(0);
                }
            }),
        ),
        (
            "closed-key-p",
            canonical,
            with_closed(answered, |closed| {
                closed
                    .iter_mut()
                    .for_each(|chain| chain.dh = edge::p_plus(0))
            }),
        ),
        (
            "ns",
            bound,
            with_sending(answered, |chain| chain.ns = CHAIN + 1),
        ),
        (
            "ns-max",
            bound,
            with_sending(answered, |chain| chain.ns = u32::MAX),
        ),
        ("pn-theirs", bound, pn(answered, CHAIN + 1)),
        ("pn-ours", bound, pn(owing, CHAIN + 1)),
        (
            "nr",
            bound,
            with_receiving(answered, |chain| chain.nr = CHAIN + 1),
        ),
        (
            "nr-0",
            "A receiving chain begins with a message.",
            with_receiving(answered, |chain| {
                chain.nr = 0;
                chain.keys.clear();
                chain.window = [None; 32];
            }),
        ),
        (
            "window-slot-nr",
            "No slot from Nr on is filled, below 32.",
            with_receiving(answered, |chain| {
                chain.keys.clear();
                chain.nr = 3;
                chain.window = [None; 32];
                chain
                    .window
                    .iter_mut()
                    .skip(3)
                    .take(1)
                    .for_each(|slot| *slot = Some([7; 4]));
            }),
        ),
        (
            "window-slot-31",
            "No slot from Nr on is filled, below 32.",
            with_receiving(answered, |chain| {
                chain.keys.clear();
                chain.nr = 31;
                chain.window = [Some([7; 4]); 32];
            }),
        ),
    ] {
        invalid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
}

fn stored_keys(cases: &mut Cases, made: &Made) {
    let Made {
        answered,
        taken,
        anew,
        ..
    } = made;
    let receiving = |nr: u32, numbers: Keys| {
        with_receiving(taken, |chain| {
            chain.nr = nr;
            chain.keys = numbers;
        })
    };
    let closed = |numbers: Keys| {
        with_closed(answered, |closed| {
            closed
                .iter_mut()
                .take(1)
                .for_each(|chain| chain.keys.clone_from(&numbers))
        })
    };
    let (seventeen, four) = (chains(cases, 17, 1), chains(cases, 4, 0));
    let (nine, eight) = (chains(cases, 9, 1), chains(cases, 8, 1));
    let over_two_states = |one: Vec<Closed>, two: Vec<Closed>| {
        changed(anew, |conversation| {
            for (state, base) in conversation.states.iter_mut().zip(&answered.states) {
                state.ratchet.receiving.clone_from(&base.ratchet.receiving);
            }
            let mut lists = [one, two].into_iter();
            for state in &mut conversation.states {
                // A state with closed chains was answered.
                state.origin = Origin::Answered;
                if state.ratchet.receiving.is_none() {
                    let answered = answered.states.last();
                    state.ratchet.receiving =
                        answered.and_then(|state| state.ratchet.receiving.clone());
                }
                state.ratchet.closed = lists.next().unwrap_or_default();
            }
        })
    };
    let (full, one_more) = (chains(cases, 8, 1), chains(cases, 8, 1));
    let comment = "16 closed chains over two states.";
    let plaintext = over_two_states(full, one_more);
    valid(
        cases,
        "conversation-16-closed-chains-in-two-states",
        CONVERSATION,
        comment,
        &plaintext,
    );
    let ascend = "Numbers ascend strictly.";
    for (id, comment, plaintext) in [
        (
            "key-nr",
            "A key of the receiving chain is below Nr.",
            receiving(3, keys([1, 3])),
        ),
        (
            "key-above-nr",
            "A key of the receiving chain is below Nr.",
            receiving(3, keys([1, 9])),
        ),
        ("keys-descend", ascend, receiving(9, keys([2, 1]))),
        ("key-twice", ascend, receiving(9, keys([1, 1]))),
        ("closed-keys-descend", ascend, closed(keys([2, 1]))),
        ("closed-key-twice", ascend, closed(keys([1, 1]))),
        (
            "closed-key-2-20",
            "A key of a closed chain is below 2^20.",
            closed(keys([CHAIN])),
        ),
        (
            "2001-keys",
            "At most 2,000.",
            receiving(2_002, keys(0..2_001)),
        ),
        (
            "2001-keys-in-two-chains",
            "At most 2,000 over all chains.",
            with_ratchet(answered, |ratchet| {
                ratchet
                    .closed
                    .iter_mut()
                    .take(1)
                    .for_each(|chain| chain.keys = keys(0..1_000));
                ratchet.receiving.iter_mut().for_each(|chain| {
                    chain.nr = 1_001;
                    chain.keys = keys(0..1_001);
                });
            }),
        ),
        (
            "17-closed-chains",
            "At most 16.",
            with_closed(taken, |closed| *closed = seventeen),
        ),
        (
            "17-closed-chains-in-two-states",
            "At most 16 over all states.",
            over_two_states(nine, eight),
        ),
        (
            "4-spent-chains",
            "At most 3 without keys.",
            with_closed(taken, |closed| *closed = four),
        ),
    ] {
        invalid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
}

/// Encodings that are none.
fn raw(cases: &mut Cases, made: &Made) {
    // The peer's address has as many bytes as "bob": origin, standing and turn stand at fixed places.
    let answered = made.answered.encode();
    let count = 1 + 3 + 32 + 32 + 8;
    let origin = count + 1 + 8;
    let standing = origin + 1;
    let turn = standing + 1 + 96;
    let sends = turn + 1 + 96;
    let epochs = made
        .answered
        .states
        .last()
        .and_then(|state| state.ratchet.epochs.as_ref());
    let epochs = epochs.map_or(0, |epochs| epochs.encode().len());
    let receiving = sends + 1 + 140 + epochs;
    let put = |at: usize, bytes: &[u8]| {
        let (front, behind) = answered.split_at_checked(at).unwrap_or_default();
        [front, bytes, behind.get(1..).unwrap_or_default()].concat()
    };
    let flag = "A flag is 0 or 1.";
    for (id, comment, plaintext) in [
        (
            "count-long-form",
            "A number of elements that is not in its shortest form.",
            put(count, &[0x40, 1]),
        ),
        (
            "count-too-high",
            "More elements announced than there are.",
            put(count, &[2]),
        ),
        ("count-too-low", "", put(count, &[0])),
        ("origin-3", "", put(origin, &[3])),
        ("standing-2", "", put(standing, &[2])),
        ("turn-3", "", put(turn, &[3])),
        ("sends-2", flag, put(sends, &[2])),
        ("receiving-2", flag, put(receiving, &[2])),
        ("address-long-form", "", put(0, &[0x40, 3])),
    ] {
        invalid(
            cases,
            &format!("conversation-{id}"),
            CONVERSATION,
            comment,
            &plaintext,
        );
    }
    let alone = with_state(&made.answered, |state| {
        state.standing = RECEIVE_ONLY;
        state.ratchet.stop_sending();
    });
    let late = standing + 1 + 16;
    let mut other = alone;
    for byte in other.iter_mut().skip(late).take(1) {
        *byte = 2;
    }
    invalid(cases, "conversation-late-2", CONVERSATION, flag, &other);
}
