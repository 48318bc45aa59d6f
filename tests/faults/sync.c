/* A disk that fails, for the driver: the calls of a process that wait for the disk are counted, and those asked for answer EIO.
   Loaded before libc (LD_PRELOAD), so that SQLite's calls come here too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

static int made, first, last;

/* The calls from the first to the last, counted from 1 from now on, fail. */
void sync_fail(int from, int to) { made = 0; first = from; last = to; }
int sync_made(void) { return made; }

static int passed(const char *name, int fd) {
    made++;
    if (made >= first && made <= last) {
        errno = EIO;
        return -1;
    }
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return passed("fsync", fd); }
int fdatasync(int fd) { return passed("fdatasync", fd); }
