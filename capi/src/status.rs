//! What became of a call, as a number.

use core::ffi::{CStr, c_char};

use subrosa::Action;
use subrosa::file::pack;
use subrosa::{device, file, identity};

/// What became of a call. A number is never used for anything else.
pub type subrosa_status = i32;

/// What the app should do. A number is never used for anything else.
pub type subrosa_action = i32;

/// It was done.
pub const SUBROSA_OK: subrosa_status = 0;
/// A pointer, length, flag or struct_size that no call may have.
pub const SUBROSA_ERROR_ARGUMENT: subrosa_status = 1;
/// No such object: freed, of another type, or never given out.
pub const SUBROSA_ERROR_HANDLE: subrosa_status = 2;
/// The object is in use, in another thread or by the caller of this callback.
pub const SUBROSA_ERROR_BUSY: subrosa_status = 3;
/// The buffer is too short; its length was set to what is needed.
pub const SUBROSA_ERROR_BUFFER: subrosa_status = 4;
/// No element has this index.
pub const SUBROSA_ERROR_RANGE: subrosa_status = 5;
/// Not the next step of this comparison or this file.
pub const SUBROSA_ERROR_STEP: subrosa_status = 6;
/// Too many objects at once: 4,000, or 65,000 where pointers have 64 bits.
pub const SUBROSA_ERROR_HANDLES: subrosa_status = 7;
/// This library was built without it.
pub const SUBROSA_ERROR_UNSUPPORTED: subrosa_status = 8;
/// A fault of the library. The object of the call can only be freed.
pub const SUBROSA_ERROR_INTERNAL: subrosa_status = 9;
/// The app's source of bytes gave none.
pub const SUBROSA_ERROR_SOURCE: subrosa_status = 10;
/// No device list of the account is known: fetch it, and update_list.
pub const SUBROSA_ERROR_UNKNOWN_ACCOUNT: subrosa_status = 101;
/// The account's keys are not those that the user agreed to: ask, approve.
pub const SUBROSA_ERROR_KEY_CHANGED: subrosa_status = 102;
/// Some device has no conversation to send in: unreached, then begin.
pub const SUBROSA_ERROR_UNREACHED: subrosa_status = 103;
/// This device is not on its account's device list, or has not seen it.
pub const SUBROSA_ERROR_NOT_LINKED: subrosa_status = 104;
/// This device does not hold the account's key.
pub const SUBROSA_ERROR_NOT_PRIMARY: subrosa_status = 105;
/// Set back: fetch the account's newest list and update_list first.
pub const SUBROSA_ERROR_LIST_DUE: subrosa_status = 106;
/// The name of the message is empty or longer than 64 bytes.
pub const SUBROSA_ERROR_CLIENT_ID: subrosa_status = 107;
/// Nothing is stored under this name.
pub const SUBROSA_ERROR_NOT_FOUND: subrosa_status = 108;
/// The store holds a device: open it. Of a Welcome: it has something of the group.
pub const SUBROSA_ERROR_OCCUPIED: subrosa_status = 109;
/// The store holds no device: create one.
pub const SUBROSA_ERROR_EMPTY: subrosa_status = 110;
/// The store is older than it was: restore, do not open.
pub const SUBROSA_ERROR_ROLLED_BACK: subrosa_status = 111;
/// Another process changed the store. The device has caught up: call again.
pub const SUBROSA_ERROR_STALE: subrosa_status = 112;
/// The store has stored nothing.
pub const SUBROSA_ERROR_FAILED: subrosa_status = 113;
/// The store cannot be read.
pub const SUBROSA_ERROR_UNREADABLE: subrosa_status = 114;
/// Whether the change was stored is not known. Nothing was given out: reopen.
pub const SUBROSA_ERROR_UNKNOWN: subrosa_status = 115;
/// This device was set back since the group's epoch began: change the group, then send.
pub const SUBROSA_ERROR_GROUP_SET_BACK: subrosa_status = 116;
/// Not a message, or not one that any honest sender makes.
pub const SUBROSA_ERROR_MALFORMED: subrosa_status = 201;
/// Made by a version of the protocol that this release does not speak.
pub const SUBROSA_ERROR_VERSION: subrosa_status = 202;
/// A kind of message that this release does not know.
pub const SUBROSA_ERROR_KIND: subrosa_status = 203;
/// The message was read before.
pub const SUBROSA_ERROR_DUPLICATE: subrosa_status = 204;
/// The message that begins a conversation was processed before.
pub const SUBROSA_ERROR_REPLAYED_FIRST: subrosa_status = 205;
/// No conversation has a key for the message.
pub const SUBROSA_ERROR_NO_SESSION: subrosa_status = 206;
/// Over 2,000 messages are missing before this one.
pub const SUBROSA_ERROR_GAP_TOO_LARGE: subrosa_status = 207;
/// One side exists twice, or was set back to an older state.
pub const SUBROSA_ERROR_FORKED: subrosa_status = 208;
/// 2^20 messages without an answer.
pub const SUBROSA_ERROR_CHAIN_EXHAUSTED: subrosa_status = 209;
/// A private prekey that the message needs is no longer there.
pub const SUBROSA_ERROR_PREKEY_GONE: subrosa_status = 211;
/// The bundle has expired.
pub const SUBROSA_ERROR_STALE_BUNDLE: subrosa_status = 212;
/// A signature in the bundle or the first message does not hold.
pub const SUBROSA_ERROR_SIGNATURE: subrosa_status = 213;
/// The signed prekey has taken as many first messages as it may.
pub const SUBROSA_ERROR_REPLAY_RECORD_FULL: subrosa_status = 214;
/// No prekey id is left, or as many one-time keys are held as may be.
pub const SUBROSA_ERROR_PREKEYS_EXHAUSTED: subrosa_status = 215;
/// The device has another identity than the one that is known.
pub const SUBROSA_ERROR_IDENTITY_CHANGED: subrosa_status = 216;
/// The peer's identity has a key of this device.
pub const SUBROSA_ERROR_OWN_IDENTITY: subrosa_status = 217;
/// The text is longer than SUBROSA_TEXT_MAX.
pub const SUBROSA_ERROR_TOO_LONG: subrosa_status = 218;
/// A stored state is not intact.
pub const SUBROSA_ERROR_INTEGRITY: subrosa_status = 219;
/// The random number generator failed.
pub const SUBROSA_ERROR_RNG: subrosa_status = 220;
/// None, or a key in it is not valid.
pub const SUBROSA_ERROR_LIST_MALFORMED: subrosa_status = 301;
/// Of a version that this release does not know.
pub const SUBROSA_ERROR_LIST_VERSION: subrosa_status = 302;
/// A signature does not hold, or is that of a replaced key.
pub const SUBROSA_ERROR_LIST_SIGNATURE: subrosa_status = 303;
/// The list or the request is another account's, or not for the next id.
pub const SUBROSA_ERROR_OTHER_ACCOUNT: subrosa_status = 304;
/// Two lists of one account contradict each other: tell the user.
pub const SUBROSA_ERROR_EQUIVOCATION: subrosa_status = 305;
/// A newer list of the account is known.
pub const SUBROSA_ERROR_OLD_LIST: subrosa_status = 306;
/// Lists between the known one and this one are missing.
pub const SUBROSA_ERROR_MISSING_LISTS: subrosa_status = 307;
/// Not what was committed to: somebody stands between the two.
pub const SUBROSA_ERROR_BAD_COMMITMENT: subrosa_status = 308;
/// Not the recovery key of the account.
pub const SUBROSA_ERROR_WRONG_KEY: subrosa_status = 309;
/// A key that is to be added is in the list already.
pub const SUBROSA_ERROR_KEY_IN_USE: subrosa_status = 310;
/// The account has 32 devices already.
pub const SUBROSA_ERROR_TOO_MANY_DEVICES: subrosa_status = 312;
/// The keys of the account were replaced 15 times already.
pub const SUBROSA_ERROR_TOO_MANY_KEYS: subrosa_status = 313;
/// The account has given out its last device id, or made its last list.
pub const SUBROSA_ERROR_EXHAUSTED: subrosa_status = 314;
/// The file is something else. Nothing in it was changed.
pub const SUBROSA_ERROR_NOT_A_STORE: subrosa_status = 401;
/// A later version wrote the file. Nothing in it was changed.
pub const SUBROSA_ERROR_NEWER_FORMAT: subrosa_status = 402;
/// Other processes held the file for longer than five seconds.
pub const SUBROSA_ERROR_FILE_BUSY: subrosa_status = 403;
/// The file or its file system cannot have a write-ahead log.
pub const SUBROSA_ERROR_UNSUITABLE: subrosa_status = 404;
/// SQLite, or the system below it, refused.
pub const SUBROSA_ERROR_SQLITE: subrosa_status = 405;
/// The key, the context or the first 56 bytes are not those of this file.
pub const SUBROSA_ERROR_FILE_COMMITMENT: subrosa_status = 501;
/// A chunk is altered, or stands in another place or file.
pub const SUBROSA_ERROR_FILE_CHUNK: subrosa_status = 502;
/// The end is missing: of the file, of a piece, or not yet sealed.
pub const SUBROSA_ERROR_FILE_TRUNCATED: subrosa_status = 503;
/// The proof is not one of these bytes of this blob.
pub const SUBROSA_ERROR_FILE_PROOF: subrosa_status = 504;
/// The bytes are not the blob that the id names.
pub const SUBROSA_ERROR_FILE_ID: subrosa_status = 505;
/// What stands behind the text is not zero: its sender has made it so.
pub const SUBROSA_ERROR_FILE_PADDING: subrosa_status = 506;
/// The app has not agreed to this type and size.
pub const SUBROSA_ERROR_FILE_NOT_ADMITTED: subrosa_status = 508;
/// A descriptor of a version that this release does not know.
pub const SUBROSA_ERROR_FILE_VERSION: subrosa_status = 509;
/// Longer than a file, a descriptor or a thumbnail may be.
pub const SUBROSA_ERROR_FILE_TOO_LONG: subrosa_status = 510;
/// The file is at its end: nothing can be added to it.
pub const SUBROSA_ERROR_FILE_ENDED: subrosa_status = 511;
/// The file has no such place.
pub const SUBROSA_ERROR_FILE_RANGE: subrosa_status = 512;
/// No descriptor, no media type, or a thumbnail of no bytes.
pub const SUBROSA_ERROR_FILE_MALFORMED: subrosa_status = 513;
/// No manifest of this link's pack: altered, or cut.
pub const SUBROSA_ERROR_PACK_INTEGRITY: subrosa_status = 601;
/// No link, no manifest, nothing stored, no UTF-8, no title or emoji.
pub const SUBROSA_ERROR_PACK_MALFORMED: subrosa_status = 602;
/// Of a version that this release does not know.
pub const SUBROSA_ERROR_PACK_VERSION: subrosa_status = 603;
/// By another author than the link's, or than what is held.
pub const SUBROSA_ERROR_PACK_OTHER_KEY: subrosa_status = 604;
/// The author's signature does not hold.
pub const SUBROSA_ERROR_PACK_SIGNATURE: subrosa_status = 605;
/// The manifest, or what is held, is another pack's.
pub const SUBROSA_ERROR_PACK_OTHER_PACK: subrosa_status = 606;
/// The author has signed two histories of the pack: tell the user.
pub const SUBROSA_ERROR_PACK_FORK: subrosa_status = 607;
/// A newer version is held, or the version does not rise.
pub const SUBROSA_ERROR_PACK_ROLLBACK: subrosa_status = 608;
/// More stickers, emoji or bytes than a pack may have.
pub const SUBROSA_ERROR_PACK_TOO_LONG: subrosa_status = 609;
/// Two stickers have the same key: who is sent one could read the other.
pub const SUBROSA_ERROR_PACK_KEY_IN_USE: subrosa_status = 610;
/// The pack had its last version.
pub const SUBROSA_ERROR_PACK_EXHAUSTED: subrosa_status = 611;
/// No message of a group, no key package, or no encoding.
pub const SUBROSA_ERROR_GROUP_MALFORMED: subrosa_status = 701;
/// Of a version of MLS that this release does not speak.
pub const SUBROSA_ERROR_GROUP_VERSION: subrosa_status = 702;
/// Of a cipher suite that this release does not have.
pub const SUBROSA_ERROR_GROUP_SUITE: subrosa_status = 703;
/// A public key that is none of the cipher suite.
pub const SUBROSA_ERROR_GROUP_KEY: subrosa_status = 705;
/// This device has nothing of the group.
pub const SUBROSA_ERROR_GROUP_UNKNOWN: subrosa_status = 706;
/// A change or a proposal of an epoch that is over: another change was taken.
pub const SUBROSA_ERROR_GROUP_EPOCH: subrosa_status = 707;
/// Over three changes old: its keys are gone.
pub const SUBROSA_ERROR_GROUP_EPOCH_GONE: subrosa_status = 708;
/// Altered, or by nobody who has the keys.
pub const SUBROSA_ERROR_GROUP_DECRYPTION: subrosa_status = 709;
/// Its sender has not signed it: another member has made it so.
pub const SUBROSA_ERROR_GROUP_SIGNATURE: subrosa_status = 710;
/// Altered, or made with other keys than the group's.
pub const SUBROSA_ERROR_GROUP_TAG: subrosa_status = 711;
/// The sender is no member.
pub const SUBROSA_ERROR_GROUP_SENDER: subrosa_status = 712;
/// The message was read before.
pub const SUBROSA_ERROR_GROUP_DUPLICATE: subrosa_status = 713;
/// 2,000 messages of the sender are missing before this one.
pub const SUBROSA_ERROR_GROUP_GAP_TOO_LARGE: subrosa_status = 714;
/// 2^32 messages of a sender in one epoch.
pub const SUBROSA_ERROR_GROUP_CHAIN_EXHAUSTED: subrosa_status = 715;
/// A change takes a proposal that was not received: hand in both, in their order.
pub const SUBROSA_ERROR_GROUP_PROPOSAL_MISSING: subrosa_status = 716;
/// A pre-shared key is asked for, of which groups of devices have none.
pub const SUBROSA_ERROR_GROUP_PSK: subrosa_status = 717;
/// The Welcome is for no key package that is there: used up, run out, or another's.
pub const SUBROSA_ERROR_GROUP_KEY_PACKAGE_GONE: subrosa_status = 718;
/// This device has sent it: no fault.
pub const SUBROSA_ERROR_GROUP_OWN_MESSAGE: subrosa_status = 719;
/// What was proposed in the epoch is to be taken first.
pub const SUBROSA_ERROR_GROUP_PROPOSALS_WAIT: subrosa_status = 720;
/// Another change of this device waits: receive what became of it, or withdraw it.
pub const SUBROSA_ERROR_GROUP_CHANGE_WAITS: subrosa_status = 721;
/// There is none to be withdrawn.
pub const SUBROSA_ERROR_GROUP_NO_CHANGE_WAITS: subrosa_status = 722;
/// This device is no member any more.
pub const SUBROSA_ERROR_GROUP_OVER: subrosa_status = 723;
/// It brings in what is no device of its account, or names another one in its place.
pub const SUBROSA_ERROR_GROUP_REFUSED: subrosa_status = 725;
/// The group has more places than 1,048,576.
pub const SUBROSA_ERROR_GROUP_FULL: subrosa_status = 726;
/// 1,024 proposals wait in this epoch.
pub const SUBROSA_ERROR_GROUP_TOO_MANY_PROPOSALS: subrosa_status = 727;
/// A later release has stored the group.
pub const SUBROSA_ERROR_GROUP_STATE_VERSION: subrosa_status = 729;
/// 801 to 852, this and the number of a rule in SPEC.md §22.2: it is broken.
pub const SUBROSA_ERROR_GROUP_RULE: subrosa_status = 800;

/// Nothing.
pub const SUBROSA_ACTION_NOTHING: subrosa_action = 0;
/// Drop the message; no honest message is lost by it.
pub const SUBROSA_ACTION_DROP: subrosa_action = 1;
/// Ask the peer to send again, once a minute at most, never for a first message.
pub const SUBROSA_ACTION_ASK_AGAIN: subrosa_action = 2;
/// Fetch a bundle and begin the conversation anew at the next send.
pub const SUBROSA_ACTION_BEGIN_ANEW: subrosa_action = 3;
/// Fetch a fresh bundle of the peer and try again.
pub const SUBROSA_ACTION_FETCH_BUNDLE: subrosa_action = 4;
/// Publish, and let the peer begin anew.
pub const SUBROSA_ACTION_ROTATE_PREKEYS: subrosa_action = 5;
/// Tell the user, and go on only with the user's consent.
pub const SUBROSA_ACTION_ASK_USER: subrosa_action = 6;
/// A fault on this device: mend it and call again.
pub const SUBROSA_ACTION_LOCAL: subrosa_action = 7;
/// A mistake in the program.
pub const SUBROSA_ACTION_CALLER: subrosa_action = 8;
/// Make the same call again.
pub const SUBROSA_ACTION_CALL_AGAIN: subrosa_action = 9;
/// Fetch the account's device lists, and update_list.
pub const SUBROSA_ACTION_FETCH_LIST: subrosa_action = 10;
/// Discard what was fetched, and fetch it again, from another server or later.
pub const SUBROSA_ACTION_FETCH_AGAIN: subrosa_action = 11;
/// Change the group, if by nothing but new keys, and call again.
pub const SUBROSA_ACTION_CHANGE_GROUP: subrosa_action = 12;

/// A status as a number, what it means, and what the app should do.
type Row = (subrosa_status, &'static CStr, subrosa_action);

/// Every status that comes out of a call, in the order of the numbers; rules of groups have one row for all. The core has six
/// more: 210, `Unanswered`, 311, `UnknownDevice`, and 728, `Integrity` of a group, of which a device makes others; 507,
/// `Altered`, of an upload that goes on; 704, `TooLong`, of what no message can hold, and 724, `Stale`, of what is staged and
/// not merged at once.
#[rustfmt::skip]
const ROWS: [Row; 114] = [
    (SUBROSA_OK, c"done", SUBROSA_ACTION_NOTHING),
    (SUBROSA_ERROR_ARGUMENT, c"an argument that no call may have", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_HANDLE, c"no such object", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_BUSY, c"the object is in use", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_BUFFER, c"the buffer is too short", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_RANGE, c"no element has this index", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_STEP, c"not the next step", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_HANDLES, c"too many objects at once", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_UNSUPPORTED, c"this library was built without it", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_INTERNAL, c"a fault of the library", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_SOURCE, c"the source of bytes gave none", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_UNKNOWN_ACCOUNT, c"no device list of the account is known", SUBROSA_ACTION_FETCH_LIST),
    (SUBROSA_ERROR_KEY_CHANGED, c"the user has not agreed to the account's new keys", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_UNREACHED, c"a device has no conversation to send in", SUBROSA_ACTION_FETCH_BUNDLE),
    (SUBROSA_ERROR_NOT_LINKED, c"this device is not on its account's list", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_NOT_PRIMARY, c"this device does not hold the account's key", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_LIST_DUE, c"the account's newest device list is to be fetched first", SUBROSA_ACTION_FETCH_LIST),
    (SUBROSA_ERROR_CLIENT_ID, c"the name of the message is empty or too long", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_NOT_FOUND, c"nothing is stored under this name", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_OCCUPIED, c"the store holds a device or this group", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_EMPTY, c"the store holds no device", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_ROLLED_BACK, c"the store is older than it was", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_STALE, c"the store was changed by another process", SUBROSA_ACTION_CALL_AGAIN),
    (SUBROSA_ERROR_FAILED, c"the store has stored nothing", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_UNREADABLE, c"the store cannot be read", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_UNKNOWN, c"whether the last change was stored is not known", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_GROUP_SET_BACK, c"the device was set back and the group is to be changed first", SUBROSA_ACTION_CHANGE_GROUP),
    (SUBROSA_ERROR_MALFORMED, c"the message is malformed", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_VERSION, c"the version is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_KIND, c"the kind of the message is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_DUPLICATE, c"the message was read before", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_REPLAYED_FIRST, c"the first message was processed before", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_NO_SESSION, c"no conversation has a key for the message", SUBROSA_ACTION_ASK_AGAIN),
    (SUBROSA_ERROR_GAP_TOO_LARGE, c"too many messages are missing", SUBROSA_ACTION_BEGIN_ANEW),
    (SUBROSA_ERROR_FORKED, c"the message contradicts the conversation", SUBROSA_ACTION_BEGIN_ANEW),
    (SUBROSA_ERROR_CHAIN_EXHAUSTED, c"the chain has no further number", SUBROSA_ACTION_BEGIN_ANEW),
    (SUBROSA_ERROR_PREKEY_GONE, c"a private prekey is no longer there", SUBROSA_ACTION_ROTATE_PREKEYS),
    (SUBROSA_ERROR_STALE_BUNDLE, c"the bundle has expired", SUBROSA_ACTION_FETCH_BUNDLE),
    (SUBROSA_ERROR_SIGNATURE, c"a signature is not valid", SUBROSA_ACTION_FETCH_BUNDLE),
    (SUBROSA_ERROR_REPLAY_RECORD_FULL, c"the signed prekey has taken as many first messages as it may", SUBROSA_ACTION_ROTATE_PREKEYS),
    (SUBROSA_ERROR_PREKEYS_EXHAUSTED, c"no further prekey can be made", SUBROSA_ACTION_ROTATE_PREKEYS),
    (SUBROSA_ERROR_IDENTITY_CHANGED, c"the device has another identity than the known one", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_OWN_IDENTITY, c"the peer has a key of this device", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_TOO_LONG, c"the text is too long", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_INTEGRITY, c"the stored state is not intact", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_RNG, c"the random number generator failed", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_LIST_MALFORMED, c"the device list or the code is malformed", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_LIST_VERSION, c"the version of the device list or of the code is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_LIST_SIGNATURE, c"a signature of the device list is not valid", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_OTHER_ACCOUNT, c"the device list is another account's", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_EQUIVOCATION, c"two device lists of the account contradict each other", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_OLD_LIST, c"a newer device list of the account is known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_MISSING_LISTS, c"device lists before this one are missing", SUBROSA_ACTION_FETCH_LIST),
    (SUBROSA_ERROR_BAD_COMMITMENT, c"what was revealed is not what was committed to", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_WRONG_KEY, c"the key is not that of the account", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_KEY_IN_USE, c"the key is in the device list already", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_TOO_MANY_DEVICES, c"the account has as many devices as it may", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_TOO_MANY_KEYS, c"the account's keys were replaced as often as they may be", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_EXHAUSTED, c"the account has no further device id or list", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_NOT_A_STORE, c"the file is not a store", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_NEWER_FORMAT, c"a later version wrote the file", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_FILE_BUSY, c"other processes held the file for too long", SUBROSA_ACTION_CALL_AGAIN),
    (SUBROSA_ERROR_UNSUITABLE, c"the file system cannot have a write-ahead log", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_SQLITE, c"SQLite refused", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_FILE_COMMITMENT, c"the key or the context is not that of this file", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_CHUNK, c"a piece of the file is altered or out of place", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_TRUNCATED, c"the end of the file is missing", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_PROOF, c"the proof does not hold", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_ID, c"the bytes are not those that the id names", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_PADDING, c"the padding is malformed", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_FILE_NOT_ADMITTED, c"the app does not admit this file", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_FILE_VERSION, c"the version of the descriptor is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_FILE_TOO_LONG, c"the file is too long", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_FILE_ENDED, c"the file is at its end", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_FILE_RANGE, c"the file has no such place", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_FILE_MALFORMED, c"the descriptor is malformed", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_PACK_INTEGRITY, c"the file is no manifest of this pack", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_MALFORMED, c"the link or the manifest is malformed", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_VERSION, c"the version of the link or of the manifest is not known", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_OTHER_KEY, c"the manifest is by another author", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_SIGNATURE, c"the author's signature is not valid", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_OTHER_PACK, c"the manifest is another pack's", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_PACK_FORK, c"the author has signed two histories of the pack", SUBROSA_ACTION_ASK_USER),
    (SUBROSA_ERROR_PACK_ROLLBACK, c"a newer manifest of the pack is known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_PACK_TOO_LONG, c"the pack has more than a pack may have", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_PACK_KEY_IN_USE, c"two stickers have the same key", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_PACK_EXHAUSTED, c"the pack has had its last version", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_GROUP_MALFORMED, c"the message of a group or the key package is malformed", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_VERSION, c"the version of MLS is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_SUITE, c"the cipher suite of the group is not known", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_KEY, c"a key is not valid for the cipher suite", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_UNKNOWN, c"the message is of another group", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_EPOCH, c"the message is of another epoch", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_EPOCH_GONE, c"the keys of the message's epoch are gone", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_DECRYPTION, c"the message of a group does not open", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_SIGNATURE, c"the signature of the sender is not valid", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_TAG, c"the tag is not valid", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_SENDER, c"the sender is no member", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_DUPLICATE, c"the message of a group was read before", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_GAP_TOO_LARGE, c"too many messages of the sender are missing", SUBROSA_ACTION_CHANGE_GROUP),
    (SUBROSA_ERROR_GROUP_CHAIN_EXHAUSTED, c"the sender has no further key in this epoch", SUBROSA_ACTION_CHANGE_GROUP),
    (SUBROSA_ERROR_GROUP_PROPOSAL_MISSING, c"a proposal that was taken was not received", SUBROSA_ACTION_FETCH_AGAIN),
    (SUBROSA_ERROR_GROUP_PSK, c"a pre-shared key is not there", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_KEY_PACKAGE_GONE, c"the Welcome is for no key package that is there", SUBROSA_ACTION_ROTATE_PREKEYS),
    (SUBROSA_ERROR_GROUP_OWN_MESSAGE, c"the message is this device's own", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_PROPOSALS_WAIT, c"proposals wait to be taken", SUBROSA_ACTION_CHANGE_GROUP),
    (SUBROSA_ERROR_GROUP_CHANGE_WAITS, c"another change of this device waits", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_GROUP_NO_CHANGE_WAITS, c"no change of this device waits", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_GROUP_OVER, c"this device is no member any more", SUBROSA_ACTION_CALLER),
    (SUBROSA_ERROR_GROUP_REFUSED, c"what comes in is no device of its account", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_FULL, c"the group has as many members as it may", SUBROSA_ACTION_DROP),
    (SUBROSA_ERROR_GROUP_TOO_MANY_PROPOSALS, c"as many proposals wait as may", SUBROSA_ACTION_CHANGE_GROUP),
    (SUBROSA_ERROR_GROUP_STATE_VERSION, c"a later release has stored the group", SUBROSA_ACTION_LOCAL),
    (SUBROSA_ERROR_GROUP_RULE, c"a rule of groups is broken", SUBROSA_ACTION_DROP),
];

/// How many rules of groups there are.
const RULES: usize = subrosa::mls::Rule::ALL.len();

fn row(status: subrosa_status) -> Option<&'static Row> {
    let number = status.checked_sub(SUBROSA_ERROR_GROUP_RULE);
    let rule = number.and_then(|number| usize::try_from(number).ok());
    let named = match rule {
        Some(1..=RULES) => SUBROSA_ERROR_GROUP_RULE,
        _ => status,
    };
    let place = ROWS.binary_search_by_key(&named, |row| row.0).ok()?;
    ROWS.get(place)
}

/// What a status means, in English: never NULL, for no number.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_status_str(status: subrosa_status) -> *const c_char {
    row(status)
        .map_or(c"not a status of this library", |row| row.1)
        .as_ptr()
}

/// What the app should do about a status.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_status_action(status: subrosa_status) -> subrosa_action {
    row(status).map_or(SUBROSA_ACTION_CALLER, |row| row.2)
}

/// The number of what a message's refusal asks for.
pub(crate) fn action(action: Action) -> subrosa_action {
    match action {
        Action::Nothing => SUBROSA_ACTION_NOTHING,
        Action::Drop => SUBROSA_ACTION_DROP,
        Action::AskAgain => SUBROSA_ACTION_ASK_AGAIN,
        Action::BeginAnew => SUBROSA_ACTION_BEGIN_ANEW,
        Action::FetchBundle => SUBROSA_ACTION_FETCH_BUNDLE,
        Action::RotatePrekeys => SUBROSA_ACTION_ROTATE_PREKEYS,
        Action::AskUser => SUBROSA_ACTION_ASK_USER,
        _ => SUBROSA_ACTION_LOCAL,
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub subrosa_status);

impl Status {
    pub(crate) const ARGUMENT: Self = Self(SUBROSA_ERROR_ARGUMENT);
    pub(crate) const HANDLE: Self = Self(SUBROSA_ERROR_HANDLE);
    pub(crate) const BUSY: Self = Self(SUBROSA_ERROR_BUSY);
    pub(crate) const BUFFER: Self = Self(SUBROSA_ERROR_BUFFER);
    pub(crate) const RANGE: Self = Self(SUBROSA_ERROR_RANGE);
    pub(crate) const STEP: Self = Self(SUBROSA_ERROR_STEP);
    pub(crate) const HANDLES: Self = Self(SUBROSA_ERROR_HANDLES);
    pub(crate) const UNSUPPORTED: Self = Self(SUBROSA_ERROR_UNSUPPORTED);
    pub(crate) const INTERNAL: Self = Self(SUBROSA_ERROR_INTERNAL);
    pub(crate) const SOURCE: Self = Self(SUBROSA_ERROR_SOURCE);
    pub(crate) const UNKNOWN_ACCOUNT: Self = Self(SUBROSA_ERROR_UNKNOWN_ACCOUNT);
    pub(crate) const NOT_FOUND: Self = Self(SUBROSA_ERROR_NOT_FOUND);
    pub(crate) const ROLLED_BACK: Self = Self(SUBROSA_ERROR_ROLLED_BACK);

    /// The number of a result.
    pub(crate) fn number(result: Result<(), Self>) -> subrosa_status {
        result.map_or_else(|status| status.0, |()| SUBROSA_OK)
    }
}

impl From<device::Error> for Status {
    fn from(error: device::Error) -> Self {
        Self(error.code().into())
    }
}

impl From<subrosa::Error> for Status {
    fn from(error: subrosa::Error) -> Self {
        Self(error.code().into())
    }
}

impl From<identity::Error> for Status {
    fn from(error: identity::Error) -> Self {
        Self(error.code().into())
    }
}

impl From<file::Error> for Status {
    fn from(error: file::Error) -> Self {
        Self(error.code().into())
    }
}

impl From<pack::Error> for Status {
    fn from(error: pack::Error) -> Self {
        Self(error.code().into())
    }
}

#[cfg(feature = "sqlite")]
impl From<subrosa_sqlite::Error> for Status {
    fn from(error: subrosa_sqlite::Error) -> Self {
        use subrosa_sqlite::Error;

        Self(match error {
            Error::NotAStore => SUBROSA_ERROR_NOT_A_STORE,
            Error::NewerFormat(_) => SUBROSA_ERROR_NEWER_FORMAT,
            Error::Busy => SUBROSA_ERROR_FILE_BUSY,
            Error::Unsuitable => SUBROSA_ERROR_UNSUITABLE,
            _ => SUBROSA_ERROR_SQLITE,
        })
    }
}
