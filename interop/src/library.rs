//! What a library has to do to be measured: from texts to bytes on the wire and back.

/// A library for conversations of two devices. Randomness is the operating system's or the library's own choice.
pub trait Library {
    /// Its name in the results.
    const NAME: &'static str;

    /// One device's end of a conversation.
    type End;
    /// A message as it goes over the wire.
    type Message;
    /// A device that begins conversations.
    type Initiator;
    /// A device that has published one-time keys.
    type Responder;
    /// What the responder has published for one conversation.
    type Bundle;
    /// What an import gives.
    type Imported;

    /// Both ends of a conversation, each of which has read a message of the other: the next message of either one is
    /// the first of a new chain.
    fn pair() -> (Self::End, Self::End);

    /// The next message.
    fn seal(end: &mut Self::End, text: &[u8]) -> Self::Message;

    /// The text of a message; `None` if it is refused.
    fn open(end: &mut Self::End, message: &Self::Message) -> Option<Vec<u8>>;

    /// Bytes of a message.
    fn length(message: &Self::Message) -> usize;

    /// A device.
    fn initiator() -> Self::Initiator;

    /// A device, and bundles of it.
    fn responder(bundles: usize) -> (Self::Responder, Vec<Self::Bundle>);

    /// Everything from a bundle, as it came from a server, to a first message.
    fn begin(initiator: &mut Self::Initiator, bundle: &Self::Bundle, text: &[u8]) -> Self::Message;

    /// Everything from a first message to its text; its one-time keys are gone.
    fn accept(responder: &mut Self::Responder, message: &Self::Message) -> Vec<u8>;

    /// The state, encrypted under a key of the app.
    fn export(end: &Self::End) -> Vec<u8>;

    /// The conversation of an exported state.
    fn import(exported: &[u8]) -> Self::Imported;
}

/// A receiver, and `count` messages of one chain for it.
#[must_use]
pub fn sent<L: Library>(count: usize, text: &[u8]) -> (L::End, Vec<L::Message>) {
    let (mut sender, receiver) = L::pair();
    let messages = (0..count).map(|_| L::seal(&mut sender, text)).collect();
    (receiver, messages)
}

/// How many messages are read if they come in reverse.
#[must_use]
pub fn read_in_reverse<L: Library>(count: usize) -> usize {
    let (mut receiver, messages) = sent::<L>(count, b"text");
    let read = messages
        .iter()
        .rev()
        .filter_map(|message| L::open(&mut receiver, message));
    read.count()
}
