//! What each status means, and what the app should do about it.

mod common;

use std::collections::BTreeSet;

use common::text;
use subrosa::file::pack;
use subrosa::mls::Rule;
use subrosa::{Action, device, file, identity, mls, session};
use subrosa_capi::status::*;

const HEADER: &str = include_str!("../include/subrosa.h");

/// The `#define`s of the header that begin with this.
fn defined(prefix: &str) -> Vec<(&'static str, i32)> {
    HEADER
        .lines()
        .filter_map(|line| {
            let mut words = line.strip_prefix("#define ")?.split_whitespace();
            let name = words.next()?.strip_prefix(prefix)?;
            Some((name, words.next()?.parse().ok()?))
        })
        .collect()
}

/// Every error of a conversation with the status that it becomes; those without a name in the header come out of no call.
const SESSION: [(session::Error, &str); 20] = {
    use session::Error::*;
    [
        (Malformed, "MALFORMED"),
        (UnknownVersion, "VERSION"),
        (UnknownKind, "KIND"),
        (Duplicate, "DUPLICATE"),
        (ReplayedFirst, "REPLAYED_FIRST"),
        (NoSession, "NO_SESSION"),
        (GapTooLarge, "GAP_TOO_LARGE"),
        (Forked, "FORKED"),
        (ChainExhausted, "CHAIN_EXHAUSTED"),
        (Unanswered, ""),
        (PrekeyGone, "PREKEY_GONE"),
        (StaleBundle, "STALE_BUNDLE"),
        (BadSignature, "SIGNATURE"),
        (ReplayRecordFull, "REPLAY_RECORD_FULL"),
        (PrekeysExhausted, "PREKEYS_EXHAUSTED"),
        (IdentityChanged, "IDENTITY_CHANGED"),
        (OwnIdentity, "OWN_IDENTITY"),
        (TooLong, "TOO_LONG"),
        (Integrity, "INTEGRITY"),
        (Rng, "RNG"),
    ]
};

const IDENTITY: [(identity::Error, &str); 15] = {
    use identity::Error::*;
    [
        (Malformed, "LIST_MALFORMED"),
        (UnknownVersion, "LIST_VERSION"),
        (BadSignature, "LIST_SIGNATURE"),
        (OtherAccount, "OTHER_ACCOUNT"),
        (Equivocation, "EQUIVOCATION"),
        (OldList, "OLD_LIST"),
        (MissingLists, "MISSING_LISTS"),
        (BadCommitment, "BAD_COMMITMENT"),
        (WrongKey, "WRONG_KEY"),
        (KeyInUse, "KEY_IN_USE"),
        (UnknownDevice, ""),
        (TooManyDevices, "TOO_MANY_DEVICES"),
        (TooManyKeys, "TOO_MANY_KEYS"),
        (Exhausted, "EXHAUSTED"),
        (Rng, "RNG"),
    ]
};

const DEVICE: [(device::Error, &str); 16] = {
    use device::Error::*;
    [
        (UnknownAccount, "UNKNOWN_ACCOUNT"),
        (KeyChanged, "KEY_CHANGED"),
        (Unreached, "UNREACHED"),
        (NotLinked, "NOT_LINKED"),
        (NotPrimary, "NOT_PRIMARY"),
        (ListDue, "LIST_DUE"),
        (ClientId, "CLIENT_ID"),
        (NotFound, "NOT_FOUND"),
        (Occupied, "OCCUPIED"),
        (Empty, "EMPTY"),
        (RolledBack, "ROLLED_BACK"),
        (Stale, "STALE"),
        (Failed, "FAILED"),
        (Unreadable, "UNREADABLE"),
        (Unknown, "UNKNOWN"),
        (GroupSetBack, "GROUP_SET_BACK"),
    ]
};

const FILE: [(file::Error, &str); 14] = {
    use file::Error::*;
    [
        (Commitment, "FILE_COMMITMENT"),
        (Chunk, "FILE_CHUNK"),
        (Truncated, "FILE_TRUNCATED"),
        (Proof, "FILE_PROOF"),
        (Id, "FILE_ID"),
        (Padding, "FILE_PADDING"),
        (Altered, ""),
        (NotAdmitted, "FILE_NOT_ADMITTED"),
        (UnknownVersion, "FILE_VERSION"),
        (TooLong, "FILE_TOO_LONG"),
        (Ended, "FILE_ENDED"),
        (OutOfRange, "FILE_RANGE"),
        (Malformed, "FILE_MALFORMED"),
        (Rng, "RNG"),
    ]
};

const PACK: [(pack::Error, &str); 12] = {
    use pack::Error::*;
    [
        (Integrity, "PACK_INTEGRITY"),
        (Malformed, "PACK_MALFORMED"),
        (UnknownVersion, "PACK_VERSION"),
        (OtherKey, "PACK_OTHER_KEY"),
        (BadSignature, "PACK_SIGNATURE"),
        (OtherPack, "PACK_OTHER_PACK"),
        (Fork, "PACK_FORK"),
        (Rollback, "PACK_ROLLBACK"),
        (TooLong, "PACK_TOO_LONG"),
        (KeyInUse, "PACK_KEY_IN_USE"),
        (Exhausted, "PACK_EXHAUSTED"),
        (Rng, "RNG"),
    ]
};

const GROUP: [(mls::Error, &str); 30] = {
    use mls::Error::*;
    [
        (Malformed, "GROUP_MALFORMED"),
        (UnsupportedVersion, "GROUP_VERSION"),
        (UnsupportedSuite, "GROUP_SUITE"),
        (TooLong, ""),
        (InvalidKey, "GROUP_KEY"),
        (WrongGroup, "GROUP_UNKNOWN"),
        (WrongEpoch, "GROUP_EPOCH"),
        (EpochGone, "GROUP_EPOCH_GONE"),
        (Decryption, "GROUP_DECRYPTION"),
        (BadSignature, "GROUP_SIGNATURE"),
        (BadTag, "GROUP_TAG"),
        (UnknownSender, "GROUP_SENDER"),
        (GenerationUsed, "GROUP_DUPLICATE"),
        (GenerationTooFar, "GROUP_GAP_TOO_LARGE"),
        (RatchetExhausted, "GROUP_CHAIN_EXHAUSTED"),
        (UnknownProposal, "GROUP_PROPOSAL_MISSING"),
        (UnknownPsk, "GROUP_PSK"),
        (NotForThisKeyPackage, "GROUP_KEY_PACKAGE_GONE"),
        (OwnMessage, "GROUP_OWN_MESSAGE"),
        (ProposalsWait, "GROUP_PROPOSALS_WAIT"),
        (CommitWaits, "GROUP_CHANGE_WAITS"),
        (NoCommitWaits, "GROUP_NO_CHANGE_WAITS"),
        (Over, "GROUP_OVER"),
        (Stale, ""),
        (Refused, "GROUP_REFUSED"),
        (GroupFull, "GROUP_FULL"),
        (TooManyProposals, "GROUP_TOO_MANY_PROPOSALS"),
        (Integrity, ""),
        (UnknownVersion, "GROUP_STATE_VERSION"),
        (Rng, "RNG"),
    ]
};

/// The numbers of the rules of groups, which have one name.
fn rules() -> impl Iterator<Item = i32> {
    Rule::ALL
        .iter()
        .map(|rule| mls::Error::Invalid(*rule).code().into())
}

fn number_of(name: &str) -> Option<i32> {
    let all = defined("SUBROSA_ERROR_");
    all.iter()
        .find(|(other, _)| *other == name)
        .map(|row| row.1)
}

const fn action_of(action: Action) -> subrosa_action {
    match action {
        Action::Nothing => SUBROSA_ACTION_NOTHING,
        Action::Drop => SUBROSA_ACTION_DROP,
        Action::AskAgain => SUBROSA_ACTION_ASK_AGAIN,
        Action::BeginAnew => SUBROSA_ACTION_BEGIN_ANEW,
        Action::FetchBundle => SUBROSA_ACTION_FETCH_BUNDLE,
        Action::RotatePrekeys => SUBROSA_ACTION_ROTATE_PREKEYS,
        Action::AskUser => SUBROSA_ACTION_ASK_USER,
        Action::Local => SUBROSA_ACTION_LOCAL,
        _ => -1,
    }
}

#[test]
fn every_number_stands_for_one_status() {
    let all = defined("SUBROSA_ERROR_");
    let numbers: BTreeSet<_> = all.iter().map(|row| row.1).collect();
    assert_eq!(numbers.len(), all.len());
    let mut texts = BTreeSet::new();
    for (name, number) in &all {
        assert_ne!(text(*number), "not a status of this library", "{name}");
        assert!(texts.insert(text(*number)), "{name}");
        assert_ne!(
            subrosa_status_action(*number),
            SUBROSA_ACTION_NOTHING,
            "{name}"
        );
    }
    assert_eq!(text(SUBROSA_OK), "done");
    assert_eq!(subrosa_status_action(SUBROSA_OK), SUBROSA_ACTION_NOTHING);
}

#[test]
fn a_number_without_a_name_is_no_status() {
    let mut known: BTreeSet<_> = defined("SUBROSA_ERROR_").iter().map(|row| row.1).collect();
    known.extend(rules());
    for number in (-1_000..1_000).chain([i32::MIN, i32::MAX]) {
        let is_status = number == SUBROSA_OK || known.contains(&number);
        assert_eq!(text(number) != "not a status of this library", is_status);
        if !is_status {
            assert_eq!(subrosa_status_action(number), SUBROSA_ACTION_CALLER);
        }
    }
}

#[test]
fn attack_i8_a_text_says_nothing_but_what_went_wrong() {
    for (name, number) in defined("SUBROSA_ERROR_") {
        let text = text(number);
        let plain = |c: char| c.is_ascii_alphabetic() || " '-".contains(c);
        assert!(
            text.chars().all(plain) && !text.is_empty(),
            "{name}: {text}"
        );
    }
}

#[test]
fn an_error_has_its_own_number_and_action() {
    let mut named = BTreeSet::new();
    for (error, name) in SESSION {
        if name.is_empty() {
            assert_eq!(text(error.code().into()), "not a status of this library");
            continue;
        }
        let number = number_of(name).unwrap();
        assert_eq!(number, i32::from(error.code()), "{name}");
        assert_eq!(
            subrosa_status_action(number),
            action_of(error.action()),
            "{name}"
        );
        named.insert(number);
    }
    let codes = IDENTITY
        .map(|(error, name)| (error.code(), name))
        .into_iter();
    let codes = codes
        .chain(DEVICE.map(|(error, name)| (error.code(), name)))
        .chain(FILE.map(|(error, name)| (error.code(), name)))
        .chain(PACK.map(|(error, name)| (error.code(), name)))
        .chain(GROUP.map(|(error, name)| (error.code(), name)));
    for (code, name) in codes {
        if name.is_empty() {
            assert_eq!(text(code.into()), "not a status of this library");
            continue;
        }
        assert_eq!(number_of(name), Some(code.into()), "{name}");
        named.insert(code.into());
    }
    // All that is of the core is in the tables.
    for (name, number) in defined("SUBROSA_ERROR_") {
        assert_eq!(
            (101..400).contains(&number) || (501..800).contains(&number),
            named.contains(&number),
            "{name}"
        );
    }
}

/// Every rule of SPEC §22.2 is 800 and its number, and has the text and the action of all of them.
#[test]
fn a_rule_of_groups_is_its_number() {
    let numbers: Vec<_> = rules().collect();
    assert_eq!(numbers, (801..=852).collect::<Vec<_>>());
    assert!(HEADER.contains("GROUP_RULE 800               /* 801 to 852: "));
    for number in numbers {
        assert_eq!(text(number), "a rule of groups is broken");
        assert_eq!(subrosa_status_action(number), SUBROSA_ACTION_DROP);
    }
    assert_eq!(number_of("GROUP_RULE"), Some(800));
    for number in [799, 853] {
        assert_eq!(text(number), "not a status of this library");
    }
    // What is not intact is so whatever is stored.
    let error = device::Error::from(mls::Error::Integrity);
    assert_eq!(number_of("INTEGRITY"), Some(error.code().into()));
}

#[test]
fn every_action_is_that_of_the_header() {
    let actions = defined("SUBROSA_ACTION_");
    let numbers: Vec<_> = actions.iter().map(|row| row.1).collect();
    assert_eq!(numbers, (0..=12).collect::<Vec<_>>());
    for (_, number) in defined("SUBROSA_ERROR_") {
        assert!(numbers.contains(&subrosa_status_action(number)));
    }
    for (name, action) in [
        ("UNKNOWN_ACCOUNT", SUBROSA_ACTION_FETCH_LIST),
        ("KEY_CHANGED", SUBROSA_ACTION_ASK_USER),
        ("UNREACHED", SUBROSA_ACTION_FETCH_BUNDLE),
        ("LIST_DUE", SUBROSA_ACTION_FETCH_LIST),
        ("MISSING_LISTS", SUBROSA_ACTION_FETCH_LIST),
        ("EQUIVOCATION", SUBROSA_ACTION_ASK_USER),
        ("BAD_COMMITMENT", SUBROSA_ACTION_ASK_USER),
        ("STALE", SUBROSA_ACTION_CALL_AGAIN),
        ("FILE_BUSY", SUBROSA_ACTION_CALL_AGAIN),
        ("FILE_PROOF", SUBROSA_ACTION_FETCH_AGAIN),
        ("FILE_NOT_ADMITTED", SUBROSA_ACTION_ASK_USER),
        ("PACK_INTEGRITY", SUBROSA_ACTION_FETCH_AGAIN),
        ("PACK_FORK", SUBROSA_ACTION_ASK_USER),
        ("PACK_ROLLBACK", SUBROSA_ACTION_DROP),
        ("GROUP_SET_BACK", SUBROSA_ACTION_CHANGE_GROUP),
        ("GROUP_PROPOSALS_WAIT", SUBROSA_ACTION_CHANGE_GROUP),
        ("GROUP_KEY_PACKAGE_GONE", SUBROSA_ACTION_ROTATE_PREKEYS),
        ("GROUP_PROPOSAL_MISSING", SUBROSA_ACTION_FETCH_AGAIN),
        ("ARGUMENT", SUBROSA_ACTION_CALLER),
        ("INTERNAL", SUBROSA_ACTION_LOCAL),
    ] {
        assert_eq!(subrosa_status_action(number_of(name).unwrap()), action);
    }
}
