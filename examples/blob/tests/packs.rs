//! Packs: rounds, updates, and what is refused.

use super::*;
use crate::publishing::{Wanted, publish};
use crate::unpacking;
use subrosa::file::pack::{self, Held, Link};

const LIMIT: u64 = 1 << 20;

/// Three stickers, as their author has them.
fn stickers(scratch: &Scratch) -> PathBuf {
    let folder = scratch.path("owls");
    fs::create_dir_all(&folder).unwrap();
    scratch.file("owls/a.webp", &text(1000));
    scratch.file("owls/b.PNG", &text(40_000));
    scratch.file("owls/c.webm", b"");
    scratch.file(
        "owls/pack.txt",
        "a.webp 🦉 🌙\n\nb.PNG 🦉\n  c.webm 👍🏽\n".as_bytes(),
    );
    folder
}

/// Publishes the next version.
fn published(scratch: &Scratch, author: &str, disk: &impl Disk) -> Result<(u64, String)> {
    let wanted = Wanted::read(&scratch.path("owls"), "Owls".to_owned(), "Bob".to_owned())?;
    let author = scratch.path(author);
    publish(
        &wanted,
        &author,
        &scratch.folder(),
        disk,
        &ProgressBar::hidden(),
    )
}

fn unpack(link: &str, source: &dyn Source, out: &Path, disk: &impl Disk) -> Result<Held> {
    unpacking::unpack(link, source, out, LIMIT, disk, &ProgressBar::hidden())
}

/// The files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn manifest(scratch: &Scratch, link: &str) -> PathBuf {
    let (_, link) = Link::parse(link).unwrap();
    scratch
        .folder()
        .path(Name::new(link.pack_id().as_bytes(), Kind::Pack))
}

fn pack_reason(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<pack::Error> {
    error.downcast_ref().copied()
}

#[test]
fn a_pack_goes_round_and_is_updated() {
    let scratch = Scratch::new();
    let (folder, owls) = (scratch.folder(), stickers(&scratch));
    let (version, link) = published(&scratch, "author", &Real).unwrap();
    assert_eq!(version, 1);
    assert!(link.starts_with("https://example.org/pack#v1."));
    let web = serve(folder.clone());
    for (out, source) in [("by-folder", &folder as &dyn Source), ("by-web", &web)] {
        let out = scratch.path(out);
        assert_eq!(unpack(&link, source, &out, &Real).unwrap().version(), 1);
        assert_eq!(
            names(&out),
            ["001.webp", "002.png", "003.webm", "held", "list"]
        );
        assert!(fs::read(out.join("001.webp")).unwrap() == text(1000));
        assert!(fs::read(out.join("002.png")).unwrap() == text(40_000));
        assert!(fs::read(out.join("003.webm")).unwrap().is_empty());
        let again = Failing::at(source, usize::MAX);
        unpack(&link, &again, &out, &Real).unwrap();
        assert!(again.asked.borrow().is_empty(), "nothing is fetched twice");
    }
    // One is another, one is gone; the first stays as it is.
    fs::write(owls.join("b.PNG"), b"another").unwrap();
    fs::write(owls.join("pack.txt"), "a.webp 🦉 🌙\nb.PNG 🦉\n").unwrap();
    let (version, same) = published(&scratch, "author", &Real).unwrap();
    assert_eq!((version, &same), (2, &link));
    let (out, source) = (scratch.path("by-web"), Failing::at(&web, usize::MAX));
    assert_eq!(unpack(&link, &source, &out, &Real).unwrap().version(), 2);
    assert_eq!(source.asked.borrow().len(), 1);
    assert_eq!(names(&out), ["001.webp", "002.png", "held", "list"]);
    assert!(fs::read(out.join("001.webp")).unwrap() == text(1000));
    assert!(fs::read(out.join("002.png")).unwrap() == b"another");
}

/// With other emoji a picture is neither sealed nor fetched once more.
#[test]
fn other_emoji_move_no_picture() {
    let scratch = Scratch::new();
    let (folder, owls, out) = (scratch.folder(), stickers(&scratch), scratch.path("out"));
    let (_, link) = published(&scratch, "author", &Real).unwrap();
    unpack(&link, &folder, &out, &Real).unwrap();
    let before = names(&scratch.path("server"));
    fs::write(owls.join("pack.txt"), "a.webp 🌵\nb.PNG 🦉\n").unwrap();
    let (version, _) = published(&scratch, "author", &Real).unwrap();
    assert_eq!(version, 2);
    assert_eq!(names(&scratch.path("server")), before);
    let source = Failing::at(&folder, usize::MAX);
    assert_eq!(unpack(&link, &source, &out, &Real).unwrap().version(), 2);
    assert!(source.asked.borrow().is_empty(), "but for the manifest");
    let sealed = fs::read(manifest(&scratch, &link)).unwrap();
    let opened = Link::parse(&link).unwrap().1.open(&sealed).unwrap();
    assert!(opened.contents().stickers()[0].emoji().eq(["🌵"]));
}

#[test]
fn rollback_and_fork_are_refused() {
    let scratch = Scratch::new();
    let (folder, owls, out) = (scratch.folder(), stickers(&scratch), scratch.path("out"));
    let (_, link) = published(&scratch, "author", &Real).unwrap();
    let manifest = manifest(&scratch, &link);
    let first = fs::read(&manifest).unwrap();
    unpack(&link, &folder, &out, &Real).unwrap();
    for name in ["author", "author.published"] {
        fs::copy(
            scratch.path(name),
            scratch.path(&name.replace("author", "copy")),
        )
        .unwrap();
    }
    published(&scratch, "author", &Real).unwrap();
    let second = fs::read(&manifest).unwrap();
    unpack(&link, &folder, &out, &Real).unwrap();

    fs::write(owls.join("a.webp"), b"other").unwrap();
    fs::write(&manifest, &first).unwrap();
    published(&scratch, "copy", &Real).unwrap();
    let forked = fs::read(&manifest).unwrap();
    for (served, why) in [
        (&first, pack::Error::Rollback),
        (&forked, pack::Error::Fork),
    ] {
        fs::write(&manifest, served).unwrap();
        let error = unpack(&link, &folder, &out, &Real).unwrap_err();
        assert_eq!(pack_reason(&*error), Some(why));
        assert!(fs::read(out.join("001.webp")).unwrap() == text(1000));
    }
    // The author is told, too, before another version is signed.
    let error = published(&scratch, "author", &Real).unwrap_err();
    assert_eq!(pack_reason(&*error), Some(pack::Error::Fork));
    fs::write(&manifest, &second).unwrap();
    assert_eq!(unpack(&link, &folder, &out, &Real).unwrap().version(), 2);
}

/// A device that was restored from a backup takes what the server has.
#[test]
fn a_backup_of_the_author_does_not_fork() {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.folder(), scratch.path("out"));
    stickers(&scratch);
    let (_, link) = published(&scratch, "author", &Real).unwrap();
    fs::copy(scratch.path("author"), scratch.path("restored")).unwrap();
    published(&scratch, "author", &Real).unwrap();
    assert_eq!(unpack(&link, &folder, &out, &Real).unwrap().version(), 2);
    assert_eq!(
        published(&scratch, "restored", &Real).unwrap(),
        (3, link.clone())
    );
    assert_eq!(unpack(&link, &folder, &out, &Real).unwrap().version(), 3);
}

#[test]
fn an_altered_manifest_is_refused() {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.folder(), scratch.path("out"));
    stickers(&scratch);
    let (_, link) = published(&scratch, "author", &Real).unwrap();
    let manifest = manifest(&scratch, &link);
    let honest = fs::read(&manifest).unwrap();
    for place in 0..honest.len() {
        flip(&manifest, place);
        let error = unpack(&link, &folder, &out, &Real).unwrap_err();
        assert_eq!(pack_reason(&*error), Some(pack::Error::Integrity));
        flip(&manifest, place);
    }
    for other in [
        &honest[..honest.len() - 1],
        &[&honest[..], b"x"].concat(),
        &vec![0; 1 << 20],
    ] {
        fs::write(&manifest, other).unwrap();
        assert!(unpack(&link, &folder, &out, &Real).is_err());
    }
    assert!(!out.exists());
    fs::write(&manifest, honest).unwrap();
    assert!(unpack(&link[..link.len() - 1], &folder, &out, &Real).is_err());
    unpack(&link, &folder, &out, &Real).unwrap();
}

#[test]
fn a_pack_with_what_is_not_wanted_is_not_fetched() {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.folder(), scratch.path("out"));
    stickers(&scratch);
    let (_, link) = published(&scratch, "author", &Real).unwrap();
    let source = Failing::at(&folder, usize::MAX);
    let bar = ProgressBar::hidden();
    let error = unpacking::unpack(&link, &source, &out, 39_999, &Real, &bar).unwrap_err();
    assert_eq!(reason(&*error), Some(file::Error::NotAdmitted));
    assert!(source.asked.borrow().is_empty() && names(&out).is_empty());
    unpacking::unpack(&link, &source, &out, 40_000, &Real, &bar).unwrap();
}

/// An author who is killed never signs two manifests of one version: who has seen anything takes what comes next.
#[test]
fn publishing_killed_at_every_step() {
    for step in 0.. {
        let scratch = Scratch::new();
        let (folder, out) = (scratch.folder(), scratch.path("out"));
        stickers(&scratch);
        let (_, link) = published(&scratch, "author", &Real).unwrap();
        let manifest = manifest(&scratch, &link);
        let first = fs::read(&manifest).unwrap();
        let dead = published(&scratch, "author", &Dying::at(step)).is_err();
        let before = unpack(&link, &folder, &out, &Real).unwrap().version();
        // Not even if the server forgets what it had.
        fs::write(&manifest, first).unwrap();
        let (version, _) = published(&scratch, "author", &Real).unwrap();
        assert!(version > before);
        assert_eq!(
            unpack(&link, &folder, &out, &Real).unwrap().version(),
            version
        );
        if !dead {
            assert!(step > 5);
            break;
        }
    }
}

/// Killed on the way to a second version, which swaps two stickers, and gone on with to that or to a third, which has them
/// as they were.
#[test]
fn unpacking_killed_at_every_step() {
    let scratch = Scratch::new();
    let (folder, owls) = (scratch.folder(), stickers(&scratch));
    let stickers = [text(1000), b"other".to_vec()];
    scratch.file("owls/d.webp", &stickers[1]);
    let mut link = String::new();
    let mut version = |list: &str| {
        fs::write(owls.join("pack.txt"), list).unwrap();
        link = published(&scratch, "author", &Real).unwrap().1;
        fs::read(manifest(&scratch, &link)).unwrap()
    };
    let first = version("a.webp 🦉\nd.webp 🌙\nb.PNG 🌙\n");
    let second = version("d.webp 🌙\na.webp 🦉\n");
    let third = version("a.webp 🦉\nd.webp 🌙\n");
    let manifest = manifest(&scratch, &link);
    for step in 0.. {
        let out = scratch.path(&format!("out-{step}"));
        let mut dead = false;
        for (last, order) in [(&second, [1, 0]), (&third, [0, 1])] {
            if out.exists() {
                fs::remove_dir_all(&out).unwrap();
            }
            fs::write(&manifest, &first).unwrap();
            unpack(&link, &folder, &out, &Real).unwrap();
            fs::write(&manifest, &second).unwrap();
            dead = unpack(&link, &folder, &out, &Dying::at(step)).is_err();
            fs::write(&manifest, last).unwrap();
            unpack(&link, &folder, &out, &Real).unwrap();
            assert_eq!(names(&out), ["001.webp", "002.webp", "held", "list"]);
            for (name, sticker) in ["001.webp", "002.webp"].into_iter().zip(order) {
                assert!(
                    fs::read(out.join(name)).unwrap() == stickers[sticker],
                    "{step}"
                );
            }
        }
        if !dead {
            assert!(step > 10);
            break;
        }
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_author() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    stickers(&scratch);
    published(&scratch, "author", &Real).unwrap();
    let mode = fs::metadata(scratch.path("author"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_no_sticker_is_is_refused() {
    let scratch = Scratch::new();
    let owls = stickers(&scratch);
    for (file, length) in [("a.exe", 1), ("a", 1), ("large.webp", (1 << 19) + 1)] {
        fs::write(owls.join(file), vec![0; length]).unwrap();
        fs::write(owls.join("pack.txt"), format!("{file} 🦉\n")).unwrap();
        assert!(published(&scratch, "author", &Real).is_err(), "{file}");
    }
    fs::write(owls.join("pack.txt"), "a.webp\n").unwrap();
    assert!(published(&scratch, "author", &Real).is_err(), "no emoji");
    assert!(!scratch.path("author.published").exists());
}
