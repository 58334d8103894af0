//! Every label of the pairwise protocol (SPEC §3.1): `L(x)` = ASCII `"subrosa/1 "`, `x`, one zero byte.
//!
//! The zero byte ends each label, so that none is a prefix of another.

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &[u8] = concat!("subrosa/1 ", $text, "\0").as_bytes();)*

        /// Every label with its name `x`, in the order of SPEC §3.1.
        pub const ALL: &[(&str, &[u8])] = &[$(($text, $name)),*];
    };
}

labels! {
    /// Salt of the extraction of the hedging key.
    HEDGE = "hedge";
    /// Info of the hedged generator, followed by the purpose.
    RAND = "rand ";
    /// Signed by `IKs`: the device identity.
    IDENTITY = "identity";
    /// Signed by `IKs`: a signed prekey.
    SPK = "spk";
    /// Signed by `IKs`: a KEM prekey.
    KEM = "kem";
    /// Hash over the public keys of an agreement.
    TH1 = "th1";
    /// Hash over the whole transcript of an agreement: the session id.
    TH2 = "th2";
    /// Key of the encrypted identity.
    ID = "id";
    /// Root key and header keys from the shared secret.
    SESSION = "session";
    /// A root-key step.
    ROOT = "root";
    /// The seeds of epoch 0 of the Braid.
    PQ_START = "pq start";
    /// The seeds of a later epoch.
    PQ_EPOCH = "pq epoch";
    /// The tag that names a header key.
    TAG = "tag";
    /// The synthetic salt of a message.
    SALT = "salt";
    /// Body key and nonce.
    BODY = "body";
    /// Header key and nonce.
    HEAD = "head";
    /// Key, nonce and commitment of exported state.
    EXPORT = "export";
    /// Hash over the first keys of an account: its id.
    ACCOUNT = "account";
    /// Signed by a recovery key: the keys that replace an account's.
    ACCOUNT_KEY = "account key";
    /// Signed by an account key, and hashed: a device list.
    DEVICES = "devices";
    /// Hash over an account's keys: its fingerprint.
    FINGERPRINT = "fingerprint";
    /// Hash over the value that a comparison by emoji reveals later.
    EMOJI_COMMIT = "emoji commit";
    /// The emoji themselves.
    EMOJI = "emoji";
    /// The key of the keys under which a device's values are stored.
    STORE_KEY = "store key";
    /// Hash over length, header and root of a blob: its id.
    BLOB = "blob";
    /// Message of the HMAC that gives the seed of a blob's keys.
    BLOB_SEED = "blob seed";
    /// The key of a blob.
    BLOB_KEY = "blob key";
    /// The salt of a blob, from its first text.
    BLOB_SALT = "blob salt";
    /// Signed by a pack's author, and hashed: a manifest.
    PACK = "pack";
    /// The id of a pack.
    PACK_ID = "pack id";
    /// The key of a pack's manifest.
    PACK_MANIFEST = "pack manifest";
    /// Context of the file that a pack's manifest is.
    PACK_FILE = "pack file";
    /// Hash over the public key of a pack's author.
    PACK_KEY = "pack key";
}

/// Purposes of the hedged generator (SPEC §3.6): what stands behind [`RAND`].
pub mod purpose {
    /// The initiator's ephemeral key.
    pub const EPHEMERAL_KEY: &[u8] = b"ek";
    /// The randomness of the encapsulation.
    pub const KEM_MESSAGE: &[u8] = b"kem m";
    /// A ratchet key.
    pub const RATCHET_KEY: &[u8] = b"ratchet key";
    /// The seed of a key pair of the Braid.
    pub const BRAID_SEED: &[u8] = b"braid seed";
    /// The randomness of an encapsulation of the Braid.
    pub const BRAID_M: &[u8] = b"braid m";
    /// A signed prekey.
    pub const SIGNED_PREKEY: &[u8] = b"spk";
    /// A one-time prekey.
    pub const ONE_TIME_PREKEY: &[u8] = b"opk";
    /// The seed of a KEM prekey.
    pub const KEM_SEED: &[u8] = b"kem seed";
    /// The salt of exported state.
    pub const EXPORT_SALT: &[u8] = b"export salt";
    /// What a side of a comparison by emoji reveals.
    pub const EMOJI: &[u8] = b"emoji";
    /// The salt of a pack's manifest.
    pub const PACK_SALT: &[u8] = b"pack salt";
    /// The private keys of an MLS key package.
    pub const MLS_KEY_PACKAGE: &[u8] = b"mls key package";
    /// All random values of an MLS group's step.
    pub const MLS_STEP: &[u8] = b"mls step";

    /// Every purpose, in the order of SPEC §3.6.
    pub const ALL: &[&[u8]] = &[
        EPHEMERAL_KEY,
        KEM_MESSAGE,
        RATCHET_KEY,
        BRAID_SEED,
        BRAID_M,
        SIGNED_PREKEY,
        ONE_TIME_PREKEY,
        KEM_SEED,
        EXPORT_SALT,
        EMOJI,
        PACK_SALT,
        MLS_KEY_PACKAGE,
        MLS_STEP,
    ];
}
