// Memory for the segment, which has a descriptor but no name in any file system.
//
// Linux and FreeBSD have nameless memory: memfd_create(2), and shm_open(2) of SHM_ANON. Only the
// machine's memory limits it, and it can be sealed: no process that holds the descriptor can then
// change the size under the processes that map it. On other systems a POSIX shared-memory object is
// made and loses its name at once; on Linux, where this is the second choice, /dev/shm limits it.
//
// All of the memory is backed before a caller gets it, so a lack of memory is an error at the start
// and never a SIGBUS later.
#pragma once

#include "shared/system/fd.h"

#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <optional>
#include <system_error>

namespace chatserv {

// The system has too little memory, or does not give this process as much as it needs.
class MemoryRefused : public std::system_error {
public:
    MemoryRefused(int error, uint64_t needed_bytes, std::optional<uint64_t> available_bytes) :
        std::system_error(error, std::generic_category(), "shared memory"),
        needed_bytes_(needed_bytes), available_bytes_(available_bytes) {}

    [[nodiscard]] uint64_t needed_bytes() const { return needed_bytes_; }
    // Nothing if the system does not report it.
    [[nodiscard]] std::optional<uint64_t> available_bytes() const { return available_bytes_; }

private:
    uint64_t needed_bytes_;
    std::optional<uint64_t> available_bytes_;
};

// Makes `bytes` of memory of the best kind that the system has: zeroed, backed and, where the
// system can, sealed. The descriptor is close-on-exec. Throws MemoryRefused, std::system_error.
[[nodiscard]] UniqueFd make_segment_memory(uint64_t bytes);

enum class MappingAccess { read_write, read_only };

// Maps the first `bytes` of the memory behind `fd`; the descriptor stays the caller's. `what` is
// what the error says was tried. mmap(2); throws std::system_error.
[[nodiscard]] boost::interprocess::mapped_region map_segment_memory(
    int fd, uint64_t bytes, const char* what, MappingAccess access = MappingAccess::read_write);

// Another descriptor of the same memory, close-on-exec, for a process that may read it alone: what
// was mapped by it cannot be made writable (mprotect(2)). Where the system cannot open a descriptor
// once more, it is a duplicate, and the process is held back by its own mapping and its confinement
// alone. Throws std::system_error if there is no descriptor left.
[[nodiscard]] UniqueFd open_to_read(int fd);

// The steps of make_segment_memory().

// Opens nameless memory of size 0. Returns no descriptor if the system has none, or does not let
// this process have any (because of a seccomp filter, for example).
[[nodiscard]] UniqueFd open_nameless_memory();
// Opens a shared-memory object of size 0 and removes its name. Throws std::system_error.
[[nodiscard]] UniqueFd open_unlinked_memory();
// Gives new memory its size and backs it. Takes about 0.25 s for each gigabyte, ten minutes at
// most. Throws MemoryRefused.
void size_and_back(int fd, uint64_t bytes);
// Keeps every process from changing the size, for good. Returns false if the system cannot.
bool seal_size(int fd);

} // namespace chatserv
