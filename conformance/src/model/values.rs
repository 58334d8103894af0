//! What a device seals, and what it stores beside its identity and its prekeys (SPEC.md §19.1, §19.3, §19.4).

use subrosa::wire::{Error, Reader};

use super::account;
use super::formula::{Bytes32, header, hmac, is_canonical, label, vector};
use super::stored::{Conversation, Layout};
use super::{Answer, array, error, require};

/// `view` (§19.1): version and hash of a device list.
pub type View = (u64, Bytes32);

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Kind 0.
    Message,
    /// Kind 1, with `account_id`.
    Copy(Bytes32),
    /// Of a later version.
    Unknown,
}

/// `body` (§19.1), taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The view of the sender's list, then that of the receiver's.
    pub views: Option<[View; 2]>,
    /// What it is.
    pub content: Content,
    /// The text; of what is unknown, the whole body.
    pub text: Vec<u8>,
}

impl Body {
    /// `body`
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut head = match self.content {
            Content::Message => 0x10,
            Content::Copy(_) => 0x11,
            Content::Unknown => return self.text.clone(),
        };
        let mut rest = Vec::new();
        if let Some(views) = &self.views {
            head += 0x08;
            for (version, hash) in views {
                rest.extend(version.to_be_bytes());
                rest.extend(hash);
            }
        }
        if let Content::Copy(account_id) = &self.content {
            rest.extend(account_id);
        }
        [&[head], &rest[..], &self.text].concat()
    }

    /// §19.1-R2.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn parse(body: &[u8]) -> Answer<Self> {
        let (head, mut rest) = body.split_first().ok_or(error("Malformed"))?;
        let (has_views, is_copy) = match head {
            0x10 => (false, false),
            0x11 => (false, true),
            0x18 => (true, false),
            0x19 => (true, true),
            _ => {
                return Ok(Self {
                    views: None,
                    content: Content::Unknown,
                    text: body.to_vec(),
                });
            }
        };
        let views = match has_views {
            true => Some([view(&mut rest)?, view(&mut rest)?]),
            false => None,
        };
        let content = match is_copy {
            true => Content::Copy(take(&mut rest)?),
            false => Content::Message,
        };
        Ok(Self {
            views,
            content,
            text: rest.to_vec(),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Answer<[u8; N]> {
    let taken = array(rest)?;
    *rest = rest.get(N..).unwrap_or_default();
    Ok(taken)
}

fn view(rest: &mut &[u8]) -> Answer<View> {
    Ok((u64::from_be_bytes(take(rest)?), take(rest)?))
}

/// `names` (§19.3).
#[must_use]
pub fn names(app_key: &Bytes32) -> Bytes32 {
    hmac(app_key, &[&label("store key")])
}

/// `key` (§19.3).
#[must_use]
pub fn store_key(app_key: &Bytes32, kind: u16, name: &[u8]) -> Vec<u8> {
    let mac = hmac(&names(app_key), &[&kind.to_be_bytes(), name]);
    mac.iter().take(16).copied().collect()
}

/// The id of a received message (§19.4-R4).
#[must_use]
pub fn message_id(incarnation: u16, sequence: u64) -> u64 {
    u64::from(incarnation) * (1 << 48) + sequence
}

/// `first` and `next` of the inbox or the outbox.
pub type Ids = [u64; 2];

/// Kind 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `incarnation`
    pub incarnation: u16,
    /// `inbox`
    pub inbox: Ids,
    /// `outbox`
    pub outbox: Ids,
    /// `publish_due`
    pub publish_due: u8,
    /// `list_due`
    pub list_due: u8,
    /// `published_at`
    pub published_at: u64,
}

/// Kind 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `incarnation`
    pub incarnation: u16,
    /// `begin_anew`
    pub begin_anew: u8,
    /// `telling`
    pub telling: u8,
    /// `told`: of the own list, and of theirs.
    pub told: [u64; 2],
    /// The conversation.
    pub conversation: Conversation,
}

/// Kind 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `approved`
    pub approved: u8,
    /// The list.
    pub devices: Vec<u8>,
}

/// Kind 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index(pub Vec<Vec<u8>>);

/// Kind 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// `order`
    pub order: u64,
    /// `account_id`
    pub account_id: Bytes32,
    /// Addresses, and the messages for them.
    pub copies: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Kind 9: the app's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxOrder(pub Vec<u8>);

/// Kind 10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    /// `incarnation`
    pub incarnation: u16,
    /// The address.
    pub address: Vec<u8>,
    /// `received_at`
    pub received_at: u64,
    /// `notices`
    pub notices: u8,
    /// `content`
    pub content: u8,
    /// `account_id`, if there is one.
    pub account_id: Option<Bytes32>,
    /// The text.
    pub text: Vec<u8>,
}

/// Kind 11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSeed(pub Bytes32);

type Read<T> = Result<T, Error>;

fn valid<T>(holds: bool, value: T) -> Read<T> {
    match holds {
        true => Ok(value),
        false => Err(Error::Value),
    }
}

/// `vec(address)`
fn address(reader: &mut Reader<'_>) -> Read<Vec<u8>> {
    let address = reader.vector(usize::MAX)?.to_vec();
    valid((1..=47).contains(&address.len()), address)
}

impl Layout for Root {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let ids = |reader: &mut Reader<'_>| {
            let [first, next] = [reader.u64()?, reader.u64()?];
            valid(first <= next && next <= 1 << 48, [first, next])
        };
        Ok(Self {
            incarnation: reader.u16()?,
            inbox: ids(reader)?,
            outbox: ids(reader)?,
            publish_due: reader.flag()?.into(),
            list_due: reader.flag()?.into(),
            published_at: reader.u64()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.incarnation.to_be_bytes());
        for number in self.inbox.iter().chain(&self.outbox) {
            out.extend(number.to_be_bytes());
        }
        out.extend([self.publish_due, self.list_due]);
        out.extend(self.published_at.to_be_bytes());
    }
}

/// Of what §12.5 says about a conversation, the address and `IKd` are looked at here.
impl Layout for Peer {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let peer = Self {
            incarnation: reader.u16()?,
            begin_anew: reader.flag()?.into(),
            telling: reader.u8()?,
            told: [reader.u64()?, reader.u64()?],
            conversation: Conversation::fields(reader)?,
        };
        let Conversation { address, ikd, .. } = &peer.conversation;
        let right = (1..=47).contains(&address.len()) && is_canonical(ikd);
        valid(right && peer.telling <= 2, peer)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.incarnation.to_be_bytes());
        out.extend([self.begin_anew, self.telling]);
        for version in self.told {
            out.extend(version.to_be_bytes());
        }
        self.conversation.write(out);
    }
}

impl Layout for Account {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let approved = reader.u8()?;
        let devices = reader.vector(usize::MAX)?.to_vec();
        let form = account::Content::form(&devices);
        let entries = form.map_or(0, |(content, _)| content.entries().len());
        let right = (1..=entries).contains(&usize::from(approved));
        valid(right, Self { approved, devices })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.approved);
        out.extend(vector(&self.devices));
    }
}

impl Layout for Index {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let count = reader.vector_length()?;
        valid((1..=2).contains(&count), ())?;
        let addresses: Read<_> = (0..count).map(|_| address(reader)).collect();
        Ok(Self(addresses?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let Self(addresses) = self;
        out.extend(header(addresses.len()));
        for address in addresses {
            out.extend(vector(address));
        }
    }
}

impl Layout for OutboxEntry {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let (order, account_id) = (reader.u64()?, *reader.array()?);
        let count = reader.vector_length()?;
        valid(count <= 64, ())?;
        let copy = |_| Ok((address(reader)?, reader.vector(usize::MAX)?.to_vec()));
        let copies: Read<_> = (0..count).map(copy).collect();
        Ok(Self {
            order,
            account_id,
            copies: copies?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.order.to_be_bytes());
        out.extend(self.account_id);
        out.extend(header(self.copies.len()));
        for (address, message) in &self.copies {
            out.extend(vector(address));
            out.extend(vector(message));
        }
    }
}

impl Layout for OutboxOrder {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let name = reader.vector(usize::MAX)?.to_vec();
        valid((1..=64).contains(&name.len()), Self(name))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(vector(&self.0));
    }
}

impl Layout for InboxEntry {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        let (incarnation, address) = (reader.u16()?, address(reader)?);
        let (received_at, notices) = (reader.u64()?, reader.u8()?);
        let content = reader.u8()?;
        let account_id = match content {
            1 => Some(*reader.array()?),
            _ => None,
        };
        let length = reader.rest().len();
        let entry = Self {
            incarnation,
            address,
            received_at,
            notices,
            content,
            account_id,
            text: reader.take(length)?.to_vec(),
        };
        valid(notices < 16 && content <= 2, entry)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.incarnation.to_be_bytes());
        out.extend(vector(&self.address));
        out.extend(self.received_at.to_be_bytes());
        out.extend([self.notices, self.content]);
        out.extend(self.account_id.iter().flatten());
        out.extend(&self.text);
    }
}

impl Layout for AccountSeed {
    fn fields(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self(*reader.array()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0);
    }
}

/// Whether a plaintext is the one encoding of a value of kinds 4 to 11 (§12.1-R3).
///
/// # Errors
/// `Integrity`.
pub fn judge(kind: u16, plaintext: &[u8]) -> Answer<()> {
    let again = match kind {
        4 => Root::decode(plaintext)?.encode(),
        5 => Peer::decode(plaintext)?.encode(),
        6 => Account::decode(plaintext)?.encode(),
        7 => Index::decode(plaintext)?.encode(),
        8 => OutboxEntry::decode(plaintext)?.encode(),
        9 => OutboxOrder::decode(plaintext)?.encode(),
        10 => InboxEntry::decode(plaintext)?.encode(),
        11 => AccountSeed::decode(plaintext)?.encode(),
        _ => return Err(error("Integrity")),
    };
    require(again == plaintext, "Integrity")
}
