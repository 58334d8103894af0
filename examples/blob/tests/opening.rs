//! Whole rounds, and opening that is interrupted.

use super::*;
use crate::{checking, opening, reading};
use subrosa::file::{BlobSealer, HEADER, MediaType, Record, Thumbnail};

fn open(descriptor: &Descriptor, source: &dyn Source, out: &Path, disk: &impl Disk) -> Result<()> {
    let fetch = descriptor.blob.admit(|_| true)?;
    opening::open(&fetch, source, out, disk, &ProgressBar::hidden())
}

fn read(descriptor: &Descriptor, source: &dyn Source, place: Range<u64>) -> Result<(Vec<u8>, u64)> {
    let fetch = descriptor.blob.admit(|_| true)?;
    let mut text = Vec::new();
    let (length, fetched) = reading::read(&fetch, source, &place, &mut text)?;
    assert_eq!(length, text.len() as u64);
    Ok((text, fetched))
}

#[test]
fn whole_rounds() {
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MEBIBYTE, MEBIBYTE + 7] {
        let scratch = Scratch::new();
        let (text, folder) = (text(size), scratch.folder());
        let descriptor = scratch.sealed(&text);
        assert_eq!(descriptor.blob.text_len(), size as u64);
        let blob = path(&folder, &descriptor, Kind::Blob);
        checking::verify(&blob, &ProgressBar::hidden()).unwrap();
        let web = serve(folder.clone());
        for source in [&folder as &dyn Source, &web] {
            let out = scratch.path("out");
            open(&descriptor, source, &out, &Real).unwrap();
            assert!(fs::read(&out).unwrap() == text);
            assert!(
                !scratch.path("out.part").exists() && !scratch.path("out.part.leaves").exists()
            );
            for place in [
                0..1,
                5..size / 2,
                size.saturating_sub(1)..size,
                size / 3..size + 9,
            ] {
                let wanted = text
                    .get(place.start..place.end.min(size))
                    .unwrap_or_default();
                let read = read(&descriptor, source, place.start as u64..place.end as u64);
                match read {
                    Ok((found, _)) => assert!(found == wanted && !found.is_empty()),
                    Err(error) => {
                        assert_eq!(reason(&*error), Some(file::Error::OutOfRange));
                        assert!(wanted.is_empty());
                    }
                }
            }
            let behind = read(&descriptor, source, size as u64..size as u64 + 1).unwrap_err();
            assert_eq!(reason(&*behind), Some(file::Error::OutOfRange));
        }
    }
}

#[test]
fn a_piece_takes_little() {
    let scratch = Scratch::new();
    let text = text(5 * MEBIBYTE + 11);
    let descriptor = scratch.sealed(&text);
    let web = serve(scratch.folder());
    // The second lies in two chunks.
    for place in [
        CHUNK * 100..CHUNK * 100 + 4096,
        CHUNK * 200 - 4095..CHUNK * 200 + 1,
    ] {
        let (found, fetched) =
            read(&descriptor, &web, place.start as u64..place.end as u64).unwrap();
        assert!(found == text[place]);
        assert!(fetched > 4096 && fetched <= 40_000, "{fetched}");
    }
}

fn assert_only_text(scratch: &Scratch, text: &[u8]) {
    let part = fs::read(scratch.path("out.part")).unwrap_or_default();
    assert!(text.starts_with(&part));
    if let Ok(out) = fs::read(scratch.path("out")) {
        assert!(out == text);
    }
}

/// Goes on behind what was verified, and asks for nothing twice.
#[test]
fn cut_off_at_every_request() {
    let whole = text(3 * MEBIBYTE + 7);
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(&whole);
    let (folder, out) = (scratch.folder(), scratch.path("out"));
    let count = {
        let all = Failing::at(&folder, usize::MAX);
        open(&descriptor, &all, &out, &Real).unwrap();
        usize::MAX - all.left.get()
    };
    assert_eq!(count, 2 * 4);
    for request in 0..count {
        fs::remove_file(&out).unwrap();
        open(&descriptor, &Failing::at(&folder, request), &out, &Real).unwrap_err();
        assert!(!out.exists());
        assert_only_text(&scratch, &whole);
        let rest = Failing::at(&folder, usize::MAX);
        open(&descriptor, &rest, &out, &Real).unwrap();
        assert_only_text(&scratch, &whole);
        let runs = request / 2;
        assert_eq!(rest.asked.borrow().len(), 4 - runs);
        let begin = runs as u64 * opening::RUN * file::SEALED_CHUNK as u64 + HEADER as u64;
        assert_eq!(rest.asked.borrow()[0], begin);
    }
}

#[test]
fn killed_at_every_step() {
    for size in [0, MEBIBYTE + 7] {
        let text = text(size);
        let scratch = Scratch::new();
        let descriptor = scratch.sealed(&text);
        let (folder, out) = (scratch.folder(), scratch.path("out"));
        for step in 0.. {
            let result = open(&descriptor, &folder, &out, &Dying::at(step));
            assert_only_text(&scratch, &text);
            if result.is_ok() {
                assert!(step > 5);
                break;
            }
            open(&descriptor, &folder, &out, &Real).unwrap();
            assert!(fs::read(&out).unwrap() == text);
            fs::remove_file(&out).unwrap();
        }
    }
}

/// What was begun of another blob is not gone on with.
#[test]
fn a_part_of_another_file_is_none_of_this() {
    let whole = text(2 * MEBIBYTE);
    let other: Vec<u8> = whole.iter().map(|byte| !byte).collect();
    let scratch = Scratch::new();
    let (first, second) = (scratch.sealed(&other), scratch.sealed(&whole));
    let (folder, out) = (scratch.folder(), scratch.path("out"));
    open(&first, &Failing::at(&folder, 2), &out, &Real).unwrap_err();
    assert_eq!(fs::read(scratch.path("out.part")).unwrap().len(), MEBIBYTE);
    open(&second, &folder, &out, &Real).unwrap();
    assert!(fs::read(&out).unwrap() == whole);
    // Nor does one count that lacks what it is said to have.
    fs::remove_file(&out).unwrap();
    open(&first, &Failing::at(&folder, 2), &out, &Real).unwrap_err();
    fs::write(scratch.path("out.part"), b"").unwrap();
    open(&first, &folder, &out, &Real).unwrap();
    assert!(fs::read(&out).unwrap() == other);
}

#[test]
fn what_is_not_wanted_is_not_fetched() {
    let kind = |name| Some(MediaType::new(name).unwrap());
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(&text(100));
    let wanted = |kind, size_max| {
        let admitted = descriptor
            .blob
            .admit(|offer| crate::is_wanted(offer, kind, size_max));
        admitted.map(drop)
    };
    assert_eq!(wanted(None, 99), Err(file::Error::NotAdmitted));
    assert_eq!(
        wanted(kind("image/webp"), 100),
        Err(file::Error::NotAdmitted)
    );
    assert_eq!(wanted(kind("application/octet-stream"), 100), Ok(()));
    assert_eq!(wanted(None, 100), Ok(()));
}

/// The maker of a blob who says that its text is shorter than what is sealed.
#[test]
fn what_is_behind_the_text_has_to_be_padding() {
    let scratch = Scratch::new();
    let whole = text(CHUNK + 192);
    let descriptor = scratch.sealed(&whole);
    // The length stands behind version, id and key. Both lengths are padded to the same.
    let mut bytes = descriptor.to_bytes().unwrap().to_vec();
    let longest = file::padded_len(CHUNK as u64 + 192).unwrap();
    assert!(longest > CHUNK as u64 + 190);
    bytes[65..73].copy_from_slice(&(CHUNK as u64 + 191).to_be_bytes());
    let shorter = Descriptor::parse(&bytes).unwrap();
    let out = scratch.path("out");
    let error = open(&shorter, &scratch.folder(), &out, &Real).unwrap_err();
    assert_eq!(reason(&*error), Some(file::Error::Padding));
    assert!(!out.exists() && fs::read(scratch.path("out.part")).unwrap().is_empty());
}

#[test]
fn a_line_is_a_descriptor() {
    let record = Record::new(MediaType::new("a/b").unwrap(), b"", &mut subrosa::os_rng()).unwrap();
    let mut sealer = BlobSealer::new(record);
    while sealer.finish().unwrap().is_some() {}
    let blob = sealer.blob().unwrap();
    let thumbnail = Thumbnail::None;
    let descriptor = Descriptor { blob, thumbnail };
    let text = line::of(&descriptor).unwrap();
    let read = line::descriptor(&text).unwrap();
    assert_eq!(read.to_bytes().unwrap(), descriptor.to_bytes().unwrap());
    let body = text.strip_prefix("subrosa-blob:").unwrap();
    for bad in [
        body,
        "",
        "subrosa-blob:",
        &text[..text.len() - 2],
        &format!("{text}00"),
        &format!("{text}x"),
    ] {
        assert!(line::descriptor(bad).is_err(), "{bad}");
    }
}
