// The header in C++11: it compiles, its functions are found by their names of C, and objects fit the usual wrapper.
#include <cstdio>
#include <memory>

#include <subrosa.h>

namespace {

struct Free {
  void operator()(subrosa_device *device) const {
    subrosa_device_free(device);
  }
  void operator()(subrosa_store *store) const {
    subrosa_store_free(store);
  }
};

int fail(const char *what) {
  std::fprintf(stderr, "%s\n", what);
  return 1;
}

// Enough for keys that differ from each other; an app takes its system's.
uint8_t step(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return static_cast<uint8_t>(*state >> 24);
}

} // namespace

int main() {
  static_assert(sizeof(subrosa_status) == 4, "a status has 32 bits");
  if (subrosa_abi_version() != (SUBROSA_ABI_MAJOR << 16 | SUBROSA_ABI_MINOR)) return fail("another interface");

  subrosa_store *made = nullptr;
  if (subrosa_store_memory(&made) != SUBROSA_OK) return fail("no store");
  std::unique_ptr<subrosa_store, Free> store(made);

  uint8_t key[SUBROSA_APP_KEY] = {};
  uint8_t recovery[SUBROSA_SEED];
  subrosa_rng rng = {};
  rng.struct_size = sizeof rng;
  uint32_t next = 1;
  rng.context = &next;
  rng.fill = [](void *context, uint8_t *out, size_t len) -> int32_t {
    for (size_t i = 0; i < len; i++) out[i] = step(static_cast<uint32_t *>(context));
    return 0;
  };
  subrosa_device *device = nullptr;
  if (subrosa_device_create(store.get(), key, &rng, 0, &device, recovery) != SUBROSA_OK) return fail("no device");
  store.release();
  std::unique_ptr<subrosa_device, Free> owner(device);

  subrosa_address address = {};
  if (subrosa_device_address(device, &address) != SUBROSA_OK || address.device != 1) return fail("no address");
  return 0;
}
