//! A pack of stickers, from a link to a folder.
//!
//! ```text
//! held       which version that is, so that no older one takes its place
//! list       which blob is in which file, a line each
//! 001.webp   a sticker
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use subrosa::file::Fetch;
use subrosa::file::pack::{Held, Link, Update};

use crate::Result;
use crate::disk::{Disk, content, replace};
use crate::folder::parse_id;
use crate::source::Source;
use crate::{line, opening, sticker};

/// Fetches what is not there yet of the pack's newest version; gives what is held.
pub fn unpack(
    link: &str,
    source: &dyn Source,
    out: &Path,
    size_max: u64,
    disk: &impl Disk,
    bar: &ProgressBar,
) -> Result<Held> {
    let text = line::text(link)?;
    let (_, link) = Link::parse(&text)?;
    let manifest = link.open(&source.pack(link.pack_id().as_bytes())?)?;
    fs::create_dir_all(out)?;
    let held_file = out.join("held");
    let held = match content(&held_file)? {
        None => Held::new(&manifest),
        Some(bytes) => {
            let held = Held::decode(&bytes)?;
            match held.update(&manifest)? {
                Update::Unchanged => held,
                Update::Newer(newer) => newer,
            }
        }
    };
    let mut wanted = BTreeMap::new();
    for (number, sticker) in (1..).zip(manifest.contents().stickers()) {
        let name = sticker::name(number, sticker.blob().media_type());
        let fetch = sticker
            .blob()
            .admit(|offer| name.is_some() && offer.text_len <= size_max)?;
        wanted.extend(name.map(|name| (name, fetch)));
    }
    // All are admitted: from now on none but this version and later ones.
    replace(disk, &held_file, &held.encode(), false)?;
    let mut present = Present::read(out)?;
    bar.set_length(wanted.values().map(|fetch| fetch.blob().text_len()).sum());
    for (name, fetch) in &wanted {
        if !present.has(name, fetch)? {
            present.fetch(name, fetch, source, disk)?;
        }
        bar.inc(fetch.blob().text_len());
    }
    present.keep(&wanted, disk)?;
    bar.finish();
    Ok(held)
}

/// The stickers that are in a folder.
struct Present {
    folder: PathBuf,
    /// The blob in each file; nothing while it changes.
    files: BTreeMap<String, Option<[u8; 32]>>,
}

impl Present {
    fn read(folder: &Path) -> Result<Self> {
        let list = content(&folder.join("list"))?.unwrap_or_default();
        let mut files = BTreeMap::new();
        for line in String::from_utf8(list)?.lines() {
            let (name, id) = line.split_once(' ').ok_or("the list is malformed")?;
            if !sticker::is_name(name) {
                return Err("the list is malformed".into());
            }
            files.insert(name.to_owned(), parse_id(id));
        }
        Ok(Self {
            folder: folder.to_owned(),
            files,
        })
    }

    fn write(&self, disk: &impl Disk) -> Result<()> {
        let mut list = String::new();
        for (name, id) in &self.files {
            let id = id.map_or("-".to_owned(), hex::encode);
            list.push_str(&format!("{name} {id}\n"));
        }
        Ok(replace(
            disk,
            &self.folder.join("list"),
            list.as_bytes(),
            false,
        )?)
    }

    /// Whether this sticker is in its file.
    fn has(&self, name: &str, fetch: &Fetch<'_>) -> Result<bool> {
        let listed = self.files.get(name) == Some(&Some(*fetch.id().as_bytes()));
        Ok(listed && self.folder.join(name).try_exists()?)
    }

    /// Fetches a sticker into its file. While the file changes, the list says nothing of what is in it.
    fn fetch(
        &mut self,
        name: &str,
        fetch: &Fetch<'_>,
        source: &dyn Source,
        disk: &impl Disk,
    ) -> Result<()> {
        self.files.insert(name.to_owned(), None);
        self.write(disk)?;
        let file = self.folder.join(name);
        opening::open(fetch, source, &file, disk, &ProgressBar::hidden())?;
        self.files
            .insert(name.to_owned(), Some(*fetch.id().as_bytes()));
        self.write(disk)
    }

    /// Removes the stickers that are in the pack no more.
    fn keep(&mut self, wanted: &BTreeMap<String, Fetch<'_>>, disk: &impl Disk) -> Result<()> {
        for name in self.files.keys().filter(|name| !wanted.contains_key(*name)) {
            disk.remove(&self.folder.join(name))?;
        }
        self.files.retain(|name, _| wanted.contains_key(name));
        self.write(disk)
    }
}
