/* Without functions of the host, memory comes from malloc, for good. */

#include "device.h"

static void *allocate(void *context, size_t size, size_t align) {
  (void)context, (void)size, (void)align;
  return NULL;
}

static void release(void *context, void *memory, size_t size, size_t align) {
  (void)context, (void)memory, (void)size, (void)align;
}

int main(void) {
  const subrosa_allocator allocator = {sizeof allocator, NULL, allocate, release};
  talk(4);
  CHECK(subrosa_set_allocator(&allocator) == SUBROSA_ERROR_BUSY);
  talk(4);
  puts("memory came from malloc");
  return 0;
}
