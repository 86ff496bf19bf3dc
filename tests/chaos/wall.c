/* Stands between a process and the clock on the wall.
 *
 * WALL_FILE holds one number, by how many seconds the clock is wrong; it is
 * mapped, so that a change counts from the next look on. The clocks that
 * never jump are left alone.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *wrong;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("WALL_FILE");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  real_clock = (int (*)(clockid_t, struct timespec *))dlsym(
      RTLD_NEXT, "clock_gettime");
  if (file < 0) return;
  void *there = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (there != MAP_FAILED) wrong = there;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real_clock) begin();
  int status = real_clock(clock, now);
  int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (status == 0 && is_wall && wrong) now->tv_sec += *wrong;
  return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  int status = clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return status;
}

time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}
