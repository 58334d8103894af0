//! Every status of groups comes out of a call or an event.

mod common;

use std::ptr::null_mut;

use common::groups::*;
use common::insider::{RECORD, key_package, member};
use common::stored;
use common::*;
use subrosa::mls::hazmat::{Insider, SentAs, read_nodes, write_nodes};
use subrosa::mls::{
    CipherSuite, Client, Content, ExtensionType, Extensions, FramedContent, KeyPackage, LeafIndex,
    Lifetime, Message, Proposal, Psk, PskSource, Signer, WireFormat,
};
use subrosa::os_rng;
use subrosa_capi::device::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;
use zeroize::Zeroizing;

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// A message of a member that keeps no rule, encrypted as it should be.
fn private(insider: &Insider<'_>, content: FramedContent, sent_as: SentAs) -> Vec<u8> {
    let signed = insider.sign(WireFormat::PrivateMessage, content, insider.signer());
    insider.private(&signed.unwrap(), sent_as, 0).unwrap()
}

/// As this sender, with its next key.
const fn sent_as(leaf: u32) -> SentAs {
    SentAs {
        leaf: LeafIndex(leaf),
        generation: None,
        reuse_guard: [1; 4],
    }
}

#[test]
fn what_is_no_message_of_the_group() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let text = circle.tell(1, b"text");
    assert_eq!(not_heard(alice, b""), SUBROSA_ERROR_GROUP_MALFORMED);
    let package = key_packages(bob, 1, NOW).remove(1);
    assert_eq!(not_heard(alice, &package), SUBROSA_ERROR_GROUP_MALFORMED);
    let mut other = text.clone();
    other[1] = 9;
    assert_eq!(not_heard(alice, &other), SUBROSA_ERROR_GROUP_VERSION);
    let mut other = text.clone();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(not_heard(alice, &other), SUBROSA_ERROR_GROUP_DECRYPTION);
    assert_eq!(hear(alice, &[&text])[0].text, b"text");
    assert_eq!(not_heard(alice, &text), SUBROSA_ERROR_GROUP_DUPLICATE);
    assert_eq!(not_heard(bob, &text), SUBROSA_ERROR_GROUP_OWN_MESSAGE);
    let (dave, _) = create(memory());
    assert_eq!(not_heard(dave, &text), SUBROSA_ERROR_GROUP_UNKNOWN);
    // Its keys are kept for three changes.
    let late = [circle.tell(1, b"late"), circle.tell(1, b"too late")];
    for round in 0..4 {
        circle.change(0, &[]);
        if round == 2 {
            assert_eq!(hear(alice, &late[..1])[0].text, b"late");
        }
    }
    assert_eq!(not_heard(alice, &late[1]), SUBROSA_ERROR_GROUP_EPOCH_GONE);
    ok!(subrosa_device_free(dave));
    circle.free();
}

#[test]
fn welcomes_that_let_nobody_in() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let (dave, _) = create(memory());
    introduce(alice, dave);
    introduce(dave, alice);
    introduce(dave, bob);
    let published = key_packages(dave, 1, NOW);
    let made = change(alice, group, &[&published[0]], &[]);
    circle.take(0, &made);
    let welcome = &made.copies[1].1;
    assert_eq!(
        not_heard(bob, welcome),
        SUBROSA_ERROR_GROUP_KEY_PACKAGE_GONE
    );
    let mut other = welcome.clone();
    // Behind version and wire format.
    other[4..6].copy_from_slice(&[0, 77]);
    assert_eq!(not_heard(dave, &other), SUBROSA_ERROR_GROUP_SUITE);
    assert_eq!(kinds(&hear(dave, &[welcome])).len(), 1);
    // A key package of last resort is there again, and so is the group.
    assert_eq!(not_heard(dave, welcome), SUBROSA_ERROR_OCCUPIED);

    // A tree with more places than there may be.
    let (erin, _) = create(memory());
    let package = key_package(&key_packages(erin, 1, NOW)[1]);
    let alices = member(&circle.disks[0], group);
    let insider = Insider::new(&alices);
    let mut forgery = insider.commit();
    forgery.propose(Proposal::Add(Box::new(package.clone())));
    let forged = forgery.finish().unwrap();
    let first = read_nodes(&alices.ratchet_tree().unwrap())
        .unwrap()
        .remove(0);
    let mut nodes = vec![0; (1 << 21) - 1];
    // Behind their length.
    nodes.extend_from_slice(&write_nodes(&[first]).unwrap()[2..]);
    let length = u32::try_from(nodes.len()).unwrap() | 0x8000_0000;
    let tree = [&length.to_be_bytes()[..], &nodes].concat();
    let extensions = Extensions::new().with(ExtensionType::RATCHET_TREE, tree);
    let info = forged
        .invitation
        .group_info(extensions, alices.leaf(), insider.signer())
        .unwrap();
    let full = forged
        .invitation
        .welcome(&info, &[], &[(&package, None)], [1; 32])
        .unwrap();
    assert_eq!(not_heard(erin, full), SUBROSA_ERROR_GROUP_FULL);
    for phone in [dave, erin] {
        ok!(subrosa_device_free(phone));
    }
    circle.free();
}

#[test]
fn what_a_hostile_member_sends() {
    let circle = Circle::new(3);
    let (alice, group) = (circle.phones[0], &circle.group);
    let bobs = member(&circle.disks[1], group);
    let insider = Insider::new(&bobs);
    let text = || insider.framed(Content::Application(b"text".to_vec()));
    let remove = || insider.framed(Content::Proposal(Proposal::Remove(LeafIndex(2))));

    let anybody = Signer::generate(SUITE, &mut os_rng()).unwrap();
    let signed = insider.sign(WireFormat::PrivateMessage, text(), &anybody);
    let signed = insider.private(&signed.unwrap(), sent_as(1), 0).unwrap();
    assert_eq!(not_heard(alice, signed), SUBROSA_ERROR_GROUP_SIGNATURE);
    let nobody = private(&insider, text(), sent_as(3));
    assert_eq!(not_heard(alice, nobody), SUBROSA_ERROR_GROUP_SENDER);
    let signed = insider.sign(WireFormat::PublicMessage, remove(), insider.signer());
    let mut tagged = insider.public(signed.unwrap()).unwrap();
    *tagged.last_mut().unwrap() ^= 1;
    assert_eq!(not_heard(alice, tagged), SUBROSA_ERROR_GROUP_TAG);
    // A text that is none of this protocol's, and one that is not encrypted: rule 41.
    let nothing = insider.framed(Content::Application(Vec::new()));
    let nothing = private(&insider, nothing, sent_as(1));
    assert_eq!(not_heard(alice, nothing), SUBROSA_ERROR_MALFORMED);
    let signed = insider.sign(WireFormat::PublicMessage, text(), insider.signer());
    let clear = insider.public(signed.unwrap()).unwrap();
    assert_eq!(not_heard(alice, clear), SUBROSA_ERROR_GROUP_RULE + 41);

    // Somebody who is no device; and a key that no device has.
    let lifetime = Lifetime::from_now(NOW / 1_000, 1_000);
    let (stranger, _) = KeyPackage::generate(
        SUITE,
        &anybody,
        Client::basic(b"nobody"),
        lifetime,
        Extensions::new(),
        &mut os_rng(),
    )
    .unwrap();
    let add = insider.framed(Content::Proposal(Proposal::Add(Box::new(stranger))));
    let add = private(&insider, add, sent_as(1));
    assert_eq!(not_heard(alice, add), SUBROSA_ERROR_GROUP_REFUSED);
    let mut bobs = member(&circle.disks[1], group);
    let with_key = bobs
        .commit()
        .psk(Psk::External(b"ours".to_vec()))
        .build(&Ours, NOW / 1_000, &mut os_rng())
        .unwrap();
    assert_eq!(not_heard(alice, with_key.commit), SUBROSA_ERROR_GROUP_PSK);

    // More proposals than are held: each is another one.
    let bobs = member(&circle.disks[1], group);
    let insider = Insider::new(&bobs);
    let many: Vec<_> = (0..1_025_u32)
        .map(|number| {
            let mut content = insider.framed(Content::Proposal(Proposal::Remove(LeafIndex(2))));
            content.authenticated_data = number.to_be_bytes().to_vec();
            let as_bob = SentAs {
                generation: Some(number),
                ..sent_as(1)
            };
            private(&insider, content, as_bob)
        })
        .collect();
    let events = hear(alice, &many);
    let (last, kept) = events.split_last().unwrap();
    assert_eq!(kinds(kept), [SUBROSA_EVENT_GROUP_PROPOSED; 1_024]);
    assert_eq!((last.kind, last.envelope), (SUBROSA_EVENT_REJECTED, 1_024));
    assert_eq!(
        (last.group, last.status),
        (*group, SUBROSA_ERROR_GROUP_TOO_MANY_PROPOSALS)
    );
    assert_eq!(last.action, SUBROSA_ACTION_CHANGE_GROUP);
    circle.free();
}

/// A key that groups of devices do not have.
struct Ours;

impl PskSource for Ours {
    fn psk(&self, _: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(vec![7; 32]))
    }
}

#[test]
fn changes_that_are_not_made() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let (dave, _) = create(memory());
    let published = key_packages(dave, 1, NOW);
    let package = published[1].as_slice();
    let refused = |add: &[&[u8]], remove: &[_], now| {
        try_change(alice, group, b"1", (add, remove), now).unwrap_err()
    };
    assert_eq!(refused(&[package], &[], NOW), SUBROSA_ERROR_UNKNOWN_ACCOUNT);
    introduce(alice, dave);
    introduce(bob, dave);
    assert_eq!(refused(&[b""], &[], NOW), SUBROSA_ERROR_GROUP_MALFORMED);
    // It has run out: rule 5. And one who is a member already: rule 18.
    let late = NOW + 91 * DAY;
    assert_eq!(refused(&[package], &[], late), SUBROSA_ERROR_GROUP_RULE + 5);
    let bobs = key_packages(bob, 1, NOW);
    assert_eq!(
        refused(&[&bobs[1]], &[], NOW),
        SUBROSA_ERROR_GROUP_RULE + 18
    );
    assert_eq!(refused(&[], &[address(dave)], NOW), SUBROSA_ERROR_NOT_FOUND);
    let mut other = key_package(package);
    other.init_key = vec![0xff; 32];
    let other = Message::KeyPackage(other).encode().unwrap();
    assert_eq!(refused(&[&other], &[], NOW), SUBROSA_ERROR_GROUP_KEY);
    // Another's key in the name of a device.
    let mut other = key_package(package);
    other.leaf_node.signature_key = key_package(&bobs[1]).leaf_node.signature_key;
    let other = Message::KeyPackage(other).encode().unwrap();
    assert_eq!(refused(&[&other], &[], NOW), SUBROSA_ERROR_IDENTITY_CHANGED);
    let mut other = key_package(package);
    other.leaf_node.credential = Client::basic(b"nobody").credential;
    let other = Message::KeyPackage(other).encode().unwrap();
    assert_eq!(refused(&[&other], &[], NOW), SUBROSA_ERROR_MALFORMED);
    assert_eq!(
        try_change(alice, group, b"", (&[], &[]), NOW),
        Err(SUBROSA_ERROR_CLIENT_ID)
    );
    assert_eq!(
        try_tell(alice, group, b"1", &vec![1; SUBROSA_TEXT_MAX + 1]),
        Err(SUBROSA_ERROR_TOO_LONG)
    );
    assert_eq!(
        try_tell(dave, group, b"1", b"1"),
        Err(SUBROSA_ERROR_NOT_FOUND)
    );
    assert_eq!(outbox_of_groups(alice), []);
    assert_eq!(epoch(alice, group).0, 1);

    // Who is a member no more.
    let leaves = try_leave(bob, group, b"bye").unwrap();
    hear(alice, &[&leaves.copies[0].1]);
    let made = change(alice, group, &[package], &[]);
    circle.take(0, &made);
    introduce(dave, alice);
    introduce(dave, bob);
    hear(dave, &[&made.copies[1].1]);
    let left = hear(bob, &[&made.copies[0].1]);
    assert_eq!(left[0].kind, SUBROSA_EVENT_GROUP_LEFT);
    assert_eq!(
        try_tell(bob, group, b"1", b"1"),
        Err(SUBROSA_ERROR_GROUP_OVER)
    );
    ok!(subrosa_device_free(dave));
    circle.free();
}

#[test]
fn a_proposal_that_others_have_not_seen() {
    let circle = Circle::new(3);
    let [alice, bob, carol] = circle.phones[..] else {
        panic!("three");
    };
    let leaves = try_leave(carol, &circle.group, b"bye").unwrap();
    hear(alice, &[&leaves.copies[0].1]);
    let made = change(alice, &circle.group, &[], &[]);
    assert_eq!(
        not_heard(bob, &made.copies[0].1),
        SUBROSA_ERROR_GROUP_PROPOSAL_MISSING
    );
    // Behind it, it is taken.
    hear(bob, &[&leaves.copies[0].1]);
    circle.take(1, &made);
    circle.free();
}

#[test]
fn chains_that_are_too_long() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let mut bobs = member(&circle.disks[1], group);
    let mut sent: Vec<_> = (0..2_002)
        .map(|_| bobs.seal(b"text", b"", &mut os_rng()).unwrap())
        .collect();
    let last = sent.pop().unwrap();
    assert_eq!(not_heard(alice, last), SUBROSA_ERROR_GROUP_GAP_TOO_LARGE);

    // Bob has sent as many messages as there can be in an epoch.
    circle.tell(1, b"first");
    ok!(subrosa_device_free(bob));
    let sender = [&group[..], &[7], &1_u64.to_be_bytes(), &1_u32.to_be_bytes()].concat();
    stored::change(&circle.disks[1], RECORD, &sender, |ratchets| {
        // Behind the ratchet for changes: its next generation.
        let at = ratchets.len() / 2;
        assert_eq!(ratchets[at..at + 4], [0, 0, 0, 1]);
        ratchets[at..at + 4].fill(0xff);
    });
    let bob = open(circle.disks[1].store());
    assert_eq!(
        try_tell(bob, group, b"1", b"1"),
        Err(SUBROSA_ERROR_GROUP_CHAIN_EXHAUSTED)
    );
    ok!(subrosa_device_free(bob));

    // And a later release has stored the group.
    let head = [&group[..], &[0]].concat();
    stored::change(&circle.disks[1], RECORD, &head, |head| head[1] = 2);
    let bob = open(circle.disks[1].store());
    let mut none = null_mut();
    fails!(SUBROSA_ERROR_GROUP_STATE_VERSION, unsafe {
        subrosa_device_group_members(bob, group.as_ptr(), &mut none)
    });
    stored::change(&circle.disks[1], RECORD, &head, |head| {
        head[1] = 1;
        head.truncate(3);
    });
    fails!(SUBROSA_ERROR_INTEGRITY, unsafe {
        subrosa_device_group_members(bob, group.as_ptr(), &mut none)
    });
    for phone in [alice, bob] {
        ok!(subrosa_device_free(phone));
    }
}
