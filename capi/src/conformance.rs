//! Every operation of the conformance vectors, behind one function.
