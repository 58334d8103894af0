//! Sealing that is killed, and texts that change meanwhile.

use std::time::{Duration, SystemTime};

use super::*;
use crate::checking;
use subrosa::file::{HEADER, SEALED_CHUNK};

/// The one file in a folder whose name ends so.
fn only(folder: &Path, ending: &str) -> Option<Vec<u8>> {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = files.find(|file| file.to_str().unwrap().ends_with(ending))?;
    Some(fs::read(file).unwrap())
}

fn assert_whole(scratch: &Scratch, descriptor: &Descriptor, text: &[u8]) {
    let blob = path(&scratch.folder(), descriptor, Kind::Blob);
    assert_eq!(
        checking::verify(&blob, &ProgressBar::hidden())
            .unwrap()
            .0
            .as_bytes(),
        &id(descriptor)
    );
    assert!(opened(scratch, descriptor) == text);
    // Nothing that was secret, and nothing that was incomplete, is left.
    assert!(!scratch.path("text.sealing").exists());
    let mut kept = fs::read_dir(scratch.path("server")).unwrap();
    assert!(kept.all(|file| Name::parse(file.unwrap().file_name().to_str().unwrap()).is_some()));
}

fn opened(scratch: &Scratch, descriptor: &Descriptor) -> Vec<u8> {
    let out = scratch.path("out");
    let fetch = descriptor.blob.admit(|_| true).unwrap();
    crate::opening::open(
        &fetch,
        &scratch.folder(),
        &out,
        &Real,
        &ProgressBar::hidden(),
    )
    .unwrap();
    fs::read(out).unwrap()
}

#[test]
fn killed_at_every_step_and_gone_on_with() {
    for size in [0, CHUNK + 1, MEBIBYTE + 7] {
        let text = text(size);
        let mut deaths = 0;
        loop {
            let scratch = Scratch::new();
            let (file, folder) = (scratch.file("text", &text), scratch.folder());
            let mut printed = None;
            let dying = Dying::at(deaths);
            let result =
                sealing::seal(&file, None, &folder, &dying, &ProgressBar::hidden(), |it| {
                    printed = Some(line::of(it)?);
                    Ok(())
                });
            let begun = only(
                &folder
                    .path(Name::new(&[0; 32], Kind::Blob))
                    .with_file_name(""),
                ".blob",
            );
            let begun = begun.unwrap_or_default();
            if let Some(log) = only_log(&scratch) {
                let leaves = log.saturating_sub(HEADER) / 32;
                assert!(printed.is_some() || begun.len() <= HEADER + leaves * SEALED_CHUNK);
            }
            if result.is_ok() {
                assert!(deaths > 10);
                break;
            }
            let gone = printed.is_some() && !scratch.path("text.sealing/record").exists();
            if !gone {
                let (line, descriptor) = seal(&file, &folder, &Real).unwrap();
                assert!(printed.is_none() || printed == line);
                let descriptor = descriptor.unwrap();
                let blob = fs::read(path(&folder, &descriptor, Kind::Blob)).unwrap();
                assert!(blob.starts_with(&begun), "what has left stays what it is");
                assert_whole(&scratch, &descriptor, &text);
            }
            deaths += 1;
        }
    }
}

fn only_log(scratch: &Scratch) -> Option<usize> {
    let log = fs::read(scratch.path("text.sealing/log")).ok()?;
    Some(log.len())
}

/// Again and again, on one disk.
#[test]
fn killed_many_times() {
    let text = text(3 * MEBIBYTE);
    let scratch = Scratch::new();
    let (file, folder) = (scratch.file("text", &text), scratch.folder());
    let descriptor = (0..)
        .find_map(|steps| seal(&file, &folder, &Dying::at(steps)).ok())
        .and_then(|(_, descriptor)| descriptor);
    assert_whole(&scratch, &descriptor.unwrap(), &text);
}

/// SPEC §20.4-R2.
#[test]
fn leaves_are_on_the_disk_before_chunks_leave() {
    let scratch = Scratch::new();
    let file = scratch.file("text", &text(2 * MEBIBYTE + 7));
    let disk = Dying::at(usize::MAX);
    seal(&file, &scratch.folder(), &disk).unwrap();
    let (mut noted, mut left) = (0, 0);
    let mut synced = 0;
    for step in disk.steps.take() {
        match step {
            Step::Write(file) if file == "log" => noted += 1,
            Step::Sync(file) if file == "log" => synced = noted,
            Step::Write(file) if file == "incoming blob" => {
                left += 1;
                assert_eq!((noted, synced), (left, left));
            }
            _ => {}
        }
    }
    assert_eq!(left, 3);
}

/// Altered, cut or lengthened, wherever, a text that was begun is not gone on with.
#[test]
fn altered_text_is_refused() {
    let whole = text(2 * MEBIBYTE + 7);
    let altered = |place: usize| {
        let mut text = whole.clone();
        text[place] ^= 1;
        text
    };
    let longer = [&whole[..], b"more"].concat();
    // Which was in front of its last chunks when it died, and at its end.
    for step in [14, 22] {
        let scratch = Scratch::new();
        let (file, folder) = (scratch.file("text", &whole), scratch.folder());
        seal(&file, &folder, &Dying::at(step)).unwrap_err();
        let log = only_log(&scratch).unwrap();
        assert!(log >= HEADER + 32 * 64);
        let before = only(&scratch.path("server"), ".blob").unwrap();
        let mut others = vec![altered(0), altered(CHUNK), altered(64 * CHUNK - 1)];
        others.extend([
            whole[..CHUNK].to_vec(),
            whole[..64 * CHUNK - 1].to_vec(),
            vec![],
        ]);
        if log > HEADER + 32 * 128 {
            others.extend([altered(whole.len() - 1), longer.clone()]);
        }
        for other in others {
            fs::write(&file, &other).unwrap();
            let error = seal(&file, &folder, &Real).unwrap_err();
            assert_eq!(reason(&*error), Some(file::Error::Altered));
            assert!(only(&scratch.path("server"), ".blob").unwrap() == before);
        }
        fs::write(&file, &whole).unwrap();
        let (_, descriptor) = seal(&file, &folder, &Real).unwrap();
        assert_whole(&scratch, &descriptor.unwrap(), &whole);
    }
}

/// What a disk has lost of a blob, or put into it, is made good.
#[test]
fn a_damaged_incoming_blob_is_written_again() {
    let text = text(MEBIBYTE + 7);
    let scratch = Scratch::new();
    let (file, folder) = (scratch.file("text", &text), scratch.folder());
    let dead = (0..).find(|step| {
        seal(&file, &folder, &Dying::at(*step)).unwrap_err();
        only(&scratch.path("server"), ".blob").is_some_and(|blob| blob.len() > 64 * CHUNK)
    });
    assert!(dead.is_some());
    for entry in fs::read_dir(scratch.path("server")).unwrap() {
        flip(&entry.unwrap().path(), 1000);
    }
    let (_, descriptor) = seal(&file, &folder, &Real).unwrap();
    assert_whole(&scratch, &descriptor.unwrap(), &text);
}

#[test]
fn another_type_is_not_gone_on_with() {
    let scratch = Scratch::new();
    let (file, folder) = (scratch.file("text", b"text"), scratch.folder());
    seal(&file, &folder, &Dying::at(12)).unwrap_err();
    assert!(scratch.path("text.sealing/record").exists());
    let kind = file::MediaType::new("image/webp").unwrap();
    let bar = ProgressBar::hidden();
    let error = sealing::seal(&file, Some(kind), &folder, &Real, &bar, |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("application/octet-stream"));
}

/// A text is sealed under a key of its own each time.
#[test]
fn the_same_text_twice_is_two_blobs() {
    let scratch = Scratch::new();
    assert_ne!(id(&scratch.sealed(b"text")), id(&scratch.sealed(b"text")));
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_what_is_secret() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let file = scratch.file("text", b"text");
    // One that somebody else has put there is not written into.
    fs::create_dir(scratch.path("text.sealing")).unwrap();
    scratch.file("text.sealing/key.new", b"");
    seal(&file, &scratch.folder(), &Dying::at(14)).unwrap_err();
    for name in ["key", "record", "log"] {
        let metadata = fs::metadata(scratch.path("text.sealing").join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

/// Whoever stores a blob sees that it is another, or that its nodes are.
#[test]
fn verifying_sees_every_change() {
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(&text(3 * CHUNK));
    let folder = scratch.folder();
    let verify = |file: &Path| checking::verify(file, &ProgressBar::hidden());
    let blob = path(&folder, &descriptor, Kind::Blob);
    let nodes = path(&folder, &descriptor, Kind::Nodes);
    let length = blob.metadata().unwrap().len();
    assert_eq!(verify(&blob).unwrap().1, length);
    for (file, word) in [(&blob, "blob"), (&nodes, "nodes")] {
        let whole = fs::read(file).unwrap();
        for place in [0, whole.len() / 2, whole.len() - 1] {
            flip(file, place);
            assert!(
                verify(&blob)
                    .unwrap_err()
                    .to_string()
                    .starts_with(&format!("the {word}"))
            );
            flip(file, place);
        }
        for other in [&whole[..whole.len() - 1], &[&whole[..], b"x"].concat()] {
            fs::write(file, other).unwrap();
            verify(&blob).unwrap_err();
        }
        fs::write(file, whole).unwrap();
    }
    verify(&blob).unwrap();
    verify(&nodes).unwrap_err();
}

/// What is left of an upload goes when it is old, and nothing else does; going on with it stores it anew.
#[test]
fn uploads_that_nobody_goes_on_with_are_forgotten() {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    let text = text(2 * MEBIBYTE);
    let scratch = Scratch::new();
    let (file, folder) = (scratch.file("text", &text), scratch.folder());
    let whole = scratch.sealed(b"another");
    fs::write(&file, &text).unwrap();
    let kept = scratch.path("server");
    let mut steps = 0;
    while count(&kept, "incoming-") < 2 {
        assert!(seal(&file, &folder, &Dying::at(steps)).is_err());
        steps += 1;
    }
    for other in ["incoming-notes.blob", "incoming-00.nodes", "notes"] {
        fs::write(kept.join(other), b"").unwrap();
    }
    let all = count(&kept, "");
    let now = SystemTime::now();
    for (now, removed) in [
        (now - 2 * WEEK, 0),
        (now + WEEK / 2, 0),
        (now + 2 * WEEK, 2),
    ] {
        assert_eq!(folder.forget_uploads(&Real, now, WEEK).unwrap(), removed);
        assert_eq!(count(&kept, ""), all - removed);
    }
    assert!(path(&folder, &whole, Kind::Blob).exists());
    for other in ["incoming-notes.blob", "incoming-00.nodes", "notes"] {
        fs::remove_file(kept.join(other)).unwrap();
    }
    let (_, descriptor) = seal(&file, &folder, &Real).unwrap();
    assert_whole(&scratch, &descriptor.unwrap(), &text);
}

/// How many files of a folder have names that begin so.
fn count(folder: &Path, begin: &str) -> usize {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_str().unwrap().starts_with(begin))
        .count()
}
