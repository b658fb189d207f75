// Memory for the segment: a descriptor of so many bytes that have no name in any file system.
//
// The system's own nameless memory is taken where there is such: memfd_create(2) on Linux,
// shm_open(2) of SHM_ANON on FreeBSD. Only the machine's memory limits it, and it can be sealed: no
// process that holds the descriptor can then change its size under those that map it. Otherwise a
// POSIX shared-memory object is made and loses its name at once; on Linux /dev/shm limits that one.
//
// All of the memory is backed before a caller gets it, so that lack of memory is an error at the
// start and never a SIGBUS later.
#pragma once

#include "shared/system/fd.h"

#include <cstdint>
#include <optional>
#include <system_error>

namespace chatserv {

// The system has not as much memory as was asked for, or does not give it to this process.
class MemoryRefused : public std::system_error {
public:
    MemoryRefused(int error, uint64_t needed_bytes, std::optional<uint64_t> available_bytes) :
        std::system_error(error, std::generic_category(), "shared memory"),
        needed_bytes_(needed_bytes), available_bytes_(available_bytes) {}

    [[nodiscard]] uint64_t needed_bytes() const { return needed_bytes_; }
    // Nothing where the system does not say.
    [[nodiscard]] std::optional<uint64_t> available_bytes() const { return available_bytes_; }

private:
    uint64_t needed_bytes_;
    std::optional<uint64_t> available_bytes_;
};

// Memory of the best kind there is, `bytes` long, zeroed, backed, sealed where that can be. The
// descriptor is close-on-exec. Throws MemoryRefused, std::system_error.
[[nodiscard]] UniqueFd make_segment_memory(uint64_t bytes);

// The parts of it. Memory of no size yet, by either way; no descriptor where the system has no
// nameless memory, or this process may not have any (a seccomp filter, for one).
[[nodiscard]] UniqueFd open_nameless_memory();
// Throws std::system_error.
[[nodiscard]] UniqueFd open_unlinked_memory();
// Gives fresh memory its size, and backs it; some 0.25 s for each gigabyte, ten minutes at the
// most. Throws MemoryRefused.
void size_and_back(int fd, uint64_t bytes);
// Keeps everybody from changing the size, for ever. False where the system cannot.
bool seal_size(int fd);

} // namespace chatserv
