/*
 * Two devices of two accounts talk, both ways: what two apps and their server do at the least.
 *
 * The server is missing here: what goes over the wire is handed from one device to the other.
 */
#include "check.h"

int main(void) {
  /* Time is an argument: 2026-01-01. The key of an app is random, in the system's key store. */
  const uint64_t now = 1767225600000;
  const uint8_t texts[2][12] = {"Hello Bob", "Hello Alice"};
  uint8_t app_key[SUBROSA_APP_KEY] = {42}, recovery[SUBROSA_SEED];
  subrosa_device *device[2];
  subrosa_address who[2];
  subrosa_store *store;
  subrosa_list *list; subrosa_bundles *bundles; subrosa_addresses *begun;
  subrosa_outbox *outbox; subrosa_events *events;

  /* Each makes an account. The recovery key is for its owner: on paper, for example. */
  for (int i = 0; i < 2; i++) {
    CHECK(subrosa_store_memory(&store));
    CHECK(subrosa_device_create(store, app_key, NULL, now, &device[i], recovery));
    CHECK(subrosa_device_address(device[i], &who[i]));
  }
  /* Each learns which devices the other account has. */
  for (int i = 0; i < 2; i++) {
    subrosa_list_info info = {.struct_size = sizeof info};
    CHECK(subrosa_device_list(device[i], who[i].account, &list));
    CHECK(subrosa_list_read(list, &info));
    CHECK(subrosa_device_update_list(device[1 - i], who[i].account, &info.bytes, 1, now, &events));
    CHECK(subrosa_list_free(list)); CHECK(subrosa_events_free(events));
  }
  /* Bob publishes a bundle. With it Alice begins a conversation, whether Bob is there or not. */
  subrosa_bundles_info info = {.struct_size = sizeof info};
  CHECK(subrosa_device_publish(device[1], 0, now, &bundles));
  CHECK(subrosa_bundles_read(bundles, &info));
  CHECK(subrosa_device_begin(device[0], &info.last_resort, 1, now, &begun));
  CHECK(subrosa_bundles_free(bundles)); CHECK(subrosa_addresses_free(begun));

  /* Alice writes, then Bob. What an app calls its message is up to it: here `i`. */
  for (uint8_t i = 0; i < 2; i++) {
    subrosa_copy copy = {.struct_size = sizeof copy};
    subrosa_event event = {.struct_size = sizeof event};
    CHECK(subrosa_device_send(device[i], who[1 - i].account, &i, 1, texts[i], 12, 0, now, &outbox));
    CHECK(subrosa_outbox_copy(outbox, 0, 0, &copy));
    CHECK(subrosa_device_receive(device[1 - i], &copy.message, 1, now, &events));
    CHECK(subrosa_events_get(events, 0, &event));
    REQUIRE(event.text.len == 12 && memcmp(event.text.data, texts[i], 12) == 0);
    printf("%.*s\n", (int)event.text.len, (const char *)event.text.data);
    CHECK(subrosa_outbox_free(outbox)); CHECK(subrosa_events_free(events));
  }
  for (int i = 0; i < 2; i++) CHECK(subrosa_device_free(device[i]));
}
