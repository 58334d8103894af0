//! Groups that an earlier version of the library stored: a member's records (SPEC §22.6), and the whole store of a device in a
//! group (§19.4, kinds 12 to 16). They are read, are the same when they are written again, and the group goes on. The fixture
//! of a released version is never made anew; that of a draft is when the draft changes
//! (`cargo test -p subrosa-conformance --test stored_groups -- --ignored`).

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use subrosa::device::store::Key;
use subrosa::device::{
    Commit, Device, GroupChange, GroupEvent, GroupId, GroupOutgoing, MemoryStore, Store, hazmat,
};
use subrosa::identity::AccountId;
use subrosa::mls::{
    CipherSuite, Client, Error, Extensions, Founder, JoinOptions, KeyPackage, KeyPackageSecrets,
    Lifetime, Member, NoPsks, Processed, Signer, WireFormat,
};
use subrosa::{Address, AppKey};

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{NOW, SeededRng};

const SECONDS: u64 = NOW / 1_000;
const KEY: [u8; 32] = [7; 32];

/// Kinds of values of groups (SPEC §19.4).
const GROUP: u16 = 12;
const RECORD: u16 = 13;
const LIST: u16 = 14;
const KEY_PACKAGES: u16 = 15;
const OUTBOX: u16 = 16;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/stored-group-1.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn pairs(value: &Value) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let pairs = value.as_object().unwrap().iter();
    pairs
        .map(|(name, content)| (hex::decode(name).unwrap(), bytes(content)))
        .collect()
}

fn load(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Member, Error> {
    Member::load(|name| Ok(records.get(name.as_bytes()).cloned().map(Into::into)))
}

/// All records of a member.
fn records(member: &mut Member) -> BTreeMap<Vec<u8>, Vec<u8>> {
    member.store_anew();
    let changes = member.changes().unwrap();
    assert_eq!(changes.deletes, []);
    changes
        .puts
        .into_iter()
        .map(|(name, content)| (name.as_bytes().to_vec(), content.to_vec()))
        .collect()
}

#[test]
fn a_member_of_version_1_goes_on() {
    let fixture = &fixture()["member"];
    let stored = pairs(&fixture["records"]);
    let mut member = load(&stored).unwrap();
    assert_eq!(records(&mut member), stored);
    assert_eq!(json!(member.epoch()), fixture["epoch"]);
    let authenticator = hex::encode(member.epoch_authenticator());
    assert_eq!(json!(authenticator), fixture["authenticator"]);
    for late in fixture["late"].as_array().unwrap() {
        let (_, text) = member.open(&bytes(&late["message"])).unwrap();
        assert_eq!(text, bytes(&late["text"]));
        let again = member.open(&bytes(&late["message"]));
        assert_eq!(again, Err(Error::GenerationUsed));
    }
    assert_eq!(member.proposals().count(), 1);
    // Its own commit waits; another one came before it.
    let waiting = bytes(&fixture["waiting"]);
    let staged = member.process(&waiting, &NoPsks, SECONDS);
    assert!(matches!(staged, Ok(Processed::OwnCommit)));
    let mut merged = load(&stored).unwrap();
    merged.merge_pending().unwrap();
    let after = hex::encode(merged.epoch_authenticator());
    assert_eq!(json!(after), fixture["authenticator_of_waiting"]);
    let other = bytes(&fixture["commit"]);
    let Processed::Commit(staged) = member.process(&other, &NoPsks, SECONDS).unwrap() else {
        panic!("not a commit");
    };
    member.merge(staged.approve(|_| true).unwrap()).unwrap();
    let after = hex::encode(member.epoch_authenticator());
    assert_eq!(json!(after), fixture["authenticator_of_commit"]);
    let mut later = stored.clone();
    later.get_mut(&[0][..]).unwrap()[1] = 2;
    assert_eq!(load(&later).err(), Some(Error::UnknownVersion));
}

/// The store as it was.
fn store(fixture: &Value) -> MemoryStore {
    let mut store = MemoryStore::new();
    let last = fixture["generation"].as_u64().unwrap() - 1;
    for base in 0..last {
        assert_eq!(store.commit(base, &[], &[]), Commit::Committed);
    }
    let values = pairs(&fixture["values"]).into_iter();
    let values: Vec<(Key, Vec<u8>)> = values
        .map(|(key, value)| (key.try_into().unwrap(), value))
        .collect();
    assert_eq!(store.commit(last, &values, &[]), Commit::Committed);
    store
}

#[test]
fn a_device_in_a_group_of_version_1_goes_on() {
    let fixture = &fixture()["device"];
    let rng = &mut SeededRng(2);
    let mut values = store(fixture);
    let group = bytes(&fixture["group"]);
    let mut head = group.clone();
    head.push(0);
    let mut counts = group.clone();
    counts.push(2);
    for (kind, name) in [
        (GROUP, &group[..]),
        (RECORD, &head),
        (RECORD, &counts),
        (LIST, &[]),
        (KEY_PACKAGES, &[]),
        (OUTBOX, b"waiting"),
    ] {
        let key = hazmat::store_key(&KEY, kind, name);
        let value = values.get(&key).unwrap().unwrap();
        let (_, plaintext) = hazmat::open_value(&KEY, kind, name, &value).unwrap();
        assert_eq!(
            hazmat::rewrite(kind, &plaintext).unwrap(),
            plaintext,
            "{kind}"
        );
    }
    let group = GroupId::from_bytes(group.try_into().unwrap());
    let mut device = Device::open(values, AppKey::new(KEY), None).unwrap();
    assert_eq!(device.groups(rng), Ok(vec![group]));
    let (epoch, authenticator) = device.group_epoch(&group, rng).unwrap();
    assert_eq!(json!(epoch), fixture["epoch"]);
    assert_eq!(json!(hex::encode(authenticator)), fixture["authenticator"]);
    let sent = device.retry_group(b"waiting", rng).unwrap().unwrap();
    assert_eq!(sent.message, bytes(&fixture["waiting"]));
    let inbox = device.inbox(0, 10, rng).unwrap();
    assert_eq!(json!(hex::encode(&inbox[0].text)), fixture["read"]);
    let unread = bytes(&fixture["unread"]["message"]);
    let events = device.receive_groups(&[&unread], NOW, rng).unwrap();
    let [GroupEvent::Message(received)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(received.text, bytes(&fixture["unread"]["text"]));
    // Its own commit comes back, and it speaks in the epoch that follows.
    let events = device.receive_groups(&[&sent.message], NOW, rng).unwrap();
    assert!(
        matches!(events[..], [GroupEvent::Changed { .. }]),
        "{events:?}"
    );
    let message = GroupOutgoing {
        id: b"on",
        group,
        text: b"It goes on.",
    };
    device.send_to_group(&message, rng).unwrap();
}

fn newcomer(
    suite: CipherSuite,
    name: &str,
    rng: &mut SeededRng,
) -> (KeyPackage, KeyPackageSecrets, Signer) {
    let signer = Signer::generate(suite, rng).unwrap();
    let (client, lifetime) = (
        Client::basic(name.as_bytes()),
        Lifetime::from_now(SECONDS, 86_400),
    );
    let made = KeyPackage::generate(suite, &signer, client, lifetime, Extensions::new(), rng);
    let (key_package, secrets) = made.unwrap();
    (key_package, secrets, signer)
}

fn merge(member: &mut Member, commit: &[u8]) {
    let Processed::Commit(staged) = member.process(commit, &NoPsks, SECONDS).unwrap() else {
        panic!("not a commit");
    };
    member.merge(staged.approve(|_| true).unwrap()).unwrap();
}

/// A member with everything that there can be: past epochs, skipped keys, a proposal, an update of its own, a commit.
fn member() -> Value {
    let (suite, rng) = (CipherSuite::P256_AES128, &mut SeededRng(1));
    let founder = Founder {
        signer: Signer::generate(suite, rng).unwrap(),
        client: Client::basic(b"one"),
        lifetime: Lifetime::from_now(SECONDS, 86_400),
    };
    let mut one = Member::create(suite, b"a group", Extensions::new(), founder, rng).unwrap();
    let mut commit = one.commit();
    let others: Vec<_> = (0..8)
        .map(|n| newcomer(suite, &format!("{n}"), rng))
        .collect();
    for (key_package, _, _) in &others {
        commit = commit.add_client(key_package.clone());
    }
    let welcome = commit
        .build(&NoPsks, SECONDS, rng)
        .unwrap()
        .welcome
        .unwrap();
    one.merge_pending().unwrap();
    let mut rest: Vec<Member> = others
        .into_iter()
        .map(|(key_package, secrets, signer)| {
            let options = JoinOptions::default();
            let joining = Member::join(
                &welcome,
                &key_package,
                &secrets,
                signer,
                &options,
                &NoPsks,
                SECONDS,
            );
            joining.unwrap().approve(|_| true).unwrap()
        })
        .collect();
    let mut late = Vec::new();
    for round in 0..3u8 {
        let texts: Vec<_> = (0..4).map(|number| vec![round, number]).collect();
        for (number, text) in texts.into_iter().enumerate() {
            let sender = &mut rest[usize::from(round) * 2];
            let message = sender.seal(&text, b"", rng).unwrap();
            if number == 2 {
                one.open(&message).unwrap();
            } else {
                late.push(json!({"message": hex::encode(message), "text": hex::encode(text)}));
            }
        }
        let commit = rest[3]
            .commit()
            .build(&NoPsks, SECONDS, rng)
            .unwrap()
            .commit;
        rest[3].merge_pending().unwrap();
        merge(&mut one, &commit);
        for (place, member) in rest.iter_mut().enumerate() {
            if place != 3 {
                merge(member, &commit);
            }
        }
    }
    let signer = Signer::generate(suite, rng).unwrap();
    one.propose_update(None, Some(signer), WireFormat::PrivateMessage, rng)
        .unwrap();
    let other = rest[5]
        .commit()
        .build(&NoPsks, SECONDS, rng)
        .unwrap()
        .commit;
    let waiting = one
        .commit()
        .with_received(false)
        .build(&NoPsks, SECONDS, rng);
    let waiting = waiting.unwrap().commit;
    let stored = records(&mut one);
    let mut merged = load(&stored).unwrap();
    merged.merge_pending().unwrap();
    let mut taken = load(&stored).unwrap();
    merge(&mut taken, &other);
    let stored: serde_json::Map<String, Value> = stored
        .iter()
        .map(|(name, content)| (hex::encode(name), json!(hex::encode(content))))
        .collect();
    json!({
        "records": stored, "epoch": one.epoch(), "authenticator": hex::encode(one.epoch_authenticator()),
        "late": late, "waiting": hex::encode(waiting),
        "authenticator_of_waiting": hex::encode(merged.epoch_authenticator()),
        "commit": hex::encode(other), "authenticator_of_commit": hex::encode(taken.epoch_authenticator()),
    })
}

fn learn(
    of: &mut Device<MemoryStore>,
    by: &mut Device<MemoryStore>,
    rng: &mut SeededRng,
) -> AccountId {
    let account = of.account().unwrap();
    let list = of.list(&account, rng).unwrap().unwrap();
    by.update_list(&account, &[list.as_bytes()], NOW, rng)
        .unwrap();
    account
}

/// The store of a device that has read a message of its group, and whose change waits.
fn device() -> Value {
    let rng = &mut SeededRng(3);
    let [mut alice, mut bob] = [0, 1].map(|_| {
        Device::create(MemoryStore::new(), AppKey::new(KEY), NOW, rng)
            .unwrap()
            .0
    });
    learn(&mut alice, &mut bob, rng);
    learn(&mut bob, &mut alice, rng);
    let packages = bob.publish_key_packages(2, NOW, rng).unwrap();
    let group = alice.create_group(NOW, rng).unwrap();
    let change = GroupChange {
        id: b"add",
        group,
        add: &[&packages.one_time[0]],
        remove: &[] as &[Address],
    };
    let sent = alice.change_group(&change, NOW, rng).unwrap();
    alice.receive_groups(&[&sent.message], NOW, rng).unwrap();
    let subrosa::device::GroupContent::Commit { welcome, .. } = sent.content else {
        panic!("not a commit");
    };
    bob.receive_groups(&[&welcome.unwrap()], NOW, rng).unwrap();
    let mut say = |text: &'static [u8], rng: &mut SeededRng| {
        let message = GroupOutgoing {
            id: text,
            group,
            text,
        };
        alice.send_to_group(&message, rng).unwrap().message
    };
    let read = say(b"read", rng);
    let unread = say(b"not yet read", rng);
    bob.receive_groups(&[&read], NOW, rng).unwrap();
    let waiting = GroupChange {
        id: b"waiting",
        group,
        add: &[],
        remove: &[],
    };
    let waiting = bob.change_group(&waiting, NOW, rng).unwrap();
    let (epoch, authenticator) = bob.group_epoch(&group, rng).unwrap();
    let generation = bob.generation();
    let store = bob.into_store();
    let values: serde_json::Map<String, Value> = store
        .iter()
        .map(|(key, value)| (hex::encode(key), json!(hex::encode(value))))
        .collect();
    json!({
        "generation": generation, "values": values, "group": hex::encode(group.as_bytes()),
        "epoch": epoch, "authenticator": hex::encode(authenticator), "read": hex::encode(b"read"),
        "unread": {"message": hex::encode(unread), "text": hex::encode(b"not yet read")},
        "waiting": hex::encode(waiting.message),
    })
}

#[test]
#[ignore = "it writes the fixture of the present version"]
fn write_the_fixture() {
    let fixture = json!({"member": member(), "device": device()});
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/stored-group-1.json"
    );
    let mut text = serde_json::to_string_pretty(&fixture).unwrap();
    text.push('\n');
    fs::write(path, text).unwrap();
}
