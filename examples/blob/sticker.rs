//! Files of stickers: their types, and what they are called here.

use std::path::Path;

use subrosa::file::MediaType;

use crate::Result;

/// What stickers are, and how files of that are called.
const TYPES: [(&str, &str); 6] = [
    ("webp", "image/webp"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("jpg", "image/jpeg"),
    ("webm", "video/webm"),
    ("tgs", "application/x-tgsticker"),
];

/// What a file of this name holds.
pub fn media_type(file: &Path) -> Result<MediaType> {
    let ending = file.extension().unwrap_or_default();
    let known = TYPES
        .iter()
        .find(|(known, _)| ending.eq_ignore_ascii_case(known));
    match known {
        Some((_, name)) => Ok(MediaType::new(name)?),
        None => Err(format!("{} is of no type that stickers have", file.display()).into()),
    }
}

/// The name of the file for the sticker with this number, from 1 on; nothing if no sticker is of this type. Nothing in it
/// is the author's.
pub fn name(number: usize, media_type: &MediaType) -> Option<String> {
    let (ending, _) = TYPES
        .iter()
        .find(|(_, known)| *known == media_type.as_str())?;
    Some(format!("{number:03}.{ending}"))
}

/// Whether a file may have got its name from [`name`].
pub fn is_name(name: &str) -> bool {
    let digits =
        |number: &str| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('.').is_some_and(|(number, ending)| {
        digits(number) && TYPES.iter().any(|(known, _)| *known == ending)
    })
}
