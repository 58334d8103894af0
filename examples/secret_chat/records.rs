//! What the processes of a demonstration tell the one that started them, on their standard output: a line for each
//! record, words separated by spaces, byte strings in hexadecimal. A line without its end was cut off by a kill, and
//! does not count.

use std::fmt;

use crate::relay::MessageId;

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident $word:literal { $($field:ident: $type:ty),* })*) => {
        /// One record.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Record {
            $($(#[$doc])* $name { $($field: $type),* },)*
        }

        impl fmt::Display for Record {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name { $($field),* } => {
                        f.write_str($word)?;
                        $(write!(f, " {}", Field::to_word($field))?;)*
                        Ok(())
                    })*
                }
            }
        }

        impl Record {
            /// Reads a record as it was displayed.
            pub fn parse(line: &str) -> Option<Self> {
                let mut words = line.split(' ');
                let record = match words.next()? {
                    $($word => Self::$name { $($field: Field::from_word(words.next()?)?),* },)*
                    _ => return None,
                };
                words.next().is_none().then_some(record)
            }
        }
    };
}

records! {
    /// The relay takes connections at this address.
    Address "address" { address: String }
    /// The relay took a message.
    Saw "saw" { mailbox: Vec<u8>, message: MessageId, fate: String, length: u64, head: Vec<u8> }
    /// Somebody listens to a mailbox, in which messages were waiting.
    Listens "listens" { mailbox: Vec<u8>, waiting: u64 }
    /// A device is there: its address, its account, and how a device that is to be linked asks for it.
    Own "own" { address: Vec<u8>, account: Vec<u8>, request: Vec<u8> }
    /// A device was put on the list of its account.
    Linked "linked" {}
    /// A device goes on from this generation of its store.
    Loaded "loaded" { generation: u64, read: u64, written: u64 }
    /// The other account's devices are known: sixty digits to be compared.
    Contact "contact" { digits: String }
    /// The other account has other keys than before.
    Changed "changed" {}
    /// Somebody who is neither the other nor of one's own account has written.
    Stranger "stranger" { account: Vec<u8> }
    /// The relay knows nothing of the other account yet.
    Absent "absent" {}
    /// There is a connection to the relay.
    Connected "connected" {}
    /// The relay is gone.
    Disconnected "disconnected" {}
    /// A conversation was begun with this device.
    Begun "begun" { address: Vec<u8> }
    /// A line was sent to one device, for the `times`th time.
    Sent "sent" { to: Vec<u8>, number: u64, times: u64, message: MessageId }
    /// A copy was sealed in `nanos`.
    Sealed "sealed" { nanos: u64 }
    /// A message was opened in `nanos`.
    Opened "opened" { nanos: u64 }
    /// A line of this device is to be shown.
    Line "line" { from: Vec<u8>, number: u64, content: Vec<u8> }
    /// A commit took so long.
    Committed "committed" { nanos: u64 }
    /// All lines were sent, and reported by everybody.
    Delivered "delivered" {}
    /// A message was refused.
    Refused "refused" { error: String }
    /// Something was counted.
    Count "count" { name: String, count: u64 }
}

/// What stands in a record, as one word without spaces.
trait Field: Sized {
    fn to_word(&self) -> String;
    fn from_word(word: &str) -> Option<Self>;
}

impl Field for u64 {
    fn to_word(&self) -> String {
        self.to_string()
    }

    fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Field for Vec<u8> {
    fn to_word(&self) -> String {
        hex::encode(self)
    }

    fn from_word(word: &str) -> Option<Self> {
        hex::decode(word).ok()
    }
}

impl Field for MessageId {
    fn to_word(&self) -> String {
        hex::encode(self)
    }

    fn from_word(word: &str) -> Option<Self> {
        hex::decode(word).ok()?.try_into().ok()
    }
}

impl Field for String {
    fn to_word(&self) -> String {
        hex::encode(self)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::from_utf8(hex::decode(word).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_parsed_as_they_were_displayed() {
        let records = [
            Record::Absent {},
            Record::Address {
                address: "127.0.0.1:4000".to_owned(),
            },
            Record::Saw {
                mailbox: b"alice".to_vec(),
                message: [9; 8],
                fate: String::new(),
                length: 294,
                head: vec![0, 2, 0xff],
            },
            Record::Line {
                from: b"bob".to_vec(),
                number: 3,
                content: b"two words\n".to_vec(),
            },
            Record::Line {
                from: b"bob".to_vec(),
                number: 4,
                content: Vec::new(),
            },
        ];
        for record in records {
            let line = record.to_string();
            assert!(!line.contains('\n'));
            assert_eq!(Record::parse(&line), Some(record));
        }
        for line in ["", "line", "line 01 3", "absent 1", "opened x"] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }
}
