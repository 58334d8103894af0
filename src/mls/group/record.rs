//! What the records of a stored member have in them (SPEC §22.6).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::epoch::{Epoch, PastEpoch};
use super::member::{Kept, Life, Member, Next, Pending, ProposedUpdate};
use super::record_name::RecordName;
use crate::crypto::Secret;
use crate::crypto::hash::HASH;
use crate::memory;
use crate::mls::codec::{Codec, read_bytes};
use crate::mls::context::{GroupContext, interim_transcript_hash};
use crate::mls::error::Error;
use crate::mls::framing::Sender;
use crate::mls::math::TreeSize;
use crate::mls::proposal::{Proposal, ProposalRef, ReInit};
use crate::mls::schedule::EpochSecrets;
use crate::mls::secret_tree::SecretTree;
use crate::mls::signature::Signer;
use crate::mls::suite::{CipherSuite, Suite};
use crate::mls::tree::{PageName, PrivateTree, RatchetTree};
use crate::wire::{self, Reader, Writer};

/// The version of the stored form.
const VERSION: u16 = 1;

/// Content of a record, secret.
pub(super) type Content = Zeroizing<Vec<u8>>;

/// What stands in for every reason why a record cannot be read.
fn intact<T, E>(read: Result<T, E>) -> Result<T, Error> {
    read.map_err(|_| Error::Integrity)
}

/// Reads a record whole.
fn whole<T>(
    record: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = Reader::new(record);
    let value = intact(read(&mut reader))?;
    intact(reader.finish())?;
    Ok(value)
}

fn content(
    capacity: usize,
    write: impl FnOnce(&mut Writer) -> Result<(), wire::Error>,
) -> Result<Content, Error> {
    let mut writer = Writer::with_capacity(capacity);
    write(&mut writer)?;
    Ok(Zeroizing::new(writer.into_bytes()))
}

fn write_secret(secret: &Secret<32>, writer: &mut Writer) {
    writer.bytes(secret.expose());
}

fn read_secret(reader: &mut Reader<'_>) -> Result<Secret<32>, wire::Error> {
    Ok(Secret::new(*reader.array()?))
}

fn write_signer(signer: Option<&Arc<Signer>>, writer: &mut Writer) {
    writer.flag(signer.is_some());
    if let Some(signer) = signer {
        write_secret(&signer.secret(), writer);
    }
}

fn read_signer(suite: &Suite, reader: &mut Reader<'_>) -> Result<Option<Arc<Signer>>, Error> {
    if !reader.flag()? {
        return Ok(None);
    }
    let signer = Signer::from_secret(suite.id, &read_secret(reader)?)?;
    Ok(Some(Arc::new(signer)))
}

fn write_reinit(reinit: Option<&ReInit>, writer: &mut Writer) -> Result<(), wire::Error> {
    writer.flag(reinit.is_some());
    match reinit {
        Some(reinit) => Proposal::ReInit(reinit.clone()).write(writer),
        None => Ok(()),
    }
}

fn read_reinit(reader: &mut Reader<'_>) -> Result<Option<ReInit>, wire::Error> {
    if !reader.flag()? {
        return Ok(None);
    }
    match Proposal::read(reader)? {
        Proposal::ReInit(reinit) => Ok(Some(reinit)),
        _ => Err(wire::Error::Value),
    }
}

/// `context || u32 leaves`: what finds the tree of an epoch.
fn write_base(
    context: &GroupContext,
    tree: &RatchetTree,
    writer: &mut Writer,
) -> Result<(), wire::Error> {
    context.write(writer)?;
    writer.u32(tree.size().leaves());
    Ok(())
}

/// Where the tree of an epoch is.
pub(super) struct Base {
    pub(super) context: GroupContext,
    pub(super) size: TreeSize,
    pub(super) tree_hash: PageName,
}

impl Base {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let context = GroupContext::read(reader)?;
        let leaves = reader.u32()?;
        let size = TreeSize::for_leaves(leaves).filter(|size| size.leaves() == leaves);
        let tree_hash = context.tree_hash.as_slice().try_into();
        Ok(Self {
            size: size.ok_or(Error::Integrity)?,
            tree_hash: intact(tree_hash)?,
            context,
        })
    }
}

fn write_epoch(epoch: &Epoch, writer: &mut Writer) -> Result<(), wire::Error> {
    write_base(&epoch.context, &epoch.tree, writer)?;
    writer.vector(&epoch.confirmation_tag)?;
    // The encryption secret is in the tree of message keys, as far as it is anywhere.
    let EpochSecrets {
        init,
        sender_data,
        encryption: _,
        exporter,
        external,
        confirmation,
        membership,
        resumption,
        authenticator,
    } = &*epoch.secrets;
    for secret in [
        init,
        sender_data,
        exporter,
        external,
        confirmation,
        membership,
        resumption,
        authenticator,
    ] {
        write_secret(secret, writer);
    }
    epoch.private.write(writer);
    Ok(())
}

/// An epoch whose tree and message keys are still to be read.
struct HalfEpoch<'a> {
    base: Base,
    confirmation_tag: Vec<u8>,
    secrets: Box<EpochSecrets>,
    /// The private keys, which can be read once there is the tree.
    private: Reader<'a>,
}

impl<'a> HalfEpoch<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let base = Base::read(reader)?;
        let confirmation_tag = read_bytes(reader)?;
        let secrets = Box::new(EpochSecrets {
            init: read_secret(reader)?,
            sender_data: read_secret(reader)?,
            encryption: Secret::zero(),
            exporter: read_secret(reader)?,
            external: read_secret(reader)?,
            confirmation: read_secret(reader)?,
            membership: read_secret(reader)?,
            resumption: read_secret(reader)?,
            authenticator: read_secret(reader)?,
        });
        Ok(Self {
            base,
            confirmation_tag,
            secrets,
            private: Reader::new(reader.rest()),
        })
    }

    /// The epoch; nothing is behind it.
    fn finish(
        self,
        suite: &Suite,
        tree: RatchetTree,
        messages: SecretTree,
    ) -> Result<Epoch, Error> {
        let mut reader = self.private;
        let private = PrivateTree::read(suite, &tree, &mut reader)?;
        reader.finish()?;
        let context = self.base.context;
        let confirmed = &context.confirmed_transcript_hash;
        Ok(Epoch {
            interim_transcript_hash: interim_transcript_hash(confirmed, &self.confirmation_tag)?,
            context,
            tree,
            private,
            secrets: self.secrets,
            messages,
            confirmation_tag: self.confirmation_tag,
        })
    }
}

/// Reads records of a group, by their names.
pub(super) struct Records<F>(pub(super) F);

impl<F, E> Records<F>
where
    F: FnMut(&RecordName) -> Result<Option<Content>, E>,
    E: From<Error>,
{
    fn get(&mut self, name: &RecordName) -> Result<Content, E> {
        Ok((self.0)(name)?.ok_or(Error::Integrity)?)
    }

    fn tree(&mut self, base: &Base) -> Result<RatchetTree, E> {
        RatchetTree::load(base.size, &base.tree_hash, |page| {
            (self.0)(&RecordName::page(page))
        })
    }

    fn keys(&mut self, suite: &Suite, base: &Base) -> Result<SecretTree, E> {
        let epoch = base.context.epoch;
        SecretTree::load(suite.aead(), base.size, |item| {
            (self.0)(&RecordName::keys(epoch, item))
        })
    }

    /// The member that was stored.
    pub(super) fn member(&mut self) -> Result<Member, E> {
        let head = self.get(&RecordName::head())?;
        let head = Head::read(&head)?;
        let suite = head.suite;
        let base = &head.epoch.base;
        let tree = self.tree(base)?;
        let messages = self.keys(suite, base)?;
        let epoch = intact(head.epoch.finish(suite, tree, messages))?;
        let mut member = Member::new(suite, head.signer, Box::new(epoch));
        member.life = head.life;
        member.resumption = head.resumption;
        member.allow_lifetimes_of(head.longest_lifetime);
        member.keep_past_epochs(usize::try_from(head.past_epochs).unwrap_or(usize::MAX));
        for epoch in head.past {
            let past = self.past(suite, epoch)?;
            memory::push(&mut member.past, past);
        }
        self.kept(&mut member)?;
        if head.pending {
            member.pending = Some(Box::new(self.pending(suite)?));
        }
        Ok(member)
    }

    fn past(&mut self, suite: &Suite, epoch: u64) -> Result<PastEpoch, E> {
        let record = self.get(&RecordName::past(epoch))?;
        let (base, sender_data) = whole(&record, |reader| {
            Ok((Base::read(reader)?, read_secret(reader)?))
        })?;
        if base.context.epoch != epoch {
            return Err(Error::Integrity.into());
        }
        let tree = self.tree(&base)?;
        let messages = self.keys(suite, &base)?;
        Ok(PastEpoch {
            context: base.context,
            tree,
            sender_data,
            messages,
        })
    }

    fn kept(&mut self, member: &mut Member) -> Result<(), E> {
        let record = self.get(&RecordName::counts())?;
        let (proposals, updates) = whole(&record, |reader| Ok((reader.u16()?, reader.u16()?)))?;
        for number in 0..proposals {
            let record = self.get(&RecordName::proposal(number))?;
            let kept = whole(&record, |reader| {
                Ok(Kept {
                    reference: ProposalRef(*reader.array()?),
                    sender: Sender::read(reader)?,
                    proposal: Proposal::read(reader)?,
                })
            })?;
            memory::push(&mut member.kept, kept);
        }
        let suite = member.suite;
        for number in 0..updates {
            let record = self.get(&RecordName::update(number))?;
            let update = whole(&record, |reader| {
                Ok(ProposedUpdate {
                    encryption_key: suite.hpke.kem.key_pair(&read_secret(reader)?)?,
                    signer: read_signer(suite, reader)?,
                })
            })?;
            memory::push(&mut member.updates, update);
        }
        Ok(())
    }

    fn pending(&mut self, suite: &'static Suite) -> Result<Pending, E> {
        let record = self.get(&RecordName::pending())?;
        let mut reader = Reader::new(&record);
        let mut read = || -> Result<_, Error> {
            Ok((
                *reader.array()?,
                read_signer(suite, &mut reader)?,
                read_reinit(&mut reader)?,
                read_secret(&mut reader)?,
                HalfEpoch::read(&mut reader)?,
            ))
        };
        let (message, signer, reinit, encryption, epoch) = intact(read())?;
        let tree = self.tree(&epoch.base)?;
        let messages = SecretTree::new(suite.aead(), tree.size(), encryption);
        let epoch = intact(epoch.finish(suite, tree, messages))?;
        Ok(Pending {
            message,
            next: Next {
                epoch: Box::new(epoch),
                signer,
                reinit,
            },
        })
    }
}

/// What the first record says.
struct Head<'a> {
    suite: &'static Suite,
    signer: Arc<Signer>,
    life: Life,
    past_epochs: u64,
    longest_lifetime: u64,
    pending: bool,
    resumption: Vec<(u64, Secret<HASH>)>,
    past: Vec<u64>,
    epoch: HalfEpoch<'a>,
}

const ACTIVE: u8 = 0;
const REMOVED: u8 = 1;
const REINITIALIZED: u8 = 2;

impl<'a> Head<'a> {
    fn read(record: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(record);
        if intact(reader.u16())? != VERSION {
            return Err(Error::UnknownVersion);
        }
        intact(Self::read_rest(&mut reader))
    }

    fn read_rest(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let suite = Suite::of(CipherSuite::read(reader)?)?;
        let signer = Signer::from_secret(suite.id, &read_secret(reader)?)?;
        let life = match reader.u8()? {
            ACTIVE => Life::Active,
            REMOVED => Life::Removed,
            REINITIALIZED => Life::Reinitialized(read_reinit(reader)?.ok_or(Error::Integrity)?),
            _ => return Err(Error::Integrity),
        };
        let past_epochs = reader.u64()?;
        let longest_lifetime = reader.u64()?;
        let pending = reader.flag()?;
        let mut resumption = Vec::new();
        for _ in 0..reader.u8()? {
            memory::push(&mut resumption, (reader.u64()?, read_secret(reader)?));
        }
        let mut past = Vec::new();
        for _ in 0..reader.u32()? {
            memory::push(&mut past, reader.u64()?);
        }
        Ok(Self {
            suite,
            signer: Arc::new(signer),
            life,
            past_epochs,
            longest_lifetime,
            pending,
            resumption,
            past,
            epoch: HalfEpoch::read(reader)?,
        })
    }
}

/// The first record.
pub(super) fn head(member: &Member) -> Result<Content, Error> {
    content(4_096, |writer| {
        writer.u16(VERSION);
        member.suite.id.write(writer)?;
        write_secret(&member.signer.secret(), writer);
        match &member.life {
            Life::Active => {
                writer.u8(ACTIVE);
            }
            Life::Removed => {
                writer.u8(REMOVED);
            }
            Life::Reinitialized(reinit) => {
                writer.u8(REINITIALIZED);
                write_reinit(Some(reinit), writer)?;
            }
        }
        writer
            .u64(u64::try_from(member.past_epochs).unwrap_or(u64::MAX))
            .u64(member.longest_lifetime)
            .flag(member.pending.is_some())
            .u8(u8::try_from(member.resumption.len()).unwrap_or(u8::MAX));
        for (epoch, secret) in &member.resumption {
            writer.u64(*epoch);
            write_secret(secret, writer);
        }
        writer.u32(u32::try_from(member.past.len()).unwrap_or(u32::MAX));
        for past in &member.past {
            writer.u64(past.context.epoch);
        }
        write_epoch(&member.epoch, writer)
    })
}

pub(super) fn past(past: &PastEpoch) -> Result<Content, Error> {
    content(512, |writer| {
        write_base(&past.context, &past.tree, writer)?;
        write_secret(&past.sender_data, writer);
        Ok(())
    })
}

pub(super) fn counts(proposals: u16, updates: u16) -> Result<Content, Error> {
    content(4, |writer| {
        writer.u16(proposals).u16(updates);
        Ok(())
    })
}

pub(super) fn proposal(kept: &Kept) -> Result<Content, Error> {
    content(1_024, |writer| {
        writer.bytes(&kept.reference.0);
        kept.sender.write(writer)?;
        kept.proposal.write(writer)
    })
}

pub(super) fn update(update: &ProposedUpdate) -> Result<Content, Error> {
    content(65, |writer| {
        write_secret(&update.encryption_key.secret(), writer);
        write_signer(update.signer.as_ref(), writer);
        Ok(())
    })
}

pub(super) fn pending(pending: &Pending) -> Result<Content, Error> {
    let Pending { message, next } = pending;
    let keys = next.epoch.messages.unused_root().ok_or(Error::Integrity)?;
    content(4_096, |writer| {
        writer.bytes(message);
        write_signer(next.signer.as_ref(), writer);
        write_reinit(next.reinit.as_ref(), writer)?;
        write_secret(keys, writer);
        write_epoch(&next.epoch, writer)
    })
}
