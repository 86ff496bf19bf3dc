/*
 * A disk that remembers, lies, fails, fills up and hangs: LD_PRELOAD it.
 *
 * SHIM_FOLDER   the files of this folder are watched; needed.
 * SHIM_JOURNAL  every change and every sync is appended here, in order.
 * SHIM_LIE      a sync says that it worked and does nothing.
 * SHIM_FAIL     a file: as many syncs fail with EIO as it has bytes.
 * SHIM_FAIL_ON  ... of files whose name ends so.
 * SHIM_FULL     a file: while it exists nothing can grow (ENOSPC).
 * SHIM_HANG     a file: while it exists a sync does not come back.
 *
 * A record of the journal: kind, file, offset, length (packed, little
 * endian), then the bytes. A change is written down before it is made and
 * a sync after it worked: the journal never promises more than the disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 65536
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))

enum { OTHER, DATA, FOLDER, SHARED };
struct watched { uint8_t kind; uint8_t fails; uint32_t id; };
struct __attribute__((packed)) head {
    uint8_t kind; uint32_t file; uint64_t offset; uint32_t length;
};

typedef int (*open_t)(const char *, int, ...);
typedef int (*openat_t)(int, const char *, int, ...);
typedef int (*fd_t)(int);
typedef int (*path_t)(const char *);
typedef int (*rename_t)(const char *, const char *);
typedef int (*truncate_t)(int, off_t);
typedef int (*allocate_t)(int, off_t, off_t);
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);

static open_t real_open;
static openat_t real_openat;
static fd_t real_close, real_fsync, real_fdatasync;
static path_t real_unlink;
static rename_t real_rename;
static truncate_t real_ftruncate;
static allocate_t real_allocate;
static write_t real_write;
static pwrite_t real_pwrite;

static struct watched table[MOST];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
/* Names change one after the other: of two threads that open a new file at
 * once exactly one made it, and its record is the first. */
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *fail, *fail_on, *full, *hang;
static int journal = -1, lies;
static uint32_t opened;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SHIM_JOURNAL");
    real_open = REAL(open64, open_t);
    real_openat = REAL(openat64, openat_t);
    real_close = REAL(close, fd_t);
    real_fsync = REAL(fsync, fd_t);
    real_fdatasync = REAL(fdatasync, fd_t);
    real_unlink = REAL(unlink, path_t);
    real_rename = REAL(rename, rename_t);
    real_ftruncate = REAL(ftruncate64, truncate_t);
    real_allocate = REAL(posix_fallocate64, allocate_t);
    real_write = REAL(write, write_t);
    real_pwrite = REAL(pwrite64, pwrite_t);
    folder = getenv("SHIM_FOLDER");
    fail = getenv("SHIM_FAIL");
    fail_on = getenv("SHIM_FAIL_ON");
    full = getenv("SHIM_FULL");
    hang = getenv("SHIM_HANG");
    lies = getenv("SHIM_LIE") != NULL;
    if (path)
        journal = real_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                            0600);
}

/* Append a record; a journal with a hole would prove nothing. */
static void note(char kind, uint32_t file, uint64_t offset,
                 const void *bytes, size_t length)
{
    struct head head = { (uint8_t)kind, file, offset, (uint32_t)length };
    struct iovec parts[2] = {
        { &head, sizeof head }, { (void *)bytes, length },
    };
    if (journal < 0)
        return;
    pthread_mutex_lock(&turn);
    if (writev(journal, parts, 2) != (ssize_t)(sizeof head + length))
        abort();
    pthread_mutex_unlock(&turn);
}

static int ends(const char *text, const char *end)
{
    size_t all = strlen(text), part = strlen(end);
    return all >= part && !strcmp(text + all - part, end);
}

/* Return the name inside the watched folder, or NULL. */
static const char *inside(const char *path)
{
    size_t length = folder ? strlen(folder) : 0;
    if (!length || !path || strncmp(path, folder, length) ||
        path[length] != '/' || strchr(path + length + 1, '/'))
        return NULL;
    return path + length + 1;
}

static struct watched *look(int fd)
{
    return fd >= 0 && fd < MOST ? &table[fd] : &table[MOST - 1];
}

static int is_there(const char *path)
{
    struct stat state;
    return path && !fstatat(AT_FDCWD, path, &state, 0);
}

/* Tell whether a write up to an end is more than the disk has room for. */
static int has_no_room(int fd, off_t end)
{
    struct stat state;
    return look(fd)->kind && is_there(full) && !fstat(fd, &state) &&
           end > state.st_size;
}

static void watch(int fd, const char *name, int is_new, int flags)
{
    struct watched *slot = look(fd);
    uint32_t id = ((uint32_t)getpid() << 12) + ++opened;
    slot->id = id;
    slot->kind = ends(name, "-shm") ? SHARED : DATA;
    slot->fails = fail_on && ends(name, fail_on);
    if (slot->kind == SHARED)
        return;
    note(is_new ? 'C' : 'O', id, 0, name, strlen(name));
    if (flags & O_TRUNC && !is_new)
        note('T', id, 0, "", 0);
}

static int open_named(int at, const char *path, int flags, mode_t mode)
{
    int is_new = !is_there(path);
    int fd;
    if (is_new && flags & O_CREAT && is_there(full)) {
        errno = ENOSPC;
        return -1;
    }
    fd = real_openat(at, path, flags, mode);
    if (fd < 0)
        return fd;
    memset(look(fd), 0, sizeof(struct watched));
    watch(fd, inside(path), is_new, flags);
    return fd;
}

static int open_any(int at, const char *path, int flags, mode_t mode)
{
    int fd;
    if (inside(path)) {
        pthread_mutex_lock(&naming);
        fd = open_named(at, path, flags, mode);
        pthread_mutex_unlock(&naming);
        return fd;
    }
    fd = real_openat(at, path, flags, mode);
    if (fd < 0)
        return fd;
    memset(look(fd), 0, sizeof(struct watched));
    if (folder && !strcmp(path, folder))
        look(fd)->kind = FOLDER;
    return fd;
}

#define MODE_OF(flags)                       \
    mode_t mode = 0;                         \
    if ((flags) & (O_CREAT | O_TMPFILE)) {   \
        va_list more;                        \
        va_start(more, flags);               \
        mode = va_arg(more, mode_t);         \
        va_end(more);                        \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(at, path, flags, mode);
}

int close(int fd)
{
    look(fd)->kind = OTHER;
    return real_close(fd);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    off_t at;
    if (!look(fd)->kind)
        return real_write(fd, bytes, length);
    at = lseek(fd, 0, SEEK_CUR);
    if (has_no_room(fd, at + (off_t)length)) {
        errno = ENOSPC;
        return -1;
    }
    if (look(fd)->kind == DATA)
        note('W', look(fd)->id, (uint64_t)at, bytes, length);
    return real_write(fd, bytes, length);
}

static ssize_t pwrite_any(int fd, const void *bytes, size_t length, off_t at)
{
    if (has_no_room(fd, at + (off_t)length)) {
        errno = ENOSPC;
        return -1;
    }
    if (look(fd)->kind == DATA)
        note('W', look(fd)->id, (uint64_t)at, bytes, length);
    return real_pwrite(fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite_any(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite_any(fd, bytes, length, at);
}

static int truncate_any(int fd, off_t size)
{
    if (has_no_room(fd, size)) {
        errno = ENOSPC;
        return -1;
    }
    if (look(fd)->kind == DATA)
        note('T', look(fd)->id, (uint64_t)size, "", 0);
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return truncate_any(fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_any(fd, size); }

static int allocate_any(int fd, off_t at, off_t length)
{
    if (has_no_room(fd, at + length))
        return ENOSPC;
    return real_allocate(fd, at, length);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
    return allocate_any(fd, at, length);
}

int posix_fallocate64(int fd, off_t at, off_t length)
{
    return allocate_any(fd, at, length);
}

/* Take one failure of those that were ordered; say whether there was one. */
static int must_fail(const struct watched *file)
{
    struct stat state;
    int fd, is_ordered = 0;
    if (!fail || !file->fails)
        return 0;
    fd = real_open(fail, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (!fstat(fd, &state) && state.st_size > 0)
        is_ordered = !real_ftruncate(fd, state.st_size - 1);
    real_close(fd);
    return is_ordered;
}

static int sync_any(int fd, fd_t really)
{
    struct watched *file = look(fd);
    int result;
    if (file->kind != DATA && file->kind != FOLDER)
        return really(fd);
    while (is_there(hang))
        usleep(5000);
    if (lies)
        return 0;
    if (must_fail(file)) {
        note('F', file->id, 0, "", 0);
        errno = EIO;
        return -1;
    }
    result = really(fd);
    if (!result)
        note(file->kind == FOLDER ? 'D' : 'S', file->id, 0, "", 0);
    return result;
}

int fsync(int fd) { return sync_any(fd, real_fsync); }
int fdatasync(int fd) { return sync_any(fd, real_fdatasync); }

int unlink(const char *path)
{
    const char *name = inside(path);
    int result;
    if (!name)
        return real_unlink(path);
    pthread_mutex_lock(&naming);
    if (is_there(path) && !ends(name, "-shm"))
        note('U', 0, 0, name, strlen(name));
    result = real_unlink(path);
    pthread_mutex_unlock(&naming);
    return result;
}

int rename(const char *from, const char *to)
{
    const char *old = inside(from), *new = inside(to);
    char both[1024] = { 0 };
    int result;
    if (!old || !new || strlen(old) + strlen(new) + 1 >= sizeof both)
        return real_rename(from, to);
    strcpy(both, old);
    strcpy(both + strlen(old) + 1, new);
    pthread_mutex_lock(&naming);
    note('R', 0, 0, both, strlen(old) + strlen(new) + 1);
    result = real_rename(from, to);
    pthread_mutex_unlock(&naming);
    return result;
}
