//! The board's RAM, seen from outside while the program waits.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::image::Image;

/// Where the RAM begins.
pub const RAM: u64 = 0x2100_0000;
/// Its size, and the file's.
pub const RAM_SIZE: u64 = 16 << 20;
/// What the stack is painted with before it is used.
const PAINT: u8 = 0xa5;

/// The file that the emulator maps as the board's RAM.
pub struct Ram(File);

/// Addresses, the last one exclusive.
#[derive(Clone, Copy)]
pub struct Area {
    pub start: u64,
    pub end: u64,
}

impl Area {
    fn size(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

impl Ram {
    /// Makes the file, with the stack painted.
    pub fn create(path: &Path, image: &Image) -> Result<Self, String> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .and_then(|file| file.set_len(RAM_SIZE).map(|()| file));
        let mut ram = Self(file.map_err(|why| format!("{}: {why}", path.display()))?);
        ram.paint(image.static_end, image.stack_start)?;
        Ok(ram)
    }

    fn read(&mut self, area: Area) -> Result<Vec<u8>, String> {
        let offset = area
            .start
            .checked_sub(RAM)
            .filter(|_| area.end <= RAM + RAM_SIZE);
        let offset = offset.ok_or_else(|| format!("{:#x} is not in RAM", area.start))?;
        let mut bytes = vec![0; usize::try_from(area.size()).unwrap_or(0)];
        self.0
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.0.read_exact(&mut bytes))
            .map_err(|why| format!("reading the board's RAM: {why}"))?;
        Ok(bytes)
    }

    /// A word of the program.
    pub fn word(&mut self, address: u64) -> Result<u32, String> {
        let bytes = self.read(Area {
            start: address,
            end: address + 4,
        })?;
        let word = bytes.first_chunk().copied();
        word.map(u32::from_le_bytes)
            .ok_or_else(|| "a word has four bytes".to_owned())
    }

    /// Writes at an address of the board.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), String> {
        let offset = address.checked_sub(RAM);
        let offset = offset.ok_or_else(|| format!("{address:#x} is not in RAM"))?;
        self.0
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.0.write_all(bytes))
            .map_err(|why| format!("writing to the board's RAM: {why}"))
    }

    /// Paints unused stack.
    pub fn paint(&mut self, start: u64, end: u64) -> Result<(), String> {
        let size = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        self.write(start, &vec![PAINT; size])
    }

    /// How deep the stack went: from its beginning to the last byte that is not paint.
    pub fn stack_depth(&mut self, image: &Image) -> Result<u64, String> {
        let bytes = self.read(Area {
            start: image.static_end,
            end: image.stack_start,
        })?;
        depth(&bytes).ok_or_else(|| "the stack ran into the static memory".to_owned())
    }

    /// How much of the heap was ever used: up to the last byte that is not zero.
    pub fn heap_used(&mut self, heap: Area) -> Result<u64, String> {
        Ok(high_water(&self.read(heap)?))
    }
}

/// `None` if no paint is left at the far end.
fn depth(stack: &[u8]) -> Option<u64> {
    let painted = stack.iter().take_while(|byte| **byte == PAINT).count();
    (painted > 0).then(|| (stack.len() - painted) as u64)
}

fn high_water(arena: &[u8]) -> u64 {
    let untouched = arena.iter().rev().take_while(|byte| **byte == 0).count();
    (arena.len() - untouched) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_grows_down_through_the_paint() {
        assert_eq!(depth(&[PAINT; 8]), Some(0));
        assert_eq!(depth(&[PAINT, PAINT, 0, PAINT, 9, PAINT]), Some(4));
        assert_eq!(depth(&[0, PAINT, PAINT]), None);
        assert_eq!(depth(&[]), None);
    }

    #[test]
    fn the_heap_grows_up_through_zeros() {
        assert_eq!(high_water(&[0; 8]), 0);
        assert_eq!(high_water(&[0, 5, 0, 0, 7, 0]), 5);
    }
}
