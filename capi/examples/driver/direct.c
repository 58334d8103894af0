#include "direct.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "subrosa.h"

#define NOW UINT64_C(1760000000000)
/* The most values that a store for a moment holds, and the most names that it remembers. */
#define VALUES 64

/* Whether what comes out of the request is altered. */
static bool altered;

/* A request, with what it was answered. */
typedef struct request {
  json_text input;
  json_text out;   /* Of len 0: refused. */
  json_text error; /* Of len 0: not refused. */
} request;

/* What the functions for apps say to it. */
typedef enum verdict { AGREES, CONTRADICTS, NOT_ASKED } verdict;

/* ---- What comes and goes ---------------------------------------------------------------------------------------- */

static bool hex_field(json_text object, const char *name, json_bytes *bytes) {
  json_text value;
  if (!json_member(object, name, &value) || !json_hex(value, bytes)) return false;
  if (altered && bytes->len > 0) bytes->data[0] ^= 1;
  return true;
}

static bool integer_field(json_text object, const char *name, uint64_t *integer) {
  json_text value;
  return json_member(object, name, &value) && json_integer(value, integer);
}

/* Whether the field is the hex of these bytes. */
static bool is_hex(json_text object, const char *name, const uint8_t *bytes, size_t len) {
  json_text value;
  json_bytes wanted;
  if (!json_member(object, name, &value) || !json_hex(value, &wanted)) return false;
  bool same = wanted.len == len && memcmp(wanted.data, bytes, len) == 0;
  free(wanted.data);
  return same;
}

static bool is_integer(json_text object, const char *name, uint64_t integer) {
  uint64_t wanted;
  return integer_field(object, name, &wanted) && wanted == integer;
}

/* The name that vectors have for a status. */
static const char *name_of(subrosa_status status) {
  static const struct {
    subrosa_status status;
    const char *name;
  } names[] = {
      {SUBROSA_ERROR_MALFORMED, "\"Malformed\""},        {SUBROSA_ERROR_LIST_MALFORMED, "\"Malformed\""},
      {SUBROSA_ERROR_VERSION, "\"UnknownVersion\""},     {SUBROSA_ERROR_LIST_VERSION, "\"UnknownVersion\""},
      {SUBROSA_ERROR_SIGNATURE, "\"BadSignature\""},     {SUBROSA_ERROR_LIST_SIGNATURE, "\"BadSignature\""},
      {SUBROSA_ERROR_KIND, "\"UnknownKind\""},           {SUBROSA_ERROR_STALE_BUNDLE, "\"StaleBundle\""},
      {SUBROSA_ERROR_OTHER_ACCOUNT, "\"OtherAccount\""}, {SUBROSA_ERROR_EQUIVOCATION, "\"Equivocation\""},
      {SUBROSA_ERROR_OLD_LIST, "\"OldList\""},           {SUBROSA_ERROR_MISSING_LISTS, "\"MissingLists\""},
      {SUBROSA_ERROR_INTEGRITY, "\"Integrity\""},
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (names[i].status == status) return names[i].name;
  }
  return "";
}

static verdict judged(bool agrees) { return agrees ? AGREES : CONTRADICTS; }

/* Of a refusal: whether the status says the same. */
static verdict refused_as(const request *request, subrosa_status status) {
  return judged(json_is(request->error, name_of(status)));
}

/* A device over a store in memory that nothing is known to yet. */
static subrosa_device *new_device(void) {
  static const uint8_t app_key[SUBROSA_APP_KEY] = {7};
  uint8_t recovery[SUBROSA_SEED];
  subrosa_store *store = NULL;
  subrosa_device *device = NULL;
  if (subrosa_store_memory(&store) != SUBROSA_OK) return NULL;
  if (subrosa_device_create(store, app_key, NULL, NOW, &device, recovery) != SUBROSA_OK) subrosa_store_free(store);
  return device;
}

/* ---- Device lists ----------------------------------------------------------------------------------------------- */

static bool has_these_devices(const subrosa_list *list, json_text devices) {
  size_t at = 0, index = 0;
  json_text device;
  subrosa_address address;
  for (; json_element(devices, &at, &device); index++) {
    if (subrosa_list_device(list, index, &address) != SUBROSA_OK) return false;
    if (!is_integer(device, "id", address.device)) return false;
  }
  return subrosa_list_device(list, index, &address) == SUBROSA_ERROR_RANGE;
}

/* Keys and hashes of a list are not given out. That it is the account's that was asked for is for subrosa_device_update_list
 * to say: `succession`. */
static verdict list_parse(const request *request) {
  json_bytes bytes;
  subrosa_list *list = NULL;
  subrosa_list_info info = {.struct_size = sizeof info};
  if (!hex_field(request->input, "devices", &bytes)) return NOT_ASKED;
  subrosa_status status = subrosa_list_parse(bytes.data, bytes.len, &list);
  verdict verdict = CONTRADICTS;
  if (request->error.len > 0 && !json_is(request->error, "\"OtherAccount\"")) {
    verdict = refused_as(request, status);
  } else if (status == SUBROSA_OK && subrosa_list_read(list, &info) == SUBROSA_OK) {
    json_text devices;
    verdict = judged(request->out.len == 0 ||
                     (info.bytes.len == bytes.len && memcmp(info.bytes.data, bytes.data, bytes.len) == 0 &&
                      is_hex(request->out, "account_id", info.account, sizeof info.account) &&
                      is_integer(request->out, "version", info.version) &&
                      is_integer(request->out, "next_id", info.next_id) &&
                      json_member(request->out, "devices", &devices) && has_these_devices(list, devices)));
  }
  subrosa_list_free(list);
  free(bytes.data);
  return verdict;
}

/* Whether `ids` are the devices of all events of this kind, in this order. */
static bool are_events(const subrosa_events *events, int32_t kind, json_text ids) {
  size_t at = 0;
  json_text id;
  for (size_t i = 0; i < subrosa_events_count(events); i++) {
    subrosa_event event = {.struct_size = sizeof event};
    uint64_t wanted;
    if (subrosa_events_get(events, i, &event) != SUBROSA_OK) return false;
    if (event.kind != kind) continue;
    if (!json_element(ids, &at, &id) || !json_integer(id, &wanted) || wanted != event.address.device) return false;
  }
  return !json_element(ids, &at, &id);
}

static bool is_change(const subrosa_events *events, json_text change) {
  json_text added, removed, keys_changed;
  if (json_is(change, "null")) return subrosa_events_count(events) == 0;
  if (!json_member(change, "added", &added) || !json_member(change, "removed", &removed)) return false;
  if (!json_member(change, "keys_changed", &keys_changed)) return false;
  const char *of_keys = json_is(keys_changed, "true") ? "[0]" : "[]";
  json_text changed = {of_keys, strlen(of_keys)};
  return are_events(events, SUBROSA_EVENT_DEVICE_ADDED, added) &&
         are_events(events, SUBROSA_EVENT_DEVICE_REMOVED, removed) &&
         are_events(events, SUBROSA_EVENT_KEY_CHANGED, changed);
}

static verdict update(const request *request, subrosa_device *device, subrosa_bytes known, subrosa_bytes next) {
  subrosa_list *list = NULL;
  subrosa_list_info info = {.struct_size = sizeof info};
  subrosa_events *events = NULL;
  if (subrosa_list_parse(known.data, known.len, &list) != SUBROSA_OK) return CONTRADICTS;
  subrosa_status status = subrosa_list_read(list, &info);
  subrosa_list_free(list);
  if (status != SUBROSA_OK) return CONTRADICTS;
  if (subrosa_device_update_list(device, info.account, &known, 1, NOW, &events) != SUBROSA_OK) return CONTRADICTS;
  bool learned_quietly = subrosa_events_count(events) == 0;
  subrosa_events_free(events);
  events = NULL;
  status = subrosa_device_update_list(device, info.account, &next, 1, NOW, &events);
  if (request->error.len > 0) return refused_as(request, status);
  json_text change;
  verdict verdict = judged(status == SUBROSA_OK && learned_quietly && json_member(request->out, "change", &change) &&
                           is_change(events, change));
  subrosa_events_free(events);
  return verdict;
}

static verdict succession(const request *request) {
  json_bytes known, next;
  if (!hex_field(request->input, "known", &known)) return NOT_ASKED;
  if (!hex_field(request->input, "next", &next)) {
    free(known.data);
    return NOT_ASKED;
  }
  subrosa_device *device = new_device();
  verdict verdict =
      update(request, device, (subrosa_bytes){known.data, known.len}, (subrosa_bytes){next.data, next.len});
  subrosa_device_free(device);
  free(known.data);
  free(next.data);
  return verdict;
}

/* ---- Addresses and codes ---------------------------------------------------------------------------------------- */

/* A device that is to be linked shows its address to the primary. */
static verdict address(const request *request) {
  static const uint8_t app_key[SUBROSA_APP_KEY] = {7};
  json_bytes account;
  uint64_t id;
  subrosa_address address, own;
  subrosa_store *store = NULL;
  subrosa_device *device = NULL;
  uint8_t link[SUBROSA_LINK_REQUEST];
  size_t len = sizeof link;
  if (!integer_field(request->input, "device", &id) || id == 0 || id > UINT32_MAX) return NOT_ASKED;
  if (!hex_field(request->input, "account_id", &account)) return NOT_ASKED;
  if (account.len != sizeof address.account || request->out.len == 0) {
    free(account.data);
    return NOT_ASKED;
  }
  memcpy(address.account, account.data, account.len);
  free(account.data);
  address.device = (uint32_t)id;
  if (subrosa_store_memory(&store) != SUBROSA_OK) return CONTRADICTS;
  if (subrosa_device_create_linked(store, app_key, NULL, &address, NOW, &device) != SUBROSA_OK) {
    subrosa_store_free(store);
    return CONTRADICTS;
  }
  /* Behind the length of the address, a byte. */
  verdict verdict = judged(subrosa_device_link_request(device, link, &len) == SUBROSA_OK && len == sizeof link &&
                           is_hex(request->out, "address", link + 1, SUBROSA_ADDRESS) &&
                           subrosa_device_address(device, &own) == SUBROSA_OK && own.device == address.device &&
                           memcmp(own.account, address.account, sizeof own.account) == 0);
  subrosa_device_free(device);
  return verdict;
}

/* The fingerprints are those of the device at hand: only what is refused is compared. */
static verdict scan(const request *request) {
  json_bytes scanned;
  subrosa_address own;
  bool equal = true;
  if (!hex_field(request->input, "scanned", &scanned)) return NOT_ASKED;
  subrosa_device *device = new_device();
  verdict verdict = CONTRADICTS;
  if (subrosa_device_address(device, &own) == SUBROSA_OK) {
    subrosa_status status = subrosa_device_scan(device, own.account, scanned.data, scanned.len, &equal);
    verdict = request->error.len > 0 ? refused_as(request, status) : judged(status == SUBROSA_OK && !equal);
  }
  subrosa_device_free(device);
  free(scanned.data);
  return verdict;
}

/* ---- Bundles and messages --------------------------------------------------------------------------------------- */

/* A bundle that holds is one of an account that the device does not know. */
static verdict verify_bundle(const request *request) {
  json_bytes bundle, address;
  uint64_t now;
  subrosa_addresses *begun = NULL;
  subrosa_address of;
  if (!integer_field(request->input, "now", &now) || !hex_field(request->input, "bundle", &bundle)) return NOT_ASKED;
  subrosa_device *device = new_device();
  subrosa_bytes bytes = {bundle.data, bundle.len};
  verdict verdict = CONTRADICTS;
  if (subrosa_device_begin(device, &bytes, 1, now, &begun) == SUBROSA_OK && subrosa_addresses_count(begun) == 1) {
    subrosa_status status = subrosa_addresses_get(begun, 0, &of);
    if (request->error.len > 0) {
      verdict = refused_as(request, status);
    } else if (hex_field(request->out, "address", &address)) {
      /* Other addresses are not those of accounts. */
      bool of_account = address.len == SUBROSA_ADDRESS;
      verdict = judged(status == (of_account ? SUBROSA_ERROR_UNKNOWN_ACCOUNT : SUBROSA_ERROR_MALFORMED));
      free(address.data);
    }
  }
  subrosa_addresses_free(begun);
  subrosa_device_free(device);
  free(bundle.data);
  return verdict;
}

/* A message that is one is of no conversation that the device has. One that begins a conversation is also looked into, so
 * of it only what is refused at once is compared. */
static verdict parse_message(const request *request) {
  json_bytes message;
  json_text prefix;
  subrosa_events *events = NULL;
  subrosa_event event = {.struct_size = sizeof event};
  if (!hex_field(request->input, "message", &message)) return NOT_ASKED;
  bool begins = request->error.len == 0 && !(json_member(request->out, "prefix", &prefix) && json_is(prefix, "null"));
  subrosa_device *device = new_device();
  subrosa_bytes bytes = {message.data, message.len};
  verdict verdict = CONTRADICTS;
  if (begins) {
    verdict = NOT_ASKED;
  } else if (subrosa_device_receive(device, &bytes, 1, NOW, &events) == SUBROSA_OK &&
             subrosa_events_get(events, 0, &event) == SUBROSA_OK && event.kind == SUBROSA_EVENT_REJECTED &&
             event.envelope == 0) {
    verdict = request->error.len > 0 ? refused_as(request, event.status)
                                     : judged(event.status == SUBROSA_ERROR_NO_SESSION);
  }
  subrosa_events_free(events);
  subrosa_device_free(device);
  free(message.data);
  return verdict;
}

/* ---- Keys of a store -------------------------------------------------------------------------------------------- */

/* A store that holds nothing for long, and remembers the names of what was asked for and stored. */
typedef struct names {
  subrosa_key keys[VALUES];
  size_t count;
  struct value {
    subrosa_key key;
    uint8_t bytes[4096];
    size_t len;
  } values[VALUES];
  size_t stored;
} names;

static void remember(names *names, const subrosa_key *key) {
  if (names->count < VALUES) names->keys[names->count++] = *key;
}

static int32_t names_get(void *context, const subrosa_key *key, uint8_t *value, size_t *len) {
  names *names = context;
  remember(names, key);
  for (size_t i = names->stored; i > 0; i--) {
    const struct value *found = &names->values[i - 1];
    if (memcmp(&found->key, key, sizeof *key) != 0) continue;
    if (found->len <= *len) memcpy(value, found->bytes, found->len);
    *len = found->len;
    return SUBROSA_GET_FOUND;
  }
  return SUBROSA_GET_ABSENT;
}

static int32_t names_commit(void *context, uint64_t base, const subrosa_put *puts, size_t puts_len,
                            const subrosa_key *deletes, size_t deletes_len) {
  names *names = context;
  (void)base;
  (void)deletes;
  (void)deletes_len;
  for (size_t i = 0; i < puts_len; i++) {
    struct value *value = &names->values[names->stored];
    if (names->stored == VALUES || puts[i].value.len > sizeof value->bytes) return SUBROSA_COMMIT_FAILED;
    remember(names, &puts[i].key);
    value->key = puts[i].key;
    value->len = puts[i].value.len;
    memcpy(value->bytes, puts[i].value.data, value->len);
    names->stored++;
  }
  return SUBROSA_COMMIT_DONE;
}

/* The kinds of values (SPEC 19.4) whose names a new device can be brought to ask for. */
enum { IDENTITY = 1, PREKEYS = 2, ROOT = 4, ACCOUNT = 6, OUTBOX = 8, ACCOUNT_SEED = 11 };

/* Brings a device to ask for the value, and looks whether it asks for this key. */
static verdict asks_for(const request *request, names *names, const uint8_t *app_key, uint64_t kind, json_bytes name) {
  uint8_t recovery[SUBROSA_SEED];
  subrosa_store *store = NULL;
  subrosa_device *device = NULL;
  subrosa_list *list = NULL;
  subrosa_outbox *sealed = NULL;
  subrosa_store_vtable vtable = {.struct_size = sizeof vtable, .context = names, .get = names_get, .commit = names_commit};
  if (subrosa_store_custom(&vtable, &store) != SUBROSA_OK) return CONTRADICTS;
  if (subrosa_device_create(store, app_key, NULL, NOW, &device, recovery) != SUBROSA_OK) {
    subrosa_store_free(store);
    return CONTRADICTS;
  }
  subrosa_status status = SUBROSA_OK, wanted = SUBROSA_OK;
  if (kind == ACCOUNT) {
    wanted = SUBROSA_ERROR_UNKNOWN_ACCOUNT;
    status = subrosa_device_list(device, name.data, &list);
  } else if (kind == OUTBOX) {
    wanted = SUBROSA_ERROR_NOT_FOUND;
    status = subrosa_device_retry(device, name.data, name.len, &sealed);
  }
  subrosa_device_free(device);
  if (status != wanted) return CONTRADICTS;
  for (size_t i = 0; i < names->count; i++) {
    if (is_hex(request->out, "key", names->keys[i].bytes, SUBROSA_KEY)) return AGREES;
  }
  return CONTRADICTS;
}

static verdict store_key(const request *request) {
  json_bytes app_key, name;
  uint64_t kind;
  if (!integer_field(request->input, "kind", &kind) || !hex_field(request->input, "app_key", &app_key)) return NOT_ASKED;
  if (!hex_field(request->input, "name", &name)) {
    free(app_key.data);
    return NOT_ASKED;
  }
  bool single = kind == IDENTITY || kind == PREKEYS || kind == ROOT || kind == ACCOUNT_SEED;
  bool can = (single && name.len == 0) || (kind == ACCOUNT && name.len == SUBROSA_ACCOUNT) ||
             (kind == OUTBOX && name.len > 0 && name.len <= SUBROSA_CLIENT_ID_MAX);
  names *names = calloc(1, sizeof *names);
  verdict verdict = NOT_ASKED;
  if (names != NULL && can && app_key.len == SUBROSA_APP_KEY && request->out.len > 0) {
    verdict = asks_for(request, names, app_key.data, kind, name);
  }
  free(names);
  free(app_key.data);
  free(name.data);
  return verdict;
}

/* A store that has one value, under whichever name is asked for first. */
typedef struct single {
  json_bytes value;
  size_t asked;
} single;

static int32_t single_get(void *context, const subrosa_key *key, uint8_t *value, size_t *len) {
  single *single = context;
  (void)key;
  if (single->asked++ > 0) return SUBROSA_GET_ABSENT;
  if (single->value.len > *len) return SUBROSA_GET_FAILED;
  memcpy(value, single->value.data, single->value.len);
  *len = single->value.len;
  return SUBROSA_GET_FOUND;
}

static int32_t single_commit(void *context, uint64_t base, const subrosa_put *puts, size_t puts_len,
                             const subrosa_key *deletes, size_t deletes_len) {
  (void)context, (void)base, (void)puts, (void)puts_len, (void)deletes, (void)deletes_len;
  return SUBROSA_COMMIT_FAILED;
}

/* To open a device begins with its root. If that is read, the device asks for more, of which there is nothing. */
static verdict open_root(const request *request, single *single, const uint8_t *app_key) {
  subrosa_store *store = NULL;
  subrosa_device *device = NULL;
  subrosa_store_vtable vtable = {
      .struct_size = sizeof vtable, .context = single, .get = single_get, .commit = single_commit};
  if (subrosa_store_custom(&vtable, &store) != SUBROSA_OK) return CONTRADICTS;
  subrosa_status status = subrosa_device_open(store, app_key, NULL, NULL, &device);
  bool kept = subrosa_store_free(store) == SUBROSA_OK;
  if (!kept || status == SUBROSA_OK) return CONTRADICTS;
  if (request->error.len > 0) return single->asked == 1 ? refused_as(request, status) : CONTRADICTS;
  return judged(single->asked > 1);
}

static verdict open_value(const request *request) {
  json_bytes app_key, name;
  single single = {{NULL, 0}, 0};
  uint64_t kind;
  verdict verdict = NOT_ASKED;
  if (!integer_field(request->input, "kind", &kind) || kind != ROOT) return NOT_ASKED;
  if (!hex_field(request->input, "app_key", &app_key)) return NOT_ASKED;
  if (hex_field(request->input, "name", &name)) {
    if (name.len == 0 && app_key.len == SUBROSA_APP_KEY && hex_field(request->input, "value", &single.value)) {
      verdict = open_root(request, &single, app_key.data);
      free(single.value.data);
    }
    free(name.data);
  }
  free(app_key.data);
  return verdict;
}

/* ---- All of them ------------------------------------------------------------------------------------------------ */

static struct operation {
  const char *name;
  verdict (*ask)(const request *request);
  unsigned long answered;
  bool fault_planted;
} operations[] = {
    {"\"account.parse\"", list_parse, 0, false},
    {"\"account.succession\"", succession, 0, false},
    {"\"account.address\"", address, 0, false},
    {"\"account.scan\"", scan, 0, false},
    {"\"agreement.verify_bundle\"", verify_bundle, 0, false},
    {"\"envelope.parse\"", parse_message, 0, false},
    {"\"device.store_key\"", store_key, 0, false},
    {"\"device.open\"", open_value, 0, false},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

bool direct_agrees(json_text op, json_text input, json_text response) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    struct operation *operation = &operations[i];
    if (!json_is(op, operation->name)) continue;
    request request = {input, {NULL, 0}, {NULL, 0}};
    bool has_out = json_member(response, "out", &request.out);
    /* What is no input of the operation is none of a function either. */
    if (!has_out && !json_member(response, "error", &request.error)) return true;
    altered = operation->fault_planted;
    verdict verdict = operation->ask(&request);
    if (verdict != NOT_ASKED) operation->answered++;
    if (verdict != CONTRADICTS) return true;
    fprintf(stderr, "%s: the functions for apps contradict %.*s on %.*s\n", operation->name, (int)response.len, response.at,
            (int)input.len, input.at);
    return false;
  }
  return true;
}

bool direct_plant_fault(const char *op) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    const char *name = operations[i].name + 1;
    if (strlen(op) != strlen(name) - 1 || memcmp(op, name, strlen(op)) != 0) continue;
    operations[i].fault_planted = true;
    return true;
  }
  return false;
}

void direct_report(FILE *to) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    fprintf(to, "by functions for apps as well: %lu of %s\n", operations[i].answered, operations[i].name);
  }
}
