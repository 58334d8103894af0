#include "sqlite_store.h"

#include <string.h>

static const char schema[] = "CREATE TABLE IF NOT EXISTS device_state ("
                             "  key BLOB PRIMARY KEY,"
                             "  value BLOB NOT NULL"
                             ");"
                             "CREATE TABLE IF NOT EXISTS device_generation ("
                             "  id INTEGER PRIMARY KEY CHECK (id = 0),"
                             "  generation INTEGER NOT NULL"
                             ");"
                             "INSERT OR IGNORE INTO device_generation VALUES (0, 0);";

static bool run(sqlite3 *database, const char *sql) {
  return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Runs a statement that gives no rows. What was bound is no longer looked at. */
static bool finish(sqlite3_stmt *statement) {
  const bool done = sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return done;
}

static bool bind_key(sqlite3_stmt *statement, const subrosa_key *key) {
  return sqlite3_bind_blob(statement, 1, key->bytes, sizeof key->bytes, SQLITE_STATIC) == SQLITE_OK;
}

static int32_t get(void *context, const subrosa_key *key, uint8_t *value, size_t *len) {
  struct sqlite_store *state = context;
  int32_t got = SUBROSA_GET_FAILED;
  if (!bind_key(state->get, key)) return got;
  const int step = sqlite3_step(state->get);
  if (step == SQLITE_ROW) {
    const void *stored = sqlite3_column_blob(state->get, 0);
    const size_t size = (size_t)sqlite3_column_bytes(state->get, 0);
    /* If it does not fit, the library asks again with more room. */
    if (size <= *len && size > 0) memcpy(value, stored, size);
    *len = size;
    got = SUBROSA_GET_FOUND;
  } else if (step == SQLITE_DONE) {
    got = SUBROSA_GET_ABSENT;
  }
  sqlite3_reset(state->get);
  sqlite3_clear_bindings(state->get);
  return got;
}

/* The changes, inside a savepoint. */
static int32_t change(struct sqlite_store *state, uint64_t base, const subrosa_put *puts, size_t puts_len,
                      const subrosa_key *deletes, size_t deletes_len) {
  /* First, so that a transaction that begins here begins with a write: it then waits for others, instead of failing. */
  sqlite3_bind_int64(state->advance, 1, (sqlite3_int64)base);
  if (!finish(state->advance)) return SUBROSA_COMMIT_FAILED;
  if (sqlite3_changes(state->database) == 0) return SUBROSA_COMMIT_STALE;
  for (size_t i = 0; i < puts_len; i++) {
    const subrosa_bytes *value = &puts[i].value;
    if (!bind_key(state->put, &puts[i].key)) return SUBROSA_COMMIT_FAILED;
    sqlite3_bind_blob64(state->put, 2, value->len > 0 ? (const void *)value->data : "", value->len, SQLITE_STATIC);
    if (!finish(state->put)) return SUBROSA_COMMIT_FAILED;
  }
  for (size_t i = 0; i < deletes_len; i++) {
    if (!bind_key(state->remove, &deletes[i]) || !finish(state->remove)) return SUBROSA_COMMIT_FAILED;
  }
  return SUBROSA_COMMIT_DONE;
}

static int32_t commit(void *context, uint64_t base, const subrosa_put *puts, size_t puts_len,
                      const subrosa_key *deletes, size_t deletes_len) {
  struct sqlite_store *state = context;
  /* In a transaction a part of it; a transaction where there is none. */
  if (!run(state->database, "SAVEPOINT device")) return SUBROSA_COMMIT_FAILED;
  const int32_t done = change(state, base, puts, puts_len, deletes, deletes_len);
  if (done == SUBROSA_COMMIT_DONE && run(state->database, "RELEASE device")) return SUBROSA_COMMIT_DONE;
  const bool undone = run(state->database, "ROLLBACK TO device; RELEASE device");
  /* What failed as it was written to the disk may be found there all the same. */
  return undone && done != SUBROSA_COMMIT_DONE ? done : SUBROSA_COMMIT_UNKNOWN;
}

static void release(void *context) {
  struct sqlite_store *state = context;
  sqlite3_finalize(state->get);
  sqlite3_finalize(state->advance);
  sqlite3_finalize(state->put);
  sqlite3_finalize(state->remove);
}

static bool prepare(sqlite3 *database, const char *sql, sqlite3_stmt **statement) {
  return sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK;
}

subrosa_status sqlite_store_open(struct sqlite_store *state, sqlite3 *database, subrosa_store **store) {
  memset(state, 0, sizeof *state);
  state->database = database;
  const subrosa_store_vtable vtable = {
      .struct_size = sizeof vtable, .context = state, .get = get, .commit = commit, .release = release};
  subrosa_status status = SUBROSA_ERROR_SQLITE;
  if (run(database, schema) && prepare(database, "SELECT value FROM device_state WHERE key = ?1", &state->get) &&
      prepare(database, "UPDATE device_generation SET generation = generation + 1 WHERE generation = ?1",
              &state->advance) &&
      prepare(database, "INSERT OR REPLACE INTO device_state VALUES (?1, ?2)", &state->put) &&
      prepare(database, "DELETE FROM device_state WHERE key = ?1", &state->remove)) {
    status = subrosa_store_custom(&vtable, store);
  }
  if (status != SUBROSA_OK) {
    release(state);
    memset(state, 0, sizeof *state);
  }
  return status;
}
