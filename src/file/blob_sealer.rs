//! From a text to a blob: padded, sealed and hashed, and gone on with after an interruption (SPEC §20.2, §20.4).

use alloc::boxed::Box;
use core::fmt;
use core::iter::Empty;

use super::blob::{Blob, CONTEXT, padded_len, stored_len};
use super::buffer::Buffer;
use super::chunk::{CHUNK, Chunks, HEADER, SEALED_CHUNK};
use super::record::{Interrupted, Record};
use super::tree::{Hash, Shape, TreeHasher, leaf_hash};
use super::{Error, open, seal};
use crate::crypto::aead::TAG;

/// Makes a blob: takes its text in pieces of any length, gives out sealed chunks, and has memory for one and for some forty
/// hashes.
///
/// ```
/// # use subrosa::file::{Blob, BlobSealer, Error, MediaType, Record};
/// # fn seal(mut text: &[u8], stored: &mut Vec<u8>) -> Result<Blob, Error> {
/// let record = Record::new(MediaType::new("image/webp")?, b"", &mut subrosa::os_rng())?;
/// let mut sealer = BlobSealer::new(record);
/// while let Some(chunk) = sealer.feed(&mut text)? {
///     stored.extend_from_slice(chunk.header());
///     stored.extend_from_slice(chunk.bytes());
/// }
/// while let Some(chunk) = sealer.finish()? {
///     stored.extend_from_slice(chunk.header());
///     stored.extend_from_slice(chunk.bytes());
/// }
/// let blob = sealer.blob()?;
/// # Ok(blob)
/// # }
/// ```
///
/// # After an interruption
/// An app that wants to go on keeps three things: the exported [`Record`]; a file of its own, to which it appends header
/// and leaf of each chunk, and brings them to the disk, *before* the chunk leaves; and the text. [`resume`](Self::resume)
/// goes on. A chunk whose leaf is recorded leaves again only if it is the same, so that no nonce has two texts.
pub struct BlobSealer<L = Empty<Hash>> {
    record: Record,
    /// There once the text of the first chunk is.
    keys: Option<Keys>,
    buffer: Buffer,
    ledger: Ledger<L>,
    /// Bytes of the text so far.
    length: u64,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    /// So many zeros are still to come.
    Padding(u64),
    Ended,
    Failed(Error),
}

/// A chunk of a blob, ready to leave.
pub struct SealedChunk<'a> {
    number: u64,
    header: &'a [u8],
    bytes: &'a [u8],
    leaf: Hash,
    nodes: &'a [Hash],
}

impl<'a> SealedChunk<'a> {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// What stands in front of it in the blob: the header in front of chunk 0, nothing in front of others.
    #[must_use]
    pub const fn header(&self) -> &'a [u8] {
        self.header
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its leaf: what is recorded before it leaves.
    #[must_use]
    pub const fn leaf(&self) -> &Hash {
        &self.leaf
    }

    /// The nodes that it completes, its leaf first (see [`TreeHasher::push`]).
    #[must_use]
    pub const fn nodes(&self) -> &'a [Hash] {
        self.nodes
    }
}

impl fmt::Debug for SealedChunk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedChunk")
            .field("number", &self.number)
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl BlobSealer {
    /// Begins a blob.
    #[must_use]
    pub fn new(record: Record) -> Self {
        Self {
            record,
            keys: None,
            buffer: Buffer::new(),
            ledger: Ledger {
                tree: TreeHasher::new(),
                recorded: core::iter::empty(),
                left: 0,
            },
            length: 0,
            state: State::Text,
        }
    }
}

impl<L: ExactSizeIterator<Item = Hash>> BlobSealer<L> {
    /// Goes on with a blob, from chunk `from` on: the text that is given to it begins at byte `from` · 16,384.
    ///
    /// `header` and `recorded` are what was written down before any chunk left: the header if there is a leaf, and the
    /// leaves of all chunks, from the first on. `from` is at most their number, and at most the number of whole chunks of
    /// the text; where it is less, the chunks that are recorded are sealed again and compared. Leaves that were recorded may
    /// be taken from a file one by one.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if `from` is behind the leaves; [`Error::Truncated`] if there are leaves and no header, or
    /// fewer leaves than `recorded` said; [`Error::Commitment`] if the header is not of this blob.
    pub fn resume(
        record: Interrupted,
        header: Option<&[u8; HEADER]>,
        mut recorded: L,
        from: u64,
    ) -> Result<Self, Error> {
        let Interrupted(record) = record;
        let mut left = recorded.len();
        let mut keys = None;
        if left > 0 {
            let header = header.ok_or(Error::Truncated)?;
            let chunks = open::begin(&record.key(), CONTEXT, header)?;
            keys = Some((Box::new(chunks), *header));
        }
        let mut tree = TreeHasher::new();
        while tree.leaves() < from {
            left = left.checked_sub(1).ok_or(Error::OutOfRange)?;
            tree.push(&recorded.next().ok_or(Error::Truncated)?)?;
        }
        Ok(Self {
            record,
            keys,
            buffer: Buffer::new(),
            ledger: Ledger {
                tree,
                recorded,
                left,
            },
            length: from.saturating_mul(CHUNK as u64),
            state: State::Text,
        })
    }

    /// What the blob is made from, to be exported.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Bytes of the text so far.
    #[must_use]
    pub const fn text_len(&self) -> u64 {
        self.length
    }

    /// Takes text from the front of `text` until a chunk is whole, and gives the chunk; or takes all of it.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Ended`]: nothing was taken. [`Error::Altered`]: the chunk is recorded, and was
    /// another one; [`Error::Truncated`]: fewer leaves than were said. These two are for good.
    pub fn feed(&mut self, text: &mut &[u8]) -> Result<Option<SealedChunk<'_>>, Error> {
        match self.state {
            State::Text => {}
            State::Failed(error) => return Err(error),
            State::Padding(_) | State::Ended => return Err(Error::Ended),
        }
        let room = self.buffer.room(CHUNK, text);
        let length = self.length.saturating_add(room as u64);
        stored_len(length).ok_or(Error::TooLong)?;
        self.length = length;
        // A chunk that lies there in one piece is sealed from where it is: a copy costs a tenth of that.
        if self.buffer.filled() == 0
            && let Some((chunk, rest)) = text.split_at_checked(CHUNK)
        {
            *text = rest;
            let sealed = self.seal_from(chunk);
            return self.give(sealed).map(Some);
        }
        if !self.buffer.fill(text, CHUNK) {
            return Ok(None);
        }
        let sealed = self.seal_in_place();
        self.give(sealed).map(Some)
    }

    /// The text is at its end: gives a chunk that is left, of text or of zeros behind it; nothing when all were given.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub fn finish(&mut self) -> Result<Option<SealedChunk<'_>>, Error> {
        let zeros = match self.state {
            State::Text => padded_len(self.length)
                .and_then(|padded| padded.checked_sub(self.length))
                .ok_or(Error::TooLong)?,
            State::Padding(zeros) => zeros,
            State::Ended => return Ok(None),
            State::Failed(error) => return Err(error),
        };
        let filled = self.buffer.fill_zeros(zeros, CHUNK);
        let left = zeros.saturating_sub(filled as u64);
        self.state = if self.buffer.filled() < CHUNK {
            State::Ended
        } else {
            State::Padding(left)
        };
        let sealed = self.seal_in_place();
        self.give(sealed).map(Some)
    }

    /// The chunk that was sealed into the buffer, of so many bytes; or a failure, which is for good.
    fn give(&mut self, sealed: Result<usize, Error>) -> Result<SealedChunk<'_>, Error> {
        let length = sealed.inspect_err(|error| self.state = State::Failed(*error))?;
        let (_, header) = self.keys.as_ref().ok_or(Error::Ended)?;
        self.ledger.last(header, self.buffer.front(length))
    }

    /// Seals what is in the buffer as the next chunk. Gives the bytes of the chunk.
    fn seal_in_place(&mut self) -> Result<usize, Error> {
        let length = self.buffer.take_filled();
        let text = self.buffer.front(length);
        let (chunks, _) = keys(&mut self.keys, &self.record, text);
        let length = length.saturating_add(TAG);
        let sealed = self.buffer.front_mut(length);
        chunks.seal(self.ledger.next(), sealed)?;
        self.ledger.enter(&leaf_hash(sealed))?;
        Ok(length)
    }

    /// The same with `text`, which is a whole chunk.
    fn seal_from(&mut self, text: &[u8]) -> Result<usize, Error> {
        let (chunks, _) = keys(&mut self.keys, &self.record, text);
        let sealed = self.buffer.front_mut(SEALED_CHUNK);
        chunks.seal_into(self.ledger.next(), text, sealed)?;
        self.ledger.enter(&leaf_hash(sealed))?;
        Ok(SEALED_CHUNK)
    }

    /// The blob, once [`finish`](Self::finish) has given its last chunk.
    ///
    /// # Errors
    /// [`Error::Truncated`] if it is not complete; what the sealer failed with, if it has.
    pub fn blob(&self) -> Result<Blob, Error> {
        let (_, header) = match (self.state, &self.keys) {
            (State::Failed(error), _) => return Err(error),
            (State::Ended, Some(keys)) => keys,
            _ => return Err(Error::Truncated),
        };
        self.ledger.blob(&self.record, header, self.length)
    }

    /// How the blob is cut, once its length is known.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the text has not ended.
    pub fn shape(&self) -> Result<Shape, Error> {
        match self.state {
            State::Text => Err(Error::Truncated),
            State::Failed(error) => Err(error),
            _ => Shape::new(stored_len(self.length).ok_or(Error::TooLong)?),
        }
    }
}

/// The keys of a blob, and its header; they are there once the text of its first chunk is.
type Keys = (Box<Chunks>, [u8; HEADER]);

/// The keys that are there, or those of a blob whose first chunk has this text.
fn keys<'a>(there: &'a mut Option<Keys>, record: &Record, text: &[u8]) -> &'a Keys {
    there.get_or_insert_with(|| {
        let (chunks, header) = seal::begin(&record.key(), CONTEXT, &record.salt(text));
        (Box::new(chunks), header)
    })
}

/// The leaves of a blob as far as it is sealed.
pub(super) struct Ledger<L> {
    tree: TreeHasher,
    /// Leaves that were recorded, from that of the next chunk on, and how many.
    recorded: L,
    left: usize,
}

impl<L: Iterator<Item = Hash>> Ledger<L> {
    /// The number of the next chunk.
    pub const fn next(&self) -> u64 {
        self.tree.leaves()
    }

    /// Takes down the leaf of the next chunk, of which nothing was given out (SPEC §20.4-R3).
    pub fn enter(&mut self, leaf: &Hash) -> Result<(), Error> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            if self.recorded.next().ok_or(Error::Truncated)? != *leaf {
                return Err(Error::Altered);
            }
        }
        self.tree.push(leaf)?;
        Ok(())
    }

    /// The chunk whose leaf was taken down last.
    pub fn last<'a>(
        &'a self,
        header: &'a [u8; HEADER],
        bytes: &'a [u8],
    ) -> Result<SealedChunk<'a>, Error> {
        let nodes = self.tree.completed();
        let number = self.tree.leaves().checked_sub(1);
        Ok(SealedChunk {
            number: number.ok_or(Error::Ended)?,
            header: match number {
                Some(0) => header,
                _ => &[],
            },
            bytes,
            leaf: *nodes.first().ok_or(Error::Ended)?,
            nodes,
        })
    }

    /// The blob of all the leaves, and of a text of this length.
    pub fn blob(&self, record: &Record, header: &[u8; HEADER], length: u64) -> Result<Blob, Error> {
        let stored = stored_len(length).ok_or(Error::TooLong)?;
        let id = self.tree.id(header, stored)?;
        Blob::new(id, record.key(), length, *record.media_type())
    }
}

/// What threads go on with.
#[cfg(feature = "threads")]
pub(super) struct Parts<L> {
    record: Record,
    keys: Option<Keys>,
    /// Text of the next chunk.
    pub buffer: Buffer,
    ledger: Ledger<L>,
    /// Bytes of the text so far.
    pub length: u64,
}

#[cfg(feature = "threads")]
impl<L> BlobSealer<L> {
    /// Takes it apart.
    ///
    /// # Errors
    /// As [`feed`](Self::feed).
    pub(super) fn into_parts(self) -> Result<Parts<L>, Error> {
        match self.state {
            State::Text => Ok(Parts {
                record: self.record,
                keys: self.keys,
                buffer: self.buffer,
                ledger: self.ledger,
                length: self.length,
            }),
            State::Failed(error) => Err(error),
            State::Padding(_) | State::Ended => Err(Error::Ended),
        }
    }
}

/// A blob whose keys are there.
#[cfg(feature = "threads")]
pub(super) struct Begun<'a, L> {
    pub record: &'a Record,
    pub chunks: &'a Chunks,
    pub header: &'a [u8; HEADER],
    pub ledger: &'a mut Ledger<L>,
}

#[cfg(feature = "threads")]
impl<L> Parts<L> {
    /// Derives the keys from the text in the buffer, if it is that of the first chunk; and gives that text.
    pub fn begin(&mut self) -> (Begun<'_, L>, &[u8]) {
        let text = self.buffer.front(self.buffer.filled());
        let (chunks, header) = keys(&mut self.keys, &self.record, text);
        let begun = Begun {
            record: &self.record,
            chunks,
            header,
            ledger: &mut self.ledger,
        };
        (begun, text)
    }
}

impl<L> fmt::Debug for BlobSealer<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobSealer")
            .field("length", &self.length)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
