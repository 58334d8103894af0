/* What the tests have in common: devices that know each other, and a store whose answers can be chosen. */
#ifndef WORLD_H
#define WORLD_H

#include "check.h"

/* Where they begin: 2026-01-01. */
#define NOW 1767225600000u

extern const uint8_t world_app_key[SUBROSA_APP_KEY];

/* The randomness of the tests: a library need not have its own. */
const subrosa_rng *world_rng(void);

/* A store of the program's own, in memory. */
struct table {
  struct row *rows;
  uint64_t generation;
  /* What the next commit answers: it stores nothing unless that is SUBROSA_COMMIT_DONE, or _UNKNOWN. */
  int32_t answer;
  /* Called within every get and commit, unless NULL. */
  void (*within)(void *context);
  void *context;
  unsigned released;
};

/* A store over a table, which must outlive it. */
subrosa_store *table_store(struct table *table);
/* Frees the rows. */
void table_free(struct table *table);

/* A new account over a store; over one in memory if it is NULL. */
subrosa_device *world_device(subrosa_store *store, subrosa_address *address);

/* `to` learns the newest list of the account of `whom`. */
void world_introduce(subrosa_device *whom, subrosa_device *to);
/* `from` begins a conversation with the one device `to`. */
void world_begin(subrosa_device *from, subrosa_device *to);
/* Two devices that know each other, and in which the first one has begun a conversation. */
void world_pair(subrosa_device *devices[2], subrosa_address addresses[2]);
/* A text goes from one device to the other, and arrives. `name` is the name of the message. */
void world_say(subrosa_device *from, subrosa_device *to, const char *name, const char *text);

subrosa_bytes world_bytes(const char *text);
bool world_equal(subrosa_bytes bytes, const char *text);

#endif
