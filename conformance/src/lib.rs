//! Conformance vectors of subrosa.
