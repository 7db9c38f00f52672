/* Journals what a program does to the files below one folder, so that a power cut can be played afterwards.
 *
 * Loaded with LD_PRELOAD. POWERCUT_DIR is the folder that is watched, POWERCUT_LOG the journal outside of it,
 * POWERCUT_ACK (optional) a file or named pipe whose writes are journaled as acknowledgements; all three are
 * absolute and free of symbolic links. What the journal means is decided by powercut.py; the layout of a record is
 * `struct record` here and RECORD there.
 *
 * The shim keeps no table of open files: it asks /proc/self/fd at each call, so dup, fork, exec and close need no care.
 * Each change is made and journaled under one lock (flock on a descriptor opened for that call), which holds between
 * threads and between processes. A sync is journaled when it begins and when it has succeeded, without the lock in
 * between: only what was written before it began is promised by it.
 * What the shim cannot follow (shared writable maps, buffered C streams, files moved in from elsewhere) is journaled as
 * `blind`, and the reader refuses the journal.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    CREATE = 1, WRITE, TRUNCATE, ALLOCATE, SYNC_BEGUN, SYNC, SYNC_ALL, RENAME,
    UNLINK, LINK, MKDIR, RMDIR, SYMLINK, CHMOD, ACK, BLIND
};

struct record {
    uint32_t magic, kind;
    uint64_t inode, offset, number;
    uint32_t links, process, path_size, other_size;
    uint64_t data_size;
};

struct place {
    enum { ELSEWHERE, WATCHED, ACKNOWLEDGES } where;
    char path[PATH_MAX + 16];
};

#define MAGIC 0x54554350u /* PCUT */
#define MOST_PARTS 1000
#define EXPORT __attribute__((visibility("default")))
#define NO_OFFSET ((off_t)-1)

static char watched[PATH_MAX], journal[PATH_MAX], acknowledges[PATH_MAX];
static volatile int prepared;

static void copy_setting(char *target, const char *name) {
    const char *value = getenv(name);
    if (value && strlen(value) < PATH_MAX) strcpy(target, value);
}

__attribute__((constructor)) static void prepare(void) {
    if (prepared) return;
    copy_setting(watched, "POWERCUT_DIR");
    copy_setting(journal, "POWERCUT_LOG");
    copy_setting(acknowledges, "POWERCUT_ACK");
    if (!watched[0] || !journal[0]) watched[0] = acknowledges[0] = 0;
    prepared = 1;
}

static void give_up(const char *reason) {
    syscall(SYS_write, 2, reason, strlen(reason));
    abort();
}

/* ---- where something lies ---- */

static void judge(struct place *place) {
    size_t size = strlen(watched);
    place->where = ELSEWHERE;
    if (size && !strncmp(place->path, watched, size) && (place->path[size] == '/' || !place->path[size])) place->where = WATCHED;
    else if (acknowledges[0] && !strcmp(place->path, acknowledges)) place->where = ACKNOWLEDGES;
}

static int place_of(int fd, struct place *place) {
    char link[40];
    int saved = errno;
    if (!prepared) prepare();
    place->where = ELSEWHERE;
    place->path[0] = 0;
    if (!watched[0] || fd < 0) return ELSEWHERE;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = syscall(SYS_readlinkat, AT_FDCWD, link, place->path, (size_t)PATH_MAX);
    errno = saved;
    if (size < 0) return ELSEWHERE;
    place->path[size] = 0;
    judge(place);
    return place->where;
}

/* The place a name stands for, without following the name itself: its folder is resolved by the kernel. */
static int place_named(int folder, const char *path, struct place *place) {
    char parent[PATH_MAX];
    int saved = errno;
    if (!prepared) prepare();
    place->where = ELSEWHERE;
    place->path[0] = 0;
    if (!watched[0] || !path || !path[0] || strlen(path) >= PATH_MAX) return ELSEWHERE;
    strcpy(parent, path);
    for (size_t end = strlen(parent); end > 1 && parent[end - 1] == '/';) parent[--end] = 0;
    char *slash = strrchr(parent, '/'), *name = slash ? slash + 1 : parent, kept[NAME_MAX + 1];
    int whole = !name[0] || !strcmp(name, ".") || !strcmp(name, "..");
    if (strlen(name) > NAME_MAX) return ELSEWHERE;
    strcpy(kept, name);
    if (!whole) strcpy(slash == parent ? parent + 1 : slash ? slash : parent, slash ? "" : ".");
    int fd = syscall(SYS_openat, folder, parent, O_PATH | O_CLOEXEC | (whole ? 0 : O_DIRECTORY), 0);
    if (fd >= 0) {
        place_of(fd, place);
        syscall(SYS_close, fd);
        if (!whole && strlen(place->path) + strlen(kept) + 2 < sizeof place->path) {
            if (strcmp(place->path, "/")) strcat(place->path, "/");
            strcat(place->path, kept);
            judge(place);
        }
    }
    errno = saved;
    return place->where;
}

/* ---- the journal ---- */

static int lock(void) {
    int fd = syscall(SYS_openat, AT_FDCWD, journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) give_up("powercut: the journal cannot be opened\n");
    while (syscall(SYS_flock, fd, LOCK_EX) < 0)
        if (errno != EINTR) give_up("powercut: the journal cannot be locked\n");
    return fd;
}

static void unlock(int fd) {
    syscall(SYS_flock, fd, LOCK_UN); /* a fork may have copied the descriptor: closing it would not free the lock */
    syscall(SYS_close, fd);
}

static const char *below(const char *path) {
    const char *rest = path + strlen(watched);
    return *rest == '/' ? rest + 1 : rest;
}

/* Returns where the record begins in the journal. Call with the lock held. */
static uint64_t append_parts(int log, struct record record, const char *path, const char *other,
                             const struct iovec *parts, int count, size_t size) {
    struct iovec all[MOST_PARTS + 3];
    size_t left = size, total;
    int used = 3;
    record.magic = MAGIC;
    record.process = getpid();
    record.path_size = strlen(path);
    record.other_size = strlen(other);
    record.data_size = size;
    all[0] = (struct iovec){&record, sizeof record};
    all[1] = (struct iovec){(void *)path, record.path_size};
    all[2] = (struct iovec){(void *)other, record.other_size};
    for (int i = 0; i < count && left; i++) {
        all[used] = parts[i];
        if (all[used].iov_len > left) all[used].iov_len = left;
        left -= all[used++].iov_len;
    }
    total = sizeof record + record.path_size + record.other_size + size;
    uint64_t start = syscall(SYS_lseek, log, 0L, SEEK_END);
    if (syscall(SYS_writev, log, all, used) != (long)total) give_up("powercut: the journal cannot be written\n");
    return start;
}

static uint64_t append(int log, struct record record, const char *path, const char *other, const void *data, size_t size) {
    struct iovec part = {(void *)data, size};
    return append_parts(log, record, path, other, &part, 1, size);
}

static void blind(int log, const struct place *place, const char *reason) {
    const char *path = place->where == WATCHED ? below(place->path) : place->path;
    append(log, (struct record){.kind = BLIND}, path, "", reason, strlen(reason));
}

static struct record about(int fd, uint32_t kind) {
    struct stat found = {0};
    fstat(fd, &found);
    return (struct record){.kind = kind, .inode = found.st_ino, .links = found.st_nlink, .number = found.st_mode & 07777};
}

/* ---- data ---- */

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    if (flags) return syscall(SYS_pwritev2, fd, parts, (long)count, (long)offset, 0L, (long)flags);
    if (offset == NO_OFFSET && count == 1) return syscall(SYS_write, fd, parts->iov_base, parts->iov_len);
    if (offset == NO_OFFSET) return syscall(SYS_writev, fd, parts, (long)count);
    if (count == 1) return syscall(SYS_pwrite64, fd, parts->iov_base, parts->iov_len, (long)offset);
    return syscall(SYS_pwritev, fd, parts, (long)count, (long)offset, 0L);
}

static ssize_t written(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    struct place place;
    if (!place_of(fd, &place)) return write_parts(fd, parts, count, offset, flags);
    int log = lock();
    ssize_t size = write_parts(fd, parts, count, offset, flags);
    int saved = errno;
    if (size > 0) {
        place_of(fd, &place); /* it may have been renamed while we waited for the lock */
        struct record record = about(fd, place.where == ACKNOWLEDGES ? ACK : WRITE);
        int mode = fcntl(fd, F_GETFL);
        record.number = (mode & O_DSYNC) || (flags & (RWF_DSYNC | RWF_SYNC));
        if (place.where == WATCHED) {
            struct stat now = {0};
            fstat(fd, &now);
            if (mode & O_APPEND) record.offset = now.st_size - size; /* Linux appends even in pwrite */
            else record.offset = offset == NO_OFFSET ? (uint64_t)(syscall(SYS_lseek, fd, 0L, SEEK_CUR) - size) : (uint64_t)offset;
        }
        if (count > MOST_PARTS) blind(log, &place, "a write in more parts than the journal takes");
        else append_parts(log, record, place.where == WATCHED ? below(place.path) : "", "", parts, count, size);
    }
    unlock(log);
    errno = saved;
    return size;
}

EXPORT ssize_t write(int fd, const void *data, size_t size) {
    struct iovec part = {(void *)data, size};
    return written(fd, &part, 1, NO_OFFSET, 0);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    struct iovec part = {(void *)data, size};
    if (offset < 0) return errno = EINVAL, -1;
    return written(fd, &part, 1, offset, 0);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count) { return written(fd, parts, count, NO_OFFSET, 0); }

EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    if (offset < 0) return errno = EINVAL, -1;
    return written(fd, parts, count, offset, 0);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return pwritev64(fd, parts, count, offset);
}

EXPORT ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) {
    return written(fd, parts, count, offset, flags);
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    return written(fd, parts, count, offset, flags);
}

/* Copies that the kernel makes by itself are read back from the file they went to. */
static void append_copied(int log, int fd, const struct place *place, uint64_t offset, size_t size) {
    char link[40], data[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int copy = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    if (copy < 0) {
        blind(log, place, "a copy by the kernel that cannot be read back");
        return;
    }
    while (size) {
        ssize_t got = syscall(SYS_pread64, copy, data, size < sizeof data ? size : sizeof data, (long)offset);
        if (got <= 0) give_up("powercut: a copy by the kernel cannot be read back\n");
        struct record record = about(fd, WRITE);
        record.number = 0;
        record.offset = offset;
        append(log, record, below(place->path), "", data, got);
        offset += got;
        size -= got;
    }
    syscall(SYS_close, copy);
}

#define COPY(out, target_offset, call)                                                                          \
    struct place place;                                                                                         \
    if (place_of(out, &place) != WATCHED) return call;                                                          \
    int log = lock();                                                                                           \
    ssize_t size = call;                                                                                        \
    int saved = errno;                                                                                          \
    const off64_t *explicit_offset = target_offset;                                                             \
    if (size > 0) {                                                                                             \
        uint64_t end = explicit_offset ? (uint64_t)*explicit_offset : (uint64_t)syscall(SYS_lseek, out, 0L, SEEK_CUR); \
        append_copied(log, out, &place, end - size, size);                                                      \
    }                                                                                                           \
    unlock(log);                                                                                                \
    errno = saved;                                                                                              \
    return size;

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
    COPY(out, NULL, syscall(SYS_sendfile, out, in, offset, count))
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count) { return sendfile64(out, in, offset, count); }

EXPORT ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned int flags) {
    COPY(out, to, syscall(SYS_copy_file_range, in, from, out, to, count, flags))
}

EXPORT ssize_t splice(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned int flags) {
    COPY(out, to, syscall(SYS_splice, in, from, out, to, count, flags))
}

/* ---- size and mode ---- */

#define CHANGE(fd, change, call, offset_, number_)                                                              \
    struct place place;                                                                                         \
    if (place_of(fd, &place) != WATCHED) return call;                                                           \
    int log = lock();                                                                                           \
    long result = call;                                                                                         \
    int saved = errno;                                                                                          \
    if (result == 0) {                                                                                          \
        struct record record = about(fd, change);                                                               \
        place_of(fd, &place);                                                                                   \
        record.offset = offset_;                                                                                \
        record.number = number_;                                                                                \
        append(log, record, below(place.path), "", "", 0);                                                      \
    }                                                                                                           \
    unlock(log);                                                                                                \
    errno = saved;                                                                                              \
    return result;

EXPORT int ftruncate64(int fd, off64_t length) {
    CHANGE(fd, TRUNCATE, syscall(SYS_ftruncate, fd, (long)length), length, 0)
}

EXPORT int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

EXPORT int fchmod(int fd, mode_t mode) { CHANGE(fd, CHMOD, syscall(SYS_fchmod, fd, (long)mode), 0, mode & 07777) }

static long allocated(int fd, int mode, off64_t offset, off64_t size) {
    if (mode & ~FALLOC_FL_KEEP_SIZE) {
        struct place odd;
        if (place_of(fd, &odd) == WATCHED) {
            int log = lock();
            blind(log, &odd, "fallocate that changes what a file holds");
            unlock(log);
        }
    }
    /* space without a new size shows nowhere: it is journaled as a size of nought */
    off64_t end = (mode & FALLOC_FL_KEEP_SIZE) ? 0 : offset + size;
    CHANGE(fd, ALLOCATE, syscall(SYS_fallocate, fd, (long)mode, (long)offset, (long)size), end, 0)
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t size) { return allocated(fd, mode, offset, size); }

EXPORT int fallocate(int fd, int mode, off_t offset, off_t size) { return allocated(fd, mode, offset, size); }

EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t size) {
    int saved = errno, answer = allocated(fd, 0, offset, size) ? errno : 0;
    errno = saved;
    return answer;
}

EXPORT int posix_fallocate(int fd, off_t offset, off_t size) { return posix_fallocate64(fd, offset, size); }

EXPORT int truncate64(const char *path, off64_t length) {
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    int result = ftruncate64(fd, length), saved = errno;
    syscall(SYS_close, fd);
    errno = saved;
    return result;
}

EXPORT int truncate(const char *path, off_t length) { return truncate64(path, length); }

EXPORT int fchmodat(int folder, const char *path, mode_t mode, int flags) {
    struct place place;
    if (flags) { /* the mode of a symbolic link itself: nothing of ours */
        int (*real)(int, const char *, mode_t, int) = (int (*)(int, const char *, mode_t, int))dlsym(RTLD_NEXT, "fchmodat");
        return real(folder, path, mode, flags);
    }
    int fd = syscall(SYS_openat, folder, path, O_PATH | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    int watches = place_of(fd, &place) == WATCHED, log = watches ? lock() : -1;
    int result = syscall(SYS_fchmodat, folder, path, (long)mode), saved = errno;
    if (watches) {
        struct record record = about(fd, CHMOD);
        place_of(fd, &place);
        if (!result) append(log, record, below(place.path), "", "", 0);
        unlock(log);
    }
    syscall(SYS_close, fd);
    errno = saved;
    return result;
}

EXPORT int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }

/* ---- syncs ---- */

static int synced(int fd, long call) {
    struct place place;
    if (place_of(fd, &place) != WATCHED) return syscall(call, fd);
    int log = lock();
    place_of(fd, &place);
    uint64_t begun = append(log, about(fd, SYNC_BEGUN), below(place.path), "", "", 0);
    unlock(log);
    int result = syscall(call, fd), saved = errno;
    if (!result) {
        log = lock();
        place_of(fd, &place);
        struct record record = about(fd, SYNC);
        record.offset = begun;
        append(log, record, below(place.path), "", "", 0);
        unlock(log);
    }
    errno = saved;
    return result;
}

EXPORT int fsync(int fd) { return synced(fd, SYS_fsync); }

EXPORT int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static long everything_synced(long call, int fd) {
    if (!prepared) prepare();
    if (!watched[0]) return syscall(call, fd);
    int log = lock();
    uint64_t begun = append(log, (struct record){.kind = SYNC_BEGUN}, "", "", "", 0);
    unlock(log);
    long result = syscall(call, fd);
    int saved = errno;
    if (!result) {
        log = lock();
        append(log, (struct record){.kind = SYNC_ALL, .offset = begun}, "", "", "", 0);
        unlock(log);
    }
    errno = saved;
    return result;
}

EXPORT void sync(void) { everything_synced(SYS_sync, 0); }

EXPORT int syncfs(int fd) {
    struct place place;
    return place_of(fd, &place) == WATCHED ? everything_synced(SYS_syncfs, fd) : syscall(SYS_syncfs, fd);
}

/* ---- names ---- */

static int opened(int folder, const char *path, int flags, mode_t mode) {
    struct place place, reached;
    int nameless = (flags & O_TMPFILE) == O_TMPFILE;
    if (!(flags & (O_CREAT | O_TRUNC)) && !nameless) return syscall(SYS_openat, folder, path, flags, (long)mode);
    if (place_named(folder, path, &place) != WATCHED) {
        int fd = syscall(SYS_openat, folder, path, flags, (long)mode);
        if (fd >= 0 && place_of(fd, &reached) == WATCHED) {
            int log = lock();
            blind(log, &reached, "a file created or emptied through a symbolic link from elsewhere");
            unlock(log);
        }
        return fd;
    }
    int log = lock();
    struct stat before;
    int existed = fstatat(folder, path, &before, 0) == 0;
    int fd = syscall(SYS_openat, folder, path, flags, (long)mode), saved = errno;
    if (fd >= 0) {
        place_of(fd, &place);
        if (nameless) blind(log, &place, "a file without a name (O_TMPFILE)");
        else if (place.where != WATCHED) (void)0; /* a symbolic link to a file that is not ours to watch */
        else if (!existed) append(log, about(fd, CREATE), below(place.path), "", "", 0);
        else if ((flags & O_TRUNC) && before.st_size) append(log, about(fd, TRUNCATE), below(place.path), "", "", 0);
    }
    unlock(log);
    errno = saved;
    return fd;
}

#define MODE(flags)                                               \
    mode_t mode = 0;                                              \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {  \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode = va_arg(rest, mode_t);                              \
        va_end(rest);                                             \
    }

EXPORT int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
EXPORT int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
EXPORT int openat(int folder, const char *path, int flags, ...) {
    MODE(flags) return opened(folder, path, flags, mode);
}
EXPORT int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags) return opened(folder, path, flags, mode);
}
EXPORT int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
/* what fortified programs call instead when they pass no mode */
EXPORT int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
EXPORT int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
EXPORT int __openat_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }
EXPORT int __openat64_2(int folder, const char *path, int flags) { return opened(folder, path, flags, 0); }

EXPORT int renameat2(int old_folder, const char *old, int new_folder, const char *new, unsigned int flags) {
    struct place from, to;
    int leaves = place_named(old_folder, old, &from) == WATCHED, arrives = place_named(new_folder, new, &to) == WATCHED;
    if (!leaves && !arrives) return syscall(SYS_renameat2, old_folder, old, new_folder, new, flags);
    int log = lock();
    int result = syscall(SYS_renameat2, old_folder, old, new_folder, new, flags), saved = errno;
    if (result == 0) {
        if (flags & ~RENAME_NOREPLACE) blind(log, &to, "an exchange of two names");
        else if (!leaves) blind(log, &to, "a file moved in from elsewhere");
        else if (!arrives) append(log, (struct record){.kind = UNLINK}, below(from.path), "", "", 0);
        else append(log, (struct record){.kind = RENAME}, below(from.path), below(to.path), "", 0);
    }
    unlock(log);
    errno = saved;
    return result;
}

EXPORT int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
EXPORT int renameat(int old_folder, const char *old, int new_folder, const char *new) {
    return renameat2(old_folder, old, new_folder, new, 0);
}

EXPORT int unlinkat(int folder, const char *path, int flags) {
    struct place place;
    if (place_named(folder, path, &place) != WATCHED) return syscall(SYS_unlinkat, folder, path, flags);
    int log = lock();
    int result = syscall(SYS_unlinkat, folder, path, flags), saved = errno;
    if (result == 0) append(log, (struct record){.kind = (flags & AT_REMOVEDIR) ? RMDIR : UNLINK}, below(place.path), "", "", 0);
    unlock(log);
    errno = saved;
    return result;
}

EXPORT int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORT int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
EXPORT int remove(const char *path) {
    int result = unlink(path);
    return result < 0 && errno == EISDIR ? rmdir(path) : result;
}

EXPORT int linkat(int old_folder, const char *old, int new_folder, const char *new, int flags) {
    struct place from, to;
    if (place_named(new_folder, new, &to) != WATCHED) return syscall(SYS_linkat, old_folder, old, new_folder, new, flags);
    int known = place_named(old_folder, old, &from) == WATCHED;
    int log = lock();
    int result = syscall(SYS_linkat, old_folder, old, new_folder, new, flags), saved = errno;
    if (result == 0) {
        if (known) append(log, (struct record){.kind = LINK}, below(from.path), below(to.path), "", 0);
        else blind(log, &to, "a file linked in from elsewhere");
    }
    unlock(log);
    errno = saved;
    return result;
}

EXPORT int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

EXPORT int symlinkat(const char *target, int folder, const char *path) {
    struct place place;
    if (place_named(folder, path, &place) != WATCHED) return syscall(SYS_symlinkat, target, folder, path);
    int log = lock();
    int result = syscall(SYS_symlinkat, target, folder, path), saved = errno;
    if (result == 0) append(log, (struct record){.kind = SYMLINK}, below(place.path), "", target, strlen(target));
    unlock(log);
    errno = saved;
    return result;
}

EXPORT int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

EXPORT int mkdirat(int folder, const char *path, mode_t mode) {
    struct place place;
    if (place_named(folder, path, &place) != WATCHED) return syscall(SYS_mkdirat, folder, path, (long)mode);
    int log = lock();
    int result = syscall(SYS_mkdirat, folder, path, (long)mode), saved = errno;
    if (result == 0) {
        struct stat made = {0};
        fstatat(folder, path, &made, AT_SYMLINK_NOFOLLOW);
        struct record record = {.kind = MKDIR, .inode = made.st_ino, .links = made.st_nlink, .number = made.st_mode & 07777};
        append(log, record, below(place.path), "", "", 0);
    }
    unlock(log);
    errno = saved;
    return result;
}

EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* ---- what cannot be followed ---- */

EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset) {
    struct place place;
    int shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
    if (shared && (protection & PROT_WRITE) && !(flags & MAP_ANONYMOUS) && place_of(fd, &place) == WATCHED) {
        size_t length = strlen(place.path);
        /* SQLite's index of the write-ahead log is mapped, and rebuilt by whoever opens the database first */
        if (length < 4 || strcmp(place.path + length - 4, "-shm")) {
            int saved = errno, log = lock();
            blind(log, &place, "a shared writable map of a file");
            unlock(log);
            errno = saved;
        }
    }
    return (void *)syscall(SYS_mmap, address, size, (long)protection, (long)flags, (long)fd, (long)offset);
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    return mmap64(address, size, protection, flags, fd, offset);
}

static FILE *stream(const char *symbol, const char *path, const char *mode) {
    FILE *(*real)(const char *, const char *) = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, symbol);
    struct place place;
    if (strpbrk(mode, "wa+") && place_named(AT_FDCWD, path, &place) == WATCHED) {
        int log = lock();
        blind(log, &place, "a buffered C stream opened for writing");
        unlock(log);
    }
    return real(path, mode);
}

EXPORT FILE *fopen(const char *path, const char *mode) { return stream("fopen", path, mode); }
EXPORT FILE *fopen64(const char *path, const char *mode) { return stream("fopen64", path, mode); }
