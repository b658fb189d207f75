// The descriptors that are open in this process, whoever opened them.
//
// For a process that shares its descriptor table with one that died (shared_table.h), and looks for
// what the dead one had opened and not noted.
#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace chatserv {

struct OpenDescriptor {
    int fd;
    // fstat(2). Duplicates of one descriptor have the same device and inode.
    bool is_socket;
    dev_t device;
    ino_t inode;
};

// What is open from `first` up, below `end`; in order. Opens nothing, not even for an instant: a
// process that dies in it leaves nothing behind. Costs a system call for each open one, and
// little for the others.
[[nodiscard]] std::vector<OpenDescriptor> open_descriptors(int first, int end);

// One more than the highest number that a descriptor of this process can have: RLIMIT_NOFILE,
// sysconf(3) _SC_OPEN_MAX. A number above it can be open if the limit was lowered later.
[[nodiscard]] int descriptor_numbers_end();

// Closes every descriptor from `first` up: closefrom(2) where the system has it.
void close_descriptors_from(int first);

} // namespace chatserv
