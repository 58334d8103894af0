/* What a message costs: sealed, read, and acknowledged on both sides, four commits to a store in memory. They come in turn, so
 * that each begins a new chain. It prints, and judges nothing. */

#include "device.h"

#include <time.h>

static double seconds(int texts) {
  const clock_t start = clock();
  for (int i = 0; i < 10; i++) {
    talk(texts);
  }
  return (double)(clock() - start) / CLOCKS_PER_SEC;
}

int main(void) {
  const int texts = 400;
  talk(texts);
  const double without = seconds(0);
  printf("a message: %.0f us of processor time\n", (seconds(texts) - without) / 10 / texts * 1e6);
  return 0;
}
