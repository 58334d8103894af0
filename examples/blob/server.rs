//! A server of such a folder: what it keeps it cannot read, and nobody has to trust it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::folder::{Folder, Name, parse_id};

/// Bytes of a request, at most.
const REQUEST_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 64;
/// Connections at a time.
const CONNECTIONS_MAX: usize = 64;
/// How long one may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves a folder to this machine.
pub struct Server {
    listener: TcpListener,
    folder: Folder,
}

impl Server {
    /// At a port, or, for 0, at any.
    pub fn bind(folder: Folder, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(Self { listener, folder })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Until the system has no connections any more.
    pub fn run(self) -> io::Result<()> {
        let connections = Arc::new(());
        loop {
            let (stream, _) = self.listener.accept()?;
            if Arc::strong_count(&connections) > CONNECTIONS_MAX {
                continue;
            }
            let (held, folder) = (Arc::clone(&connections), self.folder.clone());
            thread::spawn(move || {
                // A connection that fails is the other side's to open again.
                let _ = Connection::new(stream).and_then(|mut connection| {
                    while let Some(request) = connection.request()? {
                        let keep = request.keep;
                        respond(&folder, &request).write(&mut connection.stream)?;
                        if !keep {
                            break;
                        }
                    }
                    Ok(())
                });
                drop(held);
            });
        }
    }
}

/// What was asked for.
pub struct Request {
    /// Whether it is a `GET` without a body, which is all that there is here.
    is_get: bool,
    pub target: String,
    range: Option<String>,
    /// Whether another one may follow.
    keep: bool,
}

/// One side of a connection.
pub struct Connection {
    pub stream: TcpStream,
    /// What was read and is not of a request yet.
    read: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let read = Vec::new();
        Ok(Self { stream, read })
    }

    /// The next request; nothing if there is no further one, or what there is is none.
    pub fn request(&mut self) -> io::Result<Option<Request>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
            let mut parsed = httparse::Request::new(&mut headers);
            match parsed.parse(&self.read) {
                Ok(httparse::Status::Complete(length)) => {
                    let request = Request::new(&parsed);
                    self.read.drain(..length);
                    return Ok(request);
                }
                Ok(httparse::Status::Partial) if self.read.len() < REQUEST_MAX => {}
                _ => return Ok(None),
            }
            let room = (REQUEST_MAX - self.read.len()) as u64;
            let mut buffer = [0; 1024];
            match (&self.stream).take(room).read(&mut buffer)? {
                0 => return Ok(None),
                count => self.read.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

impl Request {
    fn new(parsed: &httparse::Request<'_, '_>) -> Option<Self> {
        let header = |name: &str| {
            let mut named = parsed.headers.iter();
            named.find(|header| header.name.eq_ignore_ascii_case(name))
        };
        let text = |name| header(name).and_then(|header| std::str::from_utf8(header.value).ok());
        let length = text("content-length").unwrap_or("0");
        // What is behind such a request would be taken for the next one.
        let has_body = length != "0" || header("transfer-encoding").is_some();
        let closes = text("connection").is_some_and(|word| word.eq_ignore_ascii_case("close"));
        Some(Self {
            is_get: parsed.method? == "GET" && !has_body,
            target: parsed.path?.to_owned(),
            range: text("range").map(str::to_owned),
            keep: parsed.version? == 1 && !closes && !has_body,
        })
    }
}

/// What is answered.
pub struct Response {
    pub status: u16,
    pub content_range: Option<String>,
    pub body: Body,
}

pub enum Body {
    Bytes(Vec<u8>),
    /// So many bytes, from where the file is.
    File(File, u64),
}

/// The answer to a request. Whatever the path of a request is, it leads to a file with a [`Name`] in this folder, or nowhere.
pub fn respond(folder: &Folder, request: &Request) -> Response {
    if !request.is_get {
        return Response::empty(405);
    }
    let Some(path) = request.target.strip_prefix('/') else {
        return Response::empty(404);
    };
    let response = match (Name::parse(path), proof(path)) {
        (Some(name), _) => file(folder, name, request.range.as_deref()),
        (None, Some((id, leaves))) => folder.prove(&id, &leaves).map(Response::whole).ok(),
        (None, None) => None,
    };
    response.unwrap_or_else(|| Response::empty(404))
}

/// `ID/proof/A-B`
fn proof(path: &str) -> Option<([u8; 32], Range<u64>)> {
    let (id, leaves) = path.split_once("/proof/")?;
    let (start, end) = leaves.split_once('-')?;
    Some((parse_id(id)?, number(start)?..number(end)?))
}

/// Digits alone; `parse` takes a sign as well.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn file(folder: &Folder, name: Name, range: Option<&str>) -> Option<Response> {
    let mut file = folder.open(name).ok()?;
    let length = file.metadata().ok()?.len();
    // One that is not understood is as if it were not there (RFC 9110 §14.2).
    let Some(range) = range.and_then(|range| parse_range(range, length)) else {
        return Some(Response {
            status: 200,
            content_range: None,
            body: Body::File(file, length),
        });
    };
    if range.is_empty() {
        return Some(Response {
            content_range: Some(format!("bytes */{length}")),
            ..Response::empty(416)
        });
    }
    file.seek(SeekFrom::Start(range.start)).ok()?;
    Some(Response {
        status: 206,
        content_range: Some(format!("bytes {}-{}/{length}", range.start, range.end - 1)),
        body: Body::File(file, range.end - range.start),
    })
}

/// A single range of a file of this length (RFC 9110 §14.1.2), empty if nothing of it is there.
fn parse_range(text: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first, last) {
        ("", last) => Some(length.saturating_sub(number(last)?)..length),
        (first, "") => Some(number(first)?..length),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first..last.saturating_add(1).min(length))
        }
    }
}

impl Response {
    fn empty(status: u16) -> Self {
        Self {
            status,
            content_range: None,
            body: Body::Bytes(Vec::new()),
        }
    }

    fn whole(bytes: Vec<u8>) -> Self {
        Self {
            body: Body::Bytes(bytes),
            ..Self::empty(200)
        }
    }

    pub fn write(self, stream: &mut impl Write) -> io::Result<()> {
        let reason = match self.status {
            200 => "OK",
            206 => "Partial Content",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Range Not Satisfiable",
        };
        let length = match &self.body {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        };
        let mut head = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Length: {length}\r\n",
            self.status
        );
        if let Some(content_range) = self.content_range {
            head.push_str(&format!("Content-Range: {content_range}\r\n"));
        }
        head.push_str("Accept-Ranges: bytes\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        match self.body {
            Body::Bytes(bytes) => stream.write_all(&bytes)?,
            Body::File(file, length) => {
                let given = io::copy(&mut file.take(length), stream)?;
                // A file that was cut meanwhile: the other side must not wait for the rest.
                if given != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        stream.flush()
    }
}
