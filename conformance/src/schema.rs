//! The JSON schema (draft 2020-12) of a section's file, from the table of its operations.

use serde_json::{Map, Value, json};

use crate::case::DIGEST;
use crate::file::{FORMAT, LICENSE};
use crate::op::{Field, Kind, Op, VERB, Verb};
use crate::sections::Section;

/// Bytes of an output from which on its hash may stand for it.
pub const DIGEST_FROM: usize = 256;

/// Where a field stands.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Input,
    Output,
    Trace,
}

/// The schema's text.
///
/// # Errors
/// Only if it cannot be written as JSON.
pub fn to_text(section: &Section) -> Result<String, String> {
    let text = serde_json::to_string_pretty(&schema(section)).map_err(|why| why.to_string())?;
    Ok(text + "\n")
}

/// The schema.
#[must_use]
pub fn schema(section: &Section) -> Value {
    let names: Vec<&str> = section.ops().map(|op| op.name).collect();
    let rules: Vec<Value> = section.ops().map(rule).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("subrosa test vectors: {}", section.name),
        "type": "object",
        "required": ["format", "section", "spec", "license", "description", "cases"],
        "additionalProperties": false,
        "properties": {
            "format": {"const": FORMAT},
            "section": {"const": section.name},
            "spec": {"const": section.spec},
            "license": {"const": LICENSE},
            "description": {"type": "string", "minLength": 1},
            "cases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/case"}},
        },
        "$defs": {
            "case": {
                "type": "object",
                "required": ["id", "comment", "op", "in"],
                "additionalProperties": false,
                "properties": {
                    "id": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
                    "comment": {"type": "string"},
                    "op": {"enum": names},
                    "in": {"type": "object"},
                    "out": {"type": "object"},
                    "error": {"type": "string"},
                    "trace": {"type": "object"},
                },
                "oneOf": [{"required": ["out"]}, {"required": ["error"]}],
                "dependentRequired": {"trace": ["out"]},
                "allOf": rules,
            },
        },
    })
}

fn rule(op: &Op) -> Value {
    let mut properties = Map::new();
    properties.insert("in".to_owned(), object(op.input, Side::Input));
    properties.insert("out".to_owned(), object(op.output, Side::Output));
    properties.insert("error".to_owned(), json!({"enum": op.errors}));
    if op.errors.is_empty() {
        properties.insert("error".to_owned(), json!(false));
    }
    properties.insert("trace".to_owned(), object(op.trace, Side::Trace));
    json!({
        "if": {"properties": {"op": {"const": op.name}}},
        "then": {"properties": properties},
    })
}

fn object(fields: &[Field], side: Side) -> Value {
    let names: Vec<&str> = match side {
        Side::Trace => Vec::new(),
        _ => fields.iter().map(|field| field.name).collect(),
    };
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), kind(field.kind, side)))
        .collect();
    object_of(names, properties)
}

fn object_of(required: Vec<&str>, properties: Map<String, Value>) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

/// A step: its verb and the verb's fields.
fn step(verb: &Verb) -> Value {
    let fields = verb.input.iter();
    let mut names = vec![VERB];
    names.extend(fields.clone().map(|field| field.name));
    let mut properties = Map::new();
    properties.insert(VERB.to_owned(), json!({"const": verb.name}));
    properties.extend(fields.map(|field| (field.name.to_owned(), kind(field.kind, Side::Input))));
    object_of(names, properties)
}

/// The results that some verb may have: each of its output fields, or one of its errors.
fn results(verbs: &[Verb]) -> Vec<Value> {
    let mut errors: Vec<&str> = verbs.iter().flat_map(|verb| verb.errors).copied().collect();
    errors.sort_unstable();
    errors.dedup();
    let mut results = vec![json!({
        "type": "object", "required": ["error"], "additionalProperties": false,
        "properties": {"error": {"enum": errors}},
    })];
    for verb in verbs {
        let result = object(verb.output, Side::Output);
        if !results.contains(&result) {
            results.push(result);
        }
    }
    results
}

fn kind(kind: Kind, side: Side) -> Value {
    let may_be_digest = side != Side::Input
        && match kind {
            Kind::Hex => true,
            Kind::HexOf(length) => length >= DIGEST_FROM,
            _ => false,
        };
    let bytes = match kind {
        Kind::HexOf(length) => format!("([0-9a-f]{{2}}){{{length}}}"),
        _ => "([0-9a-f]{2})*".to_owned(),
    };
    match kind {
        Kind::Hex | Kind::HexOf(_) if may_be_digest => {
            json!({"type": "string", "pattern": format!("^({bytes}|{DIGEST}[0-9a-f]{{64}})$")})
        }
        Kind::Hex | Kind::HexOf(_) => {
            json!({"type": "string", "pattern": format!("^{bytes}$")})
        }
        Kind::Integer(max) => json!({"type": "integer", "minimum": 0, "maximum": max}),
        Kind::Decimal => json!({"type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Text => json!({"type": "string"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Nullable(other) => json!({"oneOf": [{"type": "null"}, self::kind(*other, side)]}),
        Kind::List(other) => json!({"type": "array", "items": self::kind(*other, side)}),
        Kind::Object(fields) => object(fields, side),
        Kind::Steps(verbs) => {
            let steps: Vec<Value> = verbs.iter().map(step).collect();
            json!({"type": "array", "minItems": 1, "items": {"oneOf": steps}})
        }
        Kind::Results(verbs) => {
            json!({"type": "array", "minItems": 1, "items": {"anyOf": results(verbs)}})
        }
    }
}
