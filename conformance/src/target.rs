//! What is put to the test: anything that answers operations.

use serde_json::{Map, Value};

use crate::op::Refusal;
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

/// This library.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subrosa;

impl Target for Subrosa {
    fn call(&mut self, op: &str, input: &Map<String, Value>) -> Response {
        let Some(op) = sections::op(op) else {
            return Response::Unsupported;
        };
        match op.perform(input) {
            Ok(output) => Response::Out {
                out: output.out,
                trace: output.trace,
            },
            Err(Refusal::Error(name)) => Response::Error(name),
            Err(Refusal::Invalid(why)) => Response::Invalid(why),
        }
    }
}
