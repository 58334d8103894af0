use std::vec;
use std::vec::Vec;

use super::*;

fn read(bytes: &[u8]) -> Result<usize, Error> {
    let mut reader = Reader::new(bytes);
    let length = reader.vector_length()?;
    reader.finish()?;
    Ok(length)
}

#[test]
fn integers_and_arrays_round_trip() {
    let mut writer = Writer::new();
    writer
        .u8(1)
        .u16(0x0203)
        .u32(0x0405_0607)
        .u64(0x0809_0a0b_0c0d_0e0f)
        .flag(true)
        .bytes(b"abc");
    let bytes = writer.into_bytes();
    assert_eq!(
        bytes,
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x01abc"
    );
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.u8(), Ok(1));
    assert_eq!(reader.u16(), Ok(0x0203));
    assert_eq!(reader.u32(), Ok(0x0405_0607));
    assert_eq!(reader.u64(), Ok(0x0809_0a0b_0c0d_0e0f));
    assert_eq!(reader.flag(), Ok(true));
    assert_eq!(reader.clone().finish(), Err(Error::Trailing));
    assert_eq!(reader.array(), Ok(b"abc"));
    assert_eq!(reader.u8(), Err(Error::Truncated));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn every_length_is_read_back_and_shortest() {
    for length in (0..70_000).chain([VECTOR_MAX - 1, VECTOR_MAX]) {
        let mut writer = Writer::new();
        writer.vector_length(length).unwrap();
        assert_eq!(writer.as_bytes().len(), header_length(length));
        assert_eq!(read(writer.as_bytes()), Ok(length));
    }
    assert_eq!(
        Writer::new().vector_length(VECTOR_MAX + 1).err(),
        Some(Error::TooLong)
    );
}

#[test]
fn what_is_nested_is_a_vector() {
    for length in [0, 1, 2, 63, 64, 65, 16_383, 16_384, 70_000] {
        let inner: Vec<u8> = (0..length).map(|number: u32| number as u8).collect();
        let mut plain = Writer::new();
        plain.u8(7).vector(&inner).unwrap().u8(8);
        let mut nested = Writer::new();
        nested.u8(7);
        let write = |writer: &mut Writer| {
            writer.bytes(&inner);
            Ok(())
        };
        nested.nested(write).unwrap().u8(8);
        assert_eq!(nested.into_bytes(), plain.into_bytes(), "{length}");
    }
    let refused = Writer::new().nested(|_| Err(Error::Value)).err();
    assert_eq!(refused, Some(Error::Value));
}

#[test]
fn every_header_of_up_to_four_bytes_is_canonical_or_refused() {
    // All one- and two-byte headers, and four-byte headers around each boundary.
    let mut inputs: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
    inputs.extend((0..=u16::MAX).map(|word| word.to_be_bytes().to_vec()));
    for base in [0u32, 1 << 6, 1 << 14, 0x3fff_ffff] {
        for prefix in [0x8000_0000u32, 0xc000_0000] {
            for delta in -2i64..=2 {
                let length = (i64::from(base) + delta).clamp(0, 0x3fff_ffff) as u32;
                inputs.push((length | prefix).to_be_bytes().to_vec());
            }
        }
    }
    for input in inputs {
        if let Ok(length) = read(&input) {
            let mut writer = Writer::new();
            writer.vector_length(length).unwrap();
            assert_eq!(writer.as_bytes(), input);
        }
    }
    assert_eq!(read(&[0x40, 0x3f]), Err(Error::Length));
    assert_eq!(read(&[0x80, 0, 0x3f, 0xff]), Err(Error::Length));
    assert_eq!(read(&[0xc0, 0, 0, 0]), Err(Error::Length));
    assert_eq!(read(&[]), Err(Error::Truncated));
    assert_eq!(read(&[0x40]), Err(Error::Truncated));
}

#[test]
fn a_vector_never_reaches_beyond_its_input_or_its_limit() {
    assert_eq!(Reader::new(&[3, 1, 2]).vector(10), Err(Error::Truncated));
    assert_eq!(
        Reader::new(&[0xbf, 0xff, 0xff, 0xff]).vector(VECTOR_MAX),
        Err(Error::Truncated)
    );
    assert_eq!(Reader::new(&[3, 1, 2, 3]).vector(2), Err(Error::TooLong));
    assert_eq!(Reader::new(&[3, 1, 2, 3]).vector(3), Ok(&[1, 2, 3][..]));
    assert_eq!(Reader::new(&[2]).flag(), Err(Error::Value));
}
