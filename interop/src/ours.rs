//! subrosa, as README.md shows it: randomness comes from the operating system.

use subrosa::{
    Address, AppKey, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, Slot, StagedFirst,
    export, import, os_rng,
};

use crate::library::Library;

/// Unix milliseconds: 2026-01-01.
const NOW: u64 = 1_767_225_600_000;

const APP_KEY: AppKey = AppKey::new([7; 32]);

const SLOT: Slot<'static> = Slot {
    store_key: b"conversation",
    generation: 1,
};

/// This library.
pub struct Subrosa;

/// A device and its conversation.
pub struct End {
    device: DeviceIdentity,
    conversation: Conversation,
}

/// A device with its prekeys.
pub struct Responder {
    device: DeviceIdentity,
    prekeys: Prekeys,
}

fn device(name: &str) -> DeviceIdentity {
    DeviceIdentity::generate(Address::new(name.as_bytes()).unwrap(), &mut os_rng()).unwrap()
}

fn begun(device: &DeviceIdentity, bundle: &[u8], text: &[u8]) -> (Conversation, Vec<u8>) {
    let bundle = Bundle::parse(bundle).unwrap().verify(NOW).unwrap();
    let mut conversation = Conversation::new(*bundle.identity());
    conversation
        .begin(device, &bundle, NOW, &mut os_rng())
        .unwrap();
    let message = conversation.seal(device, text, NOW, &mut os_rng()).unwrap();
    (conversation, message)
}

fn accepted(responder: &mut Responder, message: &[u8]) -> (Conversation, Vec<u8>) {
    let Responder { device, prekeys } = responder;
    let incoming = Incoming::parse(message).unwrap();
    let staged = StagedFirst::stage(&incoming, device, prekeys, NOW).unwrap();
    let mut conversation = Conversation::new(*staged.peer());
    let opened = staged.accept(&mut conversation, prekeys, NOW).unwrap();
    (conversation, opened.text)
}

impl Library for Subrosa {
    const NAME: &'static str = "subrosa";

    type End = End;
    type Message = Vec<u8>;
    type Initiator = DeviceIdentity;
    type Responder = Responder;
    type Bundle = Vec<u8>;
    type Imported = Conversation;

    fn pair() -> (End, End) {
        let initiator = Self::initiator();
        let (mut responder, bundles) = Self::responder(1);
        let (at_alice, first) = begun(&initiator, &bundles[0], b"hello");
        let (at_bob, _) = accepted(&mut responder, &first);
        let mut alice = End {
            device: initiator,
            conversation: at_alice,
        };
        let mut bob = End {
            device: responder.device,
            conversation: at_bob,
        };
        let answer = Self::seal(&mut bob, b"hi");
        Self::open(&mut alice, &answer).unwrap();
        (alice, bob)
    }

    fn seal(end: &mut End, text: &[u8]) -> Vec<u8> {
        let End {
            device,
            conversation,
        } = end;
        conversation.seal(device, text, NOW, &mut os_rng()).unwrap()
    }

    fn open(end: &mut End, message: &Vec<u8>) -> Option<Vec<u8>> {
        let incoming = Incoming::parse(message).ok()?;
        let opened = end.conversation.open(&incoming, NOW).ok()?;
        Some(opened.text)
    }

    fn length(message: &Vec<u8>) -> usize {
        message.len()
    }

    fn initiator() -> DeviceIdentity {
        device("alice")
    }

    fn responder(bundles: usize) -> (Responder, Vec<Vec<u8>>) {
        let device = device("bob");
        let mut prekeys = Prekeys::generate(&device, NOW, &mut os_rng()).unwrap();
        let bundles = prekeys
            .replenish(&device, bundles, NOW, &mut os_rng())
            .unwrap();
        (Responder { device, prekeys }, bundles)
    }

    fn begin(initiator: &mut DeviceIdentity, bundle: &Vec<u8>, text: &[u8]) -> Vec<u8> {
        begun(initiator, bundle, text).1
    }

    fn accept(responder: &mut Responder, message: &Vec<u8>) -> Vec<u8> {
        accepted(responder, message).1
    }

    fn export(end: &End) -> Vec<u8> {
        export(
            &end.conversation,
            &end.device,
            SLOT,
            &APP_KEY,
            &mut os_rng(),
        )
        .unwrap()
    }

    fn import(exported: &[u8]) -> Conversation {
        import(exported, SLOT, &APP_KEY).unwrap()
    }
}
