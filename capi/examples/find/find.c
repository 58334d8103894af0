/* The least that shows that header and library have been found, and are of one interface. */
#include <stdio.h>
#include <subrosa.h>

int main(void) {
  const uint32_t linked = subrosa_abi_version();
  if (linked >> 16 != SUBROSA_ABI_MAJOR || (linked & 0xffff) < SUBROSA_ABI_MINOR) {
    fprintf(stderr, "the library is older than the header\n");
    return 1;
  }
  printf("subrosa %u.%u, %s\n", (unsigned)(linked >> 16), (unsigned)(linked & 0xffff), subrosa_status_str(SUBROSA_OK));
  return 0;
}
