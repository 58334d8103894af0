//! An operation: its name, the fields that go in and come out, and how this library performs it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use serde_json::{Map, Value};

/// One operation that vectors put to an implementation.
pub struct Op {
    /// `section.name`.
    pub name: &'static str,
    /// One line for the table in the README.
    pub summary: &'static str,
    /// What goes in; every field is required.
    pub input: &'static [Field],
    /// What comes out; every field is required.
    pub output: &'static [Field],
    /// Intermediate values that an implementation may give.
    pub trace: &'static [Field],
    /// The errors that the operation may answer.
    pub errors: &'static [&'static str],
    /// How this library performs it.
    pub run: fn(&Input<'_>) -> Result<Output, Refusal>,
}

/// A named field of an operation.
#[derive(Debug)]
pub struct Field {
    /// The key in the JSON object.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Bytes in lower-case hex.
    Hex,
    /// Exactly so many bytes in lower-case hex.
    HexOf(usize),
    /// An integer from 0 to the given one, as a JSON number.
    Integer(u64),
    /// An unsigned 64-bit integer as a string of decimal digits: JSON numbers are not safe above 2^53.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
    /// `null`, or a value of the other type.
    Nullable(&'static Kind),
    /// A list of values of the other type.
    List(&'static Kind),
    /// An object with exactly these fields.
    Object(&'static [Field]),
    /// The steps of a script: objects whose `do` names one of these verbs.
    Steps(&'static [Verb]),
    /// The results of such steps, one for each.
    Results(&'static [Verb]),
}

/// What a step of a script can do.
#[derive(Debug)]
pub struct Verb {
    /// The value of the step's `do`.
    pub name: &'static str,
    /// One line for the table in the README.
    pub summary: &'static str,
    /// The step's other fields; every one is required.
    pub input: &'static [Field],
    /// The fields of its result; every one is required.
    pub output: &'static [Field],
    /// The errors that it may answer in place of its result: an object with the one field `error`.
    pub errors: &'static [&'static str],
}

/// The field of a step that names its verb.
pub const VERB: &str = "do";

/// Shorthand for a table of fields.
#[must_use]
pub const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// Why an operation gave no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The library's error, by the name of its variant.
    Error(String),
    /// The input is none of this operation.
    Invalid(String),
}

/// The library's error under the name that vectors use: that of its variant.
pub fn refused(error: impl Debug) -> Refusal {
    let text = format!("{error:?}");
    let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next();
    Refusal::Error(name.unwrap_or_default().to_owned())
}

/// What came out of an operation.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// The output fields.
    pub out: Map<String, Value>,
    /// The intermediate values.
    pub trace: Map<String, Value>,
}

impl Output {
    /// No field yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an output field.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.out.insert(name.to_owned(), value.into());
        self
    }

    /// Adds an output field of bytes.
    #[must_use]
    pub fn hex(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.value(name, hex::encode(bytes))
    }

    /// Adds an intermediate value of bytes.
    #[must_use]
    pub fn trace_hex(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.trace
            .insert(name.to_owned(), hex::encode(bytes).into());
        self
    }
}

impl Op {
    /// Whether `input` has exactly the fields of this operation, each of its kind.
    ///
    /// # Errors
    /// A sentence that names the first field at fault.
    pub fn accepts(&self, input: &Map<String, Value>) -> Result<(), String> {
        has_exactly(self.input, input)
    }

    /// Performs the operation by this library.
    ///
    /// # Errors
    /// The library's refusal, or that the input is none of this operation.
    pub fn perform(&self, input: &Map<String, Value>) -> Result<Output, Refusal> {
        self.accepts(input).map_err(Refusal::Invalid)?;
        (self.run)(&Input(input))
    }
}

/// Whether `object` has exactly these fields, each of its kind.
fn has_exactly(fields: &[Field], object: &Map<String, Value>) -> Result<(), String> {
    for field in fields {
        let value = object
            .get(field.name)
            .ok_or_else(|| format!("{}: missing", field.name))?;
        field
            .kind
            .accepts(value)
            .map_err(|why| format!("{}: {why}", field.name))?;
    }
    let known = |key: &str| fields.iter().any(|field| field.name == key);
    match object.keys().find(|key| !known(key)) {
        Some(key) => Err(format!("{key}: not one of the fields")),
        None => Ok(()),
    }
}

impl Verb {
    fn accepts(verbs: &[Self], step: &Value) -> Result<(), String> {
        let mut fields = step.as_object().ok_or("not an object")?.clone();
        let name = fields.remove(VERB);
        let name = name.as_ref().and_then(Value::as_str);
        let verb = verbs
            .iter()
            .find(|verb| Some(verb.name) == name)
            .ok_or_else(|| format!("{VERB}: {name:?} is none of the verbs"))?;
        has_exactly(verb.input, &fields)
    }
}

impl Kind {
    fn accepts(self, value: &Value) -> Result<(), String> {
        match self {
            Self::Hex => bytes(value).map(drop),
            Self::HexOf(length) => match bytes(value)?.len() {
                found if found == length => Ok(()),
                found => Err(format!("{found} bytes, not {length}")),
            },
            Self::Integer(max) => match value.as_u64() {
                Some(number) if number <= max => Ok(()),
                _ => Err(format!("not an integer from 0 to {max}")),
            },
            Self::Decimal => decimal(value).map(drop),
            Self::Bool => value.as_bool().map(drop).ok_or("not a boolean".to_owned()),
            Self::Text => value.as_str().map(drop).ok_or("not a text".to_owned()),
            Self::Texts => match value.as_array() {
                Some(texts) if texts.iter().all(Value::is_string) => Ok(()),
                _ => Err("not a list of texts".to_owned()),
            },
            Self::Nullable(kind) => match value {
                Value::Null => Ok(()),
                value => kind.accepts(value),
            },
            Self::List(kind) => each(value, |value| kind.accepts(value)),
            Self::Object(fields) => has_exactly(fields, value.as_object().ok_or("not an object")?),
            Self::Steps(verbs) => each(value, |step| Verb::accepts(verbs, step)),
            Self::Results(_) => Err("results are no input".to_owned()),
        }
    }

    /// The type in the words of the README's tables.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Hex => "hex".to_owned(),
            Self::HexOf(1) => "hex, 1 byte".to_owned(),
            Self::HexOf(length) => format!("hex, {length} bytes"),
            Self::Integer(max) => format!("integer, at most {max}"),
            Self::Decimal => "decimal text".to_owned(),
            Self::Bool => "boolean".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Texts => "list of texts".to_owned(),
            Self::Nullable(kind) => format!("null or {}", kind.describe()),
            Self::List(kind) => format!("list of ({})", kind.describe()),
            Self::Object(fields) => {
                let fields: Vec<String> = fields.iter().map(Field::describe).collect();
                format!("object ({})", fields.join("; "))
            }
            Self::Steps(_) => "list of steps, below".to_owned(),
            Self::Results(_) => "list of the steps' results".to_owned(),
        }
    }
}

impl Field {
    /// Name and type in the words of the README's tables.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("`{}`: {}", self.name, self.kind.describe())
    }
}

fn each(value: &Value, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    let items = value.as_array().ok_or("not a list")?;
    for (index, item) in items.iter().enumerate() {
        check(item).map_err(|why| format!("[{index}]: {why}"))?;
    }
    Ok(())
}

/// The fields of an input, an object in it, or a step.
pub struct Input<'a>(&'a Map<String, Value>);

impl<'a> Input<'a> {
    /// Fields that nobody checked yet.
    #[must_use]
    pub const fn new(fields: &'a Map<String, Value>) -> Self {
        Self(fields)
    }

    /// A field that is an object.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], as with every accessor, if the field is not what is asked for.
    pub fn object(&self, name: &str) -> Result<Self, Refusal> {
        match self.get(name)? {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Refusal::Invalid(format!("{name}: not an object"))),
        }
    }

    /// A field that is `null`, or what `value` makes of the fields of which it is one.
    ///
    /// # Errors
    /// Those of `value`.
    pub fn nullable<T>(
        &self,
        name: &str,
        value: impl FnOnce(&Self, &str) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.get(name)? {
            Value::Null => Ok(None),
            _ => value(self, name).map(Some),
        }
    }

    /// A field that is a list of objects.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn objects(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        let items = self.get(name)?.as_array();
        let objects: Option<Vec<Self>> = items.and_then(|items| {
            items
                .iter()
                .map(|item| item.as_object().map(Self))
                .collect()
        });
        objects.ok_or_else(|| Refusal::Invalid(format!("{name}: not a list of objects")))
    }

    /// A field, whatever it is.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn get(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.0
            .get(name)
            .ok_or_else(|| Refusal::Invalid(format!("{name}: missing")))
    }

    /// A field of bytes.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        bytes(self.get(name)?).map_err(|why| Refusal::Invalid(format!("{name}: {why}")))
    }

    /// A field of exactly `N` bytes: the only way into a parameter that is an array.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes(name)?;
        bytes
            .as_slice()
            .try_into()
            .map_err(|_| Refusal::Invalid(format!("{name}: {} bytes, not {N}", bytes.len())))
    }

    /// A field that is a JSON number, or a decimal text.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn integer<T: TryFrom<u64>>(&self, name: &str) -> Result<T, Refusal> {
        let value = self.get(name)?;
        value
            .as_u64()
            .or_else(|| decimal(value).ok())
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| Refusal::Invalid(format!("{name}: not an integer in range")))
    }

    /// A field that is a list of JSON numbers.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn integers<T: TryFrom<u64>>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let items = self.get(name)?.as_array();
        let numbers: Option<Vec<T>> = items.and_then(|items| {
            let numbers = items.iter().map(|item| T::try_from(item.as_u64()?).ok());
            numbers.collect()
        });
        numbers.ok_or_else(|| Refusal::Invalid(format!("{name}: not a list of integers in range")))
    }

    /// A field of text.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.get(name)?
            .as_str()
            .ok_or_else(|| Refusal::Invalid(format!("{name}: not a text")))
    }

    /// A field that is a list of texts.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let items = self.get(name)?.as_array();
        let texts: Option<Vec<&str>> =
            items.and_then(|items| items.iter().map(Value::as_str).collect());
        texts.ok_or_else(|| Refusal::Invalid(format!("{name}: not a list of texts")))
    }

    /// A field of true or false.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        self.get(name)?
            .as_bool()
            .ok_or_else(|| Refusal::Invalid(format!("{name}: not a boolean")))
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or("not a text")?;
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("not in lower case".to_owned());
    }
    hex::decode(text).map_err(|why| format!("not hex: {why}"))
}

fn decimal(value: &Value) -> Result<u64, String> {
    let text = value.as_str().ok_or("not a text")?;
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err("not an unsigned 64-bit integer in decimal digits".to_owned()),
    }
}
