//! A pack of stickers, from a folder to a server's.
//!
//! ```text
//! AUTHOR             the author's secret
//! AUTHOR.published   what is held of the last version, and its manifest
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use subrosa::file::MediaType;
use subrosa::file::pack::limits::STICKER_MAX;
use subrosa::file::pack::{Author, Contents, Error, HELD, Held, Link, Manifest, Sticker, Update};
use subrosa::os_rng;

use crate::Result;
use crate::disk::{Disk, beside, content, replace};
use crate::folder::{Folder, Kind, Name};
use crate::{reading, sealing, sticker};

/// In front of the `#` of a link: an app has an address of its own.
const ADDRESS: &str = "https://example.org/pack";

/// What the author wants to be in a pack.
pub struct Wanted {
    title: String,
    name: String,
    stickers: Vec<Picture>,
}

struct Picture {
    file: PathBuf,
    kind: MediaType,
    emoji: Vec<String>,
}

impl Wanted {
    /// What `pack.txt` in a folder says: `file emoji emoji …` on each line.
    pub fn read(folder: &Path, title: String, name: String) -> Result<Self> {
        let mut stickers = Vec::new();
        let list = fs::read_to_string(folder.join("pack.txt"))?;
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let file = folder.join(words.next().unwrap_or_default());
            let kind = sticker::media_type(&file)?;
            if file.metadata()?.len() > STICKER_MAX {
                return Err(format!("{} is over {STICKER_MAX} bytes", file.display()).into());
            }
            let emoji = words.map(str::to_owned).collect();
            stickers.push(Picture { file, kind, emoji });
        }
        Ok(Self {
            title,
            name,
            stickers,
        })
    }
}

/// Publishes the next version of a pack, the first if there is none; gives its number and the link.
pub fn publish(
    wanted: &Wanted,
    author_file: &Path,
    folder: &Folder,
    disk: &impl Disk,
    bar: &ProgressBar,
) -> Result<(u64, String)> {
    let author = author(author_file, disk)?;
    let published = beside(author_file, ".published");
    let (held, mut known) = match last(&author, &published, folder)? {
        Some((held, manifest)) => (Some(held), manifest.into_contents().into_stickers()),
        None => (None, Vec::new()),
    };
    let mut stickers = Vec::new();
    bar.set_length(wanted.stickers.len() as u64);
    for picture in &wanted.stickers {
        let text = fs::read(&picture.file)?;
        let same = known
            .iter()
            .position(|known| shows(known, picture, &text, folder));
        // Whatever emoji it stood for: they are the manifest's.
        let blob = match same {
            Some(place) => known.swap_remove(place).into_blob(),
            None => sealing::seal_small(&text, picture.kind, folder, disk)?,
        };
        let emoji: Vec<&str> = picture.emoji.iter().map(String::as_str).collect();
        stickers.push(Sticker::new(&emoji, blob)?);
        bar.inc(1);
    }
    let contents = Contents::new(&wanted.title, &wanted.name, stickers)?;
    let (manifest, held) = author.publish(&contents, held.as_ref(), &mut os_rng())?;
    // Before anybody sees it: who signs two versions of one number has forked the pack.
    let stored = [&held.encode()[..], &manifest].concat();
    replace(disk, &published, &stored, true)?;
    folder.keep_pack(disk, author.pack_id().as_bytes(), &manifest)?;
    bar.finish();
    Ok((held.version(), author.link().to_text(ADDRESS)?.to_string()))
}

/// The author of a file, a new one if there is none.
fn author(file: &Path, disk: &impl Disk) -> Result<Author> {
    if let Some(bytes) = content(file)? {
        return Ok(Author::decode(&bytes)?);
    }
    let author = Author::generate(&mut os_rng())?;
    replace(disk, file, author.encode().expose(), true)?;
    Ok(author)
}

/// The last version that there is, here or at the server: another device of the author may have published.
fn last(author: &Author, published: &Path, folder: &Folder) -> Result<Option<(Held, Manifest)>> {
    let link = author.link();
    let mut last = match content(published)? {
        Some(bytes) => Some(read(&link, &bytes)?),
        None => None,
    };
    let name = Name::new(author.pack_id().as_bytes(), Kind::Pack);
    if let Some(sealed) = content(&folder.path(name))? {
        let manifest = link.open(&sealed)?;
        let newer = match &last {
            None => Some(Held::new(&manifest)),
            Some((held, _)) => match held.update(&manifest) {
                Ok(Update::Newer(newer)) => Some(newer),
                // The last one did not get there.
                Ok(Update::Unchanged) | Err(Error::Rollback) => None,
                Err(error) => return Err(error.into()),
            },
        };
        if let Some(newer) = newer {
            last = Some((newer, manifest));
        }
    }
    Ok(last)
}

fn read(link: &Link, published: &[u8]) -> Result<(Held, Manifest)> {
    let parts = published.split_at_checked(HELD);
    let (held, manifest) = parts.ok_or("what was published last is cut")?;
    Ok((Held::decode(held)?, link.open(manifest)?))
}

/// Whether a sticker shows this picture, and is where it should be.
fn shows(sticker: &Sticker, picture: &Picture, text: &[u8], folder: &Folder) -> bool {
    let length = text.len() as u64;
    let blob = sticker.blob();
    let allow =
        |offer: &subrosa::file::Offer| offer.text_len == length && offer.media_type == picture.kind;
    let Ok(fetch) = blob.admit(allow) else {
        return false;
    };
    let mut found = Vec::new();
    reading::read(&fetch, folder, &(0..length), &mut found).is_ok() && found == text
}
