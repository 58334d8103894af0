#include "world.h"

const uint8_t world_app_key[SUBROSA_APP_KEY] = {42};

/* ---- Randomness */

static int32_t fill(void *context, uint8_t *out, size_t len) {
  (void)context;
  FILE *file = fopen("/dev/urandom", "rb");
  if (file == NULL) return -1;
  const size_t got = fread(out, 1, len, file);
  fclose(file);
  return got == len ? 0 : -1;
}

const subrosa_rng *world_rng(void) {
  static const subrosa_rng rng = {.struct_size = sizeof rng, .context = NULL, .fill = fill};
  return &rng;
}

/* ---- The table */

struct row {
  struct row *next;
  subrosa_key key;
  size_t len;
  uint8_t value[];
};

/* Where the row with this key hangs, or where it would. */
static struct row **find(struct table *table, const subrosa_key *key) {
  struct row **at = &table->rows;
  while (*at != NULL && memcmp(&(*at)->key, key, sizeof *key) != 0) at = &(*at)->next;
  return at;
}

static void remove_row(struct table *table, const subrosa_key *key) {
  struct row **at = find(table, key);
  struct row *row = *at;
  if (row == NULL) return;
  *at = row->next;
  free(row);
}

static int32_t get(void *context, const subrosa_key *key, uint8_t *value, size_t *len) {
  struct table *table = context;
  if (table->within != NULL) table->within(table->context);
  const struct row *row = *find(table, key);
  if (row == NULL) return SUBROSA_GET_ABSENT;
  if (row->len <= *len) memcpy(value, row->value, row->len);
  *len = row->len;
  return SUBROSA_GET_FOUND;
}

static int32_t commit(void *context, uint64_t base, const subrosa_put *puts, size_t puts_len,
                      const subrosa_key *deletes, size_t deletes_len) {
  struct table *table = context;
  if (table->within != NULL) table->within(table->context);
  const int32_t answer = table->answer;
  table->answer = SUBROSA_COMMIT_DONE;
  if (answer != SUBROSA_COMMIT_DONE && answer != SUBROSA_COMMIT_UNKNOWN) return answer;
  if (base != table->generation) return SUBROSA_COMMIT_STALE;
  for (size_t i = 0; i < puts_len; i++) {
    remove_row(table, &puts[i].key);
    struct row *row = malloc(sizeof *row + puts[i].value.len);
    REQUIRE(row != NULL);
    row->next = table->rows;
    row->key = puts[i].key;
    row->len = puts[i].value.len;
    memcpy(row->value, puts[i].value.data, row->len);
    table->rows = row;
  }
  for (size_t i = 0; i < deletes_len; i++) remove_row(table, &deletes[i]);
  table->generation++;
  return answer;
}

static void release(void *context) {
  struct table *table = context;
  table->released++;
}

subrosa_store *table_store(struct table *table) {
  const subrosa_store_vtable vtable = {
      .struct_size = sizeof vtable, .context = table, .get = get, .commit = commit, .release = release};
  subrosa_store *store;
  CHECK(subrosa_store_custom(&vtable, &store));
  return store;
}

void table_free(struct table *table) {
  while (table->rows != NULL) {
    struct row *row = table->rows;
    table->rows = row->next;
    free(row);
  }
}

/* ---- Devices */

subrosa_device *world_device(subrosa_store *store, subrosa_address *address) {
  subrosa_device *device;
  uint8_t recovery[SUBROSA_SEED];
  if (store == NULL) CHECK(subrosa_store_memory(&store));
  CHECK(subrosa_device_create(store, world_app_key, world_rng(), NOW, &device, recovery));
  CHECK(subrosa_device_address(device, address));
  return device;
}

void world_introduce(subrosa_device *whom, subrosa_device *to) {
  subrosa_address address;
  subrosa_list *list;
  subrosa_list_info info = {.struct_size = sizeof info};
  subrosa_events *events;
  CHECK(subrosa_device_address(whom, &address));
  CHECK(subrosa_device_list(whom, address.account, &list));
  CHECK(subrosa_list_read(list, &info));
  CHECK(subrosa_device_update_list(to, address.account, &info.bytes, 1, NOW, &events));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_list_free(list));
}

void world_begin(subrosa_device *from, subrosa_device *to) {
  subrosa_bundles *bundles;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  subrosa_addresses *begun;
  subrosa_address address;
  CHECK(subrosa_device_publish(to, 0, NOW, &bundles));
  CHECK(subrosa_bundles_read(bundles, &info));
  CHECK(subrosa_device_begin(from, &info.last_resort, 1, NOW, &begun));
  CHECK(subrosa_addresses_get(begun, 0, &address));
  CHECK(subrosa_addresses_free(begun));
  CHECK(subrosa_bundles_free(bundles));
}

void world_pair(subrosa_device *devices[2], subrosa_address addresses[2]) {
  for (int i = 0; i < 2; i++) devices[i] = world_device(NULL, &addresses[i]);
  world_introduce(devices[0], devices[1]);
  world_introduce(devices[1], devices[0]);
  world_begin(devices[0], devices[1]);
}

void world_say(subrosa_device *from, subrosa_device *to, const char *name, const char *text) {
  const subrosa_bytes id = world_bytes(name), body = world_bytes(text);
  subrosa_address address;
  subrosa_outbox *sealed;
  subrosa_copy copy = {.struct_size = sizeof copy};
  subrosa_events *events;
  subrosa_event event = {.struct_size = sizeof event};
  CHECK(subrosa_device_address(to, &address));
  CHECK(subrosa_device_send(from, address.account, id.data, id.len, body.data, body.len, 0, NOW, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &copy));
  CHECK(subrosa_device_receive(to, &copy.message, 1, NOW, &events));
  REQUIRE(subrosa_events_count(events) == 1);
  CHECK(subrosa_events_get(events, 0, &event));
  REQUIRE(event.kind == SUBROSA_EVENT_MESSAGE && world_equal(event.text, text));
  CHECK(subrosa_device_sent(from, &id, 1));
  CHECK(subrosa_device_read(to, &event.id, 1));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_outbox_free(sealed));
}

/* ---- Bytes */

subrosa_bytes world_bytes(const char *text) {
  return (subrosa_bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

bool world_equal(subrosa_bytes bytes, const char *text) {
  return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}
