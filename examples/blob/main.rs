//! Files of any size in the hands of whoever stores them: sealed, opened, checked without a key, read at any place, and
//! packs of stickers shared by link.
//!
//! ```text
//!   seal ──► folder: ID.blob, ID.nodes, PACKID.pack ──► serve ──► HTTP, by ranges ──┐
//!   pack ──►    │                                                                    ├─► open, read, unpack
//!               └────────────────────────────────────────────────────────────────────┘   trust neither
//! ```
//! `--help` says what each command does. To see how an app uses the library, read `sealing` (how an upload survives that
//! the app is killed), `opening` (how a download does, and that nothing unverified is ever written), `reading` (any place
//! of a file that is elsewhere), `publishing` and `unpacking` (packs).

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};
use subrosa::file::{Descriptor, MediaType, Offer};

use disk::Real;
use folder::Folder;
use options::Command;
use server::Server;

mod checking;
mod disk;
mod folder;
mod line;
mod opening;
mod options;
mod publishing;
mod reading;
mod sealing;
mod server;
mod source;
mod sticker;
#[cfg(test)]
mod tests;
mod unpacking;

/// How long an upload that nobody goes on with is kept.
const UPLOAD_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Whatever goes wrong ends the program, with a word about it.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let command = match Command::parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("blob: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blob: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Help => print!("{}", options::HELP),
        Command::Seal { file, kind, to } => {
            let folder = Folder::create(&to)?;
            let print = |descriptor: &Descriptor| {
                line::print(&mut io::stdout().lock(), &line::of(descriptor)?)
            };
            sealing::seal(&file, kind, &folder, &Real, &bar("sealing"), print)?;
        }
        Command::Open {
            descriptor,
            from,
            out,
            kind,
            size_max,
        } => {
            if out.try_exists()? {
                return Err(format!("{} is there already", out.display()).into());
            }
            let descriptor = line::descriptor(&descriptor)?;
            let fetch = descriptor
                .blob
                .admit(|offer| is_wanted(offer, kind, size_max))?;
            let source = source::of(&from);
            opening::open(&fetch, &*source, &out, &Real, &bar("opening"))?;
        }
        Command::Verify { file } => {
            let (id, bytes) = checking::verify(&file, &bar("verifying"))?;
            println!(
                "{} is what its {bytes} bytes hash to",
                hex::encode(id.as_bytes())
            );
        }
        Command::Read {
            descriptor,
            offset,
            length,
            from,
        } => {
            let descriptor = line::descriptor(&descriptor)?;
            // Whoever asks for a piece has decided.
            let fetch = descriptor.blob.admit(|_| true)?;
            let source = source::of(&from);
            let place = offset..offset.saturating_add(length);
            let (text, fetched) =
                reading::read(&fetch, &*source, &place, &mut io::stdout().lock())?;
            eprintln!("{text} bytes of text; {fetched} were fetched for them, proofs included");
        }
        Command::Pack {
            stickers,
            title,
            name,
            to,
            author,
        } => {
            let folder = Folder::create(&to)?;
            let author = author.unwrap_or_else(|| stickers.join("author"));
            let contents = publishing::Wanted::read(&stickers, title, name)?;
            let (version, link) =
                publishing::publish(&contents, &author, &folder, &Real, &bar("sealing"))?;
            eprintln!("version {version}");
            line::print(&mut io::stdout().lock(), &link)?;
        }
        Command::Unpack {
            link,
            from,
            out,
            size_max,
        } => {
            let source = source::of(&from);
            let held = unpacking::unpack(&link, &*source, &out, size_max, &Real, &bar("fetching"))?;
            eprintln!("version {} is in {}", held.version(), out.display());
        }
        Command::Serve { folder, port } => {
            let folder = Folder::new(&folder);
            folder.forget_uploads(&Real, SystemTime::now(), UPLOAD_KEPT)?;
            let server = Server::bind(folder, port)?;
            println!("http://{}", server.address()?);
            server.run()?;
        }
    }
    Ok(())
}

/// What this program's user has said to want.
fn is_wanted(offer: &Offer, kind: Option<MediaType>, size_max: u64) -> bool {
    offer.text_len <= size_max && kind.is_none_or(|kind| kind == offer.media_type)
}

/// Shows on a terminal how far something is.
fn bar(what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template =
        "{prefix} {wide_bar} {binary_bytes}/{binary_total_bytes}, {binary_bytes_per_sec}, {eta}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style).with_prefix(what)
}
