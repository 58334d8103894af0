//! Descriptors, and what they are made of.

use std::string::String;
use std::vec;
use std::vec::Vec;

use super::blobs::{media_type, record};
use crate::file::limits::{DESCRIPTOR_MAX, MEDIA_TYPE_MAX, THUMBNAIL_MAX};
use crate::file::*;

fn blob(number: u8) -> Blob {
    let id = BlobId::from_bytes([number; 32]);
    Blob::new(id, record(number).key(), 1 << number, media_type()).unwrap()
}

fn all() -> Vec<Descriptor> {
    let inline = |bytes: &[u8]| Inline::new(MediaType::new("image/webp").unwrap(), bytes).unwrap();
    let thumbnails = vec![
        Thumbnail::None,
        Thumbnail::Inline(inline(b"picture")),
        Thumbnail::Inline(inline(&[5; THUMBNAIL_MAX])),
        Thumbnail::Blob(blob(9)),
    ];
    let descriptors = thumbnails.into_iter().map(|thumbnail| Descriptor {
        blob: blob(3),
        thumbnail,
    });
    descriptors.collect()
}

#[test]
fn what_is_read_is_what_was_written() {
    for descriptor in all() {
        let bytes = descriptor.to_bytes().unwrap();
        let read = Descriptor::parse(&bytes).unwrap();
        assert_eq!(*read.to_bytes().unwrap(), *bytes);
        assert_eq!(read.blob.id, blob(3).id);
        assert_eq!(read.blob.key.expose(), blob(3).key.expose());
        assert_eq!(
            (read.blob.text_len(), read.blob.media_type()),
            (8, &media_type())
        );
        match (&read.thumbnail, &descriptor.thumbnail) {
            (Thumbnail::None, Thumbnail::None) => {}
            (Thumbnail::Inline(one), Thumbnail::Inline(other)) => {
                assert_eq!(one.bytes(), other.bytes());
                assert_eq!(one.media_type(), other.media_type());
            }
            (Thumbnail::Blob(one), Thumbnail::Blob(other)) => assert_eq!(one.id, other.id),
            _ => panic!("another sort of thumbnail"),
        }
    }
}

#[test]
fn bytes_that_are_no_descriptor() {
    for descriptor in all() {
        let bytes = descriptor.to_bytes().unwrap();
        for length in (0..bytes.len().min(300)).chain([bytes.len() - 1]) {
            if length < bytes.len() {
                let refused = Descriptor::parse(&bytes[..length]);
                assert_eq!(refused.err(), Some(Error::Malformed), "{length}");
            }
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Descriptor::parse(&longer).err(), Some(Error::Malformed));
        // Whatever is accepted is the one encoding of what it says.
        for place in 0..bytes.len().min(300) {
            for bit in 0..8 {
                let mut altered = bytes.to_vec();
                altered[place] ^= 1 << bit;
                match Descriptor::parse(&altered) {
                    Ok(read) => assert_eq!(*read.to_bytes().unwrap(), altered),
                    Err(Error::UnknownVersion) => assert_eq!(place, 0),
                    Err(error) => assert_eq!(error, Error::Malformed),
                }
            }
        }
    }
    let long = [&[1][..], &vec![0; DESCRIPTOR_MAX]].concat();
    assert_eq!(Descriptor::parse(&long).err(), Some(Error::TooLong));
    assert_eq!(Descriptor::parse(&[]).err(), Some(Error::Malformed));
    assert_eq!(Descriptor::parse(&[2]).err(), Some(Error::UnknownVersion));
    let webp = MediaType::new("image/webp").unwrap();
    assert_eq!(Inline::new(webp, b"").err(), Some(Error::Malformed));
    let long = vec![0; THUMBNAIL_MAX + 1];
    assert_eq!(Inline::new(webp, &long).err(), Some(Error::TooLong));
}

#[test]
fn the_longest_descriptor() {
    let name = |length: usize| String::from("a").repeat(length);
    let longest = [name(63), String::from("/"), name(63)].concat();
    let media_type = MediaType::new(&longest).unwrap();
    assert_eq!(longest.len(), MEDIA_TYPE_MAX);
    let id = BlobId::from_bytes([1; 32]);
    let descriptor = Descriptor {
        blob: Blob::new(id, record(1).key(), 5, media_type).unwrap(),
        thumbnail: Thumbnail::Inline(Inline::new(media_type, &[1; THUMBNAIL_MAX]).unwrap()),
    };
    let bytes = descriptor.to_bytes().unwrap();
    assert_eq!(bytes.len(), DESCRIPTOR_MAX);
    assert!(Descriptor::parse(&bytes).is_ok());
}

/// A type is no path, no name and no parameter; there is one way to write each.
#[test]
fn attack_f6_media_types() {
    for name in [
        "image/webp",
        "a/b",
        "0/0",
        "application/vnd.x-y+json",
        "x!#$&-^_.+/y",
    ] {
        assert_eq!(MediaType::new(name).unwrap().as_str(), name);
    }
    let part = String::from("a").repeat(64);
    for name in [
        "",
        "/",
        "a",
        "a/",
        "/b",
        "a/b/c",
        "../b",
        "a/..",
        "./a",
        "Image/webp",
        "image/WebP",
        "text/plain; charset=utf-8",
        "text/plain ",
        " text/plain",
        "a/b\0",
        "a\\b/c",
        "a/b%2f",
        "a/\u{e9}",
        "a/-b",
        "+/b",
        &[&part[..], "/b"].concat(),
        &["a/", &part[..]].concat(),
    ] {
        assert_eq!(MediaType::new(name).err(), Some(Error::Malformed), "{name}");
    }
    assert_ne!(MediaType::new("a/b"), MediaType::new("a/c"));
}

#[test]
fn nothing_that_opens_a_file_is_printed() {
    let descriptor = Descriptor {
        blob: blob(3),
        thumbnail: Thumbnail::Inline(Inline::new(media_type(), b"picture").unwrap()),
    };
    let id = String::from("03").repeat(32);
    let wanted = std::format!(
        "Descriptor {{ blob: Blob {{ id: BlobId({id}), length: 8, media_type: MediaType(video/mp4), .. }}, thumbnail: \
         Inline {{ media_type: MediaType(video/mp4), length: 7, .. }} }}"
    );
    assert_eq!(std::format!("{descriptor:?}"), wanted);
    let fetch = descriptor.blob.admit(|_| true).unwrap();
    for printed in [
        std::format!("{fetch:?}"),
        std::format!("{:?}", fetch.pieces()),
        std::format!("{:?}", fetch.opener()),
    ] {
        let key = record(3).key();
        let first: Vec<String> = key
            .expose()
            .iter()
            .map(|byte| std::format!("{byte}"))
            .collect();
        assert!(!printed.contains(&first[..4].join(", ")), "{printed}");
    }
}
