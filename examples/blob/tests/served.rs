//! What the server answers, and servers that lie.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use super::*;
use crate::server::{Body, Connection, Response, respond};
use crate::{opening, reading};
use subrosa::file::tree::{ProofNodes, Shape};

/// What a liar does to an answer.
type Lie = fn(&str, &mut Response, &mut Vec<u8>);

/// A server that answers as the honest one does, but for its lie.
fn lying(folder: Folder, lie: Lie) -> Web {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = Web::new(&format!("http://{}", listener.local_addr().unwrap()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut connection = Connection::new(stream.unwrap()).unwrap();
            while let Ok(Some(request)) = connection.request() {
                let mut response = respond(&folder, &request);
                let mut bytes = Vec::new();
                match std::mem::replace(&mut response.body, Body::Bytes(vec![])) {
                    Body::Bytes(body) => bytes = body,
                    Body::File(file, length) => {
                        file.take(length).read_to_end(&mut bytes).unwrap();
                    }
                }
                lie(&request.target, &mut response, &mut bytes);
                response.body = Body::Bytes(bytes);
                if response.write(&mut connection.stream).is_err() {
                    break;
                }
            }
        }
    });
    web
}

fn is_proof(path: &str) -> bool {
    path.contains("/proof/")
}

fn is_second(path: &str) -> bool {
    path.ends_with("/proof/64-128")
}

#[test]
fn nothing_that_a_liar_gives_is_written() {
    let whole = text(2 * MEBIBYTE + 7);
    let lies: [(&str, Lie); 11] = [
        ("a flipped byte", |path, _, bytes| {
            if !is_proof(path) {
                let last = bytes.len() - 1;
                bytes[last.min(70_000)] ^= 1;
            }
        }),
        ("a flipped proof", |path, _, bytes| {
            if is_proof(path) {
                *bytes.last_mut().unwrap() ^= 1;
            }
        }),
        ("a flipped header in a proof", |path, _, bytes| {
            if is_proof(path) {
                bytes[0] ^= 1;
            }
        }),
        ("a flipped proof of the second piece", |path, _, bytes| {
            if is_second(path) {
                bytes[60] ^= 1;
            }
        }),
        ("a short piece", |path, _, bytes| {
            if !is_proof(path) {
                bytes.pop();
            }
        }),
        ("a long piece", |path, _, bytes| {
            if !is_proof(path) {
                bytes.push(0);
            }
        }),
        ("a piece without end", |path, _, bytes| {
            if !is_proof(path) {
                bytes.resize(50 << 20, 0);
            }
        }),
        ("a short proof", |path, _, bytes| {
            if is_proof(path) {
                bytes.pop();
            }
        }),
        ("a long proof", |path, _, bytes| {
            if is_proof(path) {
                bytes.push(0);
            }
        }),
        ("all of the file", |path, response, _| {
            if !is_proof(path) {
                response.status = 200;
                response.content_range = None;
            }
        }),
        ("another piece", |path, response, _| {
            if !is_proof(path) {
                response.content_range = Some("bytes 0-1/3".to_owned());
            }
        }),
    ];
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(&whole);
    let out = scratch.path("out");
    let fetch = descriptor.blob.admit(|_| true).unwrap();
    let bar = ProgressBar::hidden();
    for (what, lie) in lies {
        let web = lying(scratch.folder(), lie);
        let honest = if what.contains("second") { MEBIBYTE } else { 0 };
        assert!(
            opening::open(&fetch, &web, &out, &Real, &bar).is_err(),
            "{what}"
        );
        assert!(!out.exists(), "{what}");
        let part = fs::read(scratch.path("out.part")).unwrap();
        assert!(part == whole[..honest], "{what}");
        let mut read = Vec::new();
        let place = 0..2 * MEBIBYTE as u64;
        assert!(
            reading::read(&fetch, &web, &place, &mut read).is_err(),
            "{what}"
        );
        assert!(read == whole[..honest], "{what}");
        fs::remove_file(scratch.path("out.part.leaves")).unwrap();
    }
    let web = lying(scratch.folder(), |_, _, _| {});
    opening::open(&fetch, &web, &out, &Real, &bar).unwrap();
    assert!(fs::read(out).unwrap() == whole);
}

/// Flips each byte of a short blob, and each node of a longer one.
#[test]
fn nothing_that_was_altered_in_a_folder_is_written() {
    let scratch = Scratch::new();
    let (bar, out, folder) = (ProgressBar::hidden(), scratch.path("out"), scratch.folder());
    let descriptor = scratch.sealed(b"text");
    let fetch = descriptor.blob.admit(|_| true).unwrap();
    let blob = path(&folder, &descriptor, Kind::Blob);
    for place in 0..blob.metadata().unwrap().len() as usize {
        flip(&blob, place);
        let error = opening::open(&fetch, &folder, &out, &Real, &bar).unwrap_err();
        assert_eq!(reason(&*error), Some(file::Error::Proof));
        assert!(fs::read(scratch.path("out.part")).unwrap().is_empty() && !out.exists());
        flip(&blob, place);
    }
    opening::open(&fetch, &folder, &out, &Real, &bar).unwrap();

    let whole = text(9 * CHUNK);
    let descriptor = scratch.sealed(&whole);
    let fetch = descriptor.blob.admit(|_| true).unwrap();
    let nodes = path(&folder, &descriptor, Kind::Nodes);
    let mut refused = 0;
    let count = nodes.metadata().unwrap().len() as usize / 32;
    for node in 0..count {
        flip(&nodes, 32 * node + 5);
        let (mut read, place) = (Vec::new(), 3 * CHUNK as u64..4 * CHUNK as u64);
        match reading::read(&fetch, &folder, &place, &mut read) {
            Ok(_) => assert!(read == whole[3 * CHUNK..4 * CHUNK]),
            Err(error) => {
                assert_eq!(reason(&*error), Some(file::Error::Proof));
                assert!(read.is_empty());
                refused += 1;
            }
        }
        flip(&nodes, 32 * node + 5);
    }
    let shape = Shape::new(descriptor.blob.stored_len()).unwrap();
    assert_eq!(refused, ProofNodes::new(&shape, &(3..4)).unwrap().count());
    assert!(refused > 2 && refused < count);
}

/// Status line, headers and body of what is answered to these bytes.
fn ask(address: SocketAddr, request: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // The server may have closed it before it has read all.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut bytes);
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return (0, String::new(), bytes);
    };
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    (head[9..12].parse().unwrap(), head, body)
}

fn get(address: SocketAddr, path: &str, range: &str) -> (u16, String, Vec<u8>) {
    ask(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nRange: {range}\r\n\r\n"),
    )
}

fn started(folder: Folder) -> SocketAddr {
    let server = Server::bind(folder, 0).unwrap();
    let address = server.address().unwrap();
    thread::spawn(move || server.run());
    address
}

#[test]
fn names_that_are_none_lead_nowhere() {
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(b"text");
    scratch.file("secret", b"secret");
    let id = hex::encode(id(&descriptor));
    scratch.file(&format!("{id}.blob"), b"secret");
    for name in [
        "secret",
        "secret.blob",
        "incoming-00.blob",
        &format!("{}.blob", id.to_uppercase()),
    ] {
        scratch.file(&format!("server/{name}"), b"secret");
    }
    let address = started(scratch.folder());
    let honest = format!("/{id}.blob");
    assert_eq!(get(address, &honest, "").0, 200);
    let upper = id.to_uppercase();
    for path in [
        "/",
        "/..",
        "/../secret",
        "/../text",
        "/%2e%2e/secret",
        "/secret",
        "/secret.blob",
        "/incoming-00.blob",
        "//secret",
        "secret",
        "http://x/secret",
        "/./secret",
        "/\\..\\secret",
        "/etc/passwd",
        "//etc/passwd",
        &format!("/{upper}.blob"),
        &format!("/../{id}.blob"),
        &format!("/./{id}.blob"),
        &format!("//{id}.blob"),
        &format!("/{id}.blob/"),
        &format!("/{id}.blob/../secret"),
        &format!("/{id}.blob?x"),
        &format!("/{id}.blob%00"),
        &format!("/{id}"),
        &format!("/{id}."),
        &format!("/{id}.key"),
        &format!("/{id}0.blob"),
        &format!("/{}.blob", &id[1..]),
        &format!("/../{id}/proof/0-1"),
        &format!("/{id}/proof/1-0"),
        &format!("/{id}/proof/0-0"),
        &format!("/{id}/proof/0-2"),
        &format!("/{id}/proof/+0-1"),
        &format!("/{id}/proof/0-99999999999999999999"),
        &format!("/{id}/proof/"),
        &format!("/{upper}/proof/0-1"),
    ] {
        let (status, _, body) = get(address, path, "");
        assert_eq!((status, body), (404, vec![]), "{path}");
    }
}

#[test]
fn ranges_are_those_of_http() {
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(&text(CHUNK));
    let folder = scratch.folder();
    let blob = fs::read(path(&folder, &descriptor, Kind::Blob)).unwrap();
    let length = blob.len();
    let address = started(folder);
    let name = format!("/{}.blob", hex::encode(id(&descriptor)));
    let parts = [
        ("bytes=0-0", 0..1),
        ("bytes=5-9", 5..10),
        ("bytes=16000-", 16_000..length),
        ("bytes=-7", length - 7..length),
        ("bytes=7-99999999", 7..length),
        ("bytes=0-18446744073709551615", 0..length),
        ("bytes=-99999999", 0..length),
    ];
    for (range, place) in parts {
        let (status, head, body) = get(address, &name, range);
        assert_eq!(status, 206, "{range}");
        let named = format!(
            "Content-Range: bytes {}-{}/{length}\r\n",
            place.start,
            place.end - 1
        );
        assert!(head.contains(&named), "{head}");
        assert!(body == blob[place]);
    }
    for range in [
        format!("bytes={length}-"),
        "bytes=99999999-99999999".to_owned(),
        "bytes=-0".to_owned(),
    ] {
        let (status, head, body) = get(address, &name, &range);
        assert_eq!((status, body.len()), (416, 0), "{range}");
        assert!(head.contains(&format!("Content-Range: bytes */{length}\r\n")));
    }
    // What is not understood is not there.
    for range in [
        "",
        "bytes=",
        "bytes=-",
        "bytes=9-5",
        "bytes=+1-5",
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=x-",
    ] {
        let (status, _, body) = get(address, &name, range);
        assert_eq!(status, 200, "{range}");
        assert!(body == blob);
    }
}

#[test]
fn only_get_is_answered() {
    let scratch = Scratch::new();
    let descriptor = scratch.sealed(b"text");
    let address = started(scratch.folder());
    let id = hex::encode(id(&descriptor));
    for request in [
        format!("PUT /{id}.blob HTTP/1.1\r\n\r\n"),
        format!("GET /{id}.blob HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
        format!("GET /{id}.blob HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ] {
        assert_eq!(ask(address, &request).0, 405);
    }
    let endless = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(9_000));
    for request in [
        "",
        "\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        &endless,
    ] {
        assert_eq!(ask(address, request).0, 0);
    }
    // Two requests on one connection, two answers.
    let twice = format!("GET /{id}.nodes HTTP/1.1\r\n\r\n").repeat(2);
    let (_, _, body) = ask(address, &twice);
    assert_eq!(
        body.windows(15)
            .filter(|line| line == b"HTTP/1.1 200 OK")
            .count(),
        1
    );
}
