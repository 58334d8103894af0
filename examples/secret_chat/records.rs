//! What the processes of a demonstration tell the one that started them, on their standard output: a line for each
//! record, words separated by spaces, byte strings in hexadecimal. A line without its end was cut off by a kill, and
//! does not count.

use std::fmt;

use crate::inbox::MessageId;

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
    /// A peer begins with the state of this generation (0: there was none).
    Loaded "loaded" { generation: u64, read: u64, written: u64 }
    /// A peer saw the other one's identity keys for the first time: fingerprints of its own and the other's.
    Contact "contact" { own: Vec<u8>, peer: Vec<u8> }
    /// Somebody uses the peer's address with other identity keys than the pinned ones.
    Changed "changed" { pinned: Vec<u8>, other: Vec<u8> }
    /// Bundles under the peer's name are somebody else's.
    Stranger "stranger" { name: Vec<u8> }
    /// The relay has no bundle of the peer.
    Absent "absent" {}
    /// The peer was reached, by our beginning or by its first message.
    Connected "connected" {}
    /// The relay is gone.
    Disconnected "disconnected" {}
    /// The conversation was begun.
    Begun "begun" {}
    /// The peer's first message was accepted.
    Accepted "accepted" {}
    /// A line was sealed, for the `times`th time, in `nanos`.
    Sent "sent" { number: u64, times: u64, message: MessageId, nanos: u64, content: Vec<u8> }
    /// A message was opened in `nanos`.
    Opened "opened" { nanos: u64 }
    /// A line is to be shown; `message` brought it.
    Line "line" { number: u64, message: MessageId, content: Vec<u8> }
    /// A state was made durable in `nanos`.
    Committed "committed" { nanos: u64 }
    /// All lines were sent, and reported by the peer.
    Delivered "delivered" {}
    /// A message was refused.
    Refused "refused" { error: String }
    /// One number of the closing table.
    Total "total" { name: String, count: u64 }
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
                number: 3,
                message: [1; 8],
                content: b"two words\n".to_vec(),
            },
            Record::Line {
                number: 4,
                message: [1; 8],
                content: Vec::new(),
            },
        ];
        for record in records {
            let line = record.to_string();
            assert!(!line.contains('\n'));
            assert_eq!(Record::parse(&line), Some(record));
        }
        for line in [
            "",
            "line",
            "line 3 0101010101010101",
            "absent 1",
            "opened x",
        ] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }
}
