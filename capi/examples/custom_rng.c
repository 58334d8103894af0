/*
 * A device whose randomness comes from the program, and what happens when there is none for a while.
 */
#include "check.h"

static const uint64_t now = 1767225600000;

/* A source that can be switched off. `file` is the system's: what an app has is better, or it would take the library's.
 */
struct source {
  FILE *file;
  unsigned calls;
  bool dry;
};

/* What the library calls. It must not call the library. */
static int32_t fill(void *context, uint8_t *out, size_t len) {
  struct source *source = context;
  source->calls++;
  if (source->dry) return -1;
  return fread(out, 1, len, source->file) == len ? 0 : -1;
}

/* Bytes that no call has written to, because it has failed. */
static bool untouched(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (bytes[i] != 0xa5) return false;
  }
  return true;
}

int main(void) {
  struct source source = {.file = fopen("/dev/urandom", "rb")};
  REQUIRE(source.file != NULL);
  const subrosa_rng rng = {.struct_size = sizeof rng, .context = &source, .fill = fill};
  const uint8_t app_key[SUBROSA_APP_KEY] = {42};
  uint8_t recovery[SUBROSA_SEED];
  memset(recovery, 0xa5, sizeof recovery);

  /* Nothing comes out of a call that finds no randomness, and the store is still the program's. */
  subrosa_store *store;
  subrosa_device *device = NULL;
  CHECK(subrosa_store_memory(&store));
  source.dry = true;
  EXPECT(SUBROSA_ERROR_RNG, subrosa_device_create(store, app_key, &rng, now, &device, recovery));
  REQUIRE(source.calls > 0 && device == NULL && untouched(recovery, sizeof recovery));

  /* Once there is some, the same call succeeds. The device keeps the source, a copy of `rng`. */
  source.dry = false;
  CHECK(subrosa_device_create(store, app_key, &rng, now, &device, recovery));
  REQUIRE(!untouched(recovery, sizeof recovery));

  /* The same for a call of the device: it gives nothing out, and stores nothing. */
  uint64_t before, after;
  subrosa_bundles *bundles = NULL;
  subrosa_bundles_info info = {.struct_size = sizeof info};
  CHECK(subrosa_device_generation(device, &before));
  source.dry = true;
  EXPECT(SUBROSA_ERROR_RNG, subrosa_device_publish(device, 1, now, &bundles));
  CHECK(subrosa_device_generation(device, &after));
  REQUIRE(bundles == NULL && after == before);
  REQUIRE(subrosa_status_action(SUBROSA_ERROR_RNG) == SUBROSA_ACTION_LOCAL);

  source.dry = false;
  CHECK(subrosa_device_publish(device, 1, now, &bundles));
  CHECK(subrosa_bundles_read(bundles, &info));
  CHECK(subrosa_device_generation(device, &after));
  REQUIRE(info.one_time == 1 && after == before + 1);
  CHECK(subrosa_bundles_free(bundles));

  /* What needs no randomness asks for none. */
  const unsigned calls = source.calls;
  subrosa_address address;
  bool due;
  CHECK(subrosa_device_address(device, &address));
  CHECK(subrosa_device_publish_due(device, now, &due));
  REQUIRE(source.calls == calls && !due);
  CHECK(subrosa_device_free(device));
  fclose(source.file);

  /* NULL is the operating system's generator: two devices are not the same one. A bare build may have none. */
  subrosa_address other;
  CHECK(subrosa_store_memory(&store));
  subrosa_status status = subrosa_device_create(store, app_key, NULL, now, &device, recovery);
  if (status == SUBROSA_ERROR_UNSUPPORTED) {
    CHECK(subrosa_store_free(store));
    return 0;
  }
  CHECK(status);
  CHECK(subrosa_device_address(device, &other));
  REQUIRE(memcmp(address.account, other.account, SUBROSA_ACCOUNT) != 0);
  CHECK(subrosa_device_free(device));
}
