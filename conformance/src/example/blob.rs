//! The worked example of SPEC.md §20.5: a blob of three chunks, by the model.

use super::{Page, secret};
use crate::model::Answer;
use crate::model::blob::{Record, leaves, nodes, proof, root};

/// The page of §20.5.
///
/// # Errors
/// None.
pub fn page() -> Answer<String> {
    let mut page = Page::default();
    let text = [b'a'; 40_000];
    let record = Record::new(&secret("blob r"), b"", "video/mp4");
    let first = text.get(..16_384).unwrap_or_default();
    page.value("r", secret("blob r"));
    page.value("seed", record.seed);
    page.value("key", record.key());
    page.value("salt", record.salt(first));
    let (stored, descriptor) = record.seal(&text)?;
    let (header, body) = stored.split_at_checked(56).unwrap_or_default();
    page.value("stored length", (stored.len() as u64).to_be_bytes());
    page.value("commitment", header.get(24..).unwrap_or_default());
    for (number, tag) in body.chunks(16_400).zip(0..).map(|(chunk, number)| {
        let tag = chunk.len().saturating_sub(16);
        (number, chunk.get(tag..).unwrap_or_default())
    }) {
        page.value(&format!("tag of chunk {number}"), tag);
    }
    let leaves = leaves(&stored);
    for (number, leaf) in leaves.iter().enumerate() {
        page.value(&format!("leaf {number}"), leaf);
    }
    page.value(
        "node (1, 0)",
        nodes(&leaves).get(2).copied().unwrap_or_default(),
    );
    page.value("root", root(&leaves));
    let id = descriptor.get(1..33).unwrap_or_default();
    page.value("id", id);
    page.value("proof of [1, 2)", proof(header, &leaves, (1, 2)));
    page.value("descriptor", &descriptor);
    Ok(page.0)
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn the_specification_shows_the_page() {
        let specification = include_str!("../../../SPEC.md");
        let page = page().unwrap();
        let example = format!("<!-- blob -->\n```text\n{page}```\n<!-- /blob -->");
        assert!(
            specification.contains(&example),
            "SPEC.md §20.5 is not what `subrosa-conformance example blob` prints"
        );
    }
}
