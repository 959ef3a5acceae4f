/* Records what a process writes below $DISK, and when it is flushed, in $LOG: enough to work out what
   a power cut at any instant would have left there. Load it with LD_PRELOAD.

   One record: "<operation> <path> <offset> <length>\n", then <length> bytes for a write. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *disk;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    disk = getenv("DISK");
    log_fd = open(getenv("LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Whether the file lies on the disk under test; its path below it goes to name. */
static int on_disk(int fd, char *name, size_t size) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || disk == NULL) return 0;
    path[length] = 0;
    size_t root = strlen(disk);
    if (strncmp(path, disk, root) != 0) return 0;
    snprintf(name, size, "%s", path[root] ? path + root + 1 : ".");
    return 1;
}

static void record(const char *operation, const char *name, off_t offset, const void *data,
                   size_t length) {
    char line[4200];
    int size = snprintf(line, sizeof line, "%s %s %lld %zu\n", operation, name, (long long)offset,
                        length);
    if (real_write(log_fd, line, size) != size) abort();
    if (length && real_write(log_fd, data, length) != (ssize_t)length) abort();
}

ssize_t write(int fd, const void *data, size_t length) {
    char name[4096];
    if (fd == log_fd || !on_disk(fd, name, sizeof name)) return real_write(fd, data, length);
    pthread_mutex_lock(&order);
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = real_write(fd, data, length);
    if (done > 0) record("write", name, offset, data, done);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
    char name[4096];
    if (!on_disk(fd, name, sizeof name)) return real_pwrite(fd, data, length, offset);
    pthread_mutex_lock(&order);
    ssize_t done = real_pwrite(fd, data, length, offset);
    if (done > 0) record("write", name, offset, data, done);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite64(fd, data, length, offset);
}

int ftruncate64(int fd, off_t length) {
    char name[4096];
    if (!on_disk(fd, name, sizeof name)) return real_ftruncate(fd, length);
    pthread_mutex_lock(&order);
    int done = real_ftruncate(fd, length);
    if (done == 0) record("truncate", name, length, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* A flush counts from when it has returned; what is written meanwhile waits for the lock. */
static int flush(int fd, int (*real)(int)) {
    char name[4096];
    if (!on_disk(fd, name, sizeof name)) return real(fd);
    pthread_mutex_lock(&order);
    int done = real(fd);
    if (done == 0) record("sync", name, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return done;
}

int fsync(int fd) { return flush(fd, real_fsync); }
int fdatasync(int fd) { return flush(fd, real_fdatasync); }
