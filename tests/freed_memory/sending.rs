//! The keys of the chain that sends, from a conversation's stored form.

use subrosa::Conversation;

use super::stored::{SENDING, Secrets};

/// `HKs`, `CKs` and `PCKs`; `None` while the turn is ours.
pub fn sending_chain(encoded: &[u8]) -> Option<[[u8; 32]; 3]> {
    let mut keys = [None; 3];
    Conversation::secrets(encoded, &mut |what, secret| {
        let place = SENDING.iter().position(|name| *name == what);
        if let (Some(place), Ok(secret)) = (place, secret.try_into()) {
            keys[place] = Some(secret);
        }
    });
    // Only the last state has them.
    let [Some(header), Some(classical), Some(quantum)] = keys else {
        return None;
    };
    Some([header, classical, quantum])
}
