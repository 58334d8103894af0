/*
 * A group of three devices of two accounts: made, talked in, changed by two at once, left by one device, and another one is
 * removed. The server, with its device lists, key packages and messages, lies in memory here.
 */
#include "check.h"

/* Time is an argument: 2026-01-01. */
static const uint64_t now = 1767225600000;

/* ---- What a server has of each device */

enum { PHONE, LAPTOP, BOB, DEVICES };

static const char *const names[DEVICES] = {"Alice's phone", "Alice's laptop", "Bob"};

/* Bytes that are there until the end of the program. */
struct message {
  uint8_t bytes[4096];
  size_t len;
};

static struct device {
  subrosa_device *device;
  subrosa_address address;
  struct message key_package;
  /* What it has not read yet, oldest first. */
  struct message queue[8];
  size_t waiting;
  bool is_member;
} devices[DEVICES];

static uint64_t epoch = 0;

static struct message copied(subrosa_bytes bytes) {
  struct message message = {.len = bytes.len};
  REQUIRE(bytes.len <= sizeof message.bytes);
  memcpy(message.bytes, bytes.data, bytes.len);
  return message;
}

static void deliver(struct device *to, subrosa_bytes bytes) {
  REQUIRE(to->waiting < sizeof to->queue / sizeof to->queue[0]);
  to->queue[to->waiting++] = copied(bytes);
}

static struct device *whose(const subrosa_address *address) {
  struct device *at = devices;
  while (memcmp(&at->address, address, sizeof *address) != 0) REQUIRE(++at < devices + DEVICES);
  return at;
}

/* The first 45 bytes of a message are not encrypted: version, format, the group with its length, and the epoch. */
static uint64_t epoch_of(subrosa_bytes message) {
  uint64_t number = 0;
  REQUIRE(message.len >= 45);
  for (int i = 37; i < 45; i++) number = number << 8 | message.data[i];
  return number;
}

/* What the delivery service does with the only message of `sealed`, and whether it has taken it: of the changes of an epoch the
 * first one. All members are given the same messages in the same order; who is added gets the Welcome, and what comes then. */
static bool server_takes(subrosa_outbox *sealed) {
  subrosa_sent sent = {.struct_size = sizeof sent};
  subrosa_copy copy = {.struct_size = sizeof copy};
  CHECK(subrosa_outbox_get(sealed, 0, &sent));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &copy));
  const bool taken = sent.kind != SUBROSA_SENT_CHANGE || epoch_of(copy.message) == epoch;
  for (int i = 0; taken && i < DEVICES; i++) {
    if (devices[i].is_member) deliver(&devices[i], copy.message);
  }
  for (size_t i = 1; taken && i < sent.copies; i++) {
    CHECK(subrosa_outbox_copy(sealed, 0, i, &copy));
    struct device *added = whose(&copy.to);
    added->is_member = true;
    deliver(added, copy.message);
  }
  if (taken && sent.kind == SUBROSA_SENT_CHANGE) epoch++;
  CHECK(subrosa_outbox_free(sealed));
  return taken;
}

/* The newest list of an account, from the device that keeps it here. */
static void fetch_list(struct device *for_whom, const uint8_t *account) {
  subrosa_address of = {.device = 1};
  memcpy(of.account, account, sizeof of.account);
  subrosa_list *list;
  subrosa_list_info info = {.struct_size = sizeof info};
  subrosa_events *events;
  CHECK(subrosa_device_list(whose(&of)->device, account, &list));
  CHECK(subrosa_list_read(list, &info));
  CHECK(subrosa_device_update_list(for_whom->device, account, &info.bytes, 1, now, &events));
  CHECK(subrosa_events_free(events));
  CHECK(subrosa_list_free(list));
}

/* ---- What an app does */

/* An app passes NULL for the system's generator, unless its library was built without it. */
static int32_t fill(void *context, uint8_t *out, size_t len) {
  return fread(out, 1, len, (FILE *)context) == len ? 0 : -1;
}

static subrosa_store *new_store(void) {
  subrosa_store *store;
  CHECK(subrosa_store_memory(&store));
  return store;
}

/* The devices, and one key package of each. That one of last resort would serve several groups. */
static void make_devices(const subrosa_rng *rng) {
  const uint8_t app_key[SUBROSA_APP_KEY] = {42};
  uint8_t recovery[SUBROSA_SEED], request[SUBROSA_LINK_REQUEST];
  size_t len = sizeof request;
  subrosa_list *list;
  CHECK(subrosa_device_create(new_store(), app_key, rng, now, &devices[PHONE].device, recovery));
  CHECK(subrosa_device_create(new_store(), app_key, rng, now, &devices[BOB].device, recovery));
  CHECK(subrosa_device_address(devices[PHONE].device, &devices[PHONE].address));
  CHECK(subrosa_device_address(devices[BOB].device, &devices[BOB].address));

  subrosa_address second = devices[PHONE].address;
  second.device = 2;
  devices[LAPTOP].address = second;
  CHECK(subrosa_device_create_linked(new_store(), app_key, rng, &second, now, &devices[LAPTOP].device));
  CHECK(subrosa_device_link_request(devices[LAPTOP].device, request, &len));
  CHECK(subrosa_device_link(devices[PHONE].device, request, len, &list));
  CHECK(subrosa_list_free(list));
  fetch_list(&devices[LAPTOP], second.account);

  for (int i = 0; i < DEVICES; i++) {
    subrosa_bundles *published;
    subrosa_bytes key_package;
    CHECK(subrosa_device_publish_key_packages(devices[i].device, 1, now, &published));
    CHECK(subrosa_bundles_one_time(published, 0, &key_package));
    devices[i].key_package = copied(key_package);
    CHECK(subrosa_bundles_free(published));
  }
}

/* What became of a message. Whether it is dealt with. */
static bool show(struct device *at, const char *name, const subrosa_event *event) {
  switch (event->kind) {
    case SUBROSA_EVENT_MESSAGE:
      printf("%s reads of %s: %.*s\n", name, names[whose(&event->address) - devices], (int)event->text.len,
             (const char *)event->text.data);
      CHECK(subrosa_device_read(at->device, &event->id, 1));
      return true;
    case SUBROSA_EVENT_LIST_NEEDED:
      fetch_list(at, event->address.account);
      return false;
    case SUBROSA_EVENT_REJECTED:
      /* One's own message comes back as well; and of two changes one is late. */
      REQUIRE(event->status == SUBROSA_ERROR_GROUP_OWN_MESSAGE || event->status == SUBROSA_ERROR_GROUP_EPOCH);
      return true;
    case SUBROSA_EVENT_GROUP_JOINED:
      printf("%s is a member\n", name);
      return true;
    case SUBROSA_EVENT_GROUP_PROPOSED:
      printf("%s hears that %s would leave\n", name, names[whose(&event->address) - devices]);
      return true;
    case SUBROSA_EVENT_GROUP_LEFT:
      printf("%s is no member any more\n", name);
      CHECK(subrosa_device_group_forget(at->device, event->group));
      at->is_member = false;
      return true;
    default:
      REQUIRE(event->kind >= SUBROSA_EVENT_GROUP_CHANGED && event->kind <= SUBROSA_EVENT_GROUP_REMOVED);
      return true;
  }
}

/* A device reads all that waits; what has to wait for device lists it reads again, with what is behind. */
static void receive(int number) {
  struct device *at = &devices[number];
  for (bool again = at->waiting > 0; again;) {
    subrosa_bytes messages[8];
    subrosa_events *events;
    again = false;
    for (size_t i = 0; i < at->waiting; i++) {
      messages[i].data = at->queue[i].bytes;
      messages[i].len = at->queue[i].len;
    }
    CHECK(subrosa_device_group_receive(at->device, messages, at->waiting, now, &events));
    size_t first = at->waiting;
    for (size_t i = 0; i < subrosa_events_count(events); i++) {
      subrosa_event event = {.struct_size = sizeof event};
      CHECK(subrosa_events_get(events, i, &event));
      if (!show(at, names[number], &event) && event.envelope < first) first = event.envelope;
      again = again || event.kind == SUBROSA_EVENT_LIST_NEEDED;
    }
    CHECK(subrosa_events_free(events));
    at->waiting -= first;
    memmove(at->queue, at->queue + first, at->waiting * sizeof at->queue[0]);
  }
}

static void all_receive(void) {
  for (int i = 0; i < DEVICES; i++) receive(i);
}

static void say(int number, const uint8_t *group, const char *text) {
  const subrosa_bytes id = {(const uint8_t *)text, 4};
  subrosa_outbox *sealed;
  CHECK(subrosa_device_group_send(devices[number].device, group, id.data, id.len, (const uint8_t *)text, strlen(text),
                                  &sealed));
  REQUIRE(server_takes(sealed));
  CHECK(subrosa_device_group_sent(devices[number].device, &id, 1));
  all_receive();
}

/* Makes a change, under the name of its number. */
static subrosa_outbox *change(int number, const uint8_t *group, const subrosa_bytes *add, size_t added,
                              const subrosa_address *remove, size_t removed) {
  static uint8_t id = 0;
  subrosa_outbox *sealed;
  id++;
  CHECK(subrosa_device_group_change(devices[number].device, group, &id, 1, add, added, remove, removed, now, &sealed));
  return sealed;
}

/* All who are members are in the same epoch of the same group. */
static void same_group(const uint8_t *group) {
  uint8_t first[SUBROSA_AUTHENTICATOR], other[SUBROSA_AUTHENTICATOR];
  uint64_t number;
  CHECK(subrosa_device_group_epoch(devices[PHONE].device, group, &number, first));
  for (int i = 0; i < DEVICES; i++) {
    if (!devices[i].is_member) continue;
    CHECK(subrosa_device_group_epoch(devices[i].device, group, &number, other));
    REQUIRE(number == epoch && memcmp(first, other, sizeof first) == 0);
  }
}

int main(void) {
  FILE *random = fopen("/dev/urandom", "rb");
  REQUIRE(random != NULL);
  const subrosa_rng rng = {.struct_size = sizeof rng, .context = random, .fill = fill};
  make_devices(&rng);

  uint8_t group[SUBROSA_GROUP];
  CHECK(subrosa_device_group_create(devices[PHONE].device, now, group));
  devices[PHONE].is_member = true;
  fetch_list(&devices[PHONE], devices[BOB].address.account);
  const subrosa_bytes add[2] = {{devices[LAPTOP].key_package.bytes, devices[LAPTOP].key_package.len},
                                {devices[BOB].key_package.bytes, devices[BOB].key_package.len}};
  REQUIRE(server_takes(change(PHONE, group, add, 2, NULL, 0)));
  all_receive();
  same_group(group);
  say(BOB, group, "Who is here?");
  say(PHONE, group, "Two of me.");

  /* Two give themselves new keys at the same time. One of them has to do it again, if it still would. */
  subrosa_outbox *first = change(BOB, group, NULL, 0, NULL, 0), *second = change(LAPTOP, group, NULL, 0, NULL, 0);
  REQUIRE(server_takes(first) && !server_takes(second));
  all_receive();
  same_group(group);
  subrosa_outbox *gone = NULL;
  EXPECT(SUBROSA_ERROR_NOT_FOUND, subrosa_device_group_retry(devices[LAPTOP].device, (const uint8_t *)"\3", 1, &gone));

  /* The laptop leaves: it asks, and somebody else has to do it. Before that nobody says anything. */
  subrosa_outbox *sealed;
  CHECK(subrosa_device_group_leave(devices[LAPTOP].device, group, (const uint8_t *)"bye", 3, &sealed));
  REQUIRE(server_takes(sealed));
  all_receive();
  EXPECT(SUBROSA_ERROR_GROUP_PROPOSALS_WAIT,
         subrosa_device_group_send(devices[BOB].device, group, (const uint8_t *)"1", 1, NULL, 0, &sealed));
  REQUIRE(server_takes(change(BOB, group, NULL, 0, NULL, 0)));
  all_receive();
  REQUIRE(!devices[LAPTOP].is_member);
  same_group(group);
  say(BOB, group, "Just us two.");

  /* And Bob is removed. */
  REQUIRE(server_takes(change(PHONE, group, NULL, 0, &devices[BOB].address, 1)));
  all_receive();
  REQUIRE(!devices[BOB].is_member);
  subrosa_addresses *members;
  CHECK(subrosa_device_group_members(devices[PHONE].device, group, &members));
  REQUIRE(subrosa_addresses_count(members) == 1);
  CHECK(subrosa_addresses_free(members));
  for (int i = 0; i < DEVICES; i++) CHECK(subrosa_device_free(devices[i].device));
  fclose(random);
}
