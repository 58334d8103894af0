/*
 * What these programs do about a call that fails: they say so, and end. An app asks subrosa_status_action what to do.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <subrosa.h>

/* The call has this status, or the program ends. */
#define EXPECT(status, call) check_status((status), (call), #call, __FILE__, __LINE__)
/* The call succeeds, or the program ends. */
#define CHECK(call) EXPECT(SUBROSA_OK, call)
/* The condition holds, or the program ends. */
#define REQUIRE(condition) check_condition((condition), #condition, __FILE__, __LINE__)

static inline void check_status(subrosa_status expected, subrosa_status status, const char *call, const char *file,
                                int line) {
  if (status != expected) {
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, subrosa_status_str(status));
    exit(1);
  }
}

static inline void check_condition(bool holds, const char *condition, const char *file, int line) {
  if (!holds) {
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    exit(1);
  }
}

#endif
