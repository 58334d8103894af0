/* Every function of the header at work. misuse.c is about what they refuse, threads.c about several threads. */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <unistd.h>

#include "world.h"

/* ---- The library */

static size_t taken = 0;

static void *allocate(void *context, size_t size, size_t align) {
  (void)context;
  void *memory = NULL;
  if (align < sizeof(void *)) align = sizeof(void *);
  if (posix_memalign(&memory, align, size) != 0) return NULL;
  taken += size;
  return memory;
}

static void give_back(void *context, void *memory, size_t size, size_t align) {
  (void)context;
  (void)align;
  taken -= size;
  free(memory);
}

static void the_library(void) {
  REQUIRE(subrosa_abi_version() == ((uint32_t)SUBROSA_ABI_MAJOR << 16 | SUBROSA_ABI_MINOR));
  REQUIRE(strlen(subrosa_status_str(SUBROSA_OK)) > 0 && strlen(subrosa_status_str(-1)) > 0);
  REQUIRE(strcmp(subrosa_status_str(SUBROSA_ERROR_BUSY), subrosa_status_str(SUBROSA_ERROR_STALE)) != 0);
  REQUIRE(subrosa_status_action(SUBROSA_OK) == SUBROSA_ACTION_NOTHING);
  REQUIRE(subrosa_status_action(SUBROSA_ERROR_UNREACHED) == SUBROSA_ACTION_FETCH_BUNDLE);

  /* Before all that takes memory. Only a bare build takes it from here. */
  const subrosa_allocator allocator = {.struct_size = sizeof allocator, .allocate = allocate, .release = give_back};
  const subrosa_status status = subrosa_set_allocator(&allocator);
  if (status == SUBROSA_OK) {
    subrosa_store *store;
    CHECK(subrosa_store_memory(&store));
    REQUIRE(taken > 0);
    CHECK(subrosa_store_free(store));
    EXPECT(SUBROSA_ERROR_BUSY, subrosa_set_allocator(&allocator));
  } else {
    REQUIRE(status == SUBROSA_ERROR_UNSUPPORTED);
  }
}

/* ---- Stores, and devices over them */

static void a_device_in_a_file(void) {
  char folder[] = "/tmp/everything.XXXXXX";
  REQUIRE(mkdtemp(folder) != NULL && chdir(folder) == 0);
  const uint8_t boot[SUBROSA_BOOT] = {1};
  bool may_have_lost = true;
  subrosa_store *store;
  subrosa_status status = subrosa_store_sqlite("device.db", boot, &may_have_lost, &store);
  if (status != SUBROSA_ERROR_UNSUPPORTED) {
    CHECK(status);
    REQUIRE(!may_have_lost);
    subrosa_device *device;
    subrosa_address address, found;
    device = world_device(store, &address);
    CHECK(subrosa_device_free(device));
    CHECK(subrosa_store_sqlite("device.db", NULL, NULL, &store));
    CHECK(subrosa_device_open(store, world_app_key, world_rng(), NULL, &device));
    CHECK(subrosa_device_address(device, &found));
    REQUIRE(memcmp(&address, &found, sizeof found) == 0);
    CHECK(subrosa_device_free(device));
    REQUIRE(remove("device.db") == 0);
    remove("device.db-wal");
    remove("device.db-shm");
  }
  REQUIRE(chdir("/") == 0 && rmdir(folder) == 0);
}

static void a_device_in_a_table(void) {
  struct table table = {.rows = NULL};
  subrosa_device *device;
  subrosa_address address;
  subrosa_bundles *bundles = NULL;
  uint64_t generation;

  CHECK(subrosa_store_free(table_store(&table)));
  REQUIRE(table.released == 1);

  device = world_device(table_store(&table), &address);
  REQUIRE(address.device == 1);
  CHECK(subrosa_device_generation(device, &generation));
  REQUIRE(generation == 1 && table.generation == 1);

  /* It is not known whether a commit was stored: the device finds out. */
  table.answer = SUBROSA_COMMIT_UNKNOWN;
  EXPECT(SUBROSA_ERROR_UNKNOWN, subrosa_device_publish(device, 0, NOW, &bundles));
  EXPECT(SUBROSA_ERROR_UNKNOWN, subrosa_device_publish(device, 0, NOW, &bundles));
  CHECK(subrosa_device_reopen(device));
  CHECK(subrosa_device_generation(device, &generation));
  REQUIRE(generation == 2);

  /* The same with another connection. The old one is released. */
  table.answer = SUBROSA_COMMIT_UNKNOWN;
  EXPECT(SUBROSA_ERROR_UNKNOWN, subrosa_device_publish(device, 0, NOW, &bundles));
  CHECK(subrosa_device_reopen_with(device, table_store(&table)));
  REQUIRE(table.released == 2);
  CHECK(subrosa_device_generation(device, &generation));
  REQUIRE(generation == 3);
  CHECK(subrosa_device_free(device));
  REQUIRE(table.released == 3);

  /* Opened again, with what the app has counted elsewhere; and restored, as if it came from a backup. */
  subrosa_store *store = table_store(&table);
  const uint64_t later = generation + 1;
  EXPECT(SUBROSA_ERROR_ROLLED_BACK, subrosa_device_open(store, world_app_key, world_rng(), &later, &device));
  CHECK(subrosa_device_open(store, world_app_key, world_rng(), &generation, &device));
  CHECK(subrosa_device_free(device));
  CHECK(subrosa_device_restore(table_store(&table), world_app_key, world_rng(), NOW, &device));
  CHECK(subrosa_device_generation(device, &generation));
  REQUIRE(generation > 3);
  CHECK(subrosa_device_free(device));
  table_free(&table);
}

/* ---- Accounts of several devices */

/* The kinds of all events, added up as bits; the list is freed. */
static unsigned update(subrosa_device *device, const uint8_t *account, subrosa_list *list) {
  subrosa_list_info info = {.struct_size = sizeof info};
  subrosa_events *events;
  unsigned kinds = 0;
  CHECK(subrosa_list_read(list, &info));
  CHECK(subrosa_device_update_list(device, account, &info.bytes, 1, NOW, &events));
  for (size_t i = 0; i < subrosa_events_count(events); i++) {
    subrosa_event event = {.struct_size = sizeof event};
    CHECK(subrosa_events_get(events, i, &event));
    kinds |= 1u << event.kind;
  }
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_list_free(list));
  return kinds;
}

static void an_account_of_two_devices(void) {
  subrosa_store *store;
  subrosa_device *first, *second, *peer, *recovered;
  subrosa_address address, peer_address;
  subrosa_list *list, *parsed;
  subrosa_list_info info = {.struct_size = sizeof info};
  uint8_t recovery[SUBROSA_SEED], next_recovery[SUBROSA_SEED];
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_create(store, world_app_key, world_rng(), NOW, &first, recovery));
  CHECK(subrosa_device_address(first, &address));
  peer = world_device(NULL, &peer_address);
  world_introduce(first, peer);
  world_introduce(peer, first);

  /* A list, as everybody reads it. */
  CHECK(subrosa_device_list(first, address.account, &list));
  CHECK(subrosa_list_read(list, &info));
  REQUIRE(info.version == 1 && info.devices == 1 && info.next_id == 2);
  REQUIRE(memcmp(info.account, address.account, SUBROSA_ACCOUNT) == 0);
  CHECK(subrosa_list_parse(info.bytes.data, info.bytes.len, &parsed));
  subrosa_address listed;
  CHECK(subrosa_list_device(parsed, 0, &listed));
  REQUIRE(memcmp(&listed, &address, sizeof listed) == 0);
  CHECK(subrosa_list_free(parsed));

  /* A second device is linked. */
  subrosa_address second_address = address;
  second_address.device = info.next_id;
  CHECK(subrosa_list_free(list));
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_create_linked(store, world_app_key, world_rng(), &second_address, NOW, &second));
  uint8_t request[SUBROSA_LINK_REQUEST];
  size_t len = sizeof request;
  CHECK(subrosa_device_link_request(second, request, &len));
  REQUIRE(len <= sizeof request);
  CHECK(subrosa_device_link(first, request, len, &list));
  CHECK(subrosa_list_read(list, &info));
  REQUIRE(info.version == 2 && info.devices == 2);
  update(second, address.account, list);
  CHECK(subrosa_device_list(first, address.account, &list));
  REQUIRE(update(peer, address.account, list) == 1u << SUBROSA_EVENT_DEVICE_ADDED);

  /* And unlinked. */
  CHECK(subrosa_device_unlink(first, second_address.device, NOW, &list));
  REQUIRE(update(second, address.account, list) & 1u << SUBROSA_EVENT_UNLINKED);
  CHECK(subrosa_device_list(first, address.account, &list));
  REQUIRE(update(peer, address.account, list) == 1u << SUBROSA_EVENT_DEVICE_REMOVED);

  /* The account's keys are replaced, first by a device, then for a new one. The peer's user agrees. */
  CHECK(subrosa_device_replace_keys(first, recovery, NULL, 0, NOW, &list, next_recovery));
  REQUIRE(memcmp(recovery, next_recovery, SUBROSA_SEED) != 0);
  REQUIRE(update(peer, address.account, list) & 1u << SUBROSA_EVENT_KEY_CHANGED);
  subrosa_addresses *unreached;
  EXPECT(SUBROSA_ERROR_KEY_CHANGED, subrosa_device_unreached(peer, address.account, NOW, &unreached));
  CHECK(subrosa_device_approve(peer, address.account));
  CHECK(subrosa_device_unreached(peer, address.account, NOW, &unreached));
  REQUIRE(subrosa_addresses_count(unreached) == 1);
  CHECK(subrosa_addresses_free(unreached));

  CHECK(subrosa_device_list(first, address.account, &list));
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_recover(store, world_app_key, world_rng(), list, next_recovery, NOW, &recovered, recovery));
  CHECK(subrosa_list_free(list));
  CHECK(subrosa_device_list(recovered, address.account, &list));
  REQUIRE(update(peer, address.account, list) & 1u << SUBROSA_EVENT_KEY_CHANGED);
  CHECK(subrosa_device_address(recovered, &listed));
  REQUIRE(listed.device == 3);

  CHECK(subrosa_device_forget(peer, address.account, NOW));
  EXPECT(SUBROSA_ERROR_UNKNOWN_ACCOUNT, subrosa_device_list(peer, address.account, &list));

  CHECK(subrosa_device_free(first));
  CHECK(subrosa_device_free(second));
  CHECK(subrosa_device_free(peer));
  CHECK(subrosa_device_free(recovered));
}

/* ---- Comparing keys */

static void keys_are_compared(void) {
  subrosa_device *devices[2];
  subrosa_address who[2];
  world_pair(devices, who);

  char digits[2][SUBROSA_DIGITS + 1];
  uint8_t qr[2][SUBROSA_QR];
  for (int i = 0; i < 2; i++) {
    CHECK(subrosa_device_digits(devices[i], who[1 - i].account, digits[i]));
    CHECK(subrosa_device_qr(devices[i], who[1 - i].account, qr[i]));
    REQUIRE(strlen(digits[i]) == SUBROSA_DIGITS && strspn(digits[i], "0123456789") == SUBROSA_DIGITS);
  }
  REQUIRE(strcmp(digits[0], digits[1]) == 0);
  for (int i = 0; i < 2; i++) {
    bool equal = false;
    CHECK(subrosa_device_scan(devices[i], who[1 - i].account, qr[1 - i], SUBROSA_QR, &equal));
    REQUIRE(equal);
    CHECK(subrosa_device_scan(devices[i], who[1 - i].account, qr[i], SUBROSA_QR, &equal));
    REQUIRE(!equal);
  }

  subrosa_emoji *emoji[2];
  uint8_t commitment[32], answer[32], reveal[32];
  subrosa_emoji_shown shown[2] = {{.struct_size = sizeof shown[0]}, {.struct_size = sizeof shown[1]}};
  CHECK(subrosa_emoji_start(devices[0], who[1].account, &emoji[0], commitment));
  CHECK(subrosa_emoji_answer(devices[1], who[0].account, commitment, &emoji[1], answer));
  CHECK(subrosa_emoji_reveal(emoji[0], answer, reveal, &shown[0]));
  CHECK(subrosa_emoji_finish(emoji[1], reveal, &shown[1]));
  REQUIRE(memcmp(shown[0].numbers, shown[1].numbers, sizeof shown[0].numbers) == 0);
  EXPECT(SUBROSA_ERROR_STEP, subrosa_emoji_finish(emoji[1], reveal, &shown[1]));
  CHECK(subrosa_emoji_free(emoji[0]));
  CHECK(subrosa_emoji_free(emoji[1]));
  /* What is shown stays, whatever is freed. */
  for (int i = 0; i < 7; i++) {
    REQUIRE(shown[0].numbers[i] < 64 && shown[0].symbols[i].len > 0 && shown[0].symbols[i].data[0] != 0);
    REQUIRE(shown[1].names[i].len > 0 && shown[1].names[i].data[0] != 0);
  }
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_device_free(devices[1]));
}

/* ---- Messages */

static void bundles_are_published(subrosa_device *device) {
  bool due = false;
  subrosa_bundles *bundles;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  subrosa_bytes bundle;
  CHECK(subrosa_device_publish_due(device, NOW + 30ull * 24 * 60 * 60 * 1000, &due));
  REQUIRE(due);
  CHECK(subrosa_device_publish(device, 2, NOW, &bundles));
  CHECK(subrosa_bundles_read(bundles, &info));
  REQUIRE(info.one_time == 2 && info.last_resort.len > 0);
  CHECK(subrosa_bundles_one_time(bundles, 1, &bundle));
  REQUIRE(bundle.len > 0 && bundle.data != NULL);
  EXPECT(SUBROSA_ERROR_RANGE, subrosa_bundles_one_time(bundles, 2, &bundle));
  CHECK(subrosa_bundles_free(bundles));
}

static void messages_are_exchanged(void) {
  subrosa_device *devices[2];
  subrosa_address who[2], found;
  subrosa_addresses *unreached;
  for (int i = 0; i < 2; i++) devices[i] = world_device(NULL, &who[i]);
  subrosa_device *alice = devices[0], *bob = devices[1];
  world_introduce(alice, bob);
  world_introduce(bob, alice);
  CHECK(subrosa_device_unreached(alice, who[1].account, NOW, &unreached));
  REQUIRE(subrosa_addresses_count(unreached) == 1);
  CHECK(subrosa_addresses_get(unreached, 0, &found));
  REQUIRE(memcmp(&found, &who[1], sizeof found) == 0);
  CHECK(subrosa_addresses_free(unreached));
  bundles_are_published(bob);
  world_begin(alice, bob);

  subrosa_outbox *sealed, *again;
  subrosa_sent sent = {.struct_size = sizeof sent};
  subrosa_copy copy = {.struct_size = sizeof copy}, copy_again = {.struct_size = sizeof copy_again};
  const subrosa_bytes id = world_bytes("first"), text = world_bytes("Is this confidential?");
  CHECK(subrosa_device_send(alice, who[1].account, id.data, id.len, text.data, text.len, SUBROSA_SEND_PARTIAL, NOW,
                            &sealed));
  REQUIRE(subrosa_outbox_count(sealed) == 1);
  CHECK(subrosa_outbox_get(sealed, 0, &sent));
  REQUIRE(sent.copies == 1 && world_equal(sent.id, "first"));
  REQUIRE(memcmp(sent.to, who[1].account, SUBROSA_ACCOUNT) == 0);
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &copy));
  REQUIRE(memcmp(&copy.to, &who[1], sizeof copy.to) == 0);

  /* The same bytes, however it is asked for. */
  CHECK(subrosa_device_retry(alice, id.data, id.len, &again));
  CHECK(subrosa_outbox_copy(again, 0, 0, &copy_again));
  REQUIRE(copy.message.len == copy_again.message.len);
  REQUIRE(memcmp(copy.message.data, copy_again.message.data, copy.message.len) == 0);
  CHECK(subrosa_outbox_free(again));
  uint64_t next = 0;
  CHECK(subrosa_device_outbox(alice, 0, 10, &next, &again));
  REQUIRE(subrosa_outbox_count(again) == 1 && next > 0);
  CHECK(subrosa_outbox_free(again));
  CHECK(subrosa_device_outbox(alice, next, 10, NULL, &again));
  REQUIRE(subrosa_outbox_count(again) == 0);
  CHECK(subrosa_outbox_free(again));
  CHECK(subrosa_device_sent(alice, &id, 1));
  EXPECT(SUBROSA_ERROR_NOT_FOUND, subrosa_device_retry(alice, id.data, id.len, &again));

  /* It arrives, twice. */
  const subrosa_bytes envelopes[2] = {copy.message, copy.message};
  subrosa_events *events;
  subrosa_event event = {.struct_size = sizeof event};
  CHECK(subrosa_device_receive(bob, envelopes, 2, NOW + 1, &events));
  REQUIRE(subrosa_events_count(events) == 2);
  CHECK(subrosa_events_get(events, 1, &event));
  REQUIRE(event.kind == SUBROSA_EVENT_REJECTED && event.envelope == 1 && event.action == SUBROSA_ACTION_DROP);
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(event.kind == SUBROSA_EVENT_MESSAGE && event.content == SUBROSA_CONTENT_MESSAGE && event.notices == 0);
  REQUIRE(event.envelope == SUBROSA_NO_ENVELOPE && event.received_at == NOW + 1);
  REQUIRE(memcmp(&event.address, &who[0], sizeof event.address) == 0);
  REQUIRE(world_equal(event.text, "Is this confidential?"));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_outbox_free(sealed));

  CHECK(subrosa_device_inbox(bob, 0, 10, &events));
  REQUIRE(subrosa_events_count(events) == 1);
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(world_equal(event.text, "Is this confidential?"));
  CHECK(subrosa_device_read(bob, &event.id, 1));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_device_inbox(bob, 0, 10, &events));
  REQUIRE(subrosa_events_count(events) == 0);
  CHECK(subrosa_events_free(events));

  world_say(bob, alice, "answer", "Sub rosa.");
  CHECK(subrosa_device_free(alice));
  CHECK(subrosa_device_free(bob));
}

/* Somebody whose device list nobody has. */
static void a_stranger_is_refused(void) {
  subrosa_address who[2];
  subrosa_device *bob = world_device(NULL, &who[0]), *stranger = world_device(NULL, &who[1]);
  subrosa_outbox *sealed;
  subrosa_copy copy = {.struct_size = sizeof copy};
  subrosa_events *events;
  subrosa_event event = {.struct_size = sizeof event};
  world_introduce(bob, stranger);
  world_begin(stranger, bob);
  CHECK(subrosa_device_send(stranger, who[0].account, (const uint8_t *)"1", 1, NULL, 0, 0, NOW, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &copy));
  CHECK(subrosa_device_receive(bob, &copy.message, 1, NOW, &events));
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(event.kind == SUBROSA_EVENT_LIST_NEEDED && event.envelope == 0);
  REQUIRE(memcmp(event.address.account, who[1].account, SUBROSA_ACCOUNT) == 0);
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_device_refuse(bob, copy.message.data, copy.message.len, NOW));
  CHECK(subrosa_device_receive(bob, &copy.message, 1, NOW, &events));
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(event.kind == SUBROSA_EVENT_REJECTED && event.status == SUBROSA_ERROR_REPLAYED_FIRST);
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_free(stranger));
  CHECK(subrosa_device_free(bob));
}

int main(void) {
  the_library();
  a_device_in_a_file();
  a_device_in_a_table();
  an_account_of_two_devices();
  keys_are_compared();
  messages_are_exchanged();
  a_stranger_is_refused();
}
