//! The worked example of SPEC.md §15: a whole first exchange in hex, computed from fixed inputs.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subrosa::crypto::Secret;
use subrosa::crypto::dh::DhKeyPair;
use subrosa::crypto::hash::HmacKey;
use subrosa::hazmat::braid::{self, FrameParts};
use subrosa::hazmat::{self, BundleKeys, Given, MessageParts};
use subrosa::{
    Address, Bundle, Conversation, DeviceIdentity, Error, Incoming, Prekeys, StagedFirst,
};

pub mod blob;

/// Unix milliseconds of the whole example.
const NOW: u64 = 1_767_225_600_000;
/// Days until a prekey expires, in milliseconds.
const VALIDITY: u64 = 37 * 24 * 60 * 60 * 1000;
/// Hex digits a line.
const WIDTH: usize = 96;

/// A secret of the example: SHA-256 of its name.
fn secret(name: &str) -> [u8; 32] {
    Sha256::digest(format!("example {name}")).into()
}

/// A seed of 64 bytes.
fn seed(name: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    let halves = [format!("{name} d"), format!("{name} z")].map(|name| secret(&name));
    for (to, from) in bytes.iter_mut().zip(halves.concat()) {
        *to = from;
    }
    bytes
}

fn device(name: &str) -> Result<DeviceIdentity, Error> {
    let seed = Secret::new(secret(&format!("{name} IKs.seed")));
    let dh = Secret::new(secret(&format!("{name} IKd.secret")));
    Ok(DeviceIdentity::from_secrets(
        Address::new(name.as_bytes())?,
        &seed,
        dh,
    )?)
}

/// Lines of `name = hex`.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{text}");
    }

    fn value(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        let hex = hex::encode(bytes);
        let mut rest = hex.as_str();
        let mut name = format!("{name:<18} = ");
        loop {
            let (line, more) = rest.split_at(rest.len().min(WIDTH));
            let _ = writeln!(self.0, "{name}{line}");
            if more.is_empty() {
                return;
            }
            name = " ".repeat(21);
            rest = more;
        }
    }
}

/// Length of the body of both messages, without its tag.
const PADDED: usize = 192;

/// One sealed message, value by value; gives the message.
fn message(
    page: &mut Page,
    parts: &MessageParts,
    prefix: &[u8],
    (text, object, number, count): (&[u8], &[u8], u8, u8),
    r32: [u8; 32],
) -> Result<Vec<u8>, Error> {
    let frame = FrameParts {
        ack: false,
        delta: false,
        run: Some((number, object.to_vec(), 0, count)),
    };
    let sealed = hazmat::seal_message(parts, prefix, text, &frame, PADDED, r32)?;
    let mut bp = vec![u8::try_from(text.len()).map_err(|_| Error::TooLong)?];
    bp.extend(text);
    bp.extend([number << 5, 0, 0, count]);
    bp.extend(braid::symbols(object, 0, count));
    bp.resize(PADDED, 0);
    page.value("mk", parts.message_key);
    page.value("r32", r32);
    page.value("hp", &sealed.header);
    page.value("bp", bp);
    page.value("salt", sealed.salt);
    page.value("Kb", sealed.body_key.0);
    page.value("Nb", sealed.body_key.1);
    page.value("H(body)", sealed.body_hash);
    page.value("tag", hazmat::tag(parts.header_key));
    page.value("Kh", sealed.header_key.0);
    page.value("Nh", sealed.header_key.1);
    page.value(
        "frame",
        sealed.message.get(prefix.len()..).unwrap_or_default(),
    );
    Ok(sealed.message)
}

/// The whole page. The conversation of the library gives the same bytes, or there is no page.
///
/// # Errors
/// What the library refuses, which is nothing; [`Error::Malformed`] if a byte differs.
pub fn page() -> Result<String, Error> {
    let mut page = Page::default();
    let (alice, bob) = (device("alice")?, device("bob")?);
    page.0.push_str("Bob's identity, address \"bob\"");
    page.0.push('\n');
    page.value("IKs.seed", secret("bob IKs.seed"));
    page.value("IKd.secret", secret("bob IKd.secret"));
    page.value("IKs||IKd||sig_id", hazmat::signed_identity(&bob));
    page.heading("Alice's identity, address \"alice\"");
    page.value("IKs.seed", secret("alice IKs.seed"));
    page.value("IKd.secret", secret("alice IKd.secret"));
    page.value("IKs||IKd||sig_id", hazmat::signed_identity(&alice));

    // The ids that a new device gives out: generation 1 and 2, first pair of one-time keys 3 and 4.
    page.heading(
        "Bob's prekeys, made at 1767225600000: SPK has id 1, OPK id 3, one-time KEM key id 4",
    );
    let keys = BundleKeys {
        signed: (1, secret("SPK"), NOW + VALIDITY),
        kem: (4, seed("KEM"), NOW + VALIDITY, false),
        one_time: Some((3, secret("OPK"))),
    };
    page.value("SPK secret", secret("SPK"));
    page.value("OPK secret", secret("OPK"));
    page.value("KEM seed d||z", seed("KEM"));
    let mut given = Given::new([secret("SPK").to_vec(), seed("last resort").to_vec()]);
    let mut prekeys = hazmat::generate_prekeys(NOW, &mut given)?;
    let mut given = Given::new([secret("OPK").to_vec(), seed("KEM").to_vec()]);
    let made = hazmat::replenish(&mut prekeys, &bob, 1, NOW, &mut given)?;
    let bundle = hazmat::bundle(&bob, &keys)?.bundle;
    require(made == [bundle.clone()])?;
    page.value("bundle", &bundle);

    page.heading("Alice's agreement, created_at = now = 1767225600000");
    let verified = Bundle::parse(&bundle)?.verify(NOW)?;
    page.value("EK secret", secret("EK"));
    page.value("m", secret("m"));
    let given = || Given::new([secret("EK").to_vec(), secret("m").to_vec()]);
    let (prefix, agreed) = hazmat::initiate(&alice, &verified, NOW, &mut given())?;
    page.value("EK", field(&prefix, 17, 49)?);
    page.value("CT", field(&prefix, 49, 1137)?);
    page.value("DH1", agreed.dh1);
    page.value("DH2", agreed.dh2);
    page.value("DH3", agreed.dh3);
    page.value("DH4", agreed.dh4.unwrap_or_default());
    page.value("SS", agreed.ss);
    page.value("th1", agreed.th1);
    page.value("Kid", agreed.identity_key);
    page.value("idpt", &agreed.identity_plaintext);
    page.value("encid", field(&prefix, 1137, 1337)?);
    page.value("th2 = sid", agreed.session_id);
    page.value("SK", agreed.shared_key);
    page.heading("What both begin with (§9.1, §10.1, §10.2)");
    let [root, initiator, responder, pq0, key] =
        hazmat::initial_keys(agreed.shared_key, agreed.session_id);
    page.value("RK0", root);
    page.value("HKa", initiator);
    page.value("NHKb", responder);
    page.value("PQ0", pq0);
    page.value("BA", key);
    let [quantum_root, of_alice, of_bob] = braid::epoch_start(pq0);
    page.value("PQROOT", quantum_root);
    page.value("S_a[0]", of_alice);
    page.value("S_b[0]", of_bob);
    let [auth_root, mac_key] = braid::update([0; 32], 1, key);
    page.value("AR", auth_root);
    page.value("AM", mac_key);

    page.heading(
        "Alice's first chain and her first message, text \"hello\"; FIRST = prefix || frame",
    );
    let ratchet = DhKeyPair::from_secret(Secret::new(secret("ratchet key of alice")));
    let spk = DhKeyPair::from_secret(Secret::new(secret("SPK")));
    let dh = ratchet.agree(spk.public()).map_err(|_| Error::Malformed)?;
    page.value("DHs secret", secret("ratchet key of alice"));
    page.value("DHs", ratchet.public().as_bytes());
    page.value("X25519(DHs, SPK)", dh.expose());
    let [root, chain, next_header] = hazmat::root_step(root, *dh.expose());
    page.value("RK", root);
    page.value("CKs", chain);
    page.value("NHKs", next_header);
    let quantum_chain = mac(of_alice, 1);
    page.value("PCKs", quantum_chain);
    let [message_key, _, _] = hazmat::chain_step(chain, quantum_chain);
    let parts = MessageParts {
        session_id: agreed.session_id,
        header_key: initiator,
        message_key,
        ratchet_key: *ratchet.public().as_bytes(),
        number: 0,
        previous_count: 0,
        epoch: 0,
    };
    page.value("prefix", prefix);
    page.value("braid seed d||z", seed("braid seed"));
    let (key_seed, key_hash, _) = braid::key_parts(seed("braid seed"));
    let header_mac = braid::header_mac(mac_key, 1, key_seed, key_hash);
    let header = [key_seed, key_hash, header_mac].concat();
    page.value("hdr", &header);
    let content = (&b"hello"[..], &header[..], 1, 8);
    let first = message(&mut page, &parts, &prefix, content, secret("r32 of alice"))?;

    page.heading(
        "Bob's answer, text \"hi\": he has made the step above from his side; MSG = 0102 || frame",
    );
    let answering = DhKeyPair::from_secret(Secret::new(secret("ratchet key of bob")));
    let dh = answering
        .agree(ratchet.public())
        .map_err(|_| Error::Malformed)?;
    page.value("DHs secret", secret("ratchet key of bob"));
    page.value("DHs", answering.public().as_bytes());
    page.value("X25519(DHs, DHr)", dh.expose());
    let [root, chain, next_header] = hazmat::root_step(root, *dh.expose());
    page.value("RK", root);
    page.value("CKs", chain);
    page.value("NHKs", next_header);
    let quantum_chain = mac(of_bob, 1);
    page.value("PCKs", quantum_chain);
    let [message_key, _, _] = hazmat::chain_step(chain, quantum_chain);
    page.value("braid m", secret("braid m"));
    let (ct1, shared) = braid::encapsulate_1(key_seed, key_hash, secret("braid m"));
    page.value("ct1", &ct1);
    page.value("SS", shared);
    let epoch_secret = braid::secret(1, shared);
    page.value("secret_1", epoch_secret);
    let [auth_root, mac_key] = braid::update(auth_root, 1, epoch_secret);
    page.value("AR", auth_root);
    page.value("AM", mac_key);
    let [quantum_root, of_alice, of_bob] = braid::epoch_step(quantum_root, 1, epoch_secret);
    page.value("PQROOT", quantum_root);
    page.value("S_a[1]", of_alice);
    page.value("S_b[1]", of_bob);
    let parts = MessageParts {
        header_key: responder,
        message_key,
        ratchet_key: *answering.public().as_bytes(),
        ..parts
    };
    let content = (&b"hi"[..], &ct1[..], 3, 11);
    let answer = message(&mut page, &parts, &[1, 2], content, secret("r32 of bob"))?;

    converse(&alice, &bob, prekeys, &verified, &first, &answer)?;
    Ok(page.0)
}

/// `HMAC(key, byte)`.
fn mac(key: [u8; 32], byte: u8) -> [u8; 32] {
    *HmacKey::new(&key).mac(&[&[byte]]).expose()
}

/// A field of a prefix (SPEC §7.5).
fn field(prefix: &[u8], from: usize, to: usize) -> Result<&[u8], Error> {
    prefix.get(from..to).ok_or(Error::Malformed)
}

/// Two conversations of the library send the very messages of the page, and read them.
fn converse(
    alice: &DeviceIdentity,
    bob: &DeviceIdentity,
    mut prekeys: Prekeys,
    bundle: &subrosa::VerifiedBundle,
    first: &[u8],
    answer: &[u8],
) -> Result<(), Error> {
    let mut at_alice = Conversation::new(*bundle.identity());
    let mut given = Given::new([
        value("EK"),
        value("m"),
        value("ratchet key of alice"),
        seed("braid seed").to_vec(),
        value("r32 of alice"),
    ]);
    hazmat::begin(&mut at_alice, alice, bundle, NOW, &mut given)?;
    require(hazmat::seal(&mut at_alice, b"hello", NOW, &mut given)? == first)?;
    let staged = StagedFirst::stage(&Incoming::parse(first)?, bob, &prekeys, NOW)?;
    let mut at_bob = Conversation::new(*staged.peer());
    require(staged.accept(&mut at_bob, &mut prekeys, NOW)?.text == b"hello")?;
    let mut given = Given::new(["ratchet key of bob", "braid m", "r32 of bob"].map(value));
    require(hazmat::seal(&mut at_bob, b"hi", NOW, &mut given)? == answer)?;
    require(at_alice.open(&Incoming::parse(answer)?, NOW)?.text == b"hi")
}

fn value(name: &str) -> Vec<u8> {
    secret(name).to_vec()
}

const fn require(holds: bool) -> Result<(), Error> {
    match holds {
        true => Ok(()),
        false => Err(Error::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn the_specification_shows_the_page() {
        let specification = include_str!("../../SPEC.md");
        let example = format!(
            "<!-- example -->\n```text\n{}```\n<!-- /example -->",
            page().unwrap()
        );
        assert!(
            specification.contains(&example),
            "SPEC.md §15 is not what `subrosa-conformance example` prints"
        );
    }
}
