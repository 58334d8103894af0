/*
 * An app that keeps the state of its device in its own SQLite database, and in its own transactions: a message that the
 * user wrote is stored and sealed, or neither; a message that came is stored and read, or neither. Whenever the app is
 * ended, nothing is lost and nothing is there twice.
 *
 * The first half is an app. The second one lets it fail at every point that matters, and ends with 0 only if all of it
 * held.
 */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "sqlite_store.h"

static const uint64_t now = 1767225600000;
static const uint8_t app_key[SUBROSA_APP_KEY] = {42};

/* How many messages are handled at once. */
#define BATCH 16

/* ---- What fails, when the second half says so ------------------------------------------------------------------- */

enum fault { NO_FAULT, ROLLED_BACK, COMMIT_FAILS, KILLED_BEFORE_COMMIT, KILLED_AFTER_COMMIT, KILLED_AFTER_DELIVERY };
static enum fault fault = NO_FAULT;

/* The system ends the app here, without a word. */
static void killed_if(enum fault here) {
  if (fault == here) raise(SIGKILL);
}

/* SQLite asks it at every COMMIT: not 0 makes it fail. Once, for to begin anew takes commits, too. */
static int commit_hook(void *context) {
  (void)context;
  if (fault != COMMIT_FAILS) return 0;
  fault = NO_FAULT;
  return 1;
}

/* ---- SQLite ----------------------------------------------------------------------------------------------------- */

static bool run(sqlite3 *database, const char *sql) {
  return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Runs a statement with a number and up to two values as ?1, ?2 and ?3, as far as it has them. */
static bool run_with(sqlite3 *database, const char *sql, uint64_t id, subrosa_bytes first, subrosa_bytes second) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) return false;
  const int parameters = sqlite3_bind_parameter_count(statement);
  if (parameters > 0) sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
  if (parameters > 1) sqlite3_bind_blob64(statement, 2, first.data, first.len, SQLITE_STATIC);
  if (parameters > 2) sqlite3_bind_blob64(statement, 3, second.data, second.len, SQLITE_STATIC);
  const bool done = sqlite3_step(statement) == SQLITE_DONE;
  return sqlite3_finalize(statement) == SQLITE_OK && done;
}

/* The one number that the statement asks for. */
static uint64_t number(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement;
  REQUIRE(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  const uint64_t found = (uint64_t)sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return found;
}

static sqlite3 *open_database(const char *path, const char *schema) {
  sqlite3 *database;
  REQUIRE(sqlite3_open(path, &database) == SQLITE_OK);
  REQUIRE(sqlite3_busy_timeout(database, 5000) == SQLITE_OK);
  /* What was committed survives a loss of power, and what was deleted does not stay readable. */
  REQUIRE(run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON"));
  REQUIRE(run(database, schema));
  return database;
}

static const subrosa_bytes nothing = {NULL, 0};

static subrosa_bytes text_bytes(const char *text) {
  return (subrosa_bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

/* ---- The server: a queue of messages for every device ----------------------------------------------------------- */

static sqlite3 *server_open(void) {
  return open_database("server.db",
                       "CREATE TABLE IF NOT EXISTS queue ("
                       "  id INTEGER PRIMARY KEY AUTOINCREMENT, device BLOB NOT NULL, message BLOB NOT NULL)");
}

static subrosa_bytes address_bytes(const subrosa_address *address) {
  return (subrosa_bytes){.data = (const uint8_t *)address, .len = sizeof *address};
}

static void server_put(const subrosa_copy *copy) {
  sqlite3 *server = server_open();
  REQUIRE(run_with(server, "INSERT INTO queue (device, message) VALUES (?2, ?3)", 0, address_bytes(&copy->to),
                   copy->message));
  REQUIRE(sqlite3_close(server) == SQLITE_OK);
}

struct mail {
  subrosa_bytes messages[BATCH];
  size_t count;
  uint64_t last;
};

/* What the server has for a device, oldest first. It keeps it. */
static struct mail server_get(const subrosa_address *device) {
  struct mail mail = {.count = 0, .last = 0};
  sqlite3 *server = server_open();
  sqlite3_stmt *queued;
  REQUIRE(sqlite3_prepare_v2(server, "SELECT id, message FROM queue WHERE device = ?1 ORDER BY id", -1, &queued,
                             NULL) == SQLITE_OK);
  sqlite3_bind_blob64(queued, 1, device, sizeof *device, SQLITE_STATIC);
  while (mail.count < BATCH && sqlite3_step(queued) == SQLITE_ROW) {
    const size_t len = (size_t)sqlite3_column_bytes(queued, 1);
    uint8_t *message = malloc(len);
    REQUIRE(message != NULL);
    memcpy(message, sqlite3_column_blob(queued, 1), len);
    mail.messages[mail.count++] = (subrosa_bytes){.data = message, .len = len};
    mail.last = (uint64_t)sqlite3_column_int64(queued, 0);
  }
  sqlite3_finalize(queued);
  REQUIRE(sqlite3_close(server) == SQLITE_OK);
  return mail;
}

/* The device has them. */
static void server_forget(const subrosa_address *device, const struct mail *mail) {
  sqlite3 *server = server_open();
  REQUIRE(
      run_with(server, "DELETE FROM queue WHERE id <= ?1 AND device = ?2", mail->last, address_bytes(device), nothing));
  REQUIRE(sqlite3_close(server) == SQLITE_OK);
}

static void mail_free(const struct mail *mail) {
  for (size_t i = 0; i < mail->count; i++) free((void *)mail->messages[i].data);
}

/* ---- The app ---------------------------------------------------------------------------------------------------- */

struct app {
  sqlite3 *database;
  struct sqlite_store state;
  subrosa_device *device;
  subrosa_address address;
  unsigned stale;      /* How often another connection was first. */
  unsigned duplicates; /* How many messages came again. */
};

static const char app_schema[] = "CREATE TABLE IF NOT EXISTS written ("
                                 "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
                                 "  body BLOB NOT NULL,"
                                 "  sent INTEGER NOT NULL DEFAULT 0"
                                 ");"
                                 "CREATE TABLE IF NOT EXISTS received (id INTEGER PRIMARY KEY, body BLOB NOT NULL);";

/* The device as the database has it; a new one at the first start. */
static void app_open_device(struct app *app) {
  subrosa_store *store;
  CHECK(sqlite_store_open(&app->state, app->database, &store));
  subrosa_status status = subrosa_device_open(store, app_key, NULL, NULL, &app->device);
  if (status == SUBROSA_ERROR_EMPTY) {
    uint8_t recovery[SUBROSA_SEED];
    status = subrosa_device_create(store, app_key, NULL, now, &app->device, recovery);
  }
  CHECK(status);
  CHECK(subrosa_device_address(app->device, &app->address));
}

static void app_open(struct app *app, const char *path) {
  memset(app, 0, sizeof *app);
  app->database = open_database(path, app_schema);
  sqlite3_commit_hook(app->database, commit_hook, NULL);
  app_open_device(app);
}

static void app_close(struct app *app) {
  CHECK(subrosa_device_free(app->device));
  REQUIRE(sqlite3_close(app->database) == SQLITE_OK);
}

/* Nothing of the transaction is left: not in the database, and not in the device, which is read from there again. */
static void app_roll_back(struct app *app) {
  /* It fails if SQLite has rolled back already. */
  run(app->database, "ROLLBACK");
  CHECK(subrosa_device_free(app->device));
  app_open_device(app);
}

/* COMMIT; if it fails, or what was done before has failed, all is as it was before the transaction. */
static bool app_commit(struct app *app, bool done) {
  killed_if(KILLED_BEFORE_COMMIT);
  if (done && fault != ROLLED_BACK && run(app->database, "COMMIT")) {
    killed_if(KILLED_AFTER_COMMIT);
    return true;
  }
  app_roll_back(app);
  return false;
}

/* The user has written a text. True: it is stored, and sealed in the outbox. False: there is nothing of it. */
static bool app_write(struct app *app, const subrosa_address *to, const char *text) {
  const subrosa_bytes body = text_bytes(text);
  for (;;) {
    subrosa_outbox *sealed = NULL;
    subrosa_status status = SUBROSA_ERROR_FAILED;
    if (run(app->database, "BEGIN IMMEDIATE") &&
        run_with(app->database, "INSERT INTO written (body) VALUES (?2)", 0, body, nothing)) {
      /* The row's number is the name of the message. */
      const uint64_t id = (uint64_t)sqlite3_last_insert_rowid(app->database);
      status = subrosa_device_send(app->device, to->account, (const uint8_t *)&id, sizeof id, body.data, body.len, 0,
                                   now, &sealed);
    }
    const bool done = app_commit(app, status == SUBROSA_OK);
    /* It could go to the server now, if `done`. app_deliver takes it from the outbox, where it is after a crash, too.
     */
    CHECK(subrosa_outbox_free(sealed));
    if (status != SUBROSA_ERROR_STALE) return done;
    app->stale++;
  }
}

/* Hands the server all that is in the outbox. What was handed over before a crash is handed over again, the same bytes.
 */
static void app_deliver(struct app *app) {
  for (;;) {
    subrosa_outbox *sealed;
    subrosa_bytes names[BATCH];
    CHECK(subrosa_device_outbox(app->device, 0, BATCH, NULL, &sealed));
    const size_t count = subrosa_outbox_count(sealed);
    if (count == 0) {
      CHECK(subrosa_outbox_free(sealed));
      return;
    }
    for (size_t i = 0; i < count; i++) {
      subrosa_sent sent = {.struct_size = sizeof sent};
      subrosa_copy copy = {.struct_size = sizeof copy};
      CHECK(subrosa_outbox_get(sealed, i, &sent));
      for (size_t j = 0; j < sent.copies; j++) {
        CHECK(subrosa_outbox_copy(sealed, i, j, &copy));
        server_put(&copy);
      }
      names[i] = sent.id;
    }
    killed_if(KILLED_AFTER_DELIVERY);
    bool done = run(app->database, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < count && done; i++) {
      uint64_t id;
      memcpy(&id, names[i].data, sizeof id);
      done = run_with(app->database, "UPDATE written SET sent = 1 WHERE id = ?1", id, nothing, nothing);
    }
    done = app_commit(app, done && subrosa_device_sent(app->device, names, count) == SUBROSA_OK);
    CHECK(subrosa_outbox_free(sealed));
    if (!done) return;
  }
}

/* Stores the texts of events, and says that the app has them. */
static bool app_store_events(struct app *app, const subrosa_events *events) {
  uint64_t ids[BATCH];
  size_t read = 0;
  for (size_t i = 0; i < subrosa_events_count(events); i++) {
    subrosa_event event = {.struct_size = sizeof event};
    CHECK(subrosa_events_get(events, i, &event));
    if (event.kind == SUBROSA_EVENT_MESSAGE) {
      if (!run_with(app->database, "INSERT INTO received VALUES (?1, ?2)", event.id, event.text, nothing)) return false;
      ids[read++] = event.id;
    } else {
      /* The other kinds do not happen here; an app deals with all of them. */
      REQUIRE(event.kind == SUBROSA_EVENT_REJECTED && event.status == SUBROSA_ERROR_DUPLICATE);
      REQUIRE(event.action == SUBROSA_ACTION_DROP);
      app->duplicates++;
    }
  }
  return subrosa_device_read(app->device, ids, read) == SUBROSA_OK;
}

/* Takes what the server has. True: it is read and stored, and the server has forgotten it. */
static bool app_receive(struct app *app) {
  const struct mail mail = server_get(&app->address);
  for (;;) {
    subrosa_events *events = NULL;
    subrosa_status status = SUBROSA_ERROR_FAILED;
    if (run(app->database, "BEGIN IMMEDIATE")) {
      status = subrosa_device_receive(app->device, mail.messages, mail.count, now, &events);
    }
    const bool done = app_commit(app, status == SUBROSA_OK && app_store_events(app, events));
    CHECK(subrosa_events_free(events));
    if (status != SUBROSA_ERROR_STALE) {
      if (done) server_forget(&app->address, &mail);
      mail_free(&mail);
      return done;
    }
    app->stale++;
  }
}

/* ---- What goes wrong -------------------------------------------------------------------------------------------- */

/* Two people, at first unknown to each other. */
static struct app alice, bob;
static subrosa_address alice_address, bob_address;

/* The account of `whom` becomes known to `to`. */
static void introduce(struct app *whom, struct app *to) {
  subrosa_list *list;
  subrosa_list_info info = {.struct_size = sizeof info};
  subrosa_events *events;
  CHECK(subrosa_device_list(whom->device, whom->address.account, &list));
  CHECK(subrosa_list_read(list, &info));
  CHECK(subrosa_device_update_list(to->device, whom->address.account, &info.bytes, 1, now, &events));
  CHECK(subrosa_list_free(list));
  CHECK(subrosa_events_free(events));
}

static void get_acquainted(void) {
  subrosa_bundles *bundles;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  subrosa_addresses *begun;
  introduce(&alice, &bob);
  introduce(&bob, &alice);
  CHECK(subrosa_device_publish(bob.device, 0, now, &bundles));
  CHECK(subrosa_bundles_read(bundles, &info));
  CHECK(subrosa_device_begin(alice.device, &info.last_resort, 1, now, &begun));
  CHECK(subrosa_bundles_free(bundles));
  CHECK(subrosa_addresses_free(begun));
  alice_address = alice.address;
  bob_address = bob.address;
}

/* Alice's rows, those in the outbox, and what waits at the server for Bob. */
static void require_at_alice(uint64_t written, size_t in_outbox, uint64_t at_server) {
  subrosa_outbox *sealed;
  CHECK(subrosa_device_outbox(alice.device, 0, BATCH, NULL, &sealed));
  REQUIRE(subrosa_outbox_count(sealed) == in_outbox);
  CHECK(subrosa_outbox_free(sealed));
  REQUIRE(number(alice.database, "SELECT count(*) FROM written") == written);
  REQUIRE(number(alice.database, "SELECT count(*) FROM written WHERE NOT sent") == in_outbox);
  sqlite3 *server = server_open();
  REQUIRE(number(server, "SELECT count(*) FROM queue") == at_server);
  REQUIRE(sqlite3_close(server) == SQLITE_OK);
}

/* What Bob has read, each letter a message, in their order; `again` is how many of them have come once more. */
static void require_at_bob(const char *letters, unsigned again) {
  sqlite3_stmt *all;
  REQUIRE(sqlite3_prepare_v2(bob.database, "SELECT group_concat(body, '') FROM (SELECT body FROM received ORDER BY id)",
                             -1, &all, NULL) == SQLITE_OK);
  REQUIRE(sqlite3_step(all) == SQLITE_ROW);
  const char *found = (const char *)sqlite3_column_text(all, 0);
  REQUIRE(found != NULL && strcmp(found, letters) == 0);
  sqlite3_finalize(all);
  REQUIRE(bob.duplicates == again);
  subrosa_events *inbox;
  CHECK(subrosa_device_inbox(bob.device, 0, BATCH, &inbox));
  REQUIRE(subrosa_events_count(inbox) == 0);
  CHECK(subrosa_events_free(inbox));
}

static void nothing_goes_wrong(void) {
  REQUIRE(app_write(&alice, &bob_address, "a"));
  require_at_alice(1, 1, 0);
  app_deliver(&alice);
  require_at_alice(1, 0, 1);
  REQUIRE(app_receive(&bob));
  require_at_alice(1, 0, 0);
  require_at_bob("a", 0);
  /* The other way, so that both keep a conversation that was answered. */
  REQUIRE(app_write(&bob, &alice_address, "A"));
  app_deliver(&bob);
  REQUIRE(app_receive(&alice));
}

/* The transaction is not stored. What was sealed or read in it is thrown away, and the user, or the server, tries
 * again. */
static void transaction_fails(enum fault how, uint64_t written, const char *text, const char *before,
                              const char *after) {
  uint64_t generation, found;
  CHECK(subrosa_device_generation(alice.device, &generation));
  fault = how;
  REQUIRE(!app_write(&alice, &bob_address, text));
  fault = NO_FAULT;
  CHECK(subrosa_device_generation(alice.device, &found));
  REQUIRE(found == generation);
  require_at_alice(written, 0, 0);
  REQUIRE(app_write(&alice, &bob_address, text));
  app_deliver(&alice);

  fault = how;
  REQUIRE(!app_receive(&bob));
  fault = NO_FAULT;
  require_at_bob(before, 0);
  require_at_alice(written + 1, 0, 1);
  REQUIRE(app_receive(&bob));
  require_at_bob(after, 0);
  require_at_alice(written + 1, 0, 0);
}

static const char *next_text;

static void alice_writes(void) {
  app_open(&alice, "alice.db");
  app_write(&alice, &bob_address, next_text);
  app_deliver(&alice);
}

static void bob_receives(void) {
  app_open(&bob, "bob.db");
  app_receive(&bob);
}

/* The system ends the app at a point of its work, of which only the files are left. */
static void is_killed(enum fault when, void (*work)(void)) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    fault = when;
    work();
    _exit(1);
  }
  int status;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Alice's app is killed as it writes `text`; then it is started again, and Bob's app takes what there is. */
static void alice_is_killed(enum fault when, const char *text, uint64_t written, size_t in_outbox, uint64_t at_server) {
  app_close(&alice);
  next_text = text;
  is_killed(when, alice_writes);
  app_open(&alice, "alice.db");
  require_at_alice(written, in_outbox, at_server);
  app_deliver(&alice);
  require_at_alice(written, 0, at_server + in_outbox);
  REQUIRE(app_receive(&bob));
  require_at_alice(written, 0, 0);
}

/* Bob's app is killed as it receives; then it is started again. */
static void bob_is_killed(enum fault when) {
  app_close(&bob);
  is_killed(when, bob_receives);
  app_open(&bob, "bob.db");
  REQUIRE(app_receive(&bob));
}

/* Two connections, as an app and its extension for notifications have them, each with its own idea of the device. */
static void another_connection_is_first(void) {
  struct app extension;
  app_open(&extension, "alice.db");
  REQUIRE(app_write(&alice, &bob_address, "f"));
  REQUIRE(extension.stale == 0);
  REQUIRE(app_write(&extension, &bob_address, "g"));
  REQUIRE(extension.stale == 1);

  /* Without a transaction of the app the device catches up by itself: the same call is made again. */
  subrosa_bundles *bundles = NULL;
  EXPECT(SUBROSA_ERROR_STALE, subrosa_device_publish(alice.device, 0, now, &bundles));
  REQUIRE(bundles == NULL && subrosa_status_action(SUBROSA_ERROR_STALE) == SUBROSA_ACTION_CALL_AGAIN);
  CHECK(subrosa_device_publish(alice.device, 0, now, &bundles));
  CHECK(subrosa_bundles_free(bundles));

  app_close(&extension);
  app_deliver(&alice);
  REQUIRE(app_receive(&bob));
}

int main(void) {
  char folder[] = "/tmp/app_database.XXXXXX";
  REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
  app_open(&alice, "alice.db");
  app_open(&bob, "bob.db");
  get_acquainted();

  nothing_goes_wrong();
  const uint64_t values = number(alice.database, "SELECT count(*) FROM device_state");
  transaction_fails(ROLLED_BACK, 1, "b", "a", "ab");
  transaction_fails(COMMIT_FAILS, 2, "c", "ab", "abc");

  /* Before COMMIT there is nothing: the user sees that the message was not sent, and sends it again. */
  alice_is_killed(KILLED_BEFORE_COMMIT, "d", 3, 0, 0);
  require_at_bob("abc", 0);
  /* After COMMIT it is in the outbox, and is delivered at the next start. */
  alice_is_killed(KILLED_AFTER_COMMIT, "d", 4, 1, 0);
  require_at_bob("abcd", 0);
  /* The server has it, and gets the same bytes again, which Bob's device knows. */
  alice_is_killed(KILLED_AFTER_DELIVERY, "e", 5, 1, 1);
  require_at_bob("abcde", 1);

  another_connection_is_first();
  require_at_alice(7, 0, 0);
  require_at_bob("abcdefg", 1);

  /* Before COMMIT Bob has read nothing, and takes it anew. After it the server has it still, and Bob's device knows it.
   */
  REQUIRE(app_write(&alice, &bob_address, "h"));
  app_deliver(&alice);
  bob_is_killed(KILLED_BEFORE_COMMIT);
  require_at_bob("abcdefgh", 0);
  REQUIRE(app_write(&alice, &bob_address, "i"));
  app_deliver(&alice);
  bob_is_killed(KILLED_AFTER_COMMIT);
  require_at_bob("abcdefghi", 1);
  require_at_alice(9, 0, 0);
  /* And nothing piles up: the device takes out of the store what is no longer needed. */
  REQUIRE(number(alice.database, "SELECT count(*) FROM device_state") == values);

  app_close(&alice);
  app_close(&bob);
  /* Not even logs of SQLite are left. */
  REQUIRE(remove("alice.db") == 0 && remove("bob.db") == 0 && remove("server.db") == 0);
  REQUIRE(chdir("/") == 0 && rmdir(folder) == 0);
}
