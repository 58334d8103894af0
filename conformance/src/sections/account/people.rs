//! Who takes part: accounts with several entries, devices, and lists of them that may hold what no list may; and
//! SPEC §6.3.

use serde_json::json;

use crate::generate::Cases;
use crate::model::account::{self, Content, Entry, Listed};
use crate::model::formula::{Bytes32, public, sign, verifying_key};

/// An account, with the seeds of all its entries.
pub(in crate::sections) struct Account {
    /// Account seed and recovery seed.
    pub(in crate::sections) seeds: Vec<[Bytes32; 2]>,
}

impl Account {
    /// An account of so many entries.
    pub(in crate::sections) fn new(cases: &Cases, name: &str, entries: usize) -> Self {
        let seeds = (0..entries).map(|index| {
            ["account", "recovery"].map(|key| cases.array(&format!("{name} {key} {index}")))
        });
        Self {
            seeds: seeds.collect(),
        }
    }

    pub(super) fn seeds(&self, index: usize) -> [Bytes32; 2] {
        self.seeds.get(index).copied().unwrap_or_default()
    }

    pub(super) fn entry(&self, index: usize) -> Entry {
        let [account, recovery] = self.seeds(index);
        Entry::of(&account, &recovery)
    }

    /// A list of all the account's entries, in form but for what the caller gives it.
    pub(in crate::sections) fn content(&self, version: u64, devices: Vec<Listed>) -> Content {
        let first = self.entry(0);
        let mut content = Content {
            first,
            later: Vec::new(),
            version,
            prev_hash: match version {
                1 => [0; 32],
                _ => [0xa5; 32],
            },
            next_id: devices.last().map_or(1, |last| last.id.saturating_add(1)),
            devices,
        };
        for (index, _) in self.seeds.iter().enumerate().skip(1) {
            let entry = self.entry(index);
            let number = u8::try_from(index).unwrap_or(u8::MAX);
            let signed = entry.signed(&first.account_id(), number);
            let [_, recovery] = self.seeds(index.saturating_sub(1));
            content.later.push((entry, signature(&recovery, &signed)));
        }
        content
    }

    /// The list signed with the account key of the account's last entry.
    pub(in crate::sections) fn sign(&self, content: &Content) -> Vec<u8> {
        self.sign_by(content, self.seeds.len().saturating_sub(1))
    }

    /// The list signed with the account key of an entry.
    pub(super) fn sign_by(&self, content: &Content, entry: usize) -> Vec<u8> {
        let [account, _] = self.seeds(entry);
        content.sign(&account).unwrap_or_default()
    }
}

/// A signature; zeros if there is none, which no verifier takes.
pub(super) fn signature(seed: &Bytes32, signed: &[u8]) -> [u8; 64] {
    sign(seed, &[signed]).unwrap_or([0; 64])
}

/// The private halves of a device.
pub(super) fn device(cases: &Cases, name: &str) -> [Bytes32; 2] {
    ["seed", "secret"].map(|half| cases.array(&format!("device {name} {half}")))
}

/// The same device in a list.
pub(super) fn listed(cases: &Cases, id: u32) -> Listed {
    let [seed, secret] = device(cases, &id.to_string());
    Listed {
        id,
        iks: verifying_key(&seed),
        ikd: public(&secret),
    }
}

/// The devices with these ids.
pub(in crate::sections) fn all_listed(
    cases: &Cases,
    ids: impl IntoIterator<Item = u32>,
) -> Vec<Listed> {
    ids.into_iter().map(|id| listed(cases, id)).collect()
}

pub(super) fn cases(cases: &mut Cases) {
    for index in 0..2 {
        let alice = Account::new(cases, "alice", 2);
        let ([account, recovery], entry) = (alice.seeds(index), alice.entry(index));
        let id = format!("id-{index}");
        let input =
            json!({"account_seed": hex::encode(account), "recovery_seed": hex::encode(recovery)});
        let answer = cases.accept(&id, "id", "", input);
        for (name, expected) in [
            ("account_key", entry.account),
            ("recovery_key", entry.recovery),
            ("account_id", entry.account_id()),
        ] {
            cases.same(
                &format!("{id}: {name}"),
                answer.bytes(name),
                expected.to_vec(),
            );
        }
    }
    addresses(cases);
}

fn addresses(cases: &mut Cases) {
    let account_id: Bytes32 = cases.array("account id");
    let account = hex::encode(account_id);
    for device in [1, 2, 256, 0x0102_0304, u32::MAX - 1] {
        let address = account::address(&account_id, device);
        let id = format!("address-{device}");
        let input = json!({"account_id": account, "device": device});
        let answer = cases.accept(&id, "address", "", input);
        cases.same(&id, answer.bytes("address"), address.clone());
        let id = format!("parse-{id}");
        let input = json!({"address": hex::encode(address)});
        let answer = cases.accept(&id, "parse_address", "", input);
        let found = (answer.bytes("account_id"), answer.get("device").cloned());
        cases.same(&id, found, (account_id.to_vec(), Some(device.into())));
    }
    let whole = account::address(&account_id, 1);
    for (id, comment, address) in [
        ("empty", "", Vec::new()),
        ("other", "An address of something else.", b"alice".to_vec()),
        (
            "short",
            "A byte is missing.",
            whole.get(..35).unwrap_or_default().to_vec(),
        ),
        ("long", "A byte is left over.", [&whole[..], &[0]].concat()),
        ("longest", "47 bytes.", cases.bytes("longest", 47)),
        (
            "device-0",
            "No device has the id 0.",
            account::address(&account_id, 0),
        ),
    ] {
        let input = json!({"address": hex::encode(address)});
        let id = format!("parse-address-{id}");
        cases.refuse(&id, "parse_address", "Malformed", comment, input);
    }
}
