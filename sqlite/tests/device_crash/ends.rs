//! S2: a process ends before or after every step of its store. Another one goes on from the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, process};

use subrosa::device::Outgoing;
use subrosa::device::store::{Commit, Key, Unreadable};
use subrosa::identity::AccountId;

use crate::*;

const CHILD: &str = "SUBROSA_DEVICE_CHILD";
const STEPS: &str = "SUBROSA_DEVICE_STEPS";
const REPORT: &str = "@ ";

/// A store that ends its process after so many steps; each call of it is two.
struct Ending<S> {
    store: S,
    steps: Option<u64>,
}

impl<S> Ending<S> {
    fn step(&mut self) {
        if let Some(steps) = &mut self.steps {
            if *steps == 0 {
                process::abort();
            }
            *steps -= 1;
        }
    }
}

impl<S: Store> Store for Ending<S> {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.step();
        let value = self.store.get(key);
        self.step();
        value
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.step();
        let outcome = self.store.commit(base, puts, deletes);
        self.step();
        outcome
    }
}

/// What an app does with its device, from wherever a process before it has stopped: reads what the server has, shows what is
/// in the inbox, acknowledges, answers once, hands over the outbox. Each thing that leaves the device is reported.
fn app<S: Store>(
    device: &mut Device<S>,
    envelopes: &[Vec<u8>],
    to: AccountId,
    mut report: impl FnMut(String),
) {
    let rng = &mut SeededRng(device.generation());
    for batch in envelopes.chunks(3) {
        let batch: Vec<_> = batch.iter().map(Vec::as_slice).collect();
        texts(&device.receive(&batch, NOW, rng).unwrap());
    }
    loop {
        let inbox = device.inbox(0, 2, rng).unwrap();
        if inbox.is_empty() {
            break;
        }
        let mut ids = Vec::new();
        for received in inbox {
            report(format!(
                "shown {} {}",
                received.id,
                hex::encode(&received.text)
            ));
            ids.push(received.id);
        }
        device.read(&ids, rng).unwrap();
        for id in ids {
            report(format!("read {id}"));
        }
    }
    let message = Outgoing {
        id: b"answer",
        to,
        text: b"answer",
        partial: false,
    };
    let sent = device.send(&message, NOW, rng).unwrap();
    for copy in sent.copies {
        report(format!("sealed {}", hex::encode(&copy.message)));
    }
    let published = device.publish(2, NOW, rng).unwrap();
    for bundle in published.one_time {
        report(format!(
            "bundle {}",
            hex::encode(&bundle[bundle.len() - 36..])
        ));
    }
}

/// Where envelopes and the account to write to lie beside the store.
fn work(folder: &Path) -> (Vec<Vec<u8>>, AccountId) {
    let text = fs::read_to_string(folder.join("work")).unwrap();
    let mut lines = text.lines().map(|line| hex::decode(line).unwrap());
    let to = lines.next().unwrap().try_into().unwrap();
    (lines.collect(), AccountId::from_bytes(to))
}

/// Not a test: what a child does.
#[test]
#[ignore = "run by the others, as another process"]
fn child() {
    let Some(folder) = env::var_os(CHILD) else {
        return;
    };
    let folder = Path::new(&folder);
    let steps = env::var(STEPS).unwrap().parse().unwrap();
    let (envelopes, to) = work(folder);
    let Ok(Opened::Whole(store)) = SqliteStore::open(folder.join("store"), Durability::Full) else {
        panic!("it was closed by nobody");
    };
    let steps = Some(steps);
    let mut device = open(Ending { store, steps });
    app(&mut device, &envelopes, to, |line| {
        println!("{REPORT}{line}")
    });
    println!("{REPORT}done");
}

/// Runs a child that ends after so many steps: what it has reported.
fn run_child(folder: &Folder, steps: u64) -> Vec<String> {
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "device_crash::ends::child",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, folder.path())
        .env(STEPS, steps.to_string())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let reports = text
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    reports
        .filter_map(|line| {
            line.find(REPORT)
                .map(|at| line[at + REPORT.len()..].to_owned())
        })
        .collect()
}

/// What both processes have given out, in order.
fn judge(reports: &[String], texts: &BTreeSet<String>) {
    let mut shown = BTreeMap::new();
    let mut read = BTreeSet::new();
    let mut sealed = BTreeMap::new();
    let mut bundles = BTreeSet::new();
    for report in reports {
        let words: Vec<_> = report.split(' ').collect();
        match words[..] {
            ["shown", id, text] => {
                assert!(!read.contains(id), "shown after it was acknowledged");
                let before = shown.insert(id.to_owned(), text.to_owned());
                assert!(before.is_none_or(|before| before == text));
            }
            ["read", id] => {
                read.insert(id.to_owned());
            }
            ["sealed", message] => {
                let names = tag_and_salt(&hex::decode(message).unwrap());
                let before = sealed.insert(names, message.to_owned());
                assert!(before.is_none_or(|before| before == message));
            }
            ["bundle", id] => assert!(bundles.insert(id.to_owned()), "published twice"),
            ["done"] => {}
            _ => panic!("{report}"),
        }
    }
    assert_eq!(sealed.len(), 1, "one name, one message");
    let all: Vec<_> = shown.into_values().collect();
    assert_eq!(all.len(), texts.len(), "nothing under two ids");
    assert_eq!(
        &all.into_iter().collect::<BTreeSet<_>>(),
        texts,
        "nothing is lost"
    );
}

#[test]
fn attack_s2_a_process_ends_at_every_step_of_its_store() {
    let rounds = env::var("SUBROSA_CRASHES").map_or(1, |rounds| rounds.parse().unwrap());
    let mut ends = 0;
    for seed in 0..2 * rounds {
        let (mut server, mut rng, mut alice, bob, folder) = pair(100 + seed);
        let (server, rng) = (&mut server, &mut rng);
        let (to_alice, to_bob) = (alice.account().unwrap(), bob.account().unwrap());
        drop(bob.into_store());
        let mut texts = BTreeSet::new();
        let mut lines = vec![hex::encode(to_alice.as_bytes())];
        for n in 0..7u8 {
            let sent = server::send(server, &mut alice, &to_bob, &[n], &[n; 9], NOW, rng).unwrap();
            lines.push(hex::encode(&sent.copies[0].message));
            texts.insert(hex::encode([n; 9]));
        }
        let base = folder.try_read();
        for steps in 0.. {
            let folder = Folder::new();
            folder.put(&base);
            fs::write(folder.path().join("work"), lines.join("\n")).unwrap();
            let mut reports = run_child(&folder, steps);
            let done = reports.last().is_some_and(|last| last == "done");
            // What was shown or sealed before the end was read by somebody; the rest is up to the next process.
            let (envelopes, to) = work(folder.path());
            let mut device = open(open_file(&folder));
            app(&mut device, &envelopes, to, |line| reports.push(line));
            judge(&reports, &texts);
            if done {
                break;
            }
            ends += 1;
        }
    }
    println!("{ends} ends");
    assert!(ends > 100 * rounds, "only {ends}");
}
