//! What the author and a reader of a sticker pack stored with an earlier version of the library is read, is the same when
//! it is written again, and goes on. The fixture of a released version is never made anew; that of a draft is when the
//! draft changes (`cargo test -p subrosa-conformance --test stored_packs -- --ignored`).

use std::fs;

use serde_json::{Value, json};
use subrosa::file::pack::{Author, Contents, Error, Held, Link, Update};

#[path = "../../tests/common/mod.rs"]
mod common;

use common::SeededRng;
use common::packs::Entry;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/stored-pack-1.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn what_was_stored_is_read_and_goes_on() {
    let fixture = fixture();
    let author = Author::decode(&bytes(&fixture["author"])).unwrap();
    assert_eq!(author.encode().expose()[..], bytes(&fixture["author"]));
    let held = Held::decode(&bytes(&fixture["held"])).unwrap();
    assert_eq!(held.encode(), bytes(&fixture["held"]));
    let text = fixture["link"].as_str().unwrap();
    let (address, link) = Link::parse(text).unwrap();
    assert_eq!(*link.to_text(address).unwrap(), text);
    assert_eq!(*author.link().to_text(address).unwrap(), text);

    let [first, second] =
        ["first", "second"].map(|name| link.open(&bytes(&fixture[name])).unwrap());
    assert_eq!(held, Held::new(&first));
    assert_eq!((first.version(), second.version()), (1, 2));
    assert_eq!(first.contents().stickers().len(), 1);
    assert_eq!(second.contents().title(), "More owls");
    assert_eq!(held.update(&first), Ok(Update::Unchanged));
    let newer = Held::new(&second);
    assert_eq!(held.update(&second), Ok(Update::Newer(newer.clone())));
    assert_eq!(newer.update(&first), Err(Error::Rollback));

    let contents = second.into_contents();
    let (third, at_third) = author
        .publish(&contents, Some(&newer), &mut SeededRng(9))
        .unwrap();
    let third = link.open(&third).unwrap();
    assert_eq!(newer.update(&third), Ok(Update::Newer(at_third)));
}

#[test]
#[ignore = "it writes the fixture of the present version"]
fn write_the_fixture() {
    let rng = &mut SeededRng(21);
    let author = Author::generate(rng).unwrap();
    let contents = |title, stickers: u8| {
        let stickers = (0..stickers).map(|number| Entry::new(number).sticker());
        Contents::new(title, "Bob", stickers.collect()).unwrap()
    };
    let (first, held) = author.publish(&contents("Owls", 1), None, rng).unwrap();
    let more = contents("More owls", 3);
    let (second, _) = author.publish(&more, Some(&held), rng).unwrap();
    let link = author.link().to_text("https://example.org/p").unwrap();
    let fixture = json!({
        "comment": "What is kept of a sticker pack (SPEC.md §21): by its author, by a reader who holds the first version, \
                    and by the server. That of a released version is never made anew: every later release that reads the \
                    version reads this.",
        "author": hex::encode(author.encode().expose()),
        "held": hex::encode(held.encode()),
        "link": link.as_str(),
        "first": hex::encode(first),
        "second": hex::encode(second),
    });
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/stored-pack-1.json"
    );
    let text = serde_json::to_string_pretty(&fixture).unwrap();
    fs::write(path, text + "\n").unwrap();
}
