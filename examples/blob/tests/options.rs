//! Command lines.

use crate::options::Command;

fn parse(line: &str) -> Result<Command, String> {
    let words = ["blob"].into_iter().chain(line.split_whitespace());
    Command::parse(lexopt::Parser::from_iter(words)).map_err(|error| error.to_string())
}

#[test]
fn what_is_understood() {
    let Ok(Command::Seal { file, kind, to }) = parse("seal a --to b --type image/webp") else {
        panic!();
    };
    assert_eq!((file.to_str(), to.to_str()), (Some("a"), Some("b")));
    assert_eq!(kind.unwrap().as_str(), "image/webp");
    let Ok(Command::Open { size_max, kind, .. }) = parse("open x --from=b --out c") else {
        panic!();
    };
    assert_eq!((size_max, kind), (4 << 30, None));
    let Ok(Command::Read { offset, length, .. }) = parse("read - 5 7 --from http://x") else {
        panic!();
    };
    assert_eq!((offset, length), (5, 7));
    assert!(matches!(parse("seal --help"), Ok(Command::Help)));
    assert!(matches!(
        parse("serve a --port 80"),
        Ok(Command::Serve { port: 80, .. })
    ));
}

#[test]
fn what_is_not() {
    for line in [
        "",
        "steal",
        "seal",
        "seal a",
        "seal a b --to c",
        "seal a --to b --to c",
        "seal a --to b --type x",
        "seal a --to",
        "open x --from b --out c --max-size many",
        "read x 1 --from b",
        "read x -1 2 --from b",
        "serve a --port 70000",
        "verify",
        "verify a --port 1",
        "verify a -x",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}
