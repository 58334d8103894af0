/*
 * subrosa.h - end-to-end encryption for messengers: private chats between devices of accounts, groups, files,
 * sticker packs.
 *
 * SYNOPSIS
 *
 *     cc app.c $(pkg-config --cflags --libs subrosa)
 *
 *     subrosa_store *store;
 *     subrosa_device *device;
 *     uint8_t recovery[SUBROSA_SEED];
 *     subrosa_store_sqlite("alice.db", NULL, NULL, &store);
 *     subrosa_device_create(store, app_key, NULL, now, &device, recovery);
 *
 * What goes over the wire, what is stored and why is in SPEC.md; a server is described in docs/server.md.
 *
 * RULES FOR EVERY FUNCTION
 *
 * Results. A function that can fail returns a subrosa_status; SUBROSA_OK is 0. Unless the text of a status says otherwise,
 * a call that fails has written no output and changed nothing.
 *
 * Arguments stand in this order: the object, inputs, outputs. A pointer that is not marked nullable must not be NULL; bytes
 * of length 0 may be NULL. Such a pointer that is NULL, is not aligned, or has a length over PTRDIFF_MAX
 * is SUBROSA_ERROR_ARGUMENT. Outputs are written when all inputs have been used: an output may lie in the same memory as an
 * input. No two outputs of a call may overlap.
 *
 * Objects are opaque. A pointer to one is a name that the library looks up, not an address: reading through it is an error
 * of the program, but handing in NULL, or one that was freed, was never given out, or names an object of another type, is
 * SUBROSA_ERROR_HANDLE, and nothing else happens. Whatever a function gives out as a pointer to an object belongs to the
 * caller, who frees it with the function of its type. To free NULL is fine.
 *
 * Views. Pointers inside a structure that an object fills (subrosa_bytes) show memory of this object. They are valid until
 * it is freed, in any thread, and must not be written through.
 *
 * Threads. Functions that take an object as `const` may run at the same time for the same object; all others must be alone
 * with it. A call that would break this rule, from another thread or from inside a callback, is SUBROSA_ERROR_BUSY and
 * changes nothing. There is no global lock: different objects never wait for each other.
 *
 * Time is an argument, in milliseconds since 1970-01-01T00:00:00Z, as the device's clock says.
 *
 * Structures that may grow begin with struct_size: set it to sizeof of the structure before every call. A later library
 * fills no more than that, and one that is older refuses a greater one with SUBROSA_ERROR_ARGUMENT.
 *
 * Callbacks must return: they must not throw, nor jump out with longjmp, nor end their thread.
 */

#ifndef SUBROSA_H
#define SUBROSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define SUBROSA_NULLABLE _Nullable
#define SUBROSA_NONNULL _Nonnull
#else
#define SUBROSA_NULLABLE
#define SUBROSA_NONNULL
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SUBROSA_CHECKED __attribute__((warn_unused_result))
#else
#define SUBROSA_CHECKED
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang diagnostic push
/* Nullability is an extension that clang has in every language mode. */
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang assume_nonnull begin
#endif

/* ---- Version ---------------------------------------------------------------------------------------------------- */

/* The interface that this header describes, whatever the version of the library: a program runs with every library of the
 * same major version whose minor version is not lower. */
#define SUBROSA_ABI_MAJOR 0
#define SUBROSA_ABI_MINOR 1

/* The interface of the library that is linked: major << 16 | minor. */
uint32_t subrosa_abi_version(void);

/* ---- Status ----------------------------------------------------------------------------------------------------- */

/* What became of a call. A number is never used for anything else. */
typedef int32_t subrosa_status;

#define SUBROSA_OK 0

/* Mistakes of the caller, and limits of the interface. */
#define SUBROSA_ERROR_ARGUMENT 1    /* A pointer, length, flag or struct_size that no call may have. */
#define SUBROSA_ERROR_HANDLE 2      /* No such object: freed, of another type, or never given out. */
#define SUBROSA_ERROR_BUSY 3        /* The object is in use, in another thread or by the caller of this callback. */
#define SUBROSA_ERROR_BUFFER 4      /* The buffer is too short; its length was set to what is needed. */
#define SUBROSA_ERROR_RANGE 5       /* No element has this index. */
#define SUBROSA_ERROR_STEP 6        /* Not the next step of this comparison or this file. */
#define SUBROSA_ERROR_HANDLES 7     /* Too many objects at once: 4,000, or 65,000 where pointers have 64 bits. */
#define SUBROSA_ERROR_UNSUPPORTED 8 /* This library was built without it. */
#define SUBROSA_ERROR_INTERNAL 9    /* A fault of the library. The object of the call can only be freed. */
#define SUBROSA_ERROR_SOURCE 10     /* The app's source of bytes gave none. */

/* What a device refuses. */
#define SUBROSA_ERROR_UNKNOWN_ACCOUNT 101 /* No device list of the account is known: fetch it, and update_list. */
#define SUBROSA_ERROR_KEY_CHANGED 102     /* The account's keys are not those that the user agreed to: ask, approve. */
#define SUBROSA_ERROR_UNREACHED 103       /* Some device has no conversation to send in: unreached, then begin. */
#define SUBROSA_ERROR_NOT_LINKED 104      /* This device is not on its account's device list, or has not seen it. */
#define SUBROSA_ERROR_NOT_PRIMARY 105     /* This device does not hold the account's key. */
#define SUBROSA_ERROR_LIST_DUE 106        /* Set back: fetch the account's newest list and update_list first. */
#define SUBROSA_ERROR_CLIENT_ID 107       /* The name of the message is empty or longer than 64 bytes. */
#define SUBROSA_ERROR_NOT_FOUND 108       /* Nothing is stored under this name. */
#define SUBROSA_ERROR_OCCUPIED 109        /* The store holds a device: open it. Of a Welcome: the group is there. */
#define SUBROSA_ERROR_EMPTY 110           /* The store holds no device: create one. */
#define SUBROSA_ERROR_ROLLED_BACK 111     /* The store is older than it was: restore, do not open. */
#define SUBROSA_ERROR_STALE 112           /* Another process changed the store. The device has caught up: call again. */
#define SUBROSA_ERROR_FAILED 113          /* The store has stored nothing. */
#define SUBROSA_ERROR_UNREADABLE 114      /* The store cannot be read. */
#define SUBROSA_ERROR_UNKNOWN 115         /* Whether the change was stored is not known. Nothing was given out: reopen. */
#define SUBROSA_ERROR_GROUP_SET_BACK 116  /* Set back since the group's epoch began: group_change, then send. */

/* Why a message, a bundle or a stored value is refused. For the local app only: never tell the other side or the server. */
#define SUBROSA_ERROR_MALFORMED 201          /* Not a message, or not one that any honest sender makes. */
#define SUBROSA_ERROR_VERSION 202            /* Made by a version of the protocol that this release does not speak. */
#define SUBROSA_ERROR_KIND 203               /* A kind of message that this release does not know. */
#define SUBROSA_ERROR_DUPLICATE 204          /* The message was read before. */
#define SUBROSA_ERROR_REPLAYED_FIRST 205     /* The message that begins a conversation was processed before. */
#define SUBROSA_ERROR_NO_SESSION 206         /* No conversation has a key for the message. */
#define SUBROSA_ERROR_GAP_TOO_LARGE 207      /* Over 2,000 messages are missing before this one. */
#define SUBROSA_ERROR_FORKED 208             /* One side exists twice, or was set back to an older state. */
#define SUBROSA_ERROR_CHAIN_EXHAUSTED 209    /* 2^20 messages without an answer. */
/* 210 is reserved: what was not answered for 30 days is SUBROSA_ERROR_UNREACHED. */
#define SUBROSA_ERROR_PREKEY_GONE 211        /* A private prekey that the message needs is no longer there. */
#define SUBROSA_ERROR_STALE_BUNDLE 212       /* The bundle has expired. */
#define SUBROSA_ERROR_SIGNATURE 213          /* A signature in the bundle or the first message does not hold. */
#define SUBROSA_ERROR_REPLAY_RECORD_FULL 214 /* The signed prekey has taken as many first messages as it may. */
#define SUBROSA_ERROR_PREKEYS_EXHAUSTED 215  /* No prekey id is left, or as many one-time keys are held as may be. */
#define SUBROSA_ERROR_IDENTITY_CHANGED 216   /* The device has another identity than the one that is known. */
#define SUBROSA_ERROR_OWN_IDENTITY 217       /* The peer's identity has a key of this device. */
#define SUBROSA_ERROR_TOO_LONG 218           /* The text is longer than SUBROSA_TEXT_MAX. */
#define SUBROSA_ERROR_INTEGRITY 219          /* A stored state is not intact. */
#define SUBROSA_ERROR_RNG 220                /* The random number generator failed. */

/* Why a device list, a request to be on it, or a comparison of keys is refused. */
#define SUBROSA_ERROR_LIST_MALFORMED 301   /* None, or a key in it is not valid. */
#define SUBROSA_ERROR_LIST_VERSION 302     /* Of a version that this release does not know. */
#define SUBROSA_ERROR_LIST_SIGNATURE 303   /* A signature does not hold, or is that of a replaced key. */
#define SUBROSA_ERROR_OTHER_ACCOUNT 304    /* The list or the request is another account's, or not for the next id. */
#define SUBROSA_ERROR_EQUIVOCATION 305     /* Two lists of one account contradict each other: tell the user. */
#define SUBROSA_ERROR_OLD_LIST 306         /* A newer list of the account is known. */
#define SUBROSA_ERROR_MISSING_LISTS 307    /* Lists between the known one and this one are missing. */
#define SUBROSA_ERROR_BAD_COMMITMENT 308   /* Not what was committed to: somebody stands between the two. */
#define SUBROSA_ERROR_WRONG_KEY 309        /* Not the recovery key of the account. */
#define SUBROSA_ERROR_KEY_IN_USE 310       /* A key that is to be added is in the list already. */
/* 311 is reserved: a device that is not on the list is SUBROSA_ERROR_NOT_FOUND. */
#define SUBROSA_ERROR_TOO_MANY_DEVICES 312 /* The account has 32 devices already. */
#define SUBROSA_ERROR_TOO_MANY_KEYS 313    /* The keys of the account were replaced 15 times already. */
#define SUBROSA_ERROR_EXHAUSTED 314        /* The account has given out its last device id, or made its last list. */

/* Why the file of a store is not opened. */
#define SUBROSA_ERROR_NOT_A_STORE 401  /* The file is something else. Nothing in it was changed. */
#define SUBROSA_ERROR_NEWER_FORMAT 402 /* A later version wrote the file. Nothing in it was changed. */
#define SUBROSA_ERROR_FILE_BUSY 403    /* Other processes held the file for longer than five seconds. */
#define SUBROSA_ERROR_UNSUITABLE 404   /* The file or its file system cannot have a write-ahead log. */
#define SUBROSA_ERROR_SQLITE 405       /* SQLite, or the system below it, refused. */

/* Why a file is refused. */
#define SUBROSA_ERROR_FILE_COMMITMENT 501   /* The key, the context or the first 56 bytes are not those of this file. */
#define SUBROSA_ERROR_FILE_CHUNK 502        /* A chunk is altered, or stands in another place or file. */
#define SUBROSA_ERROR_FILE_TRUNCATED 503    /* The end is missing: of the file, of a piece, or not yet sealed. */
#define SUBROSA_ERROR_FILE_PROOF 504        /* The proof is not one of these bytes of this blob. */
#define SUBROSA_ERROR_FILE_ID 505           /* The bytes are not the blob that the id names. */
#define SUBROSA_ERROR_FILE_PADDING 506      /* What stands behind the text is not zero: its sender has made it so. */
/* 507 is reserved: what was altered between two uploads, which go on in Rust only. */
#define SUBROSA_ERROR_FILE_NOT_ADMITTED 508 /* The app has not agreed to this type and size. */
#define SUBROSA_ERROR_FILE_VERSION 509      /* A descriptor of a version that this release does not know. */
#define SUBROSA_ERROR_FILE_TOO_LONG 510     /* Longer than a file, a descriptor or a thumbnail may be. */
#define SUBROSA_ERROR_FILE_ENDED 511        /* The file is at its end: nothing can be added to it. */
#define SUBROSA_ERROR_FILE_RANGE 512        /* The file has no such place. */
#define SUBROSA_ERROR_FILE_MALFORMED 513    /* No descriptor, no media type, or a thumbnail of no bytes. */

/* Why a link, a manifest or a new version of a pack is refused. Nothing was changed. */
#define SUBROSA_ERROR_PACK_INTEGRITY 601  /* No manifest of this link's pack: altered, or cut. */
#define SUBROSA_ERROR_PACK_MALFORMED 602  /* No link, no manifest, nothing stored, no UTF-8, no title or emoji. */
#define SUBROSA_ERROR_PACK_VERSION 603    /* Of a version that this release does not know. */
#define SUBROSA_ERROR_PACK_OTHER_KEY 604  /* By another author than the link's, or than what is held. */
#define SUBROSA_ERROR_PACK_SIGNATURE 605  /* The author's signature does not hold. */
#define SUBROSA_ERROR_PACK_OTHER_PACK 606 /* The manifest, or what is held, is another pack's. */
#define SUBROSA_ERROR_PACK_FORK 607       /* The author has signed two histories of the pack: tell the user. */
#define SUBROSA_ERROR_PACK_ROLLBACK 608   /* A newer version is held, or the version does not rise. */
#define SUBROSA_ERROR_PACK_TOO_LONG 609   /* More stickers, emoji or bytes than a pack may have. */
#define SUBROSA_ERROR_PACK_KEY_IN_USE 610 /* Two stickers have the same key: who is sent one could read the other. */
#define SUBROSA_ERROR_PACK_EXHAUSTED 611  /* The pack had its last version. */

/* Why a message of a group, a key package or a change is refused. The group is what it was. */
#define SUBROSA_ERROR_GROUP_MALFORMED 701          /* No message of a group, no key package, or no encoding. */
#define SUBROSA_ERROR_GROUP_VERSION 702            /* Of a version of MLS that this release does not speak. */
#define SUBROSA_ERROR_GROUP_SUITE 703              /* Of a cipher suite that this release does not have. */
/* 704 is reserved: what is too long for any message is SUBROSA_ERROR_TOO_LONG or SUBROSA_ERROR_GROUP_MALFORMED. */
#define SUBROSA_ERROR_GROUP_KEY 705                /* A public key that is none of the cipher suite. */
#define SUBROSA_ERROR_GROUP_UNKNOWN 706            /* This device has nothing of the group. */
#define SUBROSA_ERROR_GROUP_EPOCH 707              /* A change or a proposal of an epoch that is over. */
#define SUBROSA_ERROR_GROUP_EPOCH_GONE 708         /* Over three changes old: its keys are gone. */
#define SUBROSA_ERROR_GROUP_DECRYPTION 709         /* Altered, or by nobody who has the keys. */
#define SUBROSA_ERROR_GROUP_SIGNATURE 710          /* Its sender has not signed it. */
#define SUBROSA_ERROR_GROUP_TAG 711                /* Altered, or made with other keys than the group's. */
#define SUBROSA_ERROR_GROUP_SENDER 712             /* The sender is no member. */
#define SUBROSA_ERROR_GROUP_DUPLICATE 713          /* The message was read before. */
#define SUBROSA_ERROR_GROUP_GAP_TOO_LARGE 714      /* 2,000 messages of the sender are missing before this one. */
#define SUBROSA_ERROR_GROUP_CHAIN_EXHAUSTED 715    /* 2^32 messages of a sender in one epoch. */
#define SUBROSA_ERROR_GROUP_PROPOSAL_MISSING 716   /* It takes a proposal that was not received: hand in both. */
#define SUBROSA_ERROR_GROUP_PSK 717                /* A pre-shared key is asked for; there are none. */
#define SUBROSA_ERROR_GROUP_KEY_PACKAGE_GONE 718   /* The Welcome is for no key package that is there. */
#define SUBROSA_ERROR_GROUP_OWN_MESSAGE 719        /* This device has sent it: no fault. */
#define SUBROSA_ERROR_GROUP_PROPOSALS_WAIT 720     /* What was proposed in the epoch is to be taken first. */
#define SUBROSA_ERROR_GROUP_CHANGE_WAITS 721       /* Another change waits: receive what became of it, or withdraw. */
#define SUBROSA_ERROR_GROUP_NO_CHANGE_WAITS 722    /* There is none to be withdrawn. */
#define SUBROSA_ERROR_GROUP_OVER 723               /* This device is no member any more. */
/* 724 is reserved: nothing that was looked at waits beyond the call. */
#define SUBROSA_ERROR_GROUP_REFUSED 725            /* It brings in what is no device of its account. */
#define SUBROSA_ERROR_GROUP_FULL 726               /* The group has more places than 1,048,576. */
#define SUBROSA_ERROR_GROUP_TOO_MANY_PROPOSALS 727 /* 1,024 proposals wait in this epoch. */
/* 728 is reserved: a stored group that is not intact is SUBROSA_ERROR_INTEGRITY. */
#define SUBROSA_ERROR_GROUP_STATE_VERSION 729      /* A later release has stored the group. */
#define SUBROSA_ERROR_GROUP_RULE 800               /* 801 to 852: this and the number of the broken rule, SPEC.md §22.2. */

/* What a status means, in English, for logs: never NULL, for no number. */
const char *subrosa_status_str(subrosa_status status);

/* What the app should do about a status or an event. A number is never used for anything else. */
typedef int32_t subrosa_action;

#define SUBROSA_ACTION_NOTHING 0        /* Nothing. */
#define SUBROSA_ACTION_DROP 1           /* Drop the message; no honest message is lost by it. */
#define SUBROSA_ACTION_ASK_AGAIN 2      /* Ask the peer to send again, once a minute at most, never for a first message. */
#define SUBROSA_ACTION_BEGIN_ANEW 3     /* Fetch a bundle and begin the conversation anew at the next send. */
#define SUBROSA_ACTION_FETCH_BUNDLE 4   /* Fetch a fresh bundle of the peer and try again. */
#define SUBROSA_ACTION_ROTATE_PREKEYS 5 /* Publish, and let the peer begin anew. */
#define SUBROSA_ACTION_ASK_USER 6       /* Tell the user, and go on only with the user's consent. */
#define SUBROSA_ACTION_LOCAL 7          /* A fault on this device: mend it and call again. */
#define SUBROSA_ACTION_CALLER 8         /* A mistake in the program. */
#define SUBROSA_ACTION_CALL_AGAIN 9     /* Make the same call again. */
#define SUBROSA_ACTION_FETCH_LIST 10    /* Fetch the account's device lists, and update_list. */
#define SUBROSA_ACTION_FETCH_AGAIN 11   /* Discard what was fetched, and fetch it again, from another server or later. */
#define SUBROSA_ACTION_CHANGE_GROUP 12  /* subrosa_device_group_change, if by new keys alone; then call again. */

/* What the app should do about a status. */
subrosa_action subrosa_status_action(subrosa_status status);

/* ---- Values ----------------------------------------------------------------------------------------------------- */

#define SUBROSA_ACCOUNT 32               /* Bytes of an account id. */
#define SUBROSA_ADDRESS 36               /* Bytes of an address on the wire: account id, device id (big-endian). */
#define SUBROSA_APP_KEY 32               /* Bytes of the key that everything in a store is encrypted under. */
#define SUBROSA_SEED 32                  /* Bytes of a recovery key. */
#define SUBROSA_KEY 16                   /* Bytes of the key of a stored value. */
#define SUBROSA_BOOT 16                  /* Bytes of a boot id. */
#define SUBROSA_CLIENT_ID_MAX 64         /* Longest name that an app gives a message, bytes. */
#define SUBROSA_TEXT_MAX 1032074         /* Longest text, bytes. */
#define SUBROSA_DIGITS 60                /* Digits of a comparison. */
#define SUBROSA_QR 65                    /* Bytes of a comparison by camera. */
#define SUBROSA_LINK_REQUEST 165         /* Bytes of a request to be linked. */
#define SUBROSA_GROUP 32                 /* Bytes of a group's id. */
#define SUBROSA_AUTHENTICATOR 32         /* Bytes of the authenticator of a group's epoch. */

/* Bytes that belong to somebody else: as an input to the caller, as an output (a view) to the object that gave it out. */
typedef struct subrosa_bytes {
  const uint8_t *SUBROSA_NULLABLE data;
  size_t len;
} subrosa_bytes;

/* A device of an account. Device ids begin with 1; 0 stands for no device. */
typedef struct subrosa_address {
  uint8_t account[SUBROSA_ACCOUNT];
  uint32_t device;
} subrosa_address;

/* ---- Randomness ------------------------------------------------------------------------------------------------- */

/* A source of randomness. A device copies the structure and calls `fill` during its own calls only, one at a time; any other
 * function does so until it returns. The keys of an account and of a device are what it gives; all that comes later is mixed
 * with them: a source that repeats itself from then on repeats no key. */
typedef struct subrosa_rng {
  size_t struct_size;
  void *SUBROSA_NULLABLE context;
  /* Fills `out` with `len` random bytes and returns 0; anything else fails the call (SUBROSA_ERROR_RNG). */
  int32_t (*SUBROSA_NULLABLE fill)(void *SUBROSA_NULLABLE context, uint8_t *out, size_t len);
} subrosa_rng;

/* ---- Memory ----------------------------------------------------------------------------------------------------- */

/* Where a bare build (no operating system's library beside malloc) takes its memory from. */
typedef struct subrosa_allocator {
  size_t struct_size;
  void *SUBROSA_NULLABLE context;
  /* Memory of `size` bytes, a multiple of `align` (a power of two) as address; NULL if there is none: the program aborts. */
  void *SUBROSA_NULLABLE (*SUBROSA_NULLABLE allocate)(void *SUBROSA_NULLABLE context, size_t size, size_t align);
  /* Takes back what `allocate` gave, with the same `size` and `align`. */
  void (*SUBROSA_NULLABLE release)(void *SUBROSA_NULLABLE context, void *memory, size_t size, size_t align);
} subrosa_allocator;

/* Bare builds: from now on memory comes from here, for good. Once, before every other call; without it, from malloc.
 * SUBROSA_ERROR_BUSY if memory was taken already; SUBROSA_ERROR_UNSUPPORTED in any other build. */
SUBROSA_CHECKED subrosa_status subrosa_set_allocator(const subrosa_allocator *allocator);

/* ---- Stores ----------------------------------------------------------------------------------------------------- */

/* Where one device keeps its state. Values are encrypted; a store learns neither contacts nor contents. */
typedef struct subrosa_store subrosa_store;

typedef struct subrosa_key {
  uint8_t bytes[SUBROSA_KEY];
} subrosa_key;

/* A value to be stored. */
typedef struct subrosa_put {
  subrosa_key key;
  subrosa_bytes value;
} subrosa_put;

/* What a store's `get` returns. Anything else is SUBROSA_GET_FAILED. */
#define SUBROSA_GET_FOUND 0
#define SUBROSA_GET_ABSENT 1
#define SUBROSA_GET_FAILED 2 /* It is not known whether there is a value. */

/* What a store's `commit` returns. Anything else is SUBROSA_COMMIT_UNKNOWN. */
#define SUBROSA_COMMIT_DONE 0    /* All of it is stored for good; the generation is one more than it was. */
#define SUBROSA_COMMIT_STALE 1   /* Nothing is stored: the store is of another generation than `base`. */
#define SUBROSA_COMMIT_FAILED 2  /* Nothing is stored. */
#define SUBROSA_COMMIT_UNKNOWN 3 /* All of it may be stored, or nothing. */

/* A store of the app's own: values by key, and a whole batch of changes at once or not at all. It has a generation: 0 while
 * it is empty, one more with each commit. Calls come one at a time, from the thread that calls the device.
 *
 * An app may run a call of the device inside a transaction of its own, and have `commit` write into it. It then lets nothing
 * of the call's output out before its transaction is stored; if that fails, it frees the output and the device, and opens
 * the device again. */
typedef struct subrosa_store_vtable {
  size_t struct_size;
  void *SUBROSA_NULLABLE context;
  /* `*len` is the room at `value`, in bytes. Sets it to the length of the value stored under `key`, and copies the value if
   * it fits; if it does not, `get` is called again with more room. */
  int32_t (*SUBROSA_NULLABLE get)(void *SUBROSA_NULLABLE context, const subrosa_key *key, uint8_t *value, size_t *len);
  /* Stores `puts` and removes `deletes`, all or nothing, if the generation is `base`. No key occurs twice. A key to be
   * removed need not be there. */
  int32_t (*SUBROSA_NULLABLE commit)(void *SUBROSA_NULLABLE context, uint64_t base,
                                     const subrosa_put *SUBROSA_NULLABLE puts, size_t puts_len,
                                     const subrosa_key *SUBROSA_NULLABLE deletes, size_t deletes_len);
  /* The store is no longer used. May be NULL. */
  void (*SUBROSA_NULLABLE release)(void *SUBROSA_NULLABLE context);
} subrosa_store_vtable;

/* A store in memory, for tests and for devices that live as long as their process. */
SUBROSA_CHECKED subrosa_status subrosa_store_memory(subrosa_store *SUBROSA_NULLABLE *SUBROSA_NONNULL store);

/* A store in one SQLite file, which is made if it is not there. `path` is UTF-8.
 *
 * With `boot` NULL, what was committed survives whatever happens to the machine. With SUBROSA_BOOT bytes that name the
 * present boot of the system, commits are quicker and survive the process, but not a loss of power: then, or if the boot is
 * another one, `*may_have_lost` is set, and the store is for subrosa_device_restore only. `may_have_lost` may be NULL.
 *
 * SUBROSA_ERROR_NOT_A_STORE, _NEWER_FORMAT, _FILE_BUSY, _UNSUITABLE, _SQLITE; _UNSUPPORTED without SQLite. */
SUBROSA_CHECKED subrosa_status subrosa_store_sqlite(const char *path, const uint8_t *SUBROSA_NULLABLE boot,
                                                    bool *SUBROSA_NULLABLE may_have_lost,
                                                    subrosa_store *SUBROSA_NULLABLE *SUBROSA_NONNULL store);

/* A store of the app's own. The structure is copied; `get` and `commit` must be there. */
SUBROSA_CHECKED subrosa_status subrosa_store_custom(const subrosa_store_vtable *vtable,
                                                    subrosa_store *SUBROSA_NULLABLE *SUBROSA_NONNULL store);

/* Frees a store that no device has taken. SUBROSA_ERROR_HANDLE, _BUSY. */
subrosa_status subrosa_store_free(subrosa_store *SUBROSA_NULLABLE store);

/* ---- Device lists ----------------------------------------------------------------------------------------------- */

/* The devices of an account, signed with the account's key: what the server hands to everybody. */
typedef struct subrosa_list subrosa_list;

typedef struct subrosa_list_info {
  size_t struct_size;
  subrosa_bytes bytes; /* What is published. */
  uint8_t account[SUBROSA_ACCOUNT];
  uint64_t version;
  size_t devices;   /* How many are on it. */
  uint32_t next_id; /* The id of the next device that is linked. */
} subrosa_list_info;

/* Reads and checks a list. SUBROSA_ERROR_LIST_MALFORMED, _LIST_VERSION, _LIST_SIGNATURE. */
SUBROSA_CHECKED subrosa_status subrosa_list_parse(const uint8_t *SUBROSA_NULLABLE bytes, size_t len,
                                                  subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list);

/* What the list says. */
SUBROSA_CHECKED subrosa_status subrosa_list_read(const subrosa_list *list, subrosa_list_info *info);

/* A device on the list. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_list_device(const subrosa_list *list, size_t index, subrosa_address *address);

subrosa_status subrosa_list_free(subrosa_list *SUBROSA_NULLABLE list);

/* ---- Results ---------------------------------------------------------------------------------------------------- */

/* What happened, in order. Texts are overwritten when it is freed. */
typedef struct subrosa_events subrosa_events;

#define SUBROSA_EVENT_MESSAGE 1         /* A message was read. In the inbox until subrosa_device_read. */
#define SUBROSA_EVENT_REJECTED 2        /* A message was refused: `status`, `action`. The server need not keep it. */
#define SUBROSA_EVENT_LIST_NEEDED 3     /* From a device on no known list. Not dealt with: update_list, hand it in again. */
#define SUBROSA_EVENT_LIST_BEHIND 4     /* Somebody has seen list `version` of the account: fetch it. */
#define SUBROSA_EVENT_EQUIVOCATION 5    /* Somebody was shown another list of the same version: tell the user. */
#define SUBROSA_EVENT_DEVICE_ADDED 6    /* A device was added to an account. */
#define SUBROSA_EVENT_DEVICE_REMOVED 7  /* A device was removed from its account. */
#define SUBROSA_EVENT_KEY_CHANGED 8     /* The account's keys were replaced. Nothing is sent before approve. */
#define SUBROSA_EVENT_UNLINKED 9        /* This device is no longer on its account's list. */
#define SUBROSA_EVENT_BEGIN_ANEW 10     /* The conversation is to be begun anew: unreached lists the device. */
#define SUBROSA_EVENT_FORK_SUSPECTED 11 /* The device exists twice, or was set back to an older state. */
#define SUBROSA_EVENT_GROUP_JOINED 12   /* This device became a member of `group`. */
#define SUBROSA_EVENT_GROUP_CHANGED 13  /* A change of `address` was taken: `epoch`. Those below follow it. */
#define SUBROSA_EVENT_GROUP_ADDED 14    /* By the change before, the device became a member. */
#define SUBROSA_EVENT_GROUP_REMOVED 15  /* By the change before, the device is no member any more. */
#define SUBROSA_EVENT_GROUP_PROPOSED 16 /* A proposal waits: nobody sends before some member has changed the group. */
#define SUBROSA_EVENT_GROUP_LEFT 17     /* This device is no member any more. subrosa_device_group_forget it. */
#define SUBROSA_EVENT_GROUP_EARLY 18    /* Of an epoch to come. Not dealt with: hand it in again behind the changes. */

#define SUBROSA_CONTENT_MESSAGE 1 /* To this account. */
#define SUBROSA_CONTENT_COPY 2    /* Of what another device of this account sent `to`. */
#define SUBROSA_CONTENT_UNKNOWN 3 /* By a later version: the whole body, for the release that can read it. */
#define SUBROSA_CONTENT_GROUP 4   /* To a group. */

/* What was odd about a message. Its text is genuine all the same. */
#define SUBROSA_NOTICE_FORKED 1      /* The peer's device was set back, or exists twice. */
#define SUBROSA_NOTICE_GAP_DROPPED 2 /* Over 2,000 messages before it are missing, and were given up. */
#define SUBROSA_NOTICE_PQ_BROKEN 4   /* The post-quantum exchange went wrong: begin anew to mend it. */
#define SUBROSA_NOTICE_OLD_STATE 8   /* It came in a state that no longer sends. */

#define SUBROSA_NO_ENVELOPE SIZE_MAX

/* An event. Fields that its kind does not name are 0, or SUBROSA_NO_ENVELOPE. */
typedef struct subrosa_event {
  size_t struct_size;
  int32_t kind;
  subrosa_status status;   /* REJECTED: why. */
  subrosa_action action;   /* REJECTED: what to do. */
  int32_t content;         /* MESSAGE: SUBROSA_CONTENT_… */
  uint32_t notices;        /* MESSAGE: SUBROSA_NOTICE_…, added up. */
  subrosa_address address; /* Of whom. Device 0: of an account; all 0: of nobody who is known. */
  size_t envelope;         /* REJECTED, LIST_NEEDED, GROUP_EARLY: which of those handed in. */
  uint64_t version;        /* LIST_BEHIND: the version that was seen. */
  uint64_t id;             /* MESSAGE: its name in the inbox; grows with every message. */
  uint64_t received_at;    /* MESSAGE: when this device read it. */
  uint8_t to[SUBROSA_ACCOUNT]; /* COPY: to whom it was sent. */
  subrosa_bytes text;      /* MESSAGE. */
  uint8_t group[SUBROSA_GROUP]; /* CONTENT_GROUP, GROUP_…; REJECTED, if it is a group of this device's. */
  uint64_t epoch;          /* GROUP_CHANGED: the group's epoch, one more with every change. */
} subrosa_event;

/* How many events there are; 0 for what is no handle. */
size_t subrosa_events_count(const subrosa_events *events);

/* An event. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_events_get(const subrosa_events *events, size_t index, subrosa_event *event);

subrosa_status subrosa_events_free(subrosa_events *SUBROSA_NULLABLE events);

/* Messages that were sealed, each with a copy for every device that it is for.
 *
 * Of a message to a group the first copy, for nobody, goes to all members of the group, and a change has one more for every
 * device that it adds: the Welcome, which is for that device alone, once the delivery service has taken the change. */
typedef struct subrosa_outbox subrosa_outbox;

#define SUBROSA_SENT_ACCOUNT 1  /* To the devices of an account. */
#define SUBROSA_SENT_GROUP 2    /* To a group. */
#define SUBROSA_SENT_PROPOSAL 3 /* To a group: what subrosa_device_group_leave proposes. */
#define SUBROSA_SENT_CHANGE 4   /* To a group: its change. The delivery service takes one of all made in an epoch. */

typedef struct subrosa_sent {
  size_t struct_size;
  subrosa_bytes id;            /* The app's own name of it. */
  uint8_t to[SUBROSA_ACCOUNT]; /* ACCOUNT: which one. */
  size_t copies;
  int32_t kind;                 /* SUBROSA_SENT_… */
  uint8_t group[SUBROSA_GROUP]; /* To a group: which one. */
} subrosa_sent;

typedef struct subrosa_copy {
  size_t struct_size;
  subrosa_address to;    /* All 0: all members of the group. */
  subrosa_bytes message; /* What the server carries. */
} subrosa_copy;

/* How many messages there are; 0 for what is no handle. */
size_t subrosa_outbox_count(const subrosa_outbox *outbox);

/* A message. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_outbox_get(const subrosa_outbox *outbox, size_t index, subrosa_sent *sent);

/* A copy of a message. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_outbox_copy(const subrosa_outbox *outbox, size_t index, size_t copy,
                                                   subrosa_copy *sealed);

subrosa_status subrosa_outbox_free(subrosa_outbox *SUBROSA_NULLABLE outbox);

/* Bundles to be published, or key packages. */
typedef struct subrosa_bundles subrosa_bundles;

typedef struct subrosa_bundles_info {
  size_t struct_size;
  subrosa_bytes last_resort; /* Replaces the server's; handed out when no other is left. No bytes: none is due. */
  size_t one_time;           /* How many there are that are handed out once each. */
  bool replaces;             /* The server forgets all one-time bundles that it had of this device. */
} subrosa_bundles_info;

SUBROSA_CHECKED subrosa_status subrosa_bundles_read(const subrosa_bundles *bundles, subrosa_bundles_info *info);

/* A one-time bundle or key package. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_bundles_one_time(const subrosa_bundles *bundles, size_t index,
                                                        subrosa_bytes *bundle);

subrosa_status subrosa_bundles_free(subrosa_bundles *SUBROSA_NULLABLE bundles);

/* Devices, or what became of each of several bundles. */
typedef struct subrosa_addresses subrosa_addresses;

/* How many there are; 0 for what is no handle. */
size_t subrosa_addresses_count(const subrosa_addresses *addresses);

/* A device. Of what subrosa_device_begin gave: the device with which a conversation was begun, or the status for which its
 * bundle was refused. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_addresses_get(const subrosa_addresses *addresses, size_t index,
                                                     subrosa_address *address);

subrosa_status subrosa_addresses_free(subrosa_addresses *SUBROSA_NULLABLE addresses);

/* ---- Devices ---------------------------------------------------------------------------------------------------- */

/* One device of one account, over a store. Every call that changes something is one commit, and gives nothing out before it
 * is stored. Functions of a device can fail, beside what stands at each, with SUBROSA_ERROR_STALE, _FAILED, _UNREADABLE,
 * _UNKNOWN (of the store), _INTEGRITY (a stored value is not intact) and _RNG. */
typedef struct subrosa_device subrosa_device;

/* The following five make a device over a store, which then belongs to it: the store's handle is gone if, and only if, the
 * call succeeds. `app_key` encrypts everything in the store: keep it in the system's key store. `rng` NULL is the operating
 * system's generator (SUBROSA_ERROR_UNSUPPORTED in a build that has none). */

/* Makes a new account with this device as its first and primary one. Show `recovery` to the account's owner, and forget it:
 * nobody else can replace the account's keys. SUBROSA_ERROR_OCCUPIED. */
SUBROSA_CHECKED subrosa_status subrosa_device_create(subrosa_store *store, const uint8_t *app_key,
                                                     const subrosa_rng *SUBROSA_NULLABLE rng, uint64_t now,
                                                     subrosa_device *SUBROSA_NULLABLE *SUBROSA_NONNULL device,
                                                     uint8_t *recovery);

/* Makes a device that is to be linked: the primary says which account it is, and which id is next (subrosa_list_info). It can
 * do nothing before subrosa_device_link on the primary and subrosa_device_update_list here. SUBROSA_ERROR_OCCUPIED. */
SUBROSA_CHECKED subrosa_status subrosa_device_create_linked(subrosa_store *store, const uint8_t *app_key,
                                                            const subrosa_rng *SUBROSA_NULLABLE rng,
                                                            const subrosa_address *address, uint64_t now,
                                                            subrosa_device *SUBROSA_NULLABLE *SUBROSA_NONNULL device);

/* Makes a device for an account whose primary was lost, with the account's newest list and its recovery key. All other
 * devices are taken off; publish the list (subrosa_device_list), give `next_recovery` to the owner.
 * SUBROSA_ERROR_LIST_…, _WRONG_KEY, _TOO_MANY_KEYS, _EXHAUSTED, _OCCUPIED. */
SUBROSA_CHECKED subrosa_status subrosa_device_recover(subrosa_store *store, const uint8_t *app_key,
                                                      const subrosa_rng *SUBROSA_NULLABLE rng, const subrosa_list *list,
                                                      const uint8_t *recovery, uint64_t now,
                                                      subrosa_device *SUBROSA_NULLABLE *SUBROSA_NONNULL device,
                                                      uint8_t *next_recovery);

/* Opens the device that the store holds. `anchor`, unless NULL, is the generation that the app has counted elsewhere, where
 * a restored backup does not reach. Never for a store that was restored from a backup: subrosa_device_restore.
 * SUBROSA_ERROR_EMPTY (also with another app key), _ROLLED_BACK (also for a store that may have lost commits). */
SUBROSA_CHECKED subrosa_status subrosa_device_open(subrosa_store *store, const uint8_t *app_key,
                                                   const subrosa_rng *SUBROSA_NULLABLE rng,
                                                   const uint64_t *SUBROSA_NULLABLE anchor,
                                                   subrosa_device *SUBROSA_NULLABLE *SUBROSA_NONNULL device);

/* Opens the device of a store that was set back: a restored backup, a copied machine, commits that were lost. No conversation
 * sends before it is begun anew; publish, fetch the account's own list and update_list. SUBROSA_ERROR_EMPTY. */
SUBROSA_CHECKED subrosa_status subrosa_device_restore(subrosa_store *store, const uint8_t *app_key,
                                                      const subrosa_rng *SUBROSA_NULLABLE rng, uint64_t now,
                                                      subrosa_device *SUBROSA_NULLABLE *SUBROSA_NONNULL device);

/* Closes a device and its store. Its secrets are overwritten. */
subrosa_status subrosa_device_free(subrosa_device *SUBROSA_NULLABLE device);

/* Where the device is reached. */
SUBROSA_CHECKED subrosa_status subrosa_device_address(const subrosa_device *device, subrosa_address *address);

/* The store's generation, for an app that counts it elsewhere as well. */
SUBROSA_CHECKED subrosa_status subrosa_device_generation(const subrosa_device *device, uint64_t *generation);

/* What the primary needs to put this device on the list: SUBROSA_LINK_REQUEST bytes at most. It must reach the primary over a
 * way that its user trusts, such as a camera. `*len` is the room at `request`, and becomes the length. SUBROSA_ERROR_BUFFER. */
SUBROSA_CHECKED subrosa_status subrosa_device_link_request(const subrosa_device *device,
                                                           uint8_t *SUBROSA_NULLABLE request, size_t *len);

/* After SUBROSA_ERROR_UNKNOWN: finds out what is stored, and goes on from there. Look into outbox and inbox for what the
 * failed call left. SUBROSA_ERROR_ROLLED_BACK. */
SUBROSA_CHECKED subrosa_status subrosa_device_reopen(subrosa_device *device);

/* The same with a store that was opened anew, where the old one answers nothing any more. The store belongs to the device if,
 * and only if, the call succeeds. */
SUBROSA_CHECKED subrosa_status subrosa_device_reopen_with(subrosa_device *device, subrosa_store *store);

/* ---- Accounts and lists ----------------------------------------------------------------------------------------- */

/* Takes in device lists of an account, one's own included, as the server has them: one for each version from the known one
 * on, or any one of an account that is new. All of them, or none.
 * SUBROSA_ERROR_LIST_…, _OTHER_ACCOUNT, _EQUIVOCATION, _OLD_LIST, _MISSING_LISTS. */
SUBROSA_CHECKED subrosa_status subrosa_device_update_list(subrosa_device *device, const uint8_t *account,
                                                          const subrosa_bytes *SUBROSA_NULLABLE lists, size_t count,
                                                          uint64_t now,
                                                          subrosa_events *SUBROSA_NULLABLE *SUBROSA_NONNULL events);

/* The newest list known of an account, one's own included. SUBROSA_ERROR_UNKNOWN_ACCOUNT. */
SUBROSA_CHECKED subrosa_status subrosa_device_list(subrosa_device *device, const uint8_t *account,
                                                   subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list);

/* The user agrees to the present keys of the account. SUBROSA_ERROR_UNKNOWN_ACCOUNT. */
SUBROSA_CHECKED subrosa_status subrosa_device_approve(subrosa_device *device, const uint8_t *account);

/* Deletes everything that is known of an account and every conversation with it. What is in inbox and outbox stays.
 * SUBROSA_ERROR_NOT_FOUND for one's own account. */
SUBROSA_CHECKED subrosa_status subrosa_device_forget(subrosa_device *device, const uint8_t *account, uint64_t now);

/* On the primary: puts a device on the account's list. Publish the list. SUBROSA_ERROR_NOT_PRIMARY, _LIST_DUE,
 * _LIST_MALFORMED, _LIST_SIGNATURE, _OTHER_ACCOUNT, _KEY_IN_USE, _TOO_MANY_DEVICES, _EXHAUSTED. */
SUBROSA_CHECKED subrosa_status subrosa_device_link(subrosa_device *device, const uint8_t *SUBROSA_NULLABLE request,
                                                   size_t len, subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list);

/* On the primary: takes a device off the account's list. Publish the list.
 * SUBROSA_ERROR_NOT_PRIMARY, _LIST_DUE, _NOT_FOUND, _EXHAUSTED. */
SUBROSA_CHECKED subrosa_status subrosa_device_unlink(subrosa_device *device, uint32_t id, uint64_t now,
                                                     subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list);

/* With the recovery key: replaces the account's keys, takes the `count` devices `remove` off the list, and makes this device
 * the primary. Publish the list, give `next_recovery` to the owner.
 * SUBROSA_ERROR_WRONG_KEY, _NOT_LINKED, _LIST_DUE, _TOO_MANY_KEYS, _EXHAUSTED. */
SUBROSA_CHECKED subrosa_status subrosa_device_replace_keys(subrosa_device *device, const uint8_t *recovery,
                                                           const uint32_t *SUBROSA_NULLABLE remove, size_t count,
                                                           uint64_t now,
                                                           subrosa_list *SUBROSA_NULLABLE *SUBROSA_NONNULL list,
                                                           uint8_t *next_recovery);

/* ---- Comparing keys --------------------------------------------------------------------------------------------- */

/* The 60 digits that both users see, and a NUL: SUBROSA_DIGITS + 1 bytes. SUBROSA_ERROR_UNKNOWN_ACCOUNT, _NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_device_digits(subrosa_device *device, const uint8_t *account, char *digits);

/* The SUBROSA_QR bytes that this user shows to the other's camera. SUBROSA_ERROR_UNKNOWN_ACCOUNT, _NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_device_qr(subrosa_device *device, const uint8_t *account, uint8_t *qr);

/* Holds what this user's camera read against what it should be.
 * SUBROSA_ERROR_UNKNOWN_ACCOUNT, _NOT_LINKED, _LIST_MALFORMED, _LIST_VERSION. */
SUBROSA_CHECKED subrosa_status subrosa_device_scan(subrosa_device *device, const uint8_t *account,
                                                   const uint8_t *SUBROSA_NULLABLE scanned, size_t len, bool *equal);

/* A comparison by seven emoji, over a channel that the other user's voice or face vouches for. One side starts, the other
 * answers; then the one who started reveals, and the other finishes. */
typedef struct subrosa_emoji subrosa_emoji;

typedef struct subrosa_emoji_shown {
  size_t struct_size;
  uint8_t numbers[7];       /* Places in the table of SPEC.md, below 64. */
  subrosa_bytes symbols[7]; /* The emoji, UTF-8; valid for ever. */
  subrosa_bytes names[7];   /* What they are called in English; valid for ever. */
} subrosa_emoji_shown;

/* Begins; the 32 bytes of `commitment` go to the peer. SUBROSA_ERROR_UNKNOWN_ACCOUNT, _NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_emoji_start(subrosa_device *device, const uint8_t *account,
                                                   subrosa_emoji *SUBROSA_NULLABLE *SUBROSA_NONNULL emoji,
                                                   uint8_t *commitment);

/* Answers the 32 bytes of a commitment; the 32 bytes of `answer` go to the peer. SUBROSA_ERROR_UNKNOWN_ACCOUNT, _NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_emoji_answer(subrosa_device *device, const uint8_t *account,
                                                    const uint8_t *commitment,
                                                    subrosa_emoji *SUBROSA_NULLABLE *SUBROSA_NONNULL emoji,
                                                    uint8_t *answer);

/* Who started takes the 32 bytes of the answer, sends the 32 bytes of `reveal`, and shows the emoji. Once:
 * SUBROSA_ERROR_STEP. */
SUBROSA_CHECKED subrosa_status subrosa_emoji_reveal(subrosa_emoji *emoji, const uint8_t *answer, uint8_t *reveal,
                                                    subrosa_emoji_shown *shown);

/* Who answered takes the 32 bytes that were revealed, and shows the emoji. Once, whether or not it succeeds:
 * SUBROSA_ERROR_STEP; SUBROSA_ERROR_BAD_COMMITMENT: the comparison has failed. */
SUBROSA_CHECKED subrosa_status subrosa_emoji_finish(subrosa_emoji *emoji, const uint8_t *reveal,
                                                    subrosa_emoji_shown *shown);

subrosa_status subrosa_emoji_free(subrosa_emoji *SUBROSA_NULLABLE emoji);

/* ---- Messages --------------------------------------------------------------------------------------------------- */

/* Whether subrosa_device_publish should be called. */
SUBROSA_CHECKED subrosa_status subrosa_device_publish_due(subrosa_device *device, uint64_t now, bool *due);

/* Makes bundles to be published: the last-resort one, and up to `count` one-time ones, as many as may be held.
 * SUBROSA_ERROR_PREKEYS_EXHAUSTED after 2^32 of them. */
SUBROSA_CHECKED subrosa_status subrosa_device_publish(subrosa_device *device, size_t count, uint64_t now,
                                                      subrosa_bundles *SUBROSA_NULLABLE *SUBROSA_NONNULL bundles);

/* The devices that a message to the account would not reach: fetch a bundle of each, and begin.
 * SUBROSA_ERROR_UNKNOWN_ACCOUNT, _KEY_CHANGED, _NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_device_unreached(subrosa_device *device, const uint8_t *account, uint64_t now,
                                                        subrosa_addresses *SUBROSA_NULLABLE *SUBROSA_NONNULL unreached);

/* Begins conversations, or begins them anew, with the devices whose bundles these are; `begun` says for each whether it
 * succeeded: SUBROSA_ERROR_MALFORMED, _VERSION, _SIGNATURE, _STALE_BUNDLE, _OWN_IDENTITY, _IDENTITY_CHANGED,
 * _UNKNOWN_ACCOUNT, _KEY_CHANGED. */
SUBROSA_CHECKED subrosa_status subrosa_device_begin(subrosa_device *device,
                                                    const subrosa_bytes *SUBROSA_NULLABLE bundles, size_t count,
                                                    uint64_t now,
                                                    subrosa_addresses *SUBROSA_NULLABLE *SUBROSA_NONNULL begun);

#define SUBROSA_SEND_PARTIAL 1u /* Send although some device cannot be reached. */

/* Seals a text for every device of the account, and a copy for one's own other devices. `id` is the app's own name of the
 * message, 1 to SUBROSA_CLIENT_ID_MAX bytes; it is in the outbox under this name until subrosa_device_sent, and to send again
 * under a name that is there gives the same bytes. `flags`: SUBROSA_SEND_…, or 0.
 * SUBROSA_ERROR_UNREACHED, _KEY_CHANGED, _UNKNOWN_ACCOUNT, _NOT_LINKED, _CLIENT_ID, _TOO_LONG. */
SUBROSA_CHECKED subrosa_status subrosa_device_send(subrosa_device *device, const uint8_t *account,
                                                   const uint8_t *SUBROSA_NULLABLE id, size_t id_len,
                                                   const uint8_t *SUBROSA_NULLABLE text, size_t text_len, uint32_t flags,
                                                   uint64_t now,
                                                   subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* The message with this name in the outbox: the same bytes every time. SUBROSA_ERROR_NOT_FOUND. */
SUBROSA_CHECKED subrosa_status subrosa_device_retry(subrosa_device *device, const uint8_t *SUBROSA_NULLABLE id,
                                                    size_t id_len,
                                                    subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* Up to `count` messages of the outbox, oldest first, from position `from` on; `*next` becomes the position to go on from.
 * `next` may be NULL. */
SUBROSA_CHECKED subrosa_status subrosa_device_outbox(subrosa_device *device, uint64_t from, size_t count,
                                                     uint64_t *SUBROSA_NULLABLE next,
                                                     subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* The server has taken every copy of these messages: they leave the outbox. A name that is not there is no error. */
SUBROSA_CHECKED subrosa_status subrosa_device_sent(subrosa_device *device, const subrosa_bytes *SUBROSA_NULLABLE ids,
                                                   size_t count);

/* Reads envelopes, in the order in which they came, and says what became of each. Once the call has succeeded, the server may
 * forget every one of them but those of SUBROSA_EVENT_LIST_NEEDED. If it fails, hand in all of them again. */
SUBROSA_CHECKED subrosa_status subrosa_device_receive(subrosa_device *device,
                                                      const subrosa_bytes *SUBROSA_NULLABLE envelopes, size_t count,
                                                      uint64_t now,
                                                      subrosa_events *SUBROSA_NULLABLE *SUBROSA_NONNULL events);

/* Gives up a first message whose sender is on no device list. Fails with the status for which the message would be refused
 * anyway. */
SUBROSA_CHECKED subrosa_status subrosa_device_refuse(subrosa_device *device, const uint8_t *SUBROSA_NULLABLE envelope,
                                                     size_t len, uint64_t now);

/* Up to `count` messages that were received and not yet acknowledged, from the id `from` on, oldest first: events of the kind
 * SUBROSA_EVENT_MESSAGE. */
SUBROSA_CHECKED subrosa_status subrosa_device_inbox(subrosa_device *device, uint64_t from, size_t count,
                                                    subrosa_events *SUBROSA_NULLABLE *SUBROSA_NONNULL events);

/* The app has these messages: they are not given out again. An id that is not there is no error. */
SUBROSA_CHECKED subrosa_status subrosa_device_read(subrosa_device *device, const uint64_t *SUBROSA_NULLABLE ids,
                                                   size_t count);

/* ---- Groups ----------------------------------------------------------------------------------------------------- */

/* A group by MLS, RFC 9420 (SPEC.md §19.9), under a name of SUBROSA_GROUP bytes. Its members are devices, of any accounts.
 *
 * A delivery service hands every message of a group to all members, to all in the same order, and knows who they are. Members
 * change the group, in epochs: of all changes that were made in one epoch the service takes the first that it is given, and
 * refuses the others. A change, one's own as well, holds when it comes back by subrosa_device_group_receive. Who is added is
 * given the Welcome after that, and from then on what the others are given.
 *
 * Functions that are told a group fail with SUBROSA_ERROR_NOT_FOUND if this device has nothing of it, and with
 * _GROUP_STATE_VERSION. A message has a name of the app's, as it has with subrosa_device_send: no two messages in the outbox,
 * to groups or to accounts, have the same one. */

/* Makes key packages, which others need to add this device to groups: up to `count` that the server hands out once each, as
 * many as may be held, and a last-resort one, if it is due: always the first time, and then after 30 days. */
SUBROSA_CHECKED subrosa_status subrosa_device_publish_key_packages(
    subrosa_device *device, size_t count, uint64_t now,
    subrosa_bundles *SUBROSA_NULLABLE *SUBROSA_NONNULL key_packages);

/* Makes a group with this device as its only member, and its name. SUBROSA_ERROR_NOT_LINKED. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_create(subrosa_device *device, uint64_t now, uint8_t *group);

/* Every group that this device has something of, the one that was entered last first: SUBROSA_GROUP bytes each. `*len` is the
 * room at `groups`, in bytes, and becomes the length. SUBROSA_ERROR_BUFFER. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_list(subrosa_device *device, uint8_t *SUBROSA_NULLABLE groups,
                                                         size_t *len);

/* The members of a group, this device included. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_members(subrosa_device *device, const uint8_t *group,
                                                            subrosa_addresses *SUBROSA_NULLABLE *SUBROSA_NONNULL members);

/* The epoch of a group, and its authenticator, SUBROSA_AUTHENTICATOR bytes: members that find the same are in one group, and
 * nobody stands between them. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_epoch(subrosa_device *device, const uint8_t *group, uint64_t *epoch,
                                                          uint8_t *authenticator);

/* Makes a change: takes what was proposed in the epoch, as far as that can be, adds the devices whose key packages `add` are,
 * removes the devices `remove`, and gives this device new keys, if nothing else. The accounts of those who are added must be
 * known and agreed to, as for subrosa_device_send. The group stays what it is until the change comes back; until then it is in
 * the outbox. SUBROSA_ERROR_NOT_FOUND (also of a device that is no member), _CLIENT_ID, _UNKNOWN_ACCOUNT, _KEY_CHANGED,
 * _IDENTITY_CHANGED (the key package is not its device's), _MALFORMED (of nobody), _GROUP_MALFORMED, _GROUP_VERSION,
 * _GROUP_KEY, _GROUP_CHANGE_WAITS, _GROUP_OVER, _GROUP_FULL, _GROUP_CHAIN_EXHAUSTED, _GROUP_RULE: 805, a key package has run
 * out, for instance; 818, a device is a member already. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_change(
    subrosa_device *device, const uint8_t *group, const uint8_t *SUBROSA_NULLABLE id, size_t id_len,
    const subrosa_bytes *SUBROSA_NULLABLE add, size_t add_count, const subrosa_address *SUBROSA_NULLABLE remove,
    size_t remove_count, uint64_t now, subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* Withdraws the change that waits: the delivery service has not taken it, and will not. SUBROSA_ERROR_GROUP_NO_CHANGE_WAITS. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_withdraw(subrosa_device *device, const uint8_t *group);

/* Seals a text for the members of a group.
 * SUBROSA_ERROR_CLIENT_ID, _TOO_LONG, _GROUP_SET_BACK, _GROUP_PROPOSALS_WAIT, _GROUP_OVER, _GROUP_CHAIN_EXHAUSTED. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_send(subrosa_device *device, const uint8_t *group,
                                                         const uint8_t *SUBROSA_NULLABLE id, size_t id_len,
                                                         const uint8_t *SUBROSA_NULLABLE text, size_t text_len,
                                                         subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* Proposes that this device leaves: it is a member until another one has changed the group.
 * SUBROSA_ERROR_CLIENT_ID, _GROUP_SET_BACK, _GROUP_OVER, _GROUP_CHAIN_EXHAUSTED, _GROUP_TOO_MANY_PROPOSALS. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_leave(subrosa_device *device, const uint8_t *group,
                                                          const uint8_t *SUBROSA_NULLABLE id, size_t id_len,
                                                          subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* Deletes everything that is known of a group, the change that waits included; to the others this device stays a member, unless
 * it was removed. What is in the inbox stays. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_forget(subrosa_device *device, const uint8_t *group);

/* The message to a group with this name in the outbox: the same bytes every time. SUBROSA_ERROR_NOT_FOUND. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_retry(subrosa_device *device, const uint8_t *SUBROSA_NULLABLE id,
                                                          size_t id_len,
                                                          subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* Up to `count` messages to groups of the outbox, oldest first, from position `from` on; `*next` becomes the position to go on
 * from. `next` may be NULL. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_outbox(subrosa_device *device, uint64_t from, size_t count,
                                                           uint64_t *SUBROSA_NULLABLE next,
                                                           subrosa_outbox *SUBROSA_NULLABLE *SUBROSA_NONNULL sealed);

/* The delivery service has taken these messages to groups: they leave the outbox. A change leaves it by itself, when it or
 * another one of its epoch has come back. A name that is not there, or is that of a change, is no error. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_sent(subrosa_device *device,
                                                         const subrosa_bytes *SUBROSA_NULLABLE ids, size_t count);

/* Reads messages of groups and Welcomes, in the order in which they came, and says what became of each. Texts are in the inbox
 * until subrosa_device_read. Once the call has succeeded, the server may forget every one of them but those of
 * SUBROSA_EVENT_LIST_NEEDED, of which a message has one for every account whose lists it needs, and SUBROSA_EVENT_GROUP_EARLY.
 * If it fails, hand in all of them again. */
SUBROSA_CHECKED subrosa_status subrosa_device_group_receive(subrosa_device *device,
                                                            const subrosa_bytes *SUBROSA_NULLABLE messages, size_t count,
                                                            uint64_t now,
                                                            subrosa_events *SUBROSA_NULLABLE *SUBROSA_NONNULL events);

/* ---- Files ------------------------------------------------------------------------------------------------------ */

/* What is longer than a message, sealed in chunks of 16 KiB: C2SP chunked-encryption, Cobblestone-256 (SPEC.md §20). Nothing is
 * given out before the chunk in which it lies was found to be genuine. Sealer, opener and reader have memory for one chunk,
 * and do not wait for the app's files and sockets: it moves the bytes. */

#define SUBROSA_FILE_KEY 32          /* Bytes of the key of a file. */
#define SUBROSA_BLOB_ID 32           /* Bytes of a blob's id. */
#define SUBROSA_SEAL_ROOM 16456      /* Room for what a sealer gives at once, bytes. */
#define SUBROSA_OPEN_ROOM 16384      /* Room for what an opener gives at once, bytes. */
#define SUBROSA_DESCRIPTOR_MAX 16720 /* Longest descriptor, bytes. */

/* A blob: a padded file as a server stores it, under an id that its bytes hash to. See Blobs. */
typedef struct subrosa_blob subrosa_blob;

/* Something that is being sealed. An upload that may be interrupted is sealed into a file of the app's, which is then sent:
 * whoever seals a text again makes another file. */
typedef struct subrosa_sealer subrosa_sealer;

/* Begins a sealed file for this device or for whoever is given `key`, SUBROSA_FILE_KEY bytes that are new for each file. It is
 * opened with the same `context` only, the `len` bytes that say where it belongs. `rng` NULL is the operating system's
 * generator. SUBROSA_ERROR_RNG, _UNSUPPORTED. */
SUBROSA_CHECKED subrosa_status subrosa_sealer_file(const uint8_t *SUBROSA_NULLABLE context, size_t len,
                                                   const subrosa_rng *SUBROSA_NULLABLE rng,
                                                   subrosa_sealer *SUBROSA_NULLABLE *SUBROSA_NONNULL sealer, uint8_t *key);

/* Begins a blob. `media_type` is `type/subtype` in lower case (RFC 6838), without parameters. `apart` is whatever tells this
 * text from others, its length or time for instance, or nothing: it counts only if the generator repeats itself.
 * SUBROSA_ERROR_FILE_MALFORMED, _RNG, _UNSUPPORTED. */
SUBROSA_CHECKED subrosa_status subrosa_sealer_blob(const uint8_t *SUBROSA_NULLABLE media_type, size_t media_type_len,
                                                   const uint8_t *SUBROSA_NULLABLE apart, size_t apart_len,
                                                   const subrosa_rng *SUBROSA_NULLABLE rng,
                                                   subrosa_sealer *SUBROSA_NULLABLE *SUBROSA_NONNULL sealer);

/* Takes text until a chunk is whole, and gives the chunk, or takes all of it: `*taken` becomes how many bytes were taken, at
 * least one if there is one; go on with the rest. `*sealed_len` is the room at `sealed`, at least SUBROSA_SEAL_ROOM, and
 * becomes the length of what is to be stored, perhaps 0.
 * SUBROSA_ERROR_BUFFER, _FILE_ENDED, _FILE_TOO_LONG: nothing was taken. */
SUBROSA_CHECKED subrosa_status subrosa_sealer_push(subrosa_sealer *sealer, const uint8_t *SUBROSA_NULLABLE text, size_t len,
                                                   size_t *taken, uint8_t *SUBROSA_NULLABLE sealed, size_t *sealed_len);

/* The text has ended. Gives what is left, a chunk a call, until `*sealed_len` becomes 0. Room as above.
 * SUBROSA_ERROR_BUFFER, _FILE_TOO_LONG. */
SUBROSA_CHECKED subrosa_status subrosa_sealer_finish(subrosa_sealer *sealer, uint8_t *SUBROSA_NULLABLE sealed,
                                                     size_t *sealed_len);

/* The blob that was sealed. SUBROSA_ERROR_STEP if it is no blob; SUBROSA_ERROR_FILE_TRUNCATED before finish has given all. */
SUBROSA_CHECKED subrosa_status subrosa_sealer_result(const subrosa_sealer *sealer,
                                                     subrosa_blob *SUBROSA_NULLABLE *SUBROSA_NONNULL blob);

subrosa_status subrosa_sealer_free(subrosa_sealer *SUBROSA_NULLABLE sealer);

/* Something that is being opened. Once it has refused, it refuses for good. */
typedef struct subrosa_opener subrosa_opener;

/* Begins to open a sealed file, with what subrosa_sealer_file gave and was given: the SUBROSA_FILE_KEY bytes of `key`, and the
 * `len` bytes of `context`. */
SUBROSA_CHECKED subrosa_status subrosa_opener_file(const uint8_t *key, const uint8_t *SUBROSA_NULLABLE context, size_t len,
                                                   subrosa_opener *SUBROSA_NULLABLE *SUBROSA_NONNULL opener);

/* Begins to open a blob. SUBROSA_ERROR_FILE_NOT_ADMITTED. */
SUBROSA_CHECKED subrosa_status subrosa_opener_blob(const subrosa_blob *blob,
                                                   subrosa_opener *SUBROSA_NULLABLE *SUBROSA_NONNULL opener);

/* Takes bytes until a chunk is whole, and gives its text, or takes all of them: `*taken` becomes how many bytes were taken, at
 * least one if there is one; go on with the rest. `*text_len` is the room at `text`, at least SUBROSA_OPEN_ROOM, and becomes
 * the length of the text, perhaps 0. The text is genuine; whether it is all, finish says: until then, show it to nobody who
 * must not be shown a part. SUBROSA_ERROR_BUFFER: nothing was taken. _FILE_COMMITMENT, _FILE_CHUNK, _FILE_PADDING,
 * _FILE_ENDED. */
SUBROSA_CHECKED subrosa_status subrosa_opener_push(subrosa_opener *opener, const uint8_t *SUBROSA_NULLABLE sealed,
                                                   size_t len, size_t *taken, uint8_t *SUBROSA_NULLABLE text,
                                                   size_t *text_len);

/* There is no further byte. Gives the last text, perhaps none; all of it was there, and a blob is the one that its id names.
 * Once. Room as above. SUBROSA_ERROR_BUFFER, _FILE_TRUNCATED, _FILE_CHUNK, _FILE_PADDING, _FILE_ID, _FILE_ENDED. */
SUBROSA_CHECKED subrosa_status subrosa_opener_finish(subrosa_opener *opener, uint8_t *SUBROSA_NULLABLE text,
                                                     size_t *text_len);

subrosa_status subrosa_opener_free(subrosa_opener *SUBROSA_NULLABLE opener);

/* Where the bytes of a sealed file lie. A reader copies the structure and calls `read` during its own calls only, one at a
 * time. */
typedef struct subrosa_source {
  size_t struct_size;
  void *SUBROSA_NULLABLE context;
  /* Copies the `len` bytes of the file from `offset` on to `out`, and returns 0; anything else fails the call
   * (SUBROSA_ERROR_SOURCE), which can be repeated. */
  int32_t (*SUBROSA_NULLABLE read)(void *SUBROSA_NULLABLE context, uint64_t offset, uint8_t *out, size_t len);
} subrosa_source;

/* A sealed file that is read at any place. Once it has refused a chunk, it refuses for good. */
typedef struct subrosa_reader subrosa_reader;

/* Begins to read a sealed file of `sealed_len` bytes with the SUBROSA_FILE_KEY bytes of `key` and the `len` bytes of `context`.
 * SUBROSA_ERROR_SOURCE, _FILE_COMMITMENT, _FILE_TRUNCATED, _FILE_TOO_LONG. */
SUBROSA_CHECKED subrosa_status subrosa_reader_open(const subrosa_source *source, uint64_t sealed_len, const uint8_t *key,
                                                   const uint8_t *SUBROSA_NULLABLE context, size_t len,
                                                   subrosa_reader *SUBROSA_NULLABLE *SUBROSA_NONNULL reader);

/* Bytes of the text. SUBROSA_ERROR_SOURCE, _FILE_CHUNK. */
SUBROSA_CHECKED subrosa_status subrosa_reader_len(subrosa_reader *reader, uint64_t *len);

/* Reads the text from `offset` on. `*len` is the room at `text`, and becomes the number of bytes: less than there is room for
 * only if the text ends there, 0 behind it. If the call fails, `text` has zeros as far as it was written.
 * SUBROSA_ERROR_SOURCE, _FILE_CHUNK. */
SUBROSA_CHECKED subrosa_status subrosa_reader_read(subrosa_reader *reader, uint64_t offset, uint8_t *SUBROSA_NULLABLE text,
                                                   size_t *len);

subrosa_status subrosa_reader_free(subrosa_reader *SUBROSA_NULLABLE reader);

/* ---- Blobs ------------------------------------------------------------------------------------------------------ */

/* A blob is named by 32 bytes and opened by 32 more. A descriptor says both, in a message; whoever reads it may read the blob,
 * and no server. What a sender says of a blob is a claim: the app looks at type and size, and agrees (subrosa_blob_admit)
 * before it learns where the blob is found. One that it has sealed itself needs no consent. */

#define SUBROSA_THUMBNAIL_NONE 0   /* None. */
#define SUBROSA_THUMBNAIL_INLINE 1 /* In the descriptor itself. */
#define SUBROSA_THUMBNAIL_BLOB 2   /* A blob of its own: subrosa_blob_thumbnail. */

typedef struct subrosa_blob_info {
  size_t struct_size;
  int32_t thumbnail;             /* SUBROSA_THUMBNAIL_… */
  uint64_t text_len;             /* Bytes of the text. */
  uint64_t stored_len;           /* Bytes that the server stores. */
  subrosa_bytes media_type;      /* `type/subtype`; the library looks at no picture. */
  subrosa_bytes thumbnail_type;  /* INLINE: its media type. */
  subrosa_bytes thumbnail_bytes; /* INLINE: up to 16,384 bytes. */
} subrosa_blob_info;

/* A small picture of a file: bytes with their media type, or a blob, and then neither. */
typedef struct subrosa_thumbnail {
  size_t struct_size;
  subrosa_bytes media_type;
  subrosa_bytes bytes; /* 1 to 16,384 bytes. */
  const subrosa_blob *SUBROSA_NULLABLE blob;
} subrosa_thumbnail;

/* Reads a descriptor. SUBROSA_ERROR_FILE_MALFORMED, _FILE_VERSION, _FILE_TOO_LONG. */
SUBROSA_CHECKED subrosa_status subrosa_blob_parse(const uint8_t *SUBROSA_NULLABLE descriptor, size_t len,
                                                  subrosa_blob *SUBROSA_NULLABLE *SUBROSA_NONNULL blob);

/* What is said of a blob. */
SUBROSA_CHECKED subrosa_status subrosa_blob_read(const subrosa_blob *blob, subrosa_blob_info *info);

/* The thumbnail, if it is a blob of its own, to be admitted like any other. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_blob_thumbnail(const subrosa_blob *blob,
                                                      subrosa_blob *SUBROSA_NULLABLE *SUBROSA_NONNULL thumbnail);

/* The app agrees to fetch the blob, if its text has at most `longest` bytes and its media type is one of `count` that it takes:
 * `image/webp`, or `image/` for all of them. SUBROSA_ERROR_FILE_NOT_ADMITTED. */
SUBROSA_CHECKED subrosa_status subrosa_blob_admit(const subrosa_blob *blob, uint64_t longest,
                                                  const subrosa_bytes *SUBROSA_NULLABLE types, size_t count);

/* What the server is asked for, SUBROSA_BLOB_ID bytes, and what opens it, SUBROSA_FILE_KEY bytes; `key` may be NULL.
 * SUBROSA_ERROR_FILE_NOT_ADMITTED. */
SUBROSA_CHECKED subrosa_status subrosa_blob_id(const subrosa_blob *blob, uint8_t *id, uint8_t *SUBROSA_NULLABLE key);

/* What a message carries, SUBROSA_DESCRIPTOR_MAX bytes at most. It opens the blob: it belongs into a sealed message.
 * `thumbnail` NULL is none. `*len` is the room at `descriptor`, and becomes the length.
 * SUBROSA_ERROR_BUFFER, _FILE_MALFORMED, _FILE_TOO_LONG. */
SUBROSA_CHECKED subrosa_status subrosa_blob_descriptor(const subrosa_blob *blob,
                                                       const subrosa_thumbnail *SUBROSA_NULLABLE thumbnail,
                                                       uint8_t *SUBROSA_NULLABLE descriptor, size_t *len);

subrosa_status subrosa_blob_free(subrosa_blob *SUBROSA_NULLABLE blob);

/* What is fetched for a piece of a blob, from any server: some of its leaves, which are its chunks, and their proof. */
typedef struct subrosa_piece {
  size_t struct_size;
  size_t proof_len;  /* Bytes of the proof. */
  uint64_t leaf;     /* The first leaf. */
  uint64_t leaves;   /* How many. */
  uint64_t offset;   /* Where they begin in the blob. */
  uint64_t len;      /* How many bytes they are. */
  uint64_t text_len; /* Bytes of the text that was asked for, as far as there is text; 0 for leaves. */
} subrosa_piece;

/* What to fetch for `len` bytes of the text from `offset` on. SUBROSA_ERROR_FILE_NOT_ADMITTED, _FILE_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_blob_piece(const subrosa_blob *blob, uint64_t offset, uint64_t len,
                                                  subrosa_piece *piece);

/* Checks what was fetched for these `len` bytes of the text, and opens it. `*text_len` is the room at `text`, and becomes the
 * length, which subrosa_blob_piece has said. Takes memory for the bytes once more.
 * SUBROSA_ERROR_BUFFER, _FILE_NOT_ADMITTED, _FILE_RANGE, _FILE_TRUNCATED, _FILE_PROOF, _FILE_COMMITMENT, _FILE_CHUNK,
 * _FILE_PADDING. */
SUBROSA_CHECKED subrosa_status subrosa_blob_open_piece(const subrosa_blob *blob, uint64_t offset, uint64_t len,
                                                       const uint8_t *SUBROSA_NULLABLE stored, size_t stored_len,
                                                       const uint8_t *SUBROSA_NULLABLE proof, size_t proof_len,
                                                       uint8_t *SUBROSA_NULLABLE text, size_t *text_len);

/* What to fetch for `leaves` leaves from `leaf` on of a blob of `stored_len` bytes: a download that goes on after an
 * interruption, for instance. It needs no key. SUBROSA_ERROR_FILE_TRUNCATED, _FILE_TOO_LONG, _FILE_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_piece_of_leaves(uint64_t stored_len, uint64_t leaf, uint64_t leaves,
                                                       subrosa_piece *piece);

/* Whether the `len` bytes of `stored` are these leaves of the blob with the SUBROSA_BLOB_ID bytes of `id`, which has
 * `stored_len` bytes. SUBROSA_ERROR_FILE_TRUNCATED, _FILE_TOO_LONG, _FILE_RANGE, _FILE_ENDED, _FILE_PROOF. */
SUBROSA_CHECKED subrosa_status subrosa_piece_verify(const uint8_t *id, uint64_t stored_len, uint64_t leaf, uint64_t leaves,
                                                    const uint8_t *SUBROSA_NULLABLE stored, size_t len,
                                                    const uint8_t *SUBROSA_NULLABLE proof, size_t proof_len);

/* ---- Sticker packs ---------------------------------------------------------------------------------------------- */

/* Pictures that belong together, shared by link (SPEC.md §21). The server keeps a manifest, which it cannot read, and the
 * pictures as blobs. Who is sent a sticker, as the descriptor of its blob, learns nothing of the pack. */

#define SUBROSA_PACK_ID 32          /* Bytes of a pack's id. */
#define SUBROSA_AUTHOR 65           /* Bytes of what an author keeps, a secret. */
#define SUBROSA_AUTHOR_KEY 32       /* Bytes of an author's public key. */
#define SUBROSA_HELD 105            /* Bytes that say which version of a pack somebody has; no secret. */
#define SUBROSA_LINK_BEHIND 90      /* Bytes of a link behind its address. */
#define SUBROSA_MANIFEST_MAX 180472 /* Longest manifest, bytes. */
#define SUBROSA_STICKERS_MAX 120    /* Stickers of a pack, at most. */

/* A sticker that goes into a pack. No two of a pack have the same key: each blob is one that was sealed for it. */
typedef struct subrosa_sticker {
  const subrosa_blob *blob;                    /* Its picture, of at most 512 KiB. */
  const subrosa_bytes *SUBROSA_NULLABLE emoji; /* What it stands for: UTF-8, 1 to 63 bytes each. */
  size_t count;                                /* How many those are: 1 to 20. */
} subrosa_sticker;

/* What an author puts into a pack. */
typedef struct subrosa_contents {
  size_t struct_size;
  subrosa_bytes title; /* UTF-8, 1 to 256 bytes. */
  subrosa_bytes name;  /* Of the author: UTF-8, up to 256 bytes. */
  const subrosa_sticker *SUBROSA_NULLABLE stickers;
  size_t count; /* How many those are: up to SUBROSA_STICKERS_MAX. */
} subrosa_contents;

/* Makes the author of a new pack: SUBROSA_AUTHOR bytes, which are kept in secret. `rng` NULL is the operating system's
 * generator. SUBROSA_ERROR_RNG, _UNSUPPORTED. */
SUBROSA_CHECKED subrosa_status subrosa_pack_create(const subrosa_rng *SUBROSA_NULLABLE rng, uint8_t *author);

/* The link that shares the pack: an address of the app's, `https://example.org/pack` for instance, and SUBROSA_LINK_BEHIND
 * bytes more, without a NUL. What stands behind its `#` no browser sends to a server. `*len` is the room at `link`, and
 * becomes the length. SUBROSA_ERROR_BUFFER, _PACK_MALFORMED, _PACK_VERSION. */
SUBROSA_CHECKED subrosa_status subrosa_pack_link(const uint8_t *author, const uint8_t *SUBROSA_NULLABLE address,
                                                 size_t address_len, uint8_t *SUBROSA_NULLABLE link, size_t *len);

/* Makes the next version of the pack: what the server is to keep under the pack's id, SUBROSA_MANIFEST_MAX bytes at most, and
 * what is held from now on, SUBROSA_HELD bytes. `held` is what is held of the version before, or NULL for the first. An author
 * with two devices takes what the server has first (subrosa_pack_open). `version` 0 is the next; one that leaves numbers out
 * ends a fork. `*len` is the room at `manifest`, and becomes the length.
 * SUBROSA_ERROR_BUFFER, _RNG, _UNSUPPORTED, _PACK_MALFORMED, _PACK_VERSION, _PACK_OTHER_KEY, _PACK_OTHER_PACK,
 * _PACK_ROLLBACK, _PACK_TOO_LONG, _PACK_KEY_IN_USE, _PACK_EXHAUSTED. */
SUBROSA_CHECKED subrosa_status subrosa_pack_publish(const uint8_t *author, const uint8_t *SUBROSA_NULLABLE held,
                                                    uint64_t version, const subrosa_contents *contents,
                                                    const subrosa_rng *SUBROSA_NULLABLE rng,
                                                    uint8_t *SUBROSA_NULLABLE manifest, size_t *len, uint8_t *next_held);

/* What the server is asked for, SUBROSA_PACK_ID bytes, and how long the address in front of the link's `#` is; `address_len`
 * may be NULL. SUBROSA_ERROR_PACK_MALFORMED, _PACK_VERSION: no link. */
SUBROSA_CHECKED subrosa_status subrosa_pack_find(const uint8_t *SUBROSA_NULLABLE link, size_t len, uint8_t *id,
                                                 size_t *SUBROSA_NULLABLE address_len);

/* A version of a pack, opened and checked. */
typedef struct subrosa_pack subrosa_pack;

/* Opens what the server had, and holds it against the version that is held: `held` NULL takes any. `next_held` is held from now
 * on, beside the link. SUBROSA_ERROR_PACK_MALFORMED, _PACK_VERSION, _PACK_INTEGRITY, _PACK_OTHER_KEY, _PACK_SIGNATURE,
 * _PACK_OTHER_PACK, _PACK_ROLLBACK, _PACK_FORK: what is held stays held. */
SUBROSA_CHECKED subrosa_status subrosa_pack_open(const uint8_t *SUBROSA_NULLABLE link, size_t link_len,
                                                 const uint8_t *SUBROSA_NULLABLE manifest, size_t len,
                                                 const uint8_t *SUBROSA_NULLABLE held,
                                                 subrosa_pack *SUBROSA_NULLABLE *SUBROSA_NONNULL pack,
                                                 uint8_t *next_held);

typedef struct subrosa_pack_info {
  size_t struct_size;
  subrosa_bytes title; /* UTF-8, as is `name`; both are what the author says. */
  subrosa_bytes name;
  size_t stickers; /* How many. */
  uint64_t version;
  uint8_t id[SUBROSA_PACK_ID];
  uint8_t author_key[SUBROSA_AUTHOR_KEY];
} subrosa_pack_info;

/* What is in a pack. */
SUBROSA_CHECKED subrosa_status subrosa_pack_read(const subrosa_pack *pack, subrosa_pack_info *info);

/* A sticker: how many emoji it stands for, which may be NULL, and its blob, to be admitted, to be fetched, and to be sent.
 * SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_pack_sticker(const subrosa_pack *pack, size_t index, size_t *SUBROSA_NULLABLE emoji,
                                                    subrosa_blob *SUBROSA_NULLABLE *SUBROSA_NONNULL blob);

/* What a sticker stands for. SUBROSA_ERROR_RANGE. */
SUBROSA_CHECKED subrosa_status subrosa_pack_emoji(const subrosa_pack *pack, size_t sticker, size_t index,
                                                  subrosa_bytes *emoji);

subrosa_status subrosa_pack_free(subrosa_pack *SUBROSA_NULLABLE pack);

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif
