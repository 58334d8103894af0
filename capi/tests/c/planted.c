/* Faults, planted: each of them has to be found by what the programs run under. `planted FAULT` commits it, and ends
 * well. */
#include "world.h"

/* Memory of the program that nobody gives back. */
static void leak(void) {
  char *volatile lost = malloc(100);
  REQUIRE(lost != NULL);
  lost = NULL;
}

/* An object that nobody frees: the library keeps it for as long as the program runs. */
static void object(void) {
  subrosa_address address;
  (void)world_device(NULL, &address);
}

/* A view is read after its object was freed. */
static void view(void) {
  subrosa_device *devices[2];
  subrosa_address who[2];
  subrosa_outbox *sealed;
  subrosa_copy copy = {.struct_size = sizeof copy};
  world_pair(devices, who);
  CHECK(subrosa_device_send(devices[0], who[1].account, (const uint8_t *)"1", 1, NULL, 0, 0, NOW, &sealed));
  CHECK(subrosa_outbox_copy(sealed, 0, 0, &copy));
  CHECK(subrosa_outbox_free(sealed));
  printf("%d\n", copy.message.data[0]);
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_device_free(devices[1]));
}

/* A buffer is shorter than the program says. */
static void room(void) {
  subrosa_address address;
  subrosa_device *device = world_device(NULL, &address);
  size_t len = SUBROSA_LINK_REQUEST;
  uint8_t *request = malloc(10);
  REQUIRE(request != NULL);
  CHECK(subrosa_device_link_request(device, request, &len));
  free(request);
  CHECK(subrosa_device_free(device));
}

/* What C does not define. */
static void undefined(void) {
  volatile int32_t number = INT32_MAX;
  number = number + 1;
  printf("%d\n", number);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*commit)(void);
  } faults[] = {{"leak", leak}, {"object", object}, {"view", view}, {"room", room}, {"undefined", undefined}};
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    if (argc == 2 && strcmp(argv[1], faults[i].name) == 0) {
      faults[i].commit();
      return 0;
    }
  }
  fprintf(stderr, "%s: which fault?\n", argv[0]);
  return 2;
}
