//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;
use subrosa::file::MediaType;

use crate::Result;

pub const HELP: &str = "\
Files of any size, encrypted, in the hands of servers that nobody has to trust.

blob seal FILE --to FOLDER [--type TYPE]
    Seals a file into a folder such as a server keeps, and prints its descriptor: `subrosa-blob:` and hex. Who has that
    line can read the file. Killed and called again, it goes on: it reads the text from its beginning and compares, so
    that a text which was altered meanwhile is refused; what is stored already is not stored again. What it needs for
    that lies in FILE.sealing. The key that protects it lies beside it (mode 0600): this is a demonstration, a real app
    has it from the system's key store. TYPE is a media type; application/octet-stream if it is not given.

blob open DESCRIPTOR --from SOURCE --out FILE [--type TYPE] [--max-size BYTES]
    Fetches and opens a file, if it is of this type and not larger than that (4 GiB). Each piece is verified before any
    of it is written. Killed and called again, it goes on behind what was verified.

blob read DESCRIPTOR OFFSET LENGTH --from SOURCE
    Prints a piece of a file, and fetches not much more than that.

blob verify FOLDER/ID.blob
    Checks, without any key, that the bytes of a blob are those that its name says, and its nodes too.

blob pack FOLDER --title TITLE --name AUTHOR --to FOLDER [--author FILE]
    Seals a pack of stickers, publishes its manifest, and prints its link, whose owner can read all of them. `pack.txt`
    in the first folder has a line for each sticker: its file, and the emoji that it stands for. Called again, it
    publishes the next version. The author's secret lies in FILE (mode 0600), what was published last in FILE.published;
    without --author FILE is `author` in the first folder.

blob unpack LINK --from SOURCE --out FOLDER [--max-size BYTES]
    Fetches a pack's stickers, as 001.webp and so on, of up to that size each (512 KiB). Called again, it fetches what is
    new, and refuses a manifest that is older than the last one, or of another history.

blob serve FOLDER [--port PORT]
    Serves such a folder over HTTP, to this machine: blobs by ranges, and GET /ID/proof/A-B for the proof of the leaves
    from A to before B. Before that it removes what there is of uploads that nobody has gone on with for a week.

A SOURCE is such a folder, or http://HOST:PORT. Of a descriptor or a link `-` stands for one that is read from the
standard input: what is on a command line, others on this machine can see.
";

/// What `open` takes if nothing else is said.
const SIZE_MAX: u64 = 4 << 30;

pub enum Command {
    Help,
    Seal {
        file: PathBuf,
        kind: Option<MediaType>,
        to: PathBuf,
    },
    Open {
        descriptor: String,
        from: OsString,
        out: PathBuf,
        kind: Option<MediaType>,
        size_max: u64,
    },
    Read {
        descriptor: String,
        offset: u64,
        length: u64,
        from: OsString,
    },
    Verify {
        file: PathBuf,
    },
    Pack {
        stickers: PathBuf,
        title: String,
        name: String,
        to: PathBuf,
        author: Option<PathBuf>,
    },
    Unpack {
        link: String,
        from: OsString,
        out: PathBuf,
        size_max: u64,
    },
    Serve {
        folder: PathBuf,
        port: u16,
    },
}

/// Words and options, each option at most once.
#[derive(Default)]
struct Arguments {
    words: std::vec::IntoIter<OsString>,
    options: Vec<(String, OsString)>,
}

impl Command {
    pub fn parse(parser: lexopt::Parser) -> Result<Self> {
        let Some(mut given) = Arguments::read(parser)? else {
            return Ok(Self::Help);
        };
        let command = match given.word("a command")?.string()?.as_str() {
            "help" => Self::Help,
            "seal" => Self::Seal {
                file: given.word("FILE")?.into(),
                kind: given.kind()?,
                to: given.needed("to")?.into(),
            },
            "open" => Self::Open {
                descriptor: given.word("DESCRIPTOR")?.string()?,
                from: given.needed("from")?,
                out: given.needed("out")?.into(),
                kind: given.kind()?,
                size_max: given.number("max-size")?.unwrap_or(SIZE_MAX),
            },
            "read" => Self::Read {
                descriptor: given.word("DESCRIPTOR")?.string()?,
                offset: given.word("OFFSET")?.parse()?,
                length: given.word("LENGTH")?.parse()?,
                from: given.needed("from")?,
            },
            "verify" => Self::Verify {
                file: given.word("FOLDER/ID.blob")?.into(),
            },
            "pack" => Self::Pack {
                stickers: given.word("FOLDER")?.into(),
                title: given.needed("title")?.string()?,
                name: given.needed("name")?.string()?,
                to: given.needed("to")?.into(),
                author: given.option("author").map(PathBuf::from),
            },
            "unpack" => Self::Unpack {
                link: given.word("LINK")?.string()?,
                from: given.needed("from")?,
                out: given.needed("out")?.into(),
                size_max: given.number("max-size")?.unwrap_or(u64::MAX),
            },
            "serve" => Self::Serve {
                folder: given.word("FOLDER")?.into(),
                port: given.number("port")?.unwrap_or(0).try_into()?,
            },
            other => return Err(format!("there is no `{other}`").into()),
        };
        given.finish()?;
        Ok(command)
    }
}

impl Arguments {
    /// Nothing if help is asked for.
    fn read(mut parser: lexopt::Parser) -> Result<Option<Self>> {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long(name) => {
                    let name = name.to_owned();
                    options.push((name, parser.value()?));
                }
                Value(word) => words.push(word),
                other => return Err(other.unexpected().into()),
            }
        }
        let words = words.into_iter();
        Ok(Some(Self { words, options }))
    }

    fn word(&mut self, what: &str) -> Result<OsString> {
        let word = self.words.next();
        word.ok_or_else(|| format!("{what} is needed").into())
    }

    fn option(&mut self, name: &str) -> Option<OsString> {
        let place = self.options.iter().position(|(known, _)| known == name)?;
        Some(self.options.remove(place).1)
    }

    fn needed(&mut self, name: &str) -> Result<OsString> {
        let value = self.option(name);
        value.ok_or_else(|| format!("--{name} is needed").into())
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let value = self.option(name);
        Ok(value.map(|value| value.parse()).transpose()?)
    }

    fn kind(&mut self) -> Result<Option<MediaType>> {
        let Some(value) = self.option("type") else {
            return Ok(None);
        };
        Ok(Some(MediaType::new(&value.string()?)?))
    }

    fn finish(mut self) -> Result<()> {
        if let Some(word) = self.words.next() {
            return Err(format!("{word:?} is not understood here").into());
        }
        match self.options.first() {
            Some((name, _)) => Err(format!("--{name} is not understood here").into()),
            None => Ok(()),
        }
    }
}
