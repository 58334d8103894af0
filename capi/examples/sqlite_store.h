/*
 * A store for a device inside a SQLite database of the app's own: two tables beside the app's.
 *
 * A commit of the device becomes part of the transaction that is open on the connection, whatever else is in it, and a
 * transaction of its own if there is none. So an app that stores a message and seals it does both or neither:
 *
 *     BEGIN IMMEDIATE;
 *     INSERT INTO ...;                 what the user has written
 *     subrosa_device_send(...);        seals it, and writes the device's new state
 *     COMMIT;                          only now may anything of it leave the program
 *
 * After a ROLLBACK, or a COMMIT that fails, the device knows of changes that are not stored: free what it gave out,
 * free it, and open it again.
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include <stdbool.h>

#include <sqlite3.h>
#include <subrosa.h>

/* A connection, and the statements for it. It must stay where it is until the store is freed. */
struct sqlite_store {
  sqlite3 *database;
  sqlite3_stmt *get;
  sqlite3_stmt *advance;
  sqlite3_stmt *put;
  sqlite3_stmt *remove;
};

/* Makes the tables if they are not there, and a store over them. The connection stays the caller's, who closes it after
 * the store was freed, or the device that has taken it. Another connection to the same database has another store. */
SUBROSA_CHECKED subrosa_status sqlite_store_open(struct sqlite_store *state, sqlite3 *database, subrosa_store **store);

#endif
