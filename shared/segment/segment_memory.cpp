#include "shared/segment/segment_memory.h"

#include "config.h"
#include "shared/system/errors.h"

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chatserv {

namespace {

namespace ipc = boost::interprocess;

constexpr unsigned child_seconds_max = 600; // the largest log takes some 20 s

// The interface that mapped_region requires, for a descriptor that is already open.
class BorrowedMapping {
public:
    explicit BorrowedMapping(int fd) { handle_.handle = fd; }
    [[nodiscard]] ipc::mapping_handle_t get_mapping_handle() const { return handle_; }

private:
    ipc::mapping_handle_t handle_{};
};

// Returns nothing if the system does not report it.
std::optional<uint64_t> machine_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0)
        return std::nullopt;
    return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
}

// The free space of the file system that limits this memory, or else the machine's memory.
std::optional<uint64_t> bytes_to_be_had(int fd) {
    struct statvfs fs {};
    if (::fstatvfs(fd, &fs) == 0 && fs.f_blocks > 0)
        return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
    return machine_bytes();
}

// Returns 0 or an errno. On a system that cannot report a lack of memory, SIGBUS or SIGKILL ends
// the process here.
int write_to_each_page(int fd, uint64_t bytes) {
    void* const memory =
        ::mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return errno;
    const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    for (uint64_t at = 0; at < bytes; at += page_bytes)
        static_cast<volatile char*>(memory)[at] = 0;
    ::munmap(memory, static_cast<size_t>(bytes));
    return 0;
}

// Returns 0 or an errno.
int set_size(int fd, uint64_t bytes) {
    while (::ftruncate(fd, static_cast<off_t>(bytes)) == -1) {
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

#ifdef HAVE_POSIX_FALLOCATE

uint64_t allocated_bytes(int fd) {
    constexpr uint64_t block_bytes = 512; // the unit of st_blocks: stat(2)
    struct stat info {};
    return ::fstat(fd, &info) == 0 ? static_cast<uint64_t>(info.st_blocks) * block_bytes : 0;
}

// Returns 0 or an errno, or nothing if the system cannot reserve this kind of memory. A
// posix_fallocate(2) that succeeds need not have reserved anything (FreeBSD's only sets the size of
// this kind of memory), so the number of allocated blocks is checked.
std::optional<int> reserve(int fd, uint64_t bytes) {
    const uint64_t before = allocated_bytes(fd);
    int error = 0;
    do {
        error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
    } while (error == EINTR);
    if (error == ENOSPC || error == ENOMEM || error == EFBIG)
        return error;
    if (error == 0 && allocated_bytes(fd) >= before + bytes)
        return 0;
    return std::nullopt;
}

#else

std::optional<int> reserve(int /*fd*/, uint64_t /*bytes*/) {
    return std::nullopt;
}

#endif

int size_and_back_here(int fd, uint64_t bytes) {
    if (const int error = set_size(fd, bytes); error != 0)
        return error;
    const std::optional<int> reserved = reserve(fd, bytes);
    return reserved ? *reserved : write_to_each_page(fd, bytes);
}

// Some systems open the file behind such a name once more, others duplicate the descriptor with all
// that it may do.
bool is_read_only(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags != -1 && (flags & O_ACCMODE) == O_RDONLY;
}

// When memory, or a container's share of it, runs out, Linux ends the process with the highest
// score. Other systems have no such file, and the result is of no importance there.
void offer_to_be_ended_first() {
    const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (score)
        (void)!::pwrite(score.get(), "1000", 4, 0);
}

// Does the same as size_and_back_here() in a child process. A system with too little memory does
// not refuse it but ends a process. That process must be neither the server nor an unrelated one.
// If no child can be started, this process takes the risk itself.
int size_and_back_in_child(int fd, uint64_t bytes) {
    // If SIGCHLD were ignored, waitpid(2) would not report how the child ended.
    struct sigaction inherited {};
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &by_default, &inherited);
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGBUS, SIG_DFL);
        std::signal(SIGXFSZ, SIG_IGN); // setrlimit(2) RLIMIT_FSIZE: EFBIG is enough
        std::signal(SIGALRM, SIG_DFL);
        ::alarm(child_seconds_max);
        offer_to_be_ended_first();
        ::_exit(size_and_back_here(fd, bytes));
    }
    int status = 0;
    while (child != -1 && ::waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    ::sigaction(SIGCHLD, &inherited, nullptr);
    if (child == -1)
        return size_and_back_here(fd, bytes);
    return WIFEXITED(status) ? WEXITSTATUS(status) : ENOMEM;
}

} // namespace

UniqueFd open_nameless_memory() {
#ifdef HAVE_MEMFD_CREATE
#ifdef MFD_NOEXEC_SEAL // the only kind that Linux gives out under sysctl vm.memfd_noexec
    if (UniqueFd fd(::memfd_create("chatserv", MFD_CLOEXEC | MFD_NOEXEC_SEAL)); fd)
        return fd;
#endif
    if (UniqueFd fd(::memfd_create("chatserv", MFD_CLOEXEC | MFD_ALLOW_SEALING)); fd)
        return fd;
#endif
#ifdef HAVE_SHM_ANON
    if (UniqueFd fd(::shm_open(SHM_ANON, O_RDWR | O_CLOEXEC, 0600)); fd)
        return fd;
#endif
    return {};
}

UniqueFd open_unlinked_memory() {
    std::random_device entropy;
    for (;;) {
        const std::string name =
            "chatserv-" + std::to_string(::getpid()) + "-" + std::to_string(entropy());
        try {
            const ipc::shared_memory_object object(
                ipc::create_only, name.c_str(), ipc::read_write, ipc::permissions(0600));
            ipc::shared_memory_object::remove(name.c_str());
            UniqueFd fd(::fcntl(object.get_mapping_handle().handle, F_DUPFD_CLOEXEC, 3));
            if (!fd)
                throw_errno("shared memory");
            return fd;
        } catch (const ipc::interprocess_exception& failure) {
            if (failure.get_error_code() != ipc::already_exists_error)
                throw_error(failure.get_native_error(), "shared memory");
        }
    }
}

void size_and_back(int fd, uint64_t bytes) {
    const auto room = bytes_to_be_had(fd);
    if (room && *room < bytes)
        throw MemoryRefused(ENOMEM, bytes, room);
    if (const int error = size_and_back_in_child(fd, bytes); error != 0)
        throw MemoryRefused(error, bytes, std::nullopt);
}

bool seal_size([[maybe_unused]] int fd) {
#ifdef F_ADD_SEALS
    return ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
#else
    return false;
#endif
}

UniqueFd make_segment_memory(uint64_t bytes) {
    UniqueFd fd = open_nameless_memory();
    if (!fd)
        fd = open_unlinked_memory();
    size_and_back(fd.get(), bytes);
    seal_size(fd.get());
    return fd;
}

ipc::mapped_region map_segment_memory(
    int fd, uint64_t bytes, const char* what, MappingAccess access) {
    try {
        return {BorrowedMapping{fd},
            access == MappingAccess::read_only ? ipc::read_only : ipc::read_write, 0,
            static_cast<std::size_t>(bytes)};
    } catch (const ipc::interprocess_exception& failure) {
        throw_error(failure.get_native_error(), what);
    }
}

UniqueFd open_to_read(int fd) {
    for (const char* const folder : {"/proc/self/fd/", "/dev/fd/"}) {
        UniqueFd opened(::open((folder + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
        if (opened && is_read_only(opened.get()))
            return opened;
    }
    UniqueFd duplicate(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!duplicate)
        throw_errno("shared memory");
    return duplicate;
}

} // namespace chatserv
