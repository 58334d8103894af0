/* The bare library takes its memory from the host, whose functions are set before any other call, and gives it back. */

#include "device.h"

/* Stands before each block, as large as the greatest alignment that is asked for here. */
struct block {
  size_t size, align;
  char *from;
};

static struct {
  size_t taken, held, bytes;
} count;

static void *allocate(void *context, size_t size, size_t align) {
  CHECK(context == &count);
  CHECK(size > 0 && align > 0 && (align & (align - 1)) == 0);
  char *from = malloc(sizeof(struct block) + align + size);
  CHECK(from != NULL);
  uintptr_t address = (uintptr_t)(from + sizeof(struct block));
  char *memory = from + sizeof(struct block) + (align - address % align) % align;
  struct block block = {size, align, from};
  memcpy(memory - sizeof block, &block, sizeof block);
  count.taken++;
  count.held++;
  count.bytes += size;
  return memory;
}

static void release(void *context, void *memory, size_t size, size_t align) {
  struct block block;
  CHECK(context == &count);
  memcpy(&block, (char *)memory - sizeof block, sizeof block);
  CHECK(block.size == size && block.align == align);
  count.held--;
  count.bytes -= size;
  free(block.from);
}

int main(void) {
  subrosa_allocator allocator = {sizeof allocator, &count, allocate, release};
  subrosa_allocator half = {sizeof half, &count, allocate, NULL};

  /* What is refused sets nothing, and takes no memory. */
  CHECK(subrosa_set_allocator(NULL) == SUBROSA_ERROR_ARGUMENT);
  CHECK(subrosa_set_allocator(&half) == SUBROSA_ERROR_ARGUMENT);
  CHECK(subrosa_abi_version() == (SUBROSA_ABI_MAJOR << 16 | SUBROSA_ABI_MINOR));
  OK(subrosa_set_allocator(&allocator));
  CHECK(subrosa_set_allocator(&allocator) == SUBROSA_ERROR_BUSY);
  CHECK(count.taken == 0);

  /* What stays is the table of handles. */
  talk(4);
  CHECK(subrosa_set_allocator(&allocator) == SUBROSA_ERROR_BUSY);
  CHECK(count.taken > 100);
  CHECK(count.held == 1);
  const size_t table = count.bytes;
  for (int i = 0; i < 10; i++) {
    talk(4);
    CHECK(count.held == 1 && count.bytes == table);
  }
  printf("memory was taken %zu times; what stays: %zu bytes\n", count.taken, table);
  return 0;
}
