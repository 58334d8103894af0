//! Blobs that are made, resumed, and opened.

use std::ops::Range;

use serde_json::Value;
use subrosa::file::{
    self, BlobPieces, BlobSealer, Descriptor, Error, Interrupted, MediaType, Piece, Record,
    SealedChunk, Thumbnail,
};
use subrosa::hazmat::{self, Given};
use subrosa::{AppKey, Slot};

use super::tree::hashes;
use crate::op::{Input, Output, Refusal, refused};

pub(super) fn lengths(input: &Input<'_>) -> Result<Output, Refusal> {
    let text = input.integer("text")?;
    let lengths = file::padded_len(text).zip(file::stored_len(text));
    let (padded, stored) = lengths.ok_or_else(|| refused(Error::TooLong))?;
    Ok(Output::new()
        .value("padded", padded.to_string())
        .value("stored", stored.to_string()))
}

pub(super) fn record(input: &Input<'_>) -> Result<Output, Refusal> {
    let media_type = MediaType::new(input.text("media_type")?).map_err(refused)?;
    let record = hazmat::file::record(media_type, &input.bytes("apart")?, input.array("random")?);
    let (key, salt) = hazmat::file::record_keys(&record, &input.bytes("first")?);
    let record = hazmat::file::encode_record(&record).map_err(refused)?;
    Ok(Output::new()
        .hex("record", record)
        .hex("key", key)
        .hex("salt", salt))
}

fn read_record(input: &Input<'_>) -> Result<Record, Refusal> {
    hazmat::file::decode_record(&input.bytes("record")?).map_err(refused)
}

pub(super) fn export(input: &Input<'_>) -> Result<Output, Refusal> {
    let salt: [u8; 32] = input.array("salt")?;
    let store_key = input.bytes("store_key")?;
    let slot = Slot {
        store_key: &store_key,
        generation: input.integer("generation")?,
    };
    let app_key = AppKey::new(input.array("app_key")?);
    let mut given = Given::new([salt.to_vec()]);
    let exported = hazmat::file::export_record(&read_record(input)?, slot, &app_key, &mut given);
    Ok(Output::new().hex("exported", exported.map_err(refused)?))
}

pub(super) fn import(input: &Input<'_>) -> Result<Output, Refusal> {
    let store_key = input.bytes("store_key")?;
    let slot = Slot {
        store_key: &store_key,
        generation: input.integer("generation")?,
    };
    let app_key = AppKey::new(input.array("app_key")?);
    let interrupted = Interrupted::import(&input.bytes("exported")?, slot, &app_key);
    let record = hazmat::file::into_record(interrupted.map_err(refused)?);
    let record = hazmat::file::encode_record(&record).map_err(refused)?;
    Ok(Output::new().hex("record", record))
}

/// Seals what is left of a text: the bytes that leave go to `left`.
fn finish<L: ExactSizeIterator<Item = [u8; 32]>>(
    mut sealer: BlobSealer<L>,
    mut text: &[u8],
    left: &mut Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let mut leave = |chunk: SealedChunk<'_>| {
        left.extend_from_slice(chunk.header());
        left.extend_from_slice(chunk.bytes());
    };
    while let Some(chunk) = sealer.feed(&mut text)? {
        leave(chunk);
    }
    while let Some(chunk) = sealer.finish()? {
        leave(chunk);
    }
    let descriptor = Descriptor {
        blob: sealer.blob()?,
        thumbnail: Thumbnail::None,
    };
    Ok(descriptor.to_bytes()?.to_vec())
}

pub(super) fn seal(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut stored = Vec::new();
    let sealer = BlobSealer::new(read_record(input)?);
    let descriptor = finish(sealer, &input.bytes("text")?, &mut stored).map_err(refused)?;
    Ok(Output::new()
        .hex("stored", stored)
        .hex("descriptor", descriptor))
}

pub(super) fn resume(input: &Input<'_>) -> Result<Output, Refusal> {
    let interrupted = hazmat::file::interrupted(read_record(input)?);
    let header = match input.get("header")? {
        Value::Null => None,
        _ => Some(input.array("header")?),
    };
    let leaves = hashes(input, "leaves")?.into_iter();
    let from = input.integer("from")?;
    let sealer = BlobSealer::resume(interrupted, header.as_ref(), leaves, from);
    let mut left = Vec::new();
    let sealed = finish(sealer.map_err(refused)?, &input.bytes("text")?, &mut left);
    let (refused, descriptor) = match sealed {
        Ok(descriptor) => (Value::Null, hex::encode(descriptor).into()),
        Err(error) => (format!("{error:?}").into(), Value::Null),
    };
    Ok(Output::new()
        .hex("left", left)
        .value("refused", refused)
        .value("descriptor", descriptor))
}

fn descriptor(input: &Input<'_>) -> Result<Descriptor, Refusal> {
    let descriptor = Descriptor::parse(&input.bytes("descriptor")?);
    descriptor.map_err(|why| Refusal::Invalid(format!("descriptor: {why}")))
}

pub(super) fn open(input: &Input<'_>) -> Result<Output, Refusal> {
    let descriptor = descriptor(input)?;
    let stored = input.bytes("stored")?;
    let mut text = Vec::new();
    let refused = match open_all(&descriptor, &stored, &mut text) {
        Ok(()) => Value::Null,
        Err(error) => format!("{error:?}").into(),
    };
    Ok(Output::new().hex("text", text).value("refused", refused))
}

fn open_all(descriptor: &Descriptor, mut stored: &[u8], text: &mut Vec<u8>) -> Result<(), Error> {
    let mut opener = descriptor.blob.admit(|_| true)?.opener();
    while let Some(chunk) = opener.feed(&mut stored)? {
        text.extend_from_slice(chunk);
    }
    text.extend_from_slice(opener.finish()?);
    Ok(())
}

pub(super) fn piece(input: &Input<'_>) -> Result<Output, Refusal> {
    let descriptor = descriptor(input)?;
    let fetch = descriptor.blob.admit(|_| true).map_err(refused)?;
    let range = input.integer("from")?..input.integer("to")?;
    let piece = fetch.pieces().piece(&range).map_err(refused)?;
    Ok(Output::new()
        .value("first_leaf", piece.leaves().start.to_string())
        .value("end_leaf", piece.leaves().end.to_string())
        .value("first_byte", piece.place().start.to_string())
        .value("end_byte", piece.place().end.to_string())
        .value("proof", piece.proof_len().to_string()))
}

pub(super) fn open_piece(input: &Input<'_>) -> Result<Output, Refusal> {
    opened(input, |pieces, text| pieces.piece(text))
}

pub(super) fn open_run(input: &Input<'_>) -> Result<Output, Refusal> {
    opened(input, |pieces, leaves| pieces.run(leaves.clone()))
}

/// Opens what `wanted` says of `from` and `to`.
fn opened(
    input: &Input<'_>,
    wanted: impl Fn(&BlobPieces<'_>, &Range<u64>) -> Result<Piece, Error>,
) -> Result<Output, Refusal> {
    let descriptor = descriptor(input)?;
    let fetch = descriptor.blob.admit(|_| true).map_err(refused)?;
    let range = input.integer("from")?..input.integer("to")?;
    let mut pieces = fetch.pieces();
    let piece = wanted(&pieces, &range).map_err(refused)?;
    let mut bytes = input.bytes("bytes")?;
    let texts = pieces.open(&piece, &mut bytes, &input.bytes("proof")?);
    let text: Vec<u8> = texts.map_err(refused)?.flatten().copied().collect();
    Ok(Output::new().hex("text", text))
}
