//! subrosa measured beside its peers; the benches are the content of this crate.
