//! What memcheck wrote (`--xml=yes`), as places in source code.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

/// What an undefined value decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Branch,
    Address,
    /// Not about secrets at all: memory misused, or a system call that was given secrets.
    Other,
}

/// Where it did: the innermost function that is not of the standard library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub kind: Kind,
    /// The end of the file's path: crate or folder, and name.
    pub file: String,
    pub function: String,
    pub line: u32,
    /// The line of the source.
    pub text: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            file,
            function,
            line,
            text,
        } = self;
        write!(f, "{kind:?} in {function}, {file}:{line}: {text}")
    }
}

struct Frame {
    object: String,
    path: String,
    function: String,
    line: u32,
}

impl Frame {
    fn read(xml: &str) -> Self {
        let [directory, file] = ["dir", "file"].map(|tag| field(xml, tag));
        Self {
            object: field(xml, "obj"),
            path: format!("{directory}/{file}"),
            function: field(xml, "fn"),
            line: field(xml, "line").parse().unwrap_or(0),
        }
    }

    /// Code that does what its caller says: the standard library, one instruction under a name, and valgrind's own
    /// `memcpy` and `bcmp`.
    fn serves_its_caller(&self) -> bool {
        const SERVANTS: [&str; 5] = [
            "library/core/",
            "library/alloc/",
            "library/std/",
            "/stdarch/",
            "/libcrux-intrinsics-",
        ];
        self.object.contains("vgpreload") || SERVANTS.iter().any(|part| self.path.contains(part))
    }

    /// The name without its path and its generic arguments.
    fn name(&self) -> String {
        let mut depth = 0;
        let plain: String = self
            .function
            .chars()
            .filter(|c| {
                depth += i32::from(*c == '<');
                let outside = depth == 0;
                depth -= i32::from(*c == '>');
                outside
            })
            .collect();
        let mut parts = plain.rsplit("::");
        parts.next().unwrap_or_default().to_owned()
    }

    fn is_closure(&self) -> bool {
        self.name().starts_with('{')
    }

    fn place(&self, kind: Kind, function: String) -> Place {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let index = usize::try_from(self.line.saturating_sub(1)).unwrap_or_default();
        Place {
            kind,
            file: short(&self.path),
            function,
            line: self.line,
            text: text
                .lines()
                .nth(index)
                .unwrap_or_default()
                .trim()
                .to_owned(),
        }
    }
}

/// `src/crypto/dh.rs` of the library, `aes-gcm-0.11.1/src/lib.rs` of a dependency.
fn short(path: &str) -> String {
    let registry = path.split_once("/registry/src/");
    let inside = registry.and_then(|(_, rest)| rest.split_once('/'));
    match (inside, path.rfind("/src/")) {
        (Some((_, inside)), _) => inside.to_owned(),
        (None, Some(at)) if path.contains("/constant-time/") => {
            format!("constant-time{}", &path[at..])
        }
        (None, Some(at)) => path[at + 1..].to_owned(),
        (None, None) => path.to_owned(),
    }
}

/// Every place that memcheck reported.
pub fn places(xml: &str) -> BTreeSet<Place> {
    let errors = xml.split("<error>").skip(1);
    errors.map(place).collect()
}

fn place(error: &str) -> Place {
    let kind = match field(error, "kind").as_str() {
        "UninitCondition" => Kind::Branch,
        "UninitValue" => Kind::Address,
        _ => Kind::Other,
    };
    // What follows the first stack says where a value came from.
    let stack = error.split("</stack>").next().unwrap_or_default();
    let frames = stack.split("<frame>").skip(1).map(Frame::read);
    let frames: Vec<_> = frames.filter(|frame| !frame.serves_its_caller()).collect();
    let named = frames.iter().find(|frame| !frame.is_closure());
    let function = named.map(Frame::name).unwrap_or_default();
    match frames.first() {
        Some(owner) => owner.place(kind, function),
        None => Place {
            kind,
            file: String::new(),
            function,
            line: 0,
            text: field(error, "what"),
        },
    }
}

/// The text of the first element of that name.
fn field(xml: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let found = xml
        .split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close));
    let text = found.map_or("", |(text, _)| text);
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
