/* What the interface refuses, and that nothing else happens then: wrong objects, wrong arguments, calls from callbacks.
 */
#include "world.h"

/* A NULL that the compiler does not see: it would not let one through where the header says that there is none. */
static void *nowhere = NULL;

/* ---- Objects */

static void null_is_freed(void) {
  CHECK(subrosa_store_free(NULL));
  CHECK(subrosa_list_free(NULL));
  CHECK(subrosa_events_free(NULL));
  CHECK(subrosa_outbox_free(NULL));
  CHECK(subrosa_bundles_free(NULL));
  CHECK(subrosa_addresses_free(NULL));
  CHECK(subrosa_emoji_free(NULL));
  CHECK(subrosa_device_free(NULL));
  CHECK(subrosa_sealer_free(NULL));
  CHECK(subrosa_opener_free(NULL));
  CHECK(subrosa_reader_free(NULL));
  CHECK(subrosa_blob_free(NULL));
  CHECK(subrosa_pack_free(NULL));
}

/* No object has this name: whatever type it is said to be of, and although there may be memory at it. */
static void is_nobody(void *name) {
  subrosa_address address;
  subrosa_list_info list_info = {.struct_size = sizeof list_info};
  subrosa_bundles_info bundles_info = {.struct_size = sizeof bundles_info};
  subrosa_event event = {.struct_size = sizeof event};
  subrosa_sent sent = {.struct_size = sizeof sent};
  subrosa_emoji_shown shown = {.struct_size = sizeof shown};
  subrosa_device *device = NULL;
  subrosa_blob_info blob_info = {.struct_size = sizeof blob_info};
  subrosa_pack_info pack_info = {.struct_size = sizeof pack_info};
  uint8_t bytes[32] = {0};
  size_t len = sizeof bytes, taken = 7;
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_sealer_push(name, bytes, 1, &taken, bytes, &len));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_opener_push(name, bytes, 1, &taken, bytes, &len));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_reader_read(name, 0, bytes, &len));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_blob_read(name, &blob_info));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_pack_read(name, &pack_info));
  REQUIRE(taken == 7 && len == sizeof bytes);
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_open(name, world_app_key, world_rng(), NULL, &device));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_list_read(name, &list_info));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_bundles_read(name, &bundles_info));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_events_get(name, 0, &event));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_outbox_get(name, 0, &sent));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_addresses_get(name, 0, &address));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_emoji_reveal(name, bytes, bytes, &shown));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_address(name, &address));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_reopen(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_group_list(name, bytes, &len));
  REQUIRE(len == sizeof bytes);
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_group_withdraw(name, bytes));
  REQUIRE(device == NULL);
  REQUIRE(subrosa_events_count(name) == 0);
  REQUIRE(subrosa_outbox_count(name) == 0);
  REQUIRE(subrosa_addresses_count(name) == 0);
  if (name == NULL) return;
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_store_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_list_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_events_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_outbox_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_bundles_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_addresses_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_emoji_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_sealer_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_opener_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_reader_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_blob_free(name));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_pack_free(name));
}

static void what_was_never_given_out_is_nobody(void) {
  int here = 0;
  int *there = malloc(sizeof *there);
  REQUIRE(there != NULL);
  is_nobody(NULL);
  is_nobody(&here);
  is_nobody(there);
  is_nobody((void *)1);
  is_nobody((void *)UINTPTR_MAX);
  /* Every type, at every kind of place. */
  for (unsigned bit = 0; bit < sizeof(uintptr_t) * 8; bit++) is_nobody((void *)((uintptr_t)1 << bit));
  free(there);
}

static int32_t read_sealed(void *context, uint64_t offset, uint8_t *out, size_t len) {
  const uint8_t *sealed = context;
  memcpy(out, sealed + offset, len);
  return 0;
}

/* One object of each type; what each of them is to those of the others, and what it is once it was freed. */
static void another_type_is_nobody(void) {
  subrosa_device *devices[2];
  subrosa_address who[2];
  uint8_t commitment[32], answer[32];
  subrosa_store *store;
  subrosa_list *list;
  subrosa_events *events;
  subrosa_outbox *outbox;
  subrosa_bundles *bundles;
  subrosa_addresses *addresses;
  subrosa_emoji *emoji;
  subrosa_sealer *sealer;
  subrosa_opener *opener;
  subrosa_reader *reader;
  subrosa_blob *blob;
  subrosa_pack *pack;
  static uint8_t sealed[SUBROSA_SEAL_ROOM];
  uint8_t key[SUBROSA_FILE_KEY], author[SUBROSA_AUTHOR], held[SUBROSA_HELD], link[SUBROSA_LINK_BEHIND];
  const subrosa_bytes type = world_bytes("image/webp");
  const subrosa_contents contents = {.struct_size = sizeof contents, .title = world_bytes("Owls")};
  const subrosa_source source = {.struct_size = sizeof source, .context = sealed, .read = read_sealed};
  size_t room = sizeof sealed, link_len = sizeof link;

  CHECK(subrosa_pack_create(world_rng(), author));
  CHECK(subrosa_pack_link(author, NULL, 0, link, &link_len));
  CHECK(subrosa_pack_publish(author, NULL, 0, &contents, world_rng(), sealed, &room, held));
  CHECK(subrosa_pack_open(link, link_len, sealed, room, NULL, &pack, held));
  CHECK(subrosa_sealer_blob(type.data, type.len, NULL, 0, world_rng(), &sealer));
  for (room = 1; room > 0;) {
    room = sizeof sealed;
    CHECK(subrosa_sealer_finish(sealer, sealed, &room));
  }
  CHECK(subrosa_sealer_result(sealer, &blob));
  CHECK(subrosa_sealer_free(sealer));
  CHECK(subrosa_opener_blob(blob, &opener));
  CHECK(subrosa_sealer_file(NULL, 0, world_rng(), &sealer, key));
  room = sizeof sealed;
  CHECK(subrosa_sealer_finish(sealer, sealed, &room));
  CHECK(subrosa_reader_open(&source, room, key, NULL, 0, &reader));

  world_pair(devices, who);
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_list(devices[0], who[1].account, &list));
  CHECK(subrosa_device_inbox(devices[0], 0, 1, &events));
  CHECK(subrosa_device_outbox(devices[0], 0, 1, NULL, &outbox));
  CHECK(subrosa_device_publish(devices[0], 0, NOW, &bundles));
  CHECK(subrosa_device_unreached(devices[0], who[1].account, NOW, &addresses));
  CHECK(subrosa_emoji_start(devices[0], who[1].account, &emoji, commitment));

  void *const objects[] = {store, list,       events, outbox, bundles, addresses, emoji,
                           devices[0], sealer, opener, reader,  blob,      pack};
  const size_t count = sizeof objects / sizeof objects[0];
  for (size_t i = 0; i < count; i++) {
    /* Each function of another type, and not its own. */
    void *const object = objects[i];
    if (i != 0) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_store_free(object));
    if (i != 1) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_list_free(object));
    if (i != 2) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_events_free(object));
    if (i != 3) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_outbox_free(object));
    if (i != 4) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_bundles_free(object));
    if (i != 5) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_addresses_free(object));
    if (i != 6) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_emoji_free(object));
    if (i != 7) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_free(object));
    if (i != 8) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_sealer_free(object));
    if (i != 9) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_opener_free(object));
    if (i != 10) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_reader_free(object));
    if (i != 11) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_blob_free(object));
    if (i != 12) EXPECT(SUBROSA_ERROR_HANDLE, subrosa_pack_free(object));
  }
  /* None of that has freed one of them. A step that is refused is refused for the step. */
  subrosa_emoji_shown shown = {.struct_size = sizeof shown};
  EXPECT(SUBROSA_ERROR_STEP, subrosa_emoji_finish(emoji, answer, &shown));
  CHECK(subrosa_store_free(store));
  CHECK(subrosa_list_free(list));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_outbox_free(outbox));
  CHECK(subrosa_bundles_free(bundles));
  CHECK(subrosa_addresses_free(addresses));
  CHECK(subrosa_emoji_free(emoji));
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_sealer_free(sealer));
  CHECK(subrosa_opener_free(opener));
  CHECK(subrosa_reader_free(reader));
  CHECK(subrosa_blob_free(blob));
  CHECK(subrosa_pack_free(pack));
  for (size_t i = 0; i < count; i++) is_nobody(objects[i]);

  /* Nor is it once the place is somebody else's. */
  subrosa_store *others[256];
  for (size_t i = 0; i < 256; i++) CHECK(subrosa_store_memory(&others[i]));
  for (size_t i = 0; i < count; i++) is_nobody(objects[i]);
  for (size_t i = 0; i < 256; i++) CHECK(subrosa_store_free(others[i]));
  CHECK(subrosa_device_free(devices[1]));
}

/* A store is the device's, if and only if there is one. */
static void a_store_is_taken_once(void) {
  subrosa_store *store;
  subrosa_device *device = NULL, *other = NULL;
  subrosa_address address;
  CHECK(subrosa_store_memory(&store));
  EXPECT(SUBROSA_ERROR_EMPTY, subrosa_device_open(store, world_app_key, world_rng(), NULL, &device));
  device = world_device(store, &address);
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_device_open(store, world_app_key, world_rng(), NULL, &other));
  EXPECT(SUBROSA_ERROR_HANDLE, subrosa_store_free(store));
  REQUIRE(other == NULL);
  CHECK(subrosa_device_free(device));
}

/* ---- Arguments */

static void short_buffers_change_nothing(void) {
  subrosa_address address;
  subrosa_device *device = world_device(NULL, &address);
  uint8_t request[SUBROSA_LINK_REQUEST];
  uint64_t before, after;
  CHECK(subrosa_device_generation(device, &before));
  size_t needed = 0;
  EXPECT(SUBROSA_ERROR_BUFFER, subrosa_device_link_request(device, NULL, &needed));
  REQUIRE(needed > 0 && needed <= SUBROSA_LINK_REQUEST);
  memset(request, 0xa5, sizeof request);
  size_t len = needed - 1;
  EXPECT(SUBROSA_ERROR_BUFFER, subrosa_device_link_request(device, request, &len));
  REQUIRE(len == needed);
  for (size_t i = 0; i < sizeof request; i++) REQUIRE(request[i] == 0xa5);
  CHECK(subrosa_device_link_request(device, request, &len));
  REQUIRE(len == needed);
  for (size_t i = needed; i < sizeof request; i++) REQUIRE(request[i] == 0xa5);
  CHECK(subrosa_device_generation(device, &after));
  REQUIRE(before == after);
  CHECK(subrosa_device_free(device));
}

static void files_need_their_room(void) {
  static uint8_t sealed[SUBROSA_SEAL_ROOM];
  const uint8_t text[4] = {1, 2, 3, 4};
  uint8_t key[SUBROSA_FILE_KEY];
  subrosa_sealer *sealer;
  size_t taken = 7, room = sizeof sealed - 1;
  CHECK(subrosa_sealer_file(NULL, 0, world_rng(), &sealer, key));
  EXPECT(SUBROSA_ERROR_BUFFER, subrosa_sealer_push(sealer, text, sizeof text, &taken, sealed, &room));
  REQUIRE(taken == 7 && room == sizeof sealed);
  CHECK(subrosa_sealer_push(sealer, text, sizeof text, &taken, sealed, &room));
  REQUIRE(taken == sizeof text && room == 0);
  EXPECT(SUBROSA_ERROR_BUFFER, subrosa_sealer_finish(sealer, NULL, &room));
  REQUIRE(room == sizeof sealed);
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_sealer_push(sealer, NULL, 1, &taken, sealed, &room));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_sealer_push(sealer, text, 1, nowhere, sealed, &room));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_sealer_push(sealer, text, 1, &taken, NULL, &room));
  CHECK(subrosa_sealer_finish(sealer, sealed, &room));
  REQUIRE(room == 56 + sizeof text + 16);
  CHECK(subrosa_sealer_free(sealer));
}

static void wrong_arguments_are_refused(void) {
  subrosa_device *devices[2];
  subrosa_address who[2], address;
  world_pair(devices, who);
  subrosa_device *alice = devices[0];
  const uint8_t *bob = who[1].account;
  const uint8_t id[1] = {1}, text[1] = {2};
  subrosa_outbox *outbox = NULL;
  uint64_t before, after;
  CHECK(subrosa_device_generation(alice, &before));

  /* NULL where it must not be; a length that nothing has; a flag that is none. */
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, nowhere, id, 1, text, 1, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, NULL, 1, text, 1, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, id, 1, NULL, 1, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, id, 1, text, 1, 0, NOW, nowhere));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, id, 1, text, SIZE_MAX, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, id, SIZE_MAX / 2 + 1, text, 1, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_send(alice, bob, id, 1, text, 1, 2, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_CLIENT_ID, subrosa_device_send(alice, bob, NULL, 0, text, 1, 0, NOW, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_group_send(alice, nowhere, id, 1, text, 1, &outbox));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_group_send(alice, bob, id, 1, NULL, 1, &outbox));
  EXPECT(SUBROSA_ERROR_NOT_FOUND, subrosa_device_group_send(alice, bob, id, 1, text, 1, &outbox));
  /* An account, where a device is asked for. */
  address = who[1];
  address.device = 0;
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_group_change(alice, bob, id, 1, NULL, 0, &address, 1, NOW, &outbox));
  const subrosa_bytes whole = {.data = id, .len = 1}, none = {.data = NULL, .len = 1};
  const subrosa_bytes ids[2] = {whole, none};
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_sent(alice, ids, 2));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_sent(alice, ids, SIZE_MAX / sizeof ids[0]));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_address(alice, nowhere));
  size_t length = SIZE_MAX;
  uint8_t room[1];
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_link_request(alice, room, &length));
  REQUIRE(outbox == NULL && length == SIZE_MAX);

  /* Where no such value may lie. */
  _Bool misplaced[sizeof address + 8];
  char *odd = (char *)misplaced;
  while ((uintptr_t)odd % 4 != 1) odd++;
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_device_address(alice, (subrosa_address *)(void *)odd));

  /* Structures of another size. */
  subrosa_list *list;
  subrosa_list_info info = {.struct_size = 0};
  CHECK(subrosa_device_list(alice, bob, &list));
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_list_read(list, &info));
  info.struct_size = sizeof info + 1;
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_list_read(list, &info));
  REQUIRE(info.version == 0 && info.bytes.data == NULL);
  EXPECT(SUBROSA_ERROR_RANGE, subrosa_list_device(list, 1, &address));
  EXPECT(SUBROSA_ERROR_RANGE, subrosa_list_device(list, SIZE_MAX, &address));
  CHECK(subrosa_list_free(list));

  subrosa_store *store = NULL;
  subrosa_store_vtable empty = {.struct_size = sizeof empty};
  EXPECT(SUBROSA_ERROR_ARGUMENT, subrosa_store_custom(&empty, &store));
  REQUIRE(store == NULL);
  CHECK(subrosa_device_generation(alice, &after));
  REQUIRE(before == after);
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_device_free(devices[1]));
}

/* An output may lie where an input lies. */
static void outputs_over_inputs(void) {
  subrosa_device *devices[2], *device;
  subrosa_address who[2];
  subrosa_emoji *emoji[2];
  subrosa_emoji_shown shown[2] = {{.struct_size = sizeof shown[0]}, {.struct_size = sizeof shown[1]}};
  uint8_t message[32], recovery[SUBROSA_SEED];
  world_pair(devices, who);
  CHECK(subrosa_emoji_start(devices[0], who[1].account, &emoji[0], message));
  CHECK(subrosa_emoji_answer(devices[1], who[0].account, message, &emoji[1], message));
  CHECK(subrosa_emoji_reveal(emoji[0], message, message, &shown[0]));
  CHECK(subrosa_emoji_finish(emoji[1], message, &shown[1]));
  REQUIRE(memcmp(shown[0].numbers, shown[1].numbers, sizeof shown[0].numbers) == 0);
  CHECK(subrosa_emoji_free(emoji[0]));
  CHECK(subrosa_emoji_free(emoji[1]));
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_device_free(devices[1]));

  subrosa_store *store;
  subrosa_list *list;
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_create(store, world_app_key, world_rng(), NOW, &device, recovery));
  /* The key that was given out takes the place of the one that was used, and is the one that counts from now on. */
  for (int i = 0; i < 2; i++) {
    CHECK(subrosa_device_replace_keys(device, recovery, NULL, 0, NOW, &list, recovery));
    CHECK(subrosa_list_free(list));
  }
  CHECK(subrosa_device_free(device));
}

/* ---- Callbacks */

struct caller {
  subrosa_device *device;
  unsigned calls;
};

/* Calls what calls it. Other objects are free. */
static void call_back(void *context) {
  struct caller *caller = context;
  subrosa_address address;
  subrosa_bundles *bundles = NULL;
  subrosa_store *store;
  caller->calls++;
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_publish(caller->device, 0, NOW, &bundles));
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_address(caller->device, &address));
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_reopen(caller->device));
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_free(caller->device));
  REQUIRE(bundles == NULL);
  CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_store_free(store));
}

static int32_t fill_and_call_back(void *context, uint8_t *out, size_t len) {
  const subrosa_rng *rng = world_rng();
  struct caller *caller = context;
  if (caller->device != NULL) call_back(context);
  return rng->fill(rng->context, out, len);
}

static void callbacks_find_it_busy(void) {
  struct caller from_store = {.device = NULL}, from_source = {.device = NULL};
  struct table table = {.rows = NULL};
  const subrosa_rng rng = {.struct_size = sizeof rng, .context = &from_source, .fill = fill_and_call_back};
  subrosa_device *device;
  subrosa_bundles *bundles;
  uint8_t recovery[SUBROSA_SEED];
  CHECK(subrosa_device_create(table_store(&table), world_app_key, &rng, NOW, &device, recovery));
  table.within = call_back;
  table.context = &from_store;
  from_store.device = from_source.device = device;
  CHECK(subrosa_device_publish(device, 1, NOW, &bundles));
  REQUIRE(from_store.calls > 0 && from_source.calls > 0);
  CHECK(subrosa_bundles_free(bundles));
  table.within = NULL;
  CHECK(subrosa_device_free(device));
  REQUIRE(table.released == 1);
  table_free(&table);
}

/* ---- Too many */

static int32_t no_get(void *context, const subrosa_key *key, uint8_t *value, size_t *len) {
  (void)context, (void)key, (void)value, (void)len;
  return SUBROSA_GET_FAILED;
}

static int32_t no_commit(void *context, uint64_t base, const subrosa_put *puts, size_t puts_len,
                         const subrosa_key *deletes, size_t deletes_len) {
  (void)context, (void)base, (void)puts, (void)puts_len, (void)deletes, (void)deletes_len;
  return SUBROSA_COMMIT_FAILED;
}

static void count_release(void *context) {
  unsigned *released = context;
  ++*released;
}

static void there_is_an_end_of_objects(void) {
  struct table table = {.rows = NULL};
  subrosa_address address;
  subrosa_device *device = world_device(table_store(&table), &address);
  subrosa_bundles *bundles = NULL;
  size_t count = 0, room = 70000;
  subrosa_store **stores = malloc(room * sizeof *stores), *none = NULL;
  REQUIRE(stores != NULL);
  subrosa_status status;
  while ((status = subrosa_store_memory(&stores[count])) == SUBROSA_OK) {
    count++;
    REQUIRE(count < room);
  }
  REQUIRE(status == SUBROSA_ERROR_HANDLES && count > 3900);
  /* There is no room for what the call would give out: so it does not begin. */
  EXPECT(SUBROSA_ERROR_HANDLES, subrosa_device_publish(device, 0, NOW, &bundles));
  unsigned released = 0;
  const subrosa_store_vtable vtable = {
      .struct_size = sizeof vtable, .context = &released, .get = no_get, .commit = no_commit, .release = count_release};
  EXPECT(SUBROSA_ERROR_HANDLES, subrosa_store_custom(&vtable, &none));
  REQUIRE(table.generation == 1 && bundles == NULL && none == NULL && released == 0);
  for (size_t i = 0; i < count; i++) CHECK(subrosa_store_free(stores[i]));
  CHECK(subrosa_device_publish(device, 0, NOW, &bundles));
  CHECK(subrosa_bundles_free(bundles));
  CHECK(subrosa_device_free(device));
  free(stores);
  table_free(&table);
}

int main(void) {
  null_is_freed();
  what_was_never_given_out_is_nobody();
  another_type_is_nobody();
  a_store_is_taken_once();
  short_buffers_change_nothing();
  files_need_their_room();
  wrong_arguments_are_refused();
  outputs_over_inputs();
  callbacks_find_it_busy();
  there_is_an_end_of_objects();
}
