//! A program as it is linked: its sections, and where its memory begins and ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

/// A section that the board has in its memory.
pub struct Section {
    pub name: String,
    pub size: u64,
    /// Whether the program brings its bytes along, in flash.
    pub loaded: bool,
    /// Whether it is in RAM when the program runs.
    pub in_ram: bool,
}

pub struct Image {
    pub sections: Vec<Section>,
    /// Bytes of code by crate, the largest first; a function that was inlined counts where it went.
    pub code: Vec<(String, u64)>,
    /// The first address behind everything that is static: the stack may grow down to it.
    pub static_end: u64,
    /// Where the stack begins, at the upper end of RAM.
    pub stack_start: u64,
}

impl Image {
    pub fn read(elf: &Path) -> Result<Self, String> {
        let bytes = fs::read(elf).map_err(|why| format!("{}: {why}", elf.display()))?;
        let file = object::File::parse(&*bytes).map_err(|why| why.to_string())?;
        let mut sections = Vec::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                return Err("the program is no ELF file".to_owned());
            };
            let allocated = sh_flags & elf::SHF_ALLOC == elf::SHF_ALLOC;
            if allocated && section.size() > 0 {
                sections.push(Section {
                    name: section.name().unwrap_or("?").to_owned(),
                    size: section.size(),
                    loaded: section.kind() != object::SectionKind::UninitializedData,
                    in_ram: section.address() >= crate::board::RAM,
                });
            }
        }
        let symbol = |name: &str| {
            let found = file.symbols().find(|symbol| symbol.name() == Ok(name));
            found
                .map(|symbol| symbol.address())
                .ok_or_else(|| format!("the program has no symbol {name}"))
        };
        Ok(Self {
            sections,
            code: code(&file),
            static_end: symbol("__sheap")?,
            stack_start: symbol("_stack_start")?,
        })
    }

    /// Bytes of flash: everything that is loaded, also what is copied to RAM from there.
    pub fn flash(&self) -> u64 {
        let loaded = self.sections.iter().filter(|section| section.loaded);
        loaded.map(|section| section.size).sum()
    }

    /// Bytes of RAM that are static.
    pub fn static_ram(&self) -> u64 {
        let in_ram = self.sections.iter().filter(|section| section.in_ram);
        in_ram.map(|section| section.size).sum()
    }
}

fn code(file: &object::File<'_>) -> Vec<(String, u64)> {
    let mut sizes = BTreeMap::<String, u64>::new();
    for symbol in file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
    {
        let name = rustc_demangle::demangle(symbol.name().unwrap_or_default()).to_string();
        *sizes.entry(crate_of(&name).to_owned()).or_default() += symbol.size();
    }
    let mut sizes: Vec<_> = sizes.into_iter().collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    sizes
}

/// The crate of a demangled name: that of the type where a method is a trait's.
fn crate_of(name: &str) -> &str {
    let name = name.trim_start_matches(['<', '&', '*', '[', '(']);
    let name = name.trim_start_matches("mut ").trim_start_matches("dyn ");
    match name.split_once("::") {
        Some((krate, _)) if krate.chars().all(|c| c.is_alphanumeric() || c == '_') => krate,
        _ => "(C and compiler)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_of_a_name() {
        assert_eq!(crate_of("subrosa::wire::Reader::u16"), "subrosa");
        assert_eq!(
            crate_of("<&mut sha2::Sha256 as core::fmt::Debug>::fmt"),
            "sha2"
        );
        assert_eq!(crate_of("memcpy"), "(C and compiler)");
    }
}
