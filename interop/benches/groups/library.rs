//! What both libraries can do.

/// A library whose groups are measured.
pub trait Library {
    /// Its name in the table.
    const NAME: &'static str;

    /// One who can be added.
    type Newcomer;
    type Member;

    fn newcomer(name: &str) -> Self::Newcomer;
    fn key_package(newcomer: &Self::Newcomer) -> Vec<u8>;
    fn join(newcomer: Self::Newcomer, welcome: &[u8]) -> Self::Member;

    /// A group of one.
    fn create(name: &str) -> Self::Member;

    /// Makes a commit with a path; it waits.
    fn commit(member: &mut Self::Member, change: &Change<'_>) -> Sent;
    fn merge(member: &mut Self::Member);
    /// Lets go of the commit that waits.
    fn clear(member: &mut Self::Member);
    /// Takes a commit of another and goes on to its epoch.
    fn take(member: &mut Self::Member, commit: &[u8]);

    fn seal(member: &mut Self::Member, text: &[u8]) -> Vec<u8>;
    fn open(member: &mut Self::Member, message: &[u8]) -> Vec<u8>;

    fn authenticator(member: &Self::Member) -> Vec<u8>;
}

/// What a commit does besides giving its committer new keys.
pub enum Change<'a> {
    Nothing,
    /// Key packages, and whether the Welcome has the tree.
    Add(&'a [Vec<u8>], bool),
    Remove(u32),
}

/// A commit that was made.
pub struct Sent {
    pub commit: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
}

/// How long a leaf is good for, in seconds.
pub const LIFETIME: u64 = 80 * 86_400;
