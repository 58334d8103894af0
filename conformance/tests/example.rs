//! The worked example of SPEC.md §15 by the model, which shares nothing with the library but the primitives.

use std::collections::BTreeMap;

use subrosa::hazmat::braid::encapsulate_1;
use subrosa::wire::Reader;
use subrosa_conformance::example;
use subrosa_conformance::model::agreement::{Bundle, Initiator, Prefix, Secrets, respond};
use subrosa_conformance::model::braid::{BraidFrame, Drawn, Received, secret as epoch_secret};
use subrosa_conformance::model::formula::{
    Message, body_plaintext, chain_of_epoch, chain_step, dh, epoch_start, header_plaintext,
    initial_keys, public, root_step,
};
use subrosa_conformance::model::prekeys::DAY;
use subrosa_conformance::model::stored::{Braid, Phase, Prekeys};

const NOW: u64 = 1_767_225_600_000;

/// The values of one heading by their names.
type Values = BTreeMap<String, Vec<u8>>;

/// The page as sections, each with its heading.
fn sections(page: &str) -> Vec<(String, Values)> {
    let mut sections: Vec<(String, Values)> = Vec::new();
    let mut name = String::new();
    for line in page.lines().filter(|line| !line.is_empty()) {
        // A line of hex alone goes on with the value before; `th2 = sid = …` has two names.
        let (head, digits) = match line.rsplit_once(" = ") {
            Some((head, digits)) => (head.trim(), digits),
            None => ("", line.trim()),
        };
        let Ok(bytes) = hex::decode(digits) else {
            sections.push((line.to_owned(), Values::new()));
            continue;
        };
        if !head.is_empty() {
            name = head.to_owned();
        }
        let (_, values) = sections.last_mut().unwrap();
        values.entry(name.clone()).or_default().extend(bytes);
    }
    sections
}

struct Page(Vec<(String, Values)>);

impl Page {
    fn get(&self, heading: &str, name: &str) -> &[u8] {
        let mut found = self.0.iter().filter(|(text, _)| text.starts_with(heading));
        let (_, values) = found.next().unwrap_or_else(|| panic!("{heading}"));
        values
            .get(name)
            .unwrap_or_else(|| panic!("{heading}: {name}"))
    }

    fn array<const N: usize>(&self, heading: &str, name: &str) -> [u8; N] {
        self.get(heading, name).try_into().unwrap()
    }

    fn secrets(&self, who: &str, address: &[u8]) -> Secrets {
        Secrets {
            address: address.to_vec(),
            seed: self.array(who, "IKs.seed"),
            secret: self.array(who, "IKd.secret"),
        }
    }
}

#[test]
fn the_model_makes_the_same_values() {
    let page = Page(sections(&example::page().unwrap()));
    let alice = page.secrets("Alice's identity", b"alice");
    let bob = page.secrets("Bob's identity", b"bob");
    let keys = "Bob's prekeys";
    // The last-resort key has an id of its own and does not occur.
    let mut prekeys = Prekeys::generate(NOW, page.array(keys, "SPK secret"), [0; 64]).unwrap();
    let pair = (
        page.array(keys, "OPK secret"),
        page.array(keys, "KEM seed d||z"),
    );
    let bundles = prekeys.replenish(&bob, NOW, &[pair]).unwrap();
    assert_eq!(bundles, [page.get(keys, "bundle")]);

    let agreement = "Alice's agreement";
    let bundle = Bundle::verify(&bundles[0], NOW).unwrap();
    let (ek, m) = (
        page.array(agreement, "EK secret"),
        page.array(agreement, "m"),
    );
    let initiator = Initiator::honest(&alice, &bundle, NOW, ek, m).unwrap();
    let (prefix, agreed) = initiator.initiate(&bundle).unwrap();
    let parsed = Prefix::parse(&prefix).unwrap();
    let responded = respond(&bob, &prekeys, &parsed, NOW + DAY).unwrap();
    assert_eq!(responded.agreement, agreed);
    for (name, value) in [
        ("EK", &parsed.ek[..]),
        ("CT", &parsed.ct),
        ("DH1", &agreed.shares.dh1),
        ("DH2", &agreed.shares.dh2),
        ("DH3", &agreed.shares.dh3),
        ("DH4", &agreed.shares.dh4.unwrap()),
        ("SS", &agreed.shares.ss),
        ("th1", &agreed.th1),
        ("Kid", &agreed.kid),
        ("idpt", &agreed.idpt),
        ("encid", &agreed.encid),
        ("th2 = sid", &agreed.sid),
        ("SK", &agreed.sk),
    ] {
        assert_eq!(page.get(agreement, name), value, "{name}");
    }

    let [rk0, hka, nhkb, pq0, ba] = initial_keys(&agreed.sk, &agreed.sid).unwrap();
    let [pqroot, s_a, s_b] = epoch_start(&pq0).unwrap();
    let mut braids = [true, false].map(|initiator| Braid::start(&pq0, &ba, initiator).unwrap());
    let begun = braids[0].live.clone().unwrap();
    for (name, value) in [
        ("RK0", rk0),
        ("HKa", hka),
        ("NHKb", nhkb),
        ("PQ0", pq0),
        ("BA", ba),
        ("PQROOT", pqroot),
        ("S_a[0]", s_a),
        ("S_b[0]", s_b),
        ("AR", begun.ar),
        ("AM", begun.am),
    ] {
        assert_eq!(page.get("What both begin with", name), value, "{name}");
    }

    let mut rk = rk0;
    let mut peer = bundle.spk.1;
    for (side, (heading, shared, hk, prefix, text, seed)) in [
        (
            "Alice's first chain",
            "X25519(DHs, SPK)",
            hka,
            &prefix[..],
            &b"hello"[..],
            s_a,
        ),
        (
            "Bob's answer",
            "X25519(DHs, DHr)",
            nhkb,
            &[1, 2],
            b"hi",
            s_b,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let secret = page.array(heading, "DHs secret");
        let dhs = public(&secret);
        let result = dh(&secret, &peer).unwrap();
        let [root, ck, nhks] = root_step(&rk, &result).unwrap();
        let (pck, _) = chain_of_epoch(&seed);
        let drawn = match side {
            0 => Drawn {
                seed: Some(page.array(heading, "braid seed d||z")),
                m: None,
            },
            _ => Drawn {
                seed: None,
                m: Some(page.array(heading, "braid m")),
            },
        };
        let sent = braids[side].send(text.len() + 2, 0, drawn).unwrap();
        let message = Message {
            sid: agreed.sid,
            hk,
            mk: chain_step(&ck, &pck).0,
            prefix: prefix.to_vec(),
            hp: header_plaintext(&dhs, 0, 0, 0),
            bp: body_plaintext(text, &sent.frame, sent.padded),
        };
        let sealed = message.seal(&page.array(heading, "r32")).unwrap();
        let frame = &sealed.message[prefix.len()..];
        for (name, value) in [
            ("DHs", &dhs[..]),
            (shared, &result),
            ("RK", &root),
            ("CKs", &ck),
            ("NHKs", &nhks),
            ("PCKs", &pck),
            ("mk", &message.mk),
            ("hp", &message.hp),
            ("bp", &message.bp),
            ("salt", &sealed.salt),
            ("Kb", &sealed.body_key.0),
            ("Nb", &sealed.body_key.1),
            ("H(body)", &sealed.body_hash),
            ("Kh", &sealed.header_key.0),
            ("Nh", &sealed.header_key.1),
            ("tag", &frame[..8]),
            ("frame", frame),
        ] {
            assert_eq!(page.get(heading, name), value, "{heading}: {name}");
        }
        (rk, peer) = (root, dhs);
        let live = braids[side].live.clone().unwrap();
        match (&live.phase, sent.emitted) {
            (Phase::KeysSampled { hdr, .. }, None) => {
                assert_eq!(page.get(heading, "hdr"), hdr);
                let mut reader = Reader::new(&sent.frame);
                let frame = BraidFrame::read(&mut reader).unwrap();
                let received = braids[1].receive(0, &frame, None);
                assert_eq!(received, Ok(Received::Quiet));
            }
            (Phase::Ct1Sampled { ek_seed, h3, m, .. }, Some([s_a, s_b])) => {
                let (ct1, ss) = encapsulate_1(*ek_seed, *h3, *m);
                for (name, value) in [
                    ("ct1", &ct1[..]),
                    ("SS", &ss),
                    ("secret_1", &epoch_secret(1, &ss)),
                    ("AR", &live.ar),
                    ("AM", &live.am),
                    ("PQROOT", &live.pqroot),
                    ("S_a[1]", &s_a),
                    ("S_b[1]", &s_b),
                ] {
                    assert_eq!(page.get(heading, name), value, "{heading}: {name}");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(page.get("Alice's first chain", "prefix"), prefix);
}
