/* Texts of JSON, looked at where they lie. Every function is total: bytes that are no JSON are refused, at any length and
 * depth, without recursion. */

#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a text, which belongs to who has the text. */
typedef struct json_text {
  const char *at;
  size_t len;
} json_text;

/* Bytes that were made of a text: free(data). */
typedef struct json_bytes {
  uint8_t *data;
  size_t len;
} json_bytes;

/* Whether the text is one object in UTF-8, with nothing but space around it. */
bool json_is_object(json_text text);

/* The value of `key` in an object: the last one, if there are several. False if there is none, or the value is no object. */
bool json_member(json_text object, const char *key, json_text *value);

/* The elements of an array, one at each call, from `*at` 0 on. False if there is no further one, or no array. */
bool json_element(json_text array, size_t *at, json_text *element);

/* The bytes of a string, its escapes resolved. */
bool json_string(json_text value, json_bytes *bytes);

/* The bytes of which a string is the hex. */
bool json_hex(json_text value, json_bytes *bytes);

/* An integer without a sign, as a number or as a string. */
bool json_integer(json_text value, uint64_t *integer);

/* Whether the value has this spelling: null, true, "text". */
bool json_is(json_text value, const char *spelling);

#endif
