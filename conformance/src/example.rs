//! The worked example of SPEC.md §15: a whole first exchange in hex, computed from fixed inputs.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subrosa::crypto::Secret;
use subrosa::crypto::dh::DhKeyPair;
use subrosa::hazmat::{self, BundleKeys, Given, MessageParts};
use subrosa::{
    Address, Bundle, Conversation, DeviceIdentity, Error, Incoming, Prekeys, StagedFirst,
};

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

/// One sealed message, value by value; gives the message.
fn message(
    page: &mut Page,
    parts: &MessageParts,
    prefix: &[u8],
    text: &[u8],
    r32: [u8; 32],
) -> Result<Vec<u8>, Error> {
    let sealed = hazmat::seal_message(parts, prefix, text, r32)?;
    page.value("mk", parts.message_key);
    page.value("r32", r32);
    page.value("hp", &sealed.header);
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
    let [root, initiator, responder] = hazmat::initial_keys(agreed.shared_key, agreed.session_id);
    page.value("RK0", root);
    page.value("HKa", initiator);
    page.value("NHKb", responder);

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
    let [message_key, _] = hazmat::chain_step(chain);
    let parts = MessageParts {
        session_id: agreed.session_id,
        header_key: initiator,
        message_key,
        ratchet_key: *ratchet.public().as_bytes(),
        number: 0,
        previous_count: 0,
    };
    page.value("prefix", prefix);
    let first = message(&mut page, &parts, &prefix, b"hello", secret("r32 of alice"))?;

    page.heading(
        "Bob's answer, text \"hi\": he has made the step above from his side; MSG = 0002 || frame",
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
    let [message_key, _] = hazmat::chain_step(chain);
    let parts = MessageParts {
        header_key: responder,
        message_key,
        ratchet_key: *answering.public().as_bytes(),
        ..parts
    };
    let answer = message(&mut page, &parts, &[0, 2], b"hi", secret("r32 of bob"))?;

    converse(&alice, &bob, prekeys, &verified, &first, &answer)?;
    Ok(page.0)
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
    let mut given = Given::new(["EK", "m", "ratchet key of alice", "r32 of alice"].map(value));
    hazmat::begin(&mut at_alice, alice, bundle, NOW, &mut given)?;
    require(hazmat::seal(&mut at_alice, b"hello", NOW, &mut given)? == first)?;
    let staged = StagedFirst::stage(&Incoming::parse(first)?, bob, &prekeys, NOW)?;
    let mut at_bob = Conversation::new(*staged.peer());
    require(staged.accept(&mut at_bob, &mut prekeys, NOW)?.text == b"hello")?;
    let mut given = Given::new(["ratchet key of bob", "r32 of bob"].map(value));
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
