//! S1, S2: the log of a file is cut within the last commit. The device is what it was before that commit, of which nobody
//! has heard; handed in and asked for again, everything comes.

use std::collections::BTreeMap;

use crate::*;

const LOG_HEADER: usize = 32;
const FRAME: usize = 24 + 4_096;

/// What the disk holds before and after one commit, and every length at which its log may be cut.
struct Torn {
    after: Files,
    cuts: Vec<usize>,
}

impl Torn {
    /// `None` if the commit has emptied the log.
    fn new(before: &Files, after: Files, rng: &mut SeededRng) -> Option<Self> {
        let first = before.log.len().max(LOG_HEADER);
        if before.file != after.file || first >= after.log.len() {
            return None;
        }
        let mut cuts = Vec::new();
        for frame in (first..after.log.len()).step_by(FRAME) {
            let inside = rng.below(FRAME as u64) as usize;
            cuts.extend([
                frame,
                frame + 1,
                frame + 24,
                frame + inside,
                frame + FRAME - 1,
            ]);
        }
        Some(Self { after, cuts })
    }

    /// The device on what is left.
    fn each(&self, mut check: impl FnMut(Device<SqliteStore>, bool)) -> usize {
        let folder = Folder::with(&self.after);
        for cut in &self.cuts {
            folder.put(&Files {
                file: self.after.file.clone(),
                log: self.after.log[..*cut].to_vec(),
            });
            check(open(open_file(&folder)), false);
        }
        folder.put(&self.after);
        check(open(open_file(&folder)), true);
        self.cuts.len() + 1
    }
}

#[test]
fn attack_s1_a_commit_of_a_device_is_torn_at_every_frame() {
    let rounds = std::env::var("SUBROSA_CRASHES").map_or(1, |rounds| rounds.parse().unwrap());
    let mut points = BTreeMap::new();
    for seed in 0..4 * rounds {
        let (mut server, mut rng, mut alice, mut bob, folder) = pair(seed);
        let (server, rng) = (&mut server, &mut rng);
        let (to_alice, to_bob) = (alice.account().unwrap(), bob.account().unwrap());
        let mut count =
            |what, torn: Option<Torn>, check: &mut dyn FnMut(Device<SqliteStore>, bool)| {
                let here = torn.map_or(0, |torn| torn.each(check));
                *points.entry(what).or_insert(0) += here;
            };
        for round in 0..12u8 {
            // Envelopes.
            let mut envelopes = Vec::new();
            for n in 0..3 {
                let id = [round, n];
                let sent = server::send(server, &mut alice, &to_bob, &id, &id, NOW, rng).unwrap();
                envelopes.extend(sent.copies.into_iter().map(|copy| copy.message));
            }
            server.queues.clear();
            let envelopes: Vec<_> = envelopes.iter().map(Vec::as_slice).collect();
            let before = folder.read();
            let (received, duplicates) = texts(&bob.receive(&envelopes, NOW, rng).unwrap());
            assert_eq!((received.len(), duplicates), (3, 0));
            let torn = Torn::new(&before, folder.read(), rng);
            count("receive", torn, &mut |mut bob, whole| {
                let inbox = bob.inbox(0, 10, &mut SeededRng(1)).unwrap();
                let inbox: Vec<_> = inbox.into_iter().map(|read| (read.id, read.text)).collect();
                let again = bob.receive(&envelopes, NOW, &mut SeededRng(1)).unwrap();
                let expected = if whole {
                    assert_eq!(inbox, received);
                    (Vec::new(), 3)
                } else {
                    assert_eq!(inbox, []);
                    (received.clone(), 0)
                };
                assert_eq!(texts(&again), expected);
            });

            // Acknowledged.
            let ids: Vec<_> = received.iter().map(|(id, _)| *id).collect();
            let before = folder.read();
            bob.read(&ids, rng).unwrap();
            let torn = Torn::new(&before, folder.read(), rng);
            count("read", torn, &mut |mut bob, whole| {
                let inbox = bob.inbox(0, 10, &mut SeededRng(1)).unwrap();
                assert_eq!(inbox.len(), if whole { 0 } else { 3 });
            });

            // Sealed.
            let message = subrosa::device::Outgoing {
                id: &[round],
                to: to_alice,
                text: &[round; 100],
                partial: false,
            };
            let before = folder.read();
            let sent = bob.send(&message, NOW, rng).unwrap();
            let torn = Torn::new(&before, folder.read(), rng);
            let other = subrosa::device::Outgoing {
                text: b"another text",
                ..message
            };
            let sealed = tag_and_salt(&sent.copies[0].message);
            // The generator is what it was, too.
            let same = rng.clone();
            count("send", torn, &mut |mut bob, whole| {
                let again = bob.send(&other, NOW, &mut same.clone()).unwrap();
                assert_eq!(again == sent, whole);
                if !whole {
                    let again = tag_and_salt(&again.copies[0].message);
                    assert_ne!(again, sealed, "one key and nonce, two texts");
                }
            });
            let before = folder.read();
            bob.sent(&[&[round]], rng).unwrap();
            let torn = Torn::new(&before, folder.read(), rng);
            count("sent", torn, &mut |mut bob, whole| {
                let kept = bob.retry(&[round], &mut SeededRng(1)).unwrap();
                assert_eq!(kept.is_none(), whole);
                assert!(kept.is_none_or(|kept| kept == sent));
            });
            server.send(&sent);
            let events = server::receive(server, &mut alice, NOW, rng).unwrap();
            assert_eq!(server::messages(&mut alice, &events, rng).len(), 1);
        }
    }
    println!("cuts: {points:?}");
    assert_eq!(points.len(), 4);
    assert!(points.values().all(|points| *points > 100), "{points:?}");
    assert!(
        points.values().sum::<usize>() > 3_000 * rounds as usize,
        "{points:?}"
    );
}
