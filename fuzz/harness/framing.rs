//! Targets `wire` and `envelope`: what is accepted has one encoding.

use subrosa::Incoming;
use subrosa::envelope::{ENVELOPE, Envelope, Kind};
use subrosa::padding::{is_padded_length, padded_length};
use subrosa::wire::{self, Reader, VECTOR_MAX, Writer};

use super::script::Script;

/// A sequence of reads, as the first bytes say, over the rest: what was read, written again, is what was consumed.
pub fn wire(data: &[u8]) {
    let mut script = Script::new(data);
    let count = script.below(32);
    let operations = script.take(count);
    let input = script.rest();
    let mut reader = Reader::new(input);
    let mut writer = Writer::new();
    for operation in operations {
        let before = reader.rest();
        if copy(*operation, &mut reader, &mut writer).is_err() {
            // A value that is not whole is not written.
            assert!(input.ends_with(before) && before.ends_with(reader.rest()));
            break;
        }
        let consumed = input.len() - reader.rest().len();
        assert_eq!(writer.as_bytes(), &input[..consumed]);
    }
    let left = reader.rest().len();
    assert_eq!(reader.finish().is_ok(), left == 0);

    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(input) {
        *to = *from;
    }
    let number = u64::from_be_bytes(number) as usize;
    lengths(number);
    lengths(number % (2 * VECTOR_MAX));
    lengths(number % (1 << 21));
}

fn copy(operation: u8, reader: &mut Reader<'_>, writer: &mut Writer) -> Result<(), wire::Error> {
    let parameter = usize::from(operation >> 4);
    match operation % 9 {
        0 => writer.u8(reader.u8()?),
        1 => writer.u16(reader.u16()?),
        2 => writer.u32(reader.u32()?),
        3 => writer.u64(reader.u64()?),
        4 => writer.flag(reader.flag()?),
        5 => writer.bytes(reader.array::<12>()?),
        6 => writer.bytes(reader.take(parameter)?),
        7 => writer.vector_length(reader.vector_length()?)?,
        _ => {
            let max = (1 << parameter) - 1;
            let vector = reader.vector(max)?;
            assert!(vector.len() <= max);
            writer.vector(vector)?
        }
    };
    Ok(())
}

/// A vector length is written and read back; a padded length is the least one that is allowed.
fn lengths(length: usize) {
    let mut writer = Writer::new();
    let fits = writer.vector_length(length).is_ok();
    assert_eq!(fits, length <= VECTOR_MAX);
    let bytes = writer.into_bytes();
    if fits {
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.vector_length(), Ok(length));
        assert_eq!(reader.finish(), Ok(()));
    } else {
        assert!(bytes.is_empty());
    }
    if let Some(padded) = padded_length(length) {
        assert!(padded >= length && is_padded_length(padded));
        assert!(padded == length || !is_padded_length(length));
    }
}

/// An envelope and, if it is one, the message in it.
pub fn envelope(data: &[u8]) {
    match Envelope::parse(data) {
        Ok(envelope) => {
            let again = [&envelope.kind.header(), envelope.body].concat();
            assert_eq!(again, data);
        }
        Err(_) => assert!(Incoming::parse(data).is_err()),
    }
    let Ok(incoming) = Incoming::parse(data) else {
        return;
    };
    let kind = Envelope::parse(data).unwrap().kind;
    assert_eq!(incoming.first_id().is_some(), kind == Kind::First);
    let tag_at = match kind {
        Kind::First => subrosa::agreement::PREFIX,
        Kind::Message => ENVELOPE,
    };
    assert!(data[tag_at..].starts_with(incoming.tag()));
}
