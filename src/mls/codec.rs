//! Structures of RFC 9420 as bytes: read from a [`Reader`], written to a [`Writer`], the one the inverse of the other.

use alloc::vec::Vec;

use crate::memory;
use crate::wire::{Error, Reader, VECTOR_MAX, Writer};

/// A structure of the TLS presentation language.
pub(super) trait Codec: Sized {
    /// Reads one off the front.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error>;

    /// Writes it behind what is there.
    fn write(&self, writer: &mut Writer) -> Result<(), Error>;

    /// Reads one that takes all of `bytes`.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    /// Its encoding.
    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::new();
        self.write(&mut writer)?;
        Ok(writer.into_bytes())
    }
}

/// `opaque x<V>`.
pub(super) fn read_bytes(reader: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
    Ok(memory::copied(reader.vector(VECTOR_MAX)?))
}

/// Bytes of memory that a list takes before its first element is read, at most: enough for most lists of numbers.
const LIST_ROOM: usize = 64;

/// `T x<V>`.
pub(super) fn read_list<T: Codec>(reader: &mut Reader<'_>) -> Result<Vec<T>, Error> {
    let mut inner = Reader::new(reader.vector(VECTOR_MAX)?);
    let most = LIST_ROOM.checked_div(size_of::<T>()).unwrap_or_default();
    let mut list = memory::with_capacity(most.min(inner.rest().len() / 2));
    while !inner.rest().is_empty() {
        memory::push(&mut list, T::read(&mut inner)?);
    }
    Ok(list)
}

/// `T x<V>`.
pub(super) fn write_list<T: Codec>(list: &[T], writer: &mut Writer) -> Result<(), Error> {
    writer.nested(|writer| list.iter().try_for_each(|item| item.write(writer)))?;
    Ok(())
}

/// `optional<T>`.
pub(super) fn read_optional<T: Codec>(reader: &mut Reader<'_>) -> Result<Option<T>, Error> {
    reader.flag()?.then(|| T::read(reader)).transpose()
}

/// `optional<T>`.
pub(super) fn write_optional<T: Codec>(
    value: Option<&T>,
    writer: &mut Writer,
) -> Result<(), Error> {
    writer.flag(value.is_some());
    value.map_or(Ok(()), |value| value.write(writer))
}

impl Codec for u16 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.u16()
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u16(*self);
        Ok(())
    }
}

/// Types that are a number of a registry (RFC 9420 §17): `uint16`.
macro_rules! numbers {
    ($($name:ident),*) => {$(
        impl $crate::mls::codec::Codec for $name {
            fn read(
                reader: &mut $crate::wire::Reader<'_>,
            ) -> Result<Self, $crate::wire::Error> {
                Ok(Self(reader.u16()?))
            }

            fn write(
                &self,
                writer: &mut $crate::wire::Writer,
            ) -> Result<(), $crate::wire::Error> {
                writer.u16(self.0);
                Ok(())
            }
        }
    )*};
}
pub(super) use numbers;

impl Codec for u32 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.u32()
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.u32(*self);
        Ok(())
    }
}

/// `opaque x<V>` as an element of a list.
impl Codec for Vec<u8> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        read_bytes(reader)
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Error> {
        writer.vector(self)?;
        Ok(())
    }
}
