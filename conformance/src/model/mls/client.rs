//! Leaves and key packages (§§7.2, 10).

use super::{Draw, Extensions, Pair, Suite, extensions, numbers, reference, vector};
use crate::model::Answer;

/// How a leaf came into the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// By a key package: first and last second.
    KeyPackage(u64, u64),
    /// By an update.
    Update,
    /// By a commit: the parent hash.
    Commit(Vec<u8>),
}

/// `Capabilities`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Protocol versions.
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub suites: Vec<u16>,
    /// Extensions.
    pub extensions: Vec<u16>,
    /// Proposals.
    pub proposals: Vec<u16>,
    /// Credentials.
    pub credentials: Vec<u16>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            versions: vec![1],
            suites: vec![1, 2, 3],
            extensions: vec![10],
            proposals: Vec::new(),
            credentials: vec![1, 2],
        }
    }
}

impl Capabilities {
    fn encode(&self) -> Vec<u8> {
        [
            numbers(&self.versions),
            numbers(&self.suites),
            numbers(&self.extensions),
            numbers(&self.proposals),
            numbers(&self.credentials),
        ]
        .concat()
    }
}

/// `LeafNode`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// `encryption_key`
    pub encryption_key: Vec<u8>,
    /// `signature_key`
    pub signature_key: Vec<u8>,
    /// Type and value of the credential; a value that is not basic is in one vector as well.
    pub credential: (u16, Vec<u8>),
    /// `capabilities`
    pub capabilities: Capabilities,
    /// `leaf_node_source`
    pub source: Source,
    /// `extensions`
    pub extensions: Extensions,
    /// `signature`
    pub signature: Vec<u8>,
}

impl Leaf {
    fn unsigned(&self) -> Vec<u8> {
        let (credential, value) = &self.credential;
        let source = match &self.source {
            Source::KeyPackage(from, to) => [
                vec![1],
                from.to_be_bytes().to_vec(),
                to.to_be_bytes().to_vec(),
            ]
            .concat(),
            Source::Update => vec![2],
            Source::Commit(parent_hash) => [vec![3], vector(parent_hash)].concat(),
        };
        [
            vector(&self.encryption_key),
            vector(&self.signature_key),
            credential.to_be_bytes().to_vec(),
            vector(value),
            self.capabilities.encode(),
            source,
            extensions(&self.extensions),
        ]
        .concat()
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [self.unsigned(), vector(&self.signature)].concat()
    }

    /// Signs it for its place.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn sign(&mut self, suite: Suite, signer: &Pair, group: &[u8], leaf: u32) -> Answer<()> {
        let mut content = self.unsigned();
        if !matches!(self.source, Source::KeyPackage(..)) {
            content.extend(vector(group));
            content.extend(leaf.to_be_bytes());
        }
        self.signature = suite.sign(signer, "LeafNodeTBS", &content)?;
        Ok(())
    }
}

/// `KeyPackage`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackage {
    /// `version`
    pub version: u16,
    /// `cipher_suite`
    pub suite: u16,
    /// `init_key`
    pub init_key: Vec<u8>,
    /// `leaf_node`
    pub leaf: Leaf,
    /// `extensions`
    pub extensions: Extensions,
    /// `signature`
    pub signature: Vec<u8>,
}

impl KeyPackage {
    fn unsigned(&self) -> Vec<u8> {
        [
            self.version.to_be_bytes().to_vec(),
            self.suite.to_be_bytes().to_vec(),
            vector(&self.init_key),
            self.leaf.encode(),
            extensions(&self.extensions),
        ]
        .concat()
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [self.unsigned(), vector(&self.signature)].concat()
    }

    /// Signs it.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn sign(&mut self, suite: Suite, signer: &Pair) -> Answer<()> {
        self.signature = suite.sign(signer, "KeyPackageTBS", &self.unsigned())?;
        Ok(())
    }

    /// `KeyPackageRef`
    #[must_use]
    pub fn reference(&self) -> [u8; 32] {
        reference("KeyPackage Reference", &self.encode())
    }

    /// `MLSMessage`
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        [vec![0, 1, 0, 5], self.encode()].concat()
    }
}

/// A client with all of its private keys.
#[derive(Clone, Debug)]
pub struct Client {
    /// The cipher suite.
    pub suite: Suite,
    /// The signature key.
    pub signer: Pair,
    /// The init key.
    pub init: Pair,
    /// The leaf's encryption key.
    pub encryption: Pair,
    /// The key package.
    pub package: KeyPackage,
}

impl Client {
    /// One with a basic credential, this name and this lifetime.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn new(suite: Suite, name: &str, lifetime: (u64, u64)) -> Answer<Self> {
        Self::with(suite, name, lifetime, |_| {})
    }

    /// As [`new`](Self::new); its leaf is changed before it is signed.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with(
        suite: Suite,
        name: &str,
        (from, to): (u64, u64),
        change: impl FnOnce(&mut Leaf),
    ) -> Answer<Self> {
        let mut draw = Draw::new(&format!("client {} {name}", suite.id));
        let signer = suite.signer(draw.draw())?;
        let init = suite.pair(&draw.draw())?;
        let encryption = suite.pair(&draw.draw())?;
        let mut leaf = Leaf {
            encryption_key: encryption.public.clone(),
            signature_key: signer.public.clone(),
            credential: (1, name.as_bytes().to_vec()),
            capabilities: Capabilities::default(),
            source: Source::KeyPackage(from, to),
            extensions: Vec::new(),
            signature: Vec::new(),
        };
        change(&mut leaf);
        let package = KeyPackage {
            version: 1,
            suite: suite.id,
            init_key: init.public.clone(),
            leaf,
            extensions: Vec::new(),
            signature: Vec::new(),
        };
        let mut client = Self {
            suite,
            signer,
            init,
            encryption,
            package,
        };
        client.sign()?;
        Ok(client)
    }

    /// Signs leaf and key package anew, after one of them was changed.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn sign(&mut self) -> Answer<()> {
        let Self {
            suite,
            signer,
            package,
            ..
        } = self;
        package.leaf.sign(*suite, signer, &[], 0)?;
        package.sign(*suite, signer)
    }

    /// The key package with a change that only its own signature is over.
    ///
    /// # Errors
    /// None that anybody will see.
    pub fn package_with(&self, change: impl FnOnce(&mut KeyPackage)) -> Answer<KeyPackage> {
        let mut package = self.package.clone();
        change(&mut package);
        package.sign(self.suite, &self.signer)?;
        Ok(package)
    }
}
