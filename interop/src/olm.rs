//! vodozemac's Olm. It has no post-quantum part, no encrypted headers, no padding, and its bundles are not signed by
//! itself (Matrix signs them around it).

use vodozemac::Curve25519PublicKey;
use vodozemac::olm::{
    Account, InboundCreationResult, OlmMessage, Session, SessionConfig, SessionPickle,
};

use crate::library::Library;

const APP_KEY: [u8; 32] = [7; 32];

/// vodozemac 0.11.1.
pub struct Vodozemac;

/// A message's type, which Matrix carries beside it, and its bytes.
pub struct Message(usize, Vec<u8>);

fn begun(account: &Account, bundle: &[Curve25519PublicKey; 2], text: &[u8]) -> (Session, Message) {
    let [identity, one_time] = *bundle;
    let mut session = account
        .create_outbound_session(SessionConfig::version_1(), identity, one_time)
        .unwrap();
    let message = Vodozemac::seal(&mut session, text);
    (session, message)
}

fn accepted(account: &mut Account, message: &Message) -> InboundCreationResult {
    let Ok(OlmMessage::PreKey(message)) = OlmMessage::from_parts(message.0, &message.1) else {
        panic!("the first message carries the agreement");
    };
    account
        .create_inbound_session(SessionConfig::version_1(), message.identity_key(), &message)
        .unwrap()
}

impl Library for Vodozemac {
    const NAME: &'static str = "vodozemac";

    type End = Session;
    type Message = Message;
    type Initiator = Account;
    type Responder = Account;
    type Bundle = [Curve25519PublicKey; 2];
    type Imported = Session;

    fn pair() -> (Session, Session) {
        let initiator = Self::initiator();
        let (mut responder, bundles) = Self::responder(1);
        let (mut alice, first) = begun(&initiator, &bundles[0], b"hello");
        let mut bob = accepted(&mut responder, &first).session;
        let answer = Self::seal(&mut bob, b"hi");
        Self::open(&mut alice, &answer).unwrap();
        (alice, bob)
    }

    fn seal(end: &mut Session, text: &[u8]) -> Message {
        let (kind, bytes) = end.encrypt(text).unwrap().to_parts();
        Message(kind, bytes)
    }

    fn open(end: &mut Session, message: &Message) -> Option<Vec<u8>> {
        let message = OlmMessage::from_parts(message.0, &message.1).ok()?;
        end.decrypt(&message).ok()
    }

    fn length(message: &Message) -> usize {
        message.1.len()
    }

    fn initiator() -> Account {
        Account::new()
    }

    fn responder(bundles: usize) -> (Account, Vec<[Curve25519PublicKey; 2]>) {
        let mut account = Account::new();
        account.generate_one_time_keys(bundles);
        let identity = account.curve25519_key();
        let one_time = account.one_time_keys();
        let bundles = one_time.values().map(|key| [identity, *key]).collect();
        (account, bundles)
    }

    fn begin(initiator: &mut Account, bundle: &[Curve25519PublicKey; 2], text: &[u8]) -> Message {
        begun(initiator, bundle, text).1
    }

    fn accept(responder: &mut Account, message: &Message) -> Vec<u8> {
        accepted(responder, message).plaintext
    }

    fn export(end: &Session) -> Vec<u8> {
        end.pickle().encrypt(&APP_KEY).into_bytes()
    }

    fn import(exported: &[u8]) -> Session {
        let text = std::str::from_utf8(exported).unwrap();
        let pickle = SessionPickle::from_encrypted(text, &APP_KEY).unwrap();
        Session::from_pickle(pickle)
    }
}
