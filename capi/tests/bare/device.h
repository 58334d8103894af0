/* What the programs of the bare library share: two devices of two accounts that exchange texts. */

#ifndef DEVICE_H
#define DEVICE_H

#include "subrosa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The condition holds, or the program ends. */
#define CHECK(condition)                                                \
  do {                                                                  \
    if (!(condition)) {                                                 \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

/* The call succeeds, or the program ends. */
#define OK(call) CHECK((call) == SUBROSA_OK)

/* A bare library has no generator of its own. */
static int32_t urandom(void *context, uint8_t *out, size_t len) {
  FILE *file = fopen("/dev/urandom", "rb");
  (void)context;
  if (file == NULL) {
    return -1;
  }
  setvbuf(file, NULL, _IONBF, 0);
  size_t read = fread(out, 1, len, file);
  fclose(file);
  return read == len ? 0 : -1;
}

/* Makes two accounts, sends texts in turn, and frees everything. */
static void talk(int texts) {
  const uint64_t now = 1767225600000;
  const char *text[2] = {"Hello Bob", "Hello Alice"};
  const uint8_t app_key[SUBROSA_APP_KEY] = {42};
  const subrosa_rng rng = {sizeof rng, NULL, urandom};
  uint8_t recovery[SUBROSA_SEED];
  subrosa_device *device[2];
  subrosa_address who[2];
  subrosa_events *events;

  for (int i = 0; i < 2; i++) {
    subrosa_store *store;
    OK(subrosa_store_memory(&store));
    CHECK(subrosa_device_create(store, app_key, NULL, now, &device[i], recovery) == SUBROSA_ERROR_UNSUPPORTED);
    OK(subrosa_device_create(store, app_key, &rng, now, &device[i], recovery));
    OK(subrosa_device_address(device[i], &who[i]));
  }
  for (int i = 0; i < 2; i++) {
    subrosa_list *list;
    subrosa_list_info info = {.struct_size = sizeof info};
    OK(subrosa_device_list(device[i], who[i].account, &list));
    OK(subrosa_list_read(list, &info));
    OK(subrosa_device_update_list(device[1 - i], who[i].account, &info.bytes, 1, now, &events));
    OK(subrosa_list_free(list));
    OK(subrosa_events_free(events));
  }
  subrosa_bundles *bundles;
  subrosa_addresses *begun;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  OK(subrosa_device_publish(device[1], 0, now, &bundles));
  OK(subrosa_bundles_read(bundles, &info));
  OK(subrosa_device_begin(device[0], &info.last_resort, 1, now, &begun));
  OK(subrosa_bundles_free(bundles));
  OK(subrosa_addresses_free(begun));

  for (int n = 0; n < texts; n++) {
    subrosa_device *from = device[n % 2], *to = device[1 - n % 2];
    subrosa_outbox *outbox;
    subrosa_copy copy = {.struct_size = sizeof copy};
    subrosa_event event = {.struct_size = sizeof event};
    const uint8_t *sent = (const uint8_t *)text[n % 2];
    const size_t length = strlen(text[n % 2]);
    const subrosa_bytes id = {(const uint8_t *)"id", 2};
    OK(subrosa_device_send(from, who[1 - n % 2].account, id.data, id.len, sent, length, 0, now, &outbox));
    OK(subrosa_outbox_copy(outbox, 0, 0, &copy));
    OK(subrosa_device_receive(to, &copy.message, 1, now, &events));
    OK(subrosa_device_sent(from, &id, 1));
    OK(subrosa_events_get(events, 0, &event));
    CHECK(event.kind == SUBROSA_EVENT_MESSAGE);
    CHECK(event.text.len == length && memcmp(event.text.data, sent, length) == 0);
    OK(subrosa_device_read(to, &event.id, 1));
    OK(subrosa_outbox_free(outbox));
    OK(subrosa_events_free(events));
  }
  OK(subrosa_device_free(device[0]));
  OK(subrosa_device_free(device[1]));
}

#endif
