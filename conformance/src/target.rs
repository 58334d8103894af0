//! What is put to the test: anything that answers operations.

use alloc::string::String;
#[cfg(feature = "std")]
use alloc::string::ToString;

use serde_json::{Map, Value};

use crate::op::{Output, Refusal};
#[cfg(feature = "std")]
use crate::sections;

/// An implementation under test.
pub trait Target {
    /// Performs `op` on `input`.
    fn call(&mut self, op: &str, input: &Map<String, Value>) -> Response;
}

/// What an implementation answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// The operation succeeded.
    Out {
        /// Every output field of the operation.
        out: Map<String, Value>,
        /// Intermediate values, as many as the implementation can give.
        trace: Map<String, Value>,
    },
    /// The operation refused its input: the name of the error.
    Error(String),
    /// The implementation does not have this operation.
    Unsupported,
    /// The input cannot be expressed in the implementation's types, or is no input of this operation.
    Invalid(String),
    /// No answer: the implementation died, hung, or broke the line protocol.
    Failed(String),
    /// Not asked, as the implementation failed to answer before.
    NotAsked,
}

#[cfg(feature = "std")]
impl Response {
    /// The fields of the line protocol's response, beside its `id`.
    #[must_use]
    pub fn fields(self) -> Map<String, Value> {
        let (name, value) = match self {
            Self::Out { out, trace } => {
                let mut fields = Map::from_iter([("out".into(), out.into())]);
                if !trace.is_empty() {
                    fields.insert("trace".into(), trace.into());
                }
                return fields;
            }
            Self::Error(name) => ("error", name.into()),
            Self::Unsupported => ("unsupported", true.into()),
            Self::Invalid(why) | Self::Failed(why) => ("invalid", why.into()),
            Self::NotAsked => ("invalid", "the implementation failed before".into()),
        };
        Map::from_iter([(name.into(), value)])
    }

    /// [`Self::fields`] as the text of a JSON object.
    #[must_use]
    pub fn to_json(self) -> String {
        Value::Object(self.fields()).to_string()
    }
}

impl From<Result<Output, Refusal>> for Response {
    fn from(result: Result<Output, Refusal>) -> Self {
        match result {
            Ok(Output { out, trace }) => Self::Out { out, trace },
            Err(Refusal::Error(name)) => Self::Error(name),
            Err(Refusal::Invalid(why)) => Self::Invalid(why),
        }
    }
}

/// This library.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Subrosa;

#[cfg(feature = "std")]
impl Subrosa {
    /// Performs `op` on an input that is still text: a JSON object.
    #[must_use]
    pub fn read(op: &str, input: &str) -> Response {
        match serde_json::from_str(input) {
            Ok(input) => Self.call(op, &input),
            Err(why) => Response::Invalid(alloc::format!("the input is no JSON object: {why}")),
        }
    }
}

#[cfg(feature = "std")]
impl Target for Subrosa {
    fn call(&mut self, op: &str, input: &Map<String, Value>) -> Response {
        match sections::op(op) {
            Some(op) => op.perform(input).into(),
            None => Response::Unsupported,
        }
    }
}
