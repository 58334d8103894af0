/* Two libraries written in Rust in one program: the bare one, and another that brings Rust's standard library. */

#include "../bare/device.h"

int32_t other_words(const char *text);
int32_t other_catches(void);

int main(void) {
  /* In between, so that neither has the program's first word nor its last. */
  CHECK(other_words("one two two") == 2);
  talk(4);
  CHECK(other_catches() == 1);
  talk(4);
  CHECK(other_words(NULL) == -1);
  puts("two libraries written in Rust, in one program");
  return 0;
}
