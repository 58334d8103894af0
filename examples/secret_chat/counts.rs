//! What was counted, by name.

use std::collections::BTreeMap;

use subrosa::wire::{self, Reader, Writer};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub fn add(&mut self, name: &str, count: usize) {
        *self.0.entry(name.to_owned()).or_default() += count as u64;
    }

    pub fn set(&mut self, name: &str, count: u64) {
        self.0.insert(name.to_owned(), count);
    }

    pub fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    pub fn write(&self, writer: &mut Writer) -> Result<(), wire::Error> {
        writer.u32(u32::try_from(self.0.len()).map_err(|_| wire::Error::TooLong)?);
        for (name, count) in &self.0 {
            writer.vector(name.as_bytes())?.u64(*count);
        }
        Ok(())
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let mut counts = Self::default();
        for _ in 0..reader.u32()? {
            let name = std::str::from_utf8(reader.vector(64)?).map_err(|_| wire::Error::Value)?;
            counts.0.insert(name.to_owned(), reader.u64()?);
        }
        Ok(counts)
    }
}
