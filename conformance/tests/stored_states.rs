//! States that an earlier version of the library exported are read, are the same when they are written again, and
//! go on. The fixtures are never made anew.

use serde_json::Value;
use subrosa::hazmat::{self, Given};
use subrosa::session::Stored;
use subrosa::{
    AppKey, Bundle, Conversation, DeviceIdentity, Error, Incoming, Prekeys, Slot, import,
};

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

struct Fixture(Value);

impl Fixture {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("fixtures/stored-state-0.json")).unwrap())
    }

    fn app_key(&self) -> AppKey {
        AppKey::new(bytes(&self.0["app_key"]).try_into().unwrap())
    }

    fn now(&self) -> u64 {
        self.0["now"].as_u64().unwrap()
    }

    /// Reads a value, writes it again, and holds one against the other.
    fn import<T: Stored>(&self, kind: &str) -> T {
        let values = self.0["values"].as_array().unwrap();
        let value = values.iter().find(|value| value["kind"] == kind).unwrap();
        let (store_key, exported) = (bytes(&value["store_key"]), bytes(&value["exported"]));
        let slot = Slot {
            store_key: &store_key,
            generation: self.0["generation"].as_u64().unwrap(),
        };
        let imported: T = import(&exported, slot, &self.app_key()).unwrap();
        // The same salt, and so the same bytes: "SRS1", kind, version, salt.
        let mut given = Given::new([exported[8..40].to_vec()]);
        let again = hazmat::export(&imported, slot, &self.app_key(), &mut given).unwrap();
        assert!(again == exported, "{kind}");

        let other = Slot {
            generation: slot.generation + 1,
            ..slot
        };
        assert!(import::<T>(&exported, other, &self.app_key()).is_err());
        assert!(import::<T>(&exported, slot, &AppKey::new([0; 32])).is_err());
        imported
    }
}

#[test]
fn version_0_is_read_and_goes_on() {
    let fixture = Fixture::read();
    let device: DeviceIdentity = fixture.import("identity");
    let prekeys: Prekeys = fixture.import("prekeys");
    let mut conversation: Conversation = fixture.import("conversation");
    let now = fixture.now();

    assert_eq!(device.public().address().as_bytes(), b"bob");
    assert_eq!(prekeys.one_time_keys(), (1, 1));
    let bundle = prekeys.last_resort_bundle(&device).unwrap();
    let bundle = Bundle::parse(&bundle).unwrap().verify(now).unwrap();
    assert_eq!(bundle.identity(), device.public());

    assert_eq!(conversation.peer().address().as_bytes(), b"alice");
    assert!(conversation.can_send() && conversation.is_answered());
    for message in fixture.0["read"].as_array().unwrap() {
        let message = bytes(message);
        let incoming = Incoming::parse(&message).unwrap();
        let again = conversation.open(&incoming, now);
        assert_eq!(again, Err(Error::Duplicate));
    }
    for unread in fixture.0["unread"].as_array().unwrap() {
        let message = bytes(&unread["message"]);
        let incoming = Incoming::parse(&message).unwrap();
        let opened = conversation.open(&incoming, now).unwrap();
        assert_eq!(opened.text, bytes(&unread["text"]));
        assert_eq!(opened.old_state, unread["old_state"], "{unread}");
    }
    let mut given = Given::new([vec![7; 32]]);
    assert!(hazmat::seal(&mut conversation, b"on", now, &mut given).is_ok());
}
