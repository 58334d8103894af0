/*
 * The line protocol of test-vectors/README.md, answered through the C interface: for `subrosa-conformance verify --exec`.
 *
 * Every operation goes through subrosa_conformance_perform. Those that functions for apps can answer are answered by them as
 * well (driver/direct.c); if the two contradict each other, the program ends at once with status 1. With --planted-fault OP
 * they do, as soon as a request of this operation comes.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/direct.h"
#include "driver/json.h"
#include "subrosa.h"
#include "subrosa_conformance.h"

/* Longer lines than this are answered, but not kept. */
#define LINE_MAX_BYTES ((size_t)1 << 28)

typedef struct line {
  char *bytes;
  size_t len;
  size_t room;
  bool too_long;
} line;

/* Reads a line, without its end. False where the input ends. */
static bool read_line(FILE *from, line *line) {
  int byte;
  line->len = 0;
  line->too_long = false;
  while ((byte = getc(from)) != EOF && byte != '\n') {
    if (line->len == line->room && line->len < LINE_MAX_BYTES) {
      size_t room = line->room == 0 ? 65536 : line->room * 2;
      char *bytes = realloc(line->bytes, room);
      if (bytes == NULL) {
        fprintf(stderr, "no memory for a line of %zu bytes\n", room);
        exit(2);
      }
      line->bytes = bytes;
      line->room = room;
    }
    if (line->len == line->room) {
      line->too_long = true;
      continue;
    }
    line->bytes[line->len++] = (char)byte;
  }
  return byte != EOF || line->len > 0;
}

static void put(json_text text) { fwrite(text.at, 1, text.len, stdout); }

static void respond(json_text id, json_text fields) {
  fputs("{\"id\":", stdout);
  put(id);
  putchar(',');
  /* Without the brace that opens it. */
  put((json_text){fields.at + 1, fields.len - 1});
  putchar('\n');
}

static void refuse(json_text id, const char *why) {
  fputs("{\"id\":", stdout);
  put(id);
  printf(",\"invalid\":\"%s\"}\n", why);
}

/* Performs one operation. False if the answer is not to be trusted. */
static bool perform(json_text id, json_text op, json_bytes name, json_text input) {
  subrosa_answer *answer = NULL;
  subrosa_answer_info info = {.struct_size = sizeof info};
  const uint8_t *bytes = (const uint8_t *)input.at;
  subrosa_status status = subrosa_conformance_perform(name.data, name.len, bytes, input.len, &answer);
  if (status == SUBROSA_OK) status = subrosa_answer_read(answer, &info);
  bool agrees = status == SUBROSA_OK;
  if (agrees) {
    json_text fields = {(const char *)info.json.data, info.json.len};
    agrees = direct_agrees(op, input, fields);
    if (agrees) respond(id, fields);
  } else {
    fprintf(stderr, "%.*s: %s\n", (int)op.len, op.at, subrosa_status_str(status));
  }
  if (subrosa_answer_free(answer) != SUBROSA_OK) agrees = false;
  return agrees;
}

static bool answer(const line *line) {
  static const json_text nobody = {"null", 4};
  json_text request = {line->bytes, line->len}, id, op, input;
  json_bytes name;
  if (line->too_long || !json_is_object(request)) {
    refuse(nobody, "the request is no JSON object");
    return true;
  }
  if (!json_member(request, "id", &id)) id = nobody;
  if (!json_member(request, "op", &op) || !json_member(request, "in", &input) || !json_is_object(input) ||
      !json_string(op, &name)) {
    refuse(id, "the request has no operation or no input");
    return true;
  }
  bool agrees = perform(id, op, name, input);
  free(name.data);
  return agrees;
}

int main(int argc, char **argv) {
  line line = {NULL, 0, 0, false};
  bool agrees = true;
  bool planted = argc == 3 && strcmp(argv[1], "--planted-fault") == 0 && direct_plant_fault(argv[2]);
  if (argc != 1 && !planted) {
    fprintf(stderr, "usage: %s [--planted-fault OP] < requests > responses\n", argv[0]);
    return 2;
  }
  while (agrees && read_line(stdin, &line)) {
    agrees = answer(&line);
    if (fflush(stdout) != 0) agrees = false;
  }
  free(line.bytes);
  direct_report(stderr);
  return agrees && !ferror(stdin) ? 0 : 1;
}
