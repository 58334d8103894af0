#include "json.h"

#include <stdlib.h>
#include <string.h>

/* Positions in a text: NOWHERE is where nothing can begin. */
#define NOWHERE SIZE_MAX

/* Arrays and objects within each other. */
#define DEPTH 128

static bool is_at(json_text text, size_t at, char byte) { return at < text.len && text.at[at] == byte; }

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static size_t after_space(json_text text, size_t at) {
  while (at < text.len && (text.at[at] == ' ' || text.at[at] == '\t' || text.at[at] == '\n' || text.at[at] == '\r')) at++;
  return at;
}

/* The value of a hex digit, or 16. */
static unsigned hex_digit(char byte) {
  if (is_digit(byte)) return (unsigned)(byte - '0');
  if (byte >= 'a' && byte <= 'f') return (unsigned)(byte - 'a') + 10;
  if (byte >= 'A' && byte <= 'F') return (unsigned)(byte - 'A') + 10;
  return 16;
}

/* The four hex digits of an escape, or 0x10000. */
static uint32_t unit(json_text text, size_t at) {
  if (at > text.len || text.len - at < 4) return 0x10000;
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++) {
    unsigned digit = hex_digit(text.at[at + i]);
    if (digit == 16) return 0x10000;
    value = value << 4 | digit;
  }
  return value;
}

/* Where the string that begins at `at` ends. */
static size_t after_string(json_text text, size_t at) {
  if (!is_at(text, at, '"')) return NOWHERE;
  for (at++; at < text.len; at++) {
    unsigned char byte = (unsigned char)text.at[at];
    if (byte == '"') return at + 1;
    if (byte < 0x20) return NOWHERE;
    if (byte != '\\') continue;
    at++;
    if (at == text.len) return NOWHERE;
    if (text.at[at] == 'u') {
      if (unit(text, at + 1) == 0x10000) return NOWHERE;
      at += 4;
    } else if (text.at[at] == '\0' || strchr("\"\\/bfnrt", text.at[at]) == NULL) {
      return NOWHERE;
    }
  }
  return NOWHERE;
}

static size_t after_digits(json_text text, size_t at) {
  if (at >= text.len || !is_digit(text.at[at])) return NOWHERE;
  while (at < text.len && is_digit(text.at[at])) at++;
  return at;
}

static size_t after_number(json_text text, size_t at) {
  if (is_at(text, at, '-')) at++;
  at = is_at(text, at, '0') ? at + 1 : after_digits(text, at);
  if (is_at(text, at, '.')) at = after_digits(text, at + 1);
  if (at != NOWHERE && (is_at(text, at, 'e') || is_at(text, at, 'E'))) {
    at++;
    if (is_at(text, at, '+') || is_at(text, at, '-')) at++;
    at = after_digits(text, at);
  }
  return at;
}

static size_t after_scalar(json_text text, size_t at) {
  static const char *const words[] = {"true", "false", "null"};
  if (is_at(text, at, '"')) return after_string(text, at);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    size_t len = strlen(words[i]);
    if (text.len - at >= len && memcmp(text.at + at, words[i], len) == 0) return at + len;
  }
  return after_number(text, at);
}

/* Behind a key and its colon. */
static size_t after_key(json_text text, size_t at) {
  at = after_string(text, after_space(text, at));
  if (at == NOWHERE) return NOWHERE;
  at = after_space(text, at);
  return is_at(text, at, ':') ? at + 1 : NOWHERE;
}

/* Where the value that begins at `at`, behind space, ends. */
static size_t after_value(json_text text, size_t at) {
  char open[DEPTH];
  size_t depth = 0;
  for (;;) {
    at = after_space(text, at);
    if (at >= text.len) return NOWHERE;
    char byte = text.at[at];
    if (byte == '{' || byte == '[') {
      if (depth == DEPTH) return NOWHERE;
      open[depth++] = byte == '{' ? '}' : ']';
      size_t next = after_space(text, at + 1);
      if (!is_at(text, next, open[depth - 1])) {
        at = byte == '{' ? after_key(text, at + 1) : at + 1;
        if (at == NOWHERE) return NOWHERE;
        continue;
      }
      at = next + 1;
      depth--;
    } else {
      at = after_scalar(text, at);
    }
    /* A value has ended, and with it all that end here. */
    for (;;) {
      if (at == NOWHERE || depth == 0) return at;
      at = after_space(text, at);
      if (is_at(text, at, ',')) break;
      if (!is_at(text, at, open[depth - 1])) return NOWHERE;
      at++;
      depth--;
    }
    at++;
    if (open[depth - 1] == '}') at = after_key(text, at);
    if (at == NOWHERE) return NOWHERE;
  }
}

/* The value that begins at `*at`, behind space; `*at` moves behind it. */
static bool value_at(json_text text, size_t *at, json_text *value) {
  size_t start = after_space(text, *at);
  size_t end = after_value(text, start);
  if (end == NOWHERE) return false;
  value->at = text.at + start;
  value->len = end - start;
  *at = end;
  return true;
}

/* RFC 3629: the shortest form, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(json_text text) {
  const unsigned char *bytes = (const unsigned char *)text.at;
  for (size_t i = 0; i < text.len;) {
    unsigned char first = bytes[i++];
    if (first < 0x80) continue;
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.len - i < more) return false;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (size_t j = 0; j < more; j++) {
      unsigned char byte = bytes[i++];
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

bool json_is_object(json_text text) {
  size_t start = after_space(text, 0);
  if (!is_at(text, start, '{') || !is_utf8(text)) return false;
  size_t end = after_value(text, start);
  return end != NOWHERE && after_space(text, end) == text.len;
}

bool json_member(json_text object, const char *key, json_text *value) {
  bool found = false;
  size_t at = after_space(object, 0);
  if (!is_at(object, at, '{')) return false;
  for (;;) {
    size_t start = after_space(object, at + 1);
    size_t end = after_string(object, start);
    json_bytes name;
    json_text candidate;
    if (end == NOWHERE) return found;
    at = after_key(object, start);
    if (at == NOWHERE || !value_at(object, &at, &candidate)) return found;
    json_text spelled = {object.at + start, end - start};
    if (json_string(spelled, &name)) {
      if (name.len == strlen(key) && memcmp(name.data, key, name.len) == 0) {
        *value = candidate;
        found = true;
      }
      free(name.data);
    }
    at = after_space(object, at);
    if (!is_at(object, at, ',')) return found;
  }
}

bool json_element(json_text array, size_t *at, json_text *element) {
  if (*at == 0 ? !is_at(array, 0, '[') : !is_at(array, *at, ',')) return false;
  size_t start = *at + 1;
  if (!value_at(array, &start, element)) return false;
  *at = after_space(array, start);
  return true;
}

static size_t put_utf8(uint8_t *to, uint32_t point) {
  if (point < 0x80) {
    to[0] = (uint8_t)point;
    return 1;
  }
  size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
  to[0] = (uint8_t)(first[more] | point >> (6 * more));
  for (size_t i = 1; i <= more; i++) to[i] = (uint8_t)(0x80 | (point >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

/* The code point of the escape whose backslash is at `*at`, which moves behind it; 0x110000 for half a pair. */
static uint32_t escaped(json_text text, size_t *at) {
  static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
  char letter = text.at[*at + 1];
  *at += 2;
  if (letter != 'u') {
    const char *place = strchr(letters, letter);
    return (uint32_t)(place == NULL ? letter : meant[place - letters]);
  }
  uint32_t high = unit(text, *at);
  *at += 4;
  if (high < 0xd800 || high > 0xdfff) return high;
  if (high > 0xdbff || !is_at(text, *at, '\\') || !is_at(text, *at + 1, 'u')) return 0x110000;
  uint32_t low = unit(text, *at + 2);
  *at += 6;
  if (low < 0xdc00 || low > 0xdfff) return 0x110000;
  return 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00));
}

bool json_string(json_text value, json_bytes *bytes) {
  if (after_string(value, 0) != value.len) return false;
  /* No escape is shorter than what it stands for. */
  uint8_t *data = malloc(value.len);
  if (data == NULL) return false;
  size_t len = 0;
  for (size_t at = 1; at + 1 < value.len;) {
    if (value.at[at] != '\\') {
      data[len++] = (uint8_t)value.at[at++];
      continue;
    }
    uint32_t point = escaped(value, &at);
    if (point == 0x110000) {
      free(data);
      return false;
    }
    len += put_utf8(data + len, point);
  }
  bytes->data = data;
  bytes->len = len;
  return true;
}

bool json_hex(json_text value, json_bytes *bytes) {
  json_bytes text;
  if (!json_string(value, &text)) return false;
  bool valid = text.len % 2 == 0;
  for (size_t i = 0; valid && i < text.len; i += 2) {
    unsigned high = hex_digit((char)text.data[i]), low = hex_digit((char)text.data[i + 1]);
    valid = high < 16 && low < 16;
    text.data[i / 2] = (uint8_t)(high << 4 | low);
  }
  if (!valid) {
    free(text.data);
    return false;
  }
  bytes->data = text.data;
  bytes->len = text.len / 2;
  return true;
}

bool json_integer(json_text value, uint64_t *integer) {
  if (value.len >= 2 && value.at[0] == '"') {
    value.at++;
    value.len -= 2;
  }
  if (value.len == 0 || value.len > 20) return false;
  uint64_t sum = 0;
  for (size_t i = 0; i < value.len; i++) {
    if (!is_digit(value.at[i])) return false;
    uint64_t digit = (uint64_t)(value.at[i] - '0');
    if (sum > (UINT64_MAX - digit) / 10) return false;
    sum = sum * 10 + digit;
  }
  *integer = sum;
  return true;
}

bool json_is(json_text value, const char *spelling) {
  return value.len == strlen(spelling) && memcmp(value.at, spelling, value.len) == 0;
}
