//! Floor 4: one device of one account, over a store (SPEC §19): every call ends in at most one commit, and gives out
//! ciphertext or plaintext only after it.

pub mod store;
