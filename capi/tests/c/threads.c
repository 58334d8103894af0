/* Objects in several threads: a device belongs to one at a time, a result may be read by all of them. */
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <pthread.h>

#include "world.h"

static pthread_t started(void *(*work)(void *), void *context) {
  pthread_t thread;
  REQUIRE(pthread_create(&thread, NULL, work, context) == 0);
  return thread;
}

static void joined(pthread_t thread) {
  REQUIRE(pthread_join(thread, NULL) == 0);
}

/* ---- A call finds another one under way */

struct meeting {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  bool waits; /* The device's thread is inside a callback... */
  bool goes;  /* ... and goes on. */
  subrosa_device *device;
};

static void wait_inside(void *context) {
  struct meeting *meeting = context;
  pthread_mutex_lock(&meeting->lock);
  meeting->waits = true;
  pthread_cond_broadcast(&meeting->moved);
  while (!meeting->goes) pthread_cond_wait(&meeting->moved, &meeting->lock);
  pthread_mutex_unlock(&meeting->lock);
}

static void *publishes(void *context) {
  struct meeting *meeting = context;
  subrosa_bundles *bundles;
  CHECK(subrosa_device_publish(meeting->device, 0, NOW, &bundles));
  CHECK(subrosa_bundles_free(bundles));
  return NULL;
}

static void a_device_is_in_one_thread(void) {
  struct meeting meeting = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
  struct table table = {.rows = NULL};
  subrosa_address address;
  subrosa_bundles *bundles = NULL;
  meeting.device = world_device(table_store(&table), &address);
  table.within = wait_inside;
  table.context = &meeting;
  const pthread_t thread = started(publishes, &meeting);
  pthread_mutex_lock(&meeting.lock);
  while (!meeting.waits) pthread_cond_wait(&meeting.moved, &meeting.lock);
  pthread_mutex_unlock(&meeting.lock);

  /* It is inside now, for as long as this thread likes. */
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_publish(meeting.device, 0, NOW, &bundles));
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_address(meeting.device, &address));
  EXPECT(SUBROSA_ERROR_BUSY, subrosa_device_free(meeting.device));
  /* Other objects do not wait for it. */
  subrosa_address other_address;
  subrosa_device *other = world_device(NULL, &other_address);
  CHECK(subrosa_device_free(other));

  pthread_mutex_lock(&meeting.lock);
  meeting.goes = true;
  pthread_cond_broadcast(&meeting.moved);
  pthread_mutex_unlock(&meeting.lock);
  joined(thread);
  REQUIRE(bundles == NULL && table.generation == 2);
  CHECK(subrosa_device_free(meeting.device));
  table_free(&table);
}

/* ---- Two threads, and one device that they fight for */

#define TURNS 50

struct contender {
  subrosa_device *device;
  unsigned done;
};

static void *contends(void *context) {
  struct contender *contender = context;
  for (unsigned i = 0; i < TURNS; i++) {
    subrosa_bundles *bundles = NULL;
    const subrosa_status status = subrosa_device_publish(contender->device, 0, NOW, &bundles);
    if (status == SUBROSA_OK) {
      contender->done++;
      CHECK(subrosa_bundles_free(bundles));
    } else {
      EXPECT(SUBROSA_ERROR_BUSY, status);
      REQUIRE(bundles == NULL);
    }
  }
  return NULL;
}

static void each_call_happens_or_not(void) {
  subrosa_address address;
  subrosa_device *device = world_device(NULL, &address);
  struct contender contenders[2] = {{.device = device}, {.device = device}};
  const pthread_t thread = started(contends, &contenders[0]);
  contends(&contenders[1]);
  joined(thread);
  uint64_t generation;
  CHECK(subrosa_device_generation(device, &generation));
  REQUIRE(contenders[0].done + contenders[1].done > 0);
  REQUIRE(generation == 1u + contenders[0].done + contenders[1].done);
  CHECK(subrosa_device_free(device));
}

/* ---- Results are read by all, and freed by one */

static void *reads(void *context) {
  subrosa_list *list = context;
  for (unsigned i = 0; i < 1000; i++) {
    subrosa_list_info info = {.struct_size = sizeof info};
    subrosa_address address;
    CHECK(subrosa_list_read(list, &info));
    CHECK(subrosa_list_device(list, 0, &address));
    REQUIRE(info.devices == 1 && memcmp(info.account, address.account, SUBROSA_ACCOUNT) == 0);
  }
  return NULL;
}

struct freed {
  subrosa_store *store;
  subrosa_status status;
};

static void *frees(void *context) {
  struct freed *freed = context;
  freed->status = subrosa_store_free(freed->store);
  return NULL;
}

static void results_are_shared(void) {
  subrosa_address address;
  subrosa_device *device = world_device(NULL, &address);
  subrosa_list *list;
  CHECK(subrosa_device_list(device, address.account, &list));
  const pthread_t thread = started(reads, list);
  reads(list);
  joined(thread);
  CHECK(subrosa_list_free(list));
  CHECK(subrosa_device_free(device));

  for (unsigned i = 0; i < TURNS; i++) {
    struct freed freed[2];
    CHECK(subrosa_store_memory(&freed[0].store));
    freed[1].store = freed[0].store;
    const pthread_t other = started(frees, &freed[0]);
    frees(&freed[1]);
    joined(other);
    REQUIRE((freed[0].status == SUBROSA_OK) != (freed[1].status == SUBROSA_OK));
    const subrosa_status refused = freed[freed[0].status == SUBROSA_OK ? 1 : 0].status;
    REQUIRE(refused == SUBROSA_ERROR_HANDLE || refused == SUBROSA_ERROR_BUSY);
  }
}

/* ---- Conversations of their own */

static void *talks(void *context) {
  subrosa_device *devices[2];
  subrosa_address who[2];
  world_pair(devices, who);
  for (unsigned i = 0; i < 10; i++) {
    char name[16];
    snprintf(name, sizeof name, "%u", i);
    world_say(devices[i % 2], devices[1 - i % 2], name, context);
  }
  CHECK(subrosa_device_free(devices[0]));
  CHECK(subrosa_device_free(devices[1]));
  return NULL;
}

static void devices_do_not_meet(void) {
  pthread_t threads[4];
  char text[] = "Nobody else reads this.";
  for (size_t i = 0; i < 4; i++) threads[i] = started(talks, text);
  for (size_t i = 0; i < 4; i++) joined(threads[i]);
}

int main(void) {
  a_device_is_in_one_thread();
  each_call_happens_or_not();
  results_are_shared();
  devices_do_not_meet();
}
