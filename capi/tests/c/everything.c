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

/* ---- Groups */

/* A device reads one message of a group, of which come so many events; the first is of this kind. */
static void hears(subrosa_device *device, subrosa_bytes message, size_t count, int32_t kind, const uint8_t *group) {
  subrosa_events *events;
  subrosa_event event = {.struct_size = sizeof event};
  CHECK(subrosa_device_group_receive(device, &message, 1, NOW, &events));
  REQUIRE(subrosa_events_count(events) == count);
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(event.kind == kind && memcmp(event.group, group, SUBROSA_GROUP) == 0);
  REQUIRE(event.content == (kind == SUBROSA_EVENT_MESSAGE ? SUBROSA_CONTENT_GROUP : 0));
  REQUIRE((event.epoch != 0) == (kind == SUBROSA_EVENT_GROUP_CHANGED));
  CHECK(subrosa_events_free(events));
}

static void devices_form_a_group(void) {
  subrosa_device *devices[2];
  subrosa_address who[2], found;
  uint8_t group[SUBROSA_GROUP], all[SUBROSA_GROUP], one[SUBROSA_AUTHENTICATOR], other[SUBROSA_AUTHENTICATOR];
  uint64_t epoch = 7, next = 0;
  size_t len = sizeof all - 1;
  for (int i = 0; i < 2; i++) devices[i] = world_device(NULL, &who[i]);
  subrosa_device *alice = devices[0], *bob = devices[1];
  world_introduce(alice, bob);
  world_introduce(bob, alice);

  CHECK(subrosa_device_group_create(alice, NOW, group));
  EXPECT(SUBROSA_ERROR_BUFFER, subrosa_device_group_list(alice, all, &len));
  CHECK(subrosa_device_group_list(alice, all, &len));
  REQUIRE(len == sizeof all && memcmp(all, group, sizeof all) == 0);

  subrosa_bundles *published;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  subrosa_bytes package;
  CHECK(subrosa_device_publish_key_packages(bob, 1, NOW, &published));
  CHECK(subrosa_bundles_read(published, &info));
  REQUIRE(info.one_time == 1 && info.last_resort.len > 0 && !info.replaces);
  CHECK(subrosa_bundles_one_time(published, 0, &package));
  subrosa_outbox *sealed;
  subrosa_sent sent = {.struct_size = sizeof sent};
  subrosa_copy message = {.struct_size = sizeof message}, welcome = {.struct_size = sizeof welcome};
  const subrosa_bytes id = world_bytes("id"), text = world_bytes("hello");
  CHECK(subrosa_device_group_change(alice, group, id.data, id.len, &package, 1, NULL, 0, NOW, &sealed));
  CHECK(subrosa_bundles_free(published));
  CHECK(subrosa_outbox_get(sealed, 0, &sent));
  REQUIRE(sent.kind == SUBROSA_SENT_CHANGE && sent.copies == 2 && memcmp(sent.group, group, sizeof group) == 0);
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &message));
  CHECK(subrosa_outbox_copy(sealed, 0, 1, &welcome));
  EXPECT(SUBROSA_ERROR_RANGE, subrosa_outbox_copy(sealed, 0, 2, &welcome));
  REQUIRE(message.to.device == 0 && memcmp(&welcome.to, &who[1], sizeof who[1]) == 0);
  hears(alice, message.message, 2, SUBROSA_EVENT_GROUP_CHANGED, group);
  hears(bob, welcome.message, 1, SUBROSA_EVENT_GROUP_JOINED, group);
  CHECK(subrosa_outbox_free(sealed));
  subrosa_addresses *members;
  CHECK(subrosa_device_group_members(bob, group, &members));
  REQUIRE(subrosa_addresses_count(members) == 2);
  CHECK(subrosa_addresses_get(members, 1, &found));
  REQUIRE(memcmp(&found, &who[1], sizeof found) == 0);
  CHECK(subrosa_addresses_free(members));
  CHECK(subrosa_device_group_epoch(alice, group, &epoch, one));
  CHECK(subrosa_device_group_epoch(bob, group, &epoch, other));
  REQUIRE(epoch == 1 && memcmp(one, other, sizeof one) == 0);

  CHECK(subrosa_device_group_send(bob, group, id.data, id.len, text.data, text.len, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &message));
  hears(alice, message.message, 1, SUBROSA_EVENT_MESSAGE, group);
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_retry(bob, id.data, id.len, &sealed));
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_outbox(bob, 0, 10, &next, &sealed));
  REQUIRE(subrosa_outbox_count(sealed) == 1 && next > 0);
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_sent(bob, &id, 1));
  EXPECT(SUBROSA_ERROR_NOT_FOUND, subrosa_device_group_retry(bob, id.data, id.len, &sealed));

  /* Bob leaves, and Alice withdraws her change before she makes the one that lets him. */
  CHECK(subrosa_device_group_change(alice, group, id.data, id.len, NULL, 0, &who[1], 1, NOW, &sealed));
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_withdraw(alice, group));
  CHECK(subrosa_device_group_leave(bob, group, id.data, id.len, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &message));
  hears(alice, message.message, 1, SUBROSA_EVENT_GROUP_PROPOSED, group);
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_change(alice, group, id.data, id.len, NULL, 0, NULL, 0, NOW, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &message));
  hears(alice, message.message, 2, SUBROSA_EVENT_GROUP_CHANGED, group);
  hears(bob, message.message, 1, SUBROSA_EVENT_GROUP_LEFT, group);
  CHECK(subrosa_outbox_free(sealed));
  CHECK(subrosa_device_group_forget(bob, group));
  len = sizeof all;
  CHECK(subrosa_device_group_list(bob, all, &len));
  REQUIRE(len == 0);
  for (int i = 0; i < 2; i++) CHECK(subrosa_device_free(devices[i]));
}

/* ---- Files */

struct file {
  uint8_t bytes[40000];
  size_t len;
};

static void append(struct file *file, const uint8_t *bytes, size_t len) {
  REQUIRE(len <= sizeof file->bytes - file->len);
  memcpy(file->bytes + file->len, bytes, len);
  file->len += len;
}

static void seal(subrosa_sealer *sealer, const uint8_t *text, size_t len, struct file *to) {
  uint8_t sealed[SUBROSA_SEAL_ROOM];
  size_t room = 1;
  to->len = 0;
  while (len > 0) {
    size_t taken;
    room = sizeof sealed;
    CHECK(subrosa_sealer_push(sealer, text, len, &taken, sealed, &room));
    REQUIRE(taken > 0);
    append(to, sealed, room);
    text += taken;
    len -= taken;
  }
  do {
    room = sizeof sealed;
    CHECK(subrosa_sealer_finish(sealer, sealed, &room));
    append(to, sealed, room);
  } while (room > 0);
}

static void opens(subrosa_opener *opener, const struct file *from, const uint8_t *text, size_t len) {
  static struct file opened;
  uint8_t chunk[SUBROSA_OPEN_ROOM];
  size_t room, taken;
  opened.len = 0;
  for (size_t at = 0; at < from->len; at += taken) {
    room = sizeof chunk;
    CHECK(subrosa_opener_push(opener, from->bytes + at, from->len - at, &taken, chunk, &room));
    append(&opened, chunk, room);
  }
  room = sizeof chunk;
  CHECK(subrosa_opener_finish(opener, chunk, &room));
  append(&opened, chunk, room);
  REQUIRE(opened.len == len && memcmp(opened.bytes, text, len) == 0);
  CHECK(subrosa_opener_free(opener));
}

static int32_t read_file(void *context, uint64_t offset, uint8_t *out, size_t len) {
  const struct file *file = context;
  if (offset > file->len || len > file->len - offset) return -1;
  memcpy(out, file->bytes + offset, len);
  return 0;
}

static void a_file_is_sealed(void) {
  static struct file sealed;
  static uint8_t text[35000];
  uint8_t key[SUBROSA_FILE_KEY], part[100];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i ^ i >> 8);
  subrosa_sealer *sealer;
  subrosa_opener *opener;
  subrosa_reader *reader = NULL;
  CHECK(subrosa_sealer_file(text, 3, world_rng(), &sealer, key));
  seal(sealer, text, sizeof text, &sealed);
  CHECK(subrosa_sealer_free(sealer));
  REQUIRE(sealed.len == 56 + sizeof text + 3 * 16);
  CHECK(subrosa_opener_file(key, text, 3, &opener));
  opens(opener, &sealed, text, sizeof text);

  subrosa_source source = {.struct_size = sizeof source, .context = &sealed, .read = read_file};
  uint64_t end = 0;
  CHECK(subrosa_reader_open(&source, sealed.len, key, text, 3, &reader));
  for (size_t at = 16300; at < sizeof text; at += 9350) {
    size_t len = sizeof part, left = sizeof text - at;
    CHECK(subrosa_reader_read(reader, at, part, &len));
    REQUIRE(len == (left < sizeof part ? left : sizeof part) && memcmp(part, text + at, len) == 0);
  }
  CHECK(subrosa_reader_len(reader, &end));
  REQUIRE(end == sizeof text);
  CHECK(subrosa_reader_free(reader));
  /* A source that has not what it should have. */
  CHECK(subrosa_reader_open(&source, sealed.len + 16400, key, text, 3, &reader));
  EXPECT(SUBROSA_ERROR_SOURCE, subrosa_reader_len(reader, &end));
  CHECK(subrosa_reader_free(reader));
}

/* A blob of a text that fits into one chunk: its proof is its header alone. */
static subrosa_blob *small_blob(const char *type, const char *text, struct file *stored) {
  const subrosa_bytes name = world_bytes(type), bytes = world_bytes(text);
  subrosa_sealer *sealer;
  subrosa_blob *blob;
  CHECK(subrosa_sealer_blob(name.data, name.len, bytes.data, bytes.len, world_rng(), &sealer));
  EXPECT(SUBROSA_ERROR_FILE_TRUNCATED, subrosa_sealer_result(sealer, &blob));
  seal(sealer, bytes.data, bytes.len, stored);
  CHECK(subrosa_sealer_result(sealer, &blob));
  CHECK(subrosa_sealer_free(sealer));
  return blob;
}

static void a_blob_is_sent(void) {
  static struct file stored, other;
  subrosa_blob *film = small_blob("video/mp4", "a film", &stored), *still = small_blob("image/webp", "a still", &other);
  subrosa_blob *received, *thumbnail = NULL;
  subrosa_blob_info info = {.struct_size = sizeof info};
  uint8_t descriptor[SUBROSA_DESCRIPTOR_MAX], id[SUBROSA_BLOB_ID], key[SUBROSA_FILE_KEY], own[SUBROSA_BLOB_ID];

  subrosa_thumbnail picture = {.struct_size = sizeof picture, .blob = still};
  size_t len = sizeof descriptor;
  CHECK(subrosa_blob_descriptor(film, &picture, descriptor, &len));
  CHECK(subrosa_blob_parse(descriptor, len, &received));
  CHECK(subrosa_blob_read(received, &info));
  REQUIRE(info.thumbnail == SUBROSA_THUMBNAIL_BLOB && info.text_len == 6 && info.stored_len == stored.len);
  REQUIRE(world_equal(info.media_type, "video/mp4"));
  CHECK(subrosa_blob_thumbnail(received, &thumbnail));
  CHECK(subrosa_blob_read(thumbnail, &info));
  REQUIRE(info.text_len == 7 && world_equal(info.media_type, "image/webp"));
  CHECK(subrosa_blob_free(thumbnail));
  CHECK(subrosa_blob_free(received));

  picture = (subrosa_thumbnail){
      .struct_size = sizeof picture, .media_type = world_bytes("image/avif"), .bytes = world_bytes("small")};
  len = sizeof descriptor;
  CHECK(subrosa_blob_descriptor(film, &picture, descriptor, &len));
  CHECK(subrosa_blob_parse(descriptor, len, &received));
  CHECK(subrosa_blob_read(received, &info));
  REQUIRE(info.thumbnail == SUBROSA_THUMBNAIL_INLINE && world_equal(info.thumbnail_bytes, "small"));
  REQUIRE(world_equal(info.thumbnail_type, "image/avif"));

  /* Nothing of it is to be had before the app agrees. */
  const subrosa_bytes films = world_bytes("video/");
  subrosa_opener *opener = NULL;
  EXPECT(SUBROSA_ERROR_FILE_NOT_ADMITTED, subrosa_blob_id(received, id, key));
  EXPECT(SUBROSA_ERROR_FILE_NOT_ADMITTED, subrosa_opener_blob(received, &opener));
  EXPECT(SUBROSA_ERROR_FILE_NOT_ADMITTED, subrosa_blob_admit(received, 5, &films, 1));
  CHECK(subrosa_blob_admit(received, 6, &films, 1));
  CHECK(subrosa_blob_id(received, id, key));
  CHECK(subrosa_blob_id(film, own, NULL));
  REQUIRE(memcmp(id, own, sizeof id) == 0);
  CHECK(subrosa_opener_blob(received, &opener));
  opens(opener, &stored, (const uint8_t *)"a film", 6);

  /* A piece of it. */
  subrosa_piece piece = {.struct_size = sizeof piece}, leaves = {.struct_size = sizeof leaves};
  uint8_t text[10];
  len = sizeof text;
  CHECK(subrosa_blob_piece(received, 2, 100, &piece));
  REQUIRE(piece.leaf == 0 && piece.leaves == 1 && piece.text_len == 4 && piece.proof_len == 56);
  REQUIRE(piece.offset == 56 && piece.len == stored.len - 56);
  CHECK(subrosa_blob_open_piece(received, 2, 100, stored.bytes + 56, stored.len - 56, stored.bytes, 56, text, &len));
  REQUIRE(len == 4 && memcmp(text, "film", 4) == 0);
  CHECK(subrosa_piece_of_leaves(stored.len, 0, 1, &leaves));
  REQUIRE(leaves.offset == piece.offset && leaves.len == piece.len && leaves.proof_len == piece.proof_len);
  CHECK(subrosa_piece_verify(id, stored.len, 0, 1, stored.bytes + 56, stored.len - 56, stored.bytes, 56));
  stored.bytes[100] ^= 1;
  EXPECT(SUBROSA_ERROR_FILE_PROOF,
         subrosa_piece_verify(id, stored.len, 0, 1, stored.bytes + 56, stored.len - 56, stored.bytes, 56));
  CHECK(subrosa_blob_free(received));
  CHECK(subrosa_blob_free(film));
  CHECK(subrosa_blob_free(still));
}

static void a_pack_is_shared(void) {
  static struct file stored;
  static uint8_t manifests[2][2000];
  const subrosa_bytes address = world_bytes("https://example.org/p"), owl = world_bytes("owl");
  subrosa_blob *blob = small_blob("image/webp", "an owl", &stored), *sticker;
  uint8_t author[SUBROSA_AUTHOR], held[2][SUBROSA_HELD], next[SUBROSA_HELD], link[200], id[SUBROSA_PACK_ID];
  size_t link_len = sizeof link, address_len, lens[2], emoji;
  const subrosa_sticker row = {.blob = blob, .emoji = &owl, .count = 1};
  const subrosa_contents contents = {.struct_size = sizeof contents,
                                     .title = world_bytes("Owls"),
                                     .name = world_bytes("Bob"),
                                     .stickers = &row,
                                     .count = 1};
  CHECK(subrosa_pack_create(world_rng(), author));
  CHECK(subrosa_pack_link(author, address.data, address.len, link, &link_len));
  REQUIRE(link_len == address.len + SUBROSA_LINK_BEHIND);
  for (int i = 0; i < 2; i++) {
    lens[i] = sizeof manifests[i];
    CHECK(subrosa_pack_publish(author, i == 0 ? NULL : held[0], 0, &contents, world_rng(), manifests[i], &lens[i],
                               held[i]));
  }
  CHECK(subrosa_pack_find(link, link_len, id, &address_len));
  REQUIRE(address_len == address.len);

  subrosa_pack *pack = NULL;
  subrosa_pack_info info = {.struct_size = sizeof info};
  CHECK(subrosa_pack_open(link, link_len, manifests[1], lens[1], held[0], &pack, next));
  REQUIRE(memcmp(next, held[1], sizeof next) == 0);
  CHECK(subrosa_pack_read(pack, &info));
  REQUIRE(info.version == 2 && info.stickers == 1 && memcmp(info.id, id, sizeof id) == 0);
  REQUIRE(world_equal(info.title, "Owls") && world_equal(info.name, "Bob"));
  CHECK(subrosa_pack_sticker(pack, 0, &emoji, &sticker));
  REQUIRE(emoji == 1);
  subrosa_bytes seen;
  CHECK(subrosa_pack_emoji(pack, 0, 0, &seen));
  REQUIRE(world_equal(seen, "owl"));
  EXPECT(SUBROSA_ERROR_RANGE, subrosa_pack_emoji(pack, 0, 1, &seen));
  CHECK(subrosa_pack_free(pack));
  EXPECT(SUBROSA_ERROR_PACK_ROLLBACK, subrosa_pack_open(link, link_len, manifests[0], lens[0], next, &pack, next));

  /* The sticker is there without the pack. */
  const subrosa_bytes pictures = world_bytes("image/webp");
  subrosa_opener *opener;
  CHECK(subrosa_blob_admit(sticker, 100, &pictures, 1));
  CHECK(subrosa_opener_blob(sticker, &opener));
  opens(opener, &stored, (const uint8_t *)"an owl", 6);
  CHECK(subrosa_blob_free(sticker));
  CHECK(subrosa_blob_free(blob));
}

int main(void) {
  the_library();
  a_device_in_a_file();
  a_device_in_a_table();
  an_account_of_two_devices();
  keys_are_compared();
  messages_are_exchanged();
  a_stranger_is_refused();
  devices_form_a_group();
  a_file_is_sealed();
  a_blob_is_sent();
  a_pack_is_shared();
}
