//! Descriptors.

use serde_json::{Value, json};
use subrosa::file::{Blob, Descriptor, Error, Thumbnail};

use crate::op::{Input, Output, Refusal, refused};

pub(super) fn parse(input: &Input<'_>) -> Result<Output, Refusal> {
    let bytes = input.bytes("descriptor")?;
    let descriptor = Descriptor::parse(&bytes).map_err(refused)?;
    if *descriptor.to_bytes().map_err(refused)? != bytes {
        return Err(Refusal::Error("AnotherEncoding".to_owned()));
    }
    let (inline, thumbnail) = match &descriptor.thumbnail {
        Thumbnail::None => (Value::Null, Value::Null),
        Thumbnail::Inline(inline) => {
            let media_type = inline.media_type().as_str();
            let inline = json!({"media_type": media_type, "bytes": hex::encode(inline.bytes())});
            (inline, Value::Null)
        }
        Thumbnail::Blob(blob) => (Value::Null, fields(blob).map_err(refused)?),
    };
    let blob = fields(&descriptor.blob).map_err(refused)?;
    Ok(Output::new()
        .value("blob", blob)
        .value("inline", inline)
        .value("thumbnail", thumbnail))
}

fn fields(blob: &Blob) -> Result<Value, Error> {
    let fetch = blob.admit(|_| true)?;
    Ok(json!({
        "id": hex::encode(fetch.id().as_bytes()),
        "key": hex::encode(fetch.key().expose()),
        "length": blob.text_len().to_string(),
        "media_type": blob.media_type().as_str(),
    }))
}
