//! Attacks by a peer that has the conversation's own keys, and looks into states that no outsider has.
//!
//! Every case: the exact error, the encoding of the state byte for byte what it was, and the genuine message still
//! works.

mod braid_peer;
mod collision;
mod cost;
mod election;
mod forks;
mod generators;
mod hostile;
mod kit;
mod limits;
mod secrets;
mod stored;
mod thief;
mod twin;
