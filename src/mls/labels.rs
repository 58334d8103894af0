//! Every label of RFC 9420, without the `"MLS 1.0 "` in front of it.

/// In front of every label.
pub(super) const PREFIX: &[u8] = b"MLS 1.0 ";

/// Labels of signatures (RFC 9420 §17.6).
pub(super) mod sign {
    pub(crate) const FRAMED_CONTENT: &[u8] = b"FramedContentTBS";
    pub(crate) const LEAF_NODE: &[u8] = b"LeafNodeTBS";
    pub(crate) const KEY_PACKAGE: &[u8] = b"KeyPackageTBS";
    pub(crate) const GROUP_INFO: &[u8] = b"GroupInfoTBS";
}

/// Labels of public-key encryption (RFC 9420 §17.7).
pub(super) mod encrypt {
    pub(crate) const UPDATE_PATH_NODE: &[u8] = b"UpdatePathNode";
    pub(crate) const WELCOME: &[u8] = b"Welcome";
}

/// Context of the export that begins an external commit (RFC 9420 §8.3), whole.
pub(super) const EXTERNAL_INIT: &[u8] = b"MLS 1.0 external init secret";

/// Labels of references (RFC 9420 §5.2), whole.
pub(super) mod reference {
    pub(crate) const KEY_PACKAGE: &[u8] = b"MLS 1.0 KeyPackage Reference";
    pub(crate) const PROPOSAL: &[u8] = b"MLS 1.0 Proposal Reference";
}

/// Labels of the key schedule (RFC 9420 §8), of TreeKEM (§7.4) and of the secret tree (§9).
pub(super) mod derive {
    pub(crate) const JOINER: &[u8] = b"joiner";
    pub(crate) const WELCOME: &[u8] = b"welcome";
    pub(crate) const EPOCH: &[u8] = b"epoch";
    pub(crate) const INIT: &[u8] = b"init";
    pub(crate) const SENDER_DATA: &[u8] = b"sender data";
    pub(crate) const ENCRYPTION: &[u8] = b"encryption";
    pub(crate) const EXPORTER: &[u8] = b"exporter";
    pub(crate) const EXTERNAL: &[u8] = b"external";
    pub(crate) const CONFIRM: &[u8] = b"confirm";
    pub(crate) const MEMBERSHIP: &[u8] = b"membership";
    pub(crate) const RESUMPTION: &[u8] = b"resumption";
    pub(crate) const AUTHENTICATION: &[u8] = b"authentication";
    pub(crate) const EXPORTED: &[u8] = b"exported";
    pub(crate) const DERIVED_PSK: &[u8] = b"derived psk";
    pub(crate) const PATH: &[u8] = b"path";
    pub(crate) const NODE: &[u8] = b"node";
    pub(crate) const TREE: &[u8] = b"tree";
    pub(crate) const LEFT: &[u8] = b"left";
    pub(crate) const RIGHT: &[u8] = b"right";
    pub(crate) const HANDSHAKE: &[u8] = b"handshake";
    pub(crate) const APPLICATION: &[u8] = b"application";
    pub(crate) const NONCE: &[u8] = b"nonce";
    pub(crate) const KEY: &[u8] = b"key";
    pub(crate) const SECRET: &[u8] = b"secret";
}
