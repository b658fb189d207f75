// Becoming another program, in the keeper: exec(2) with every descriptor that the server needs.
//
// All sockets are passed on, noted or not: one may be a connection that was accepted an instant
// before. The other descriptors are passed on if they are holdings. Until a master of the next
// program has set the flags again, a worker that was started would inherit all of them, so none
// is started: the masters stand in (stand_in.h).
#pragma once

#include "master/ledger/ledger.h"

#include <string>

namespace chatserv {

// The words that follow the program's name on its command line; the last one is the number of the
// ledger's descriptor.
inline constexpr const char* take_over_word = "take-over";
inline constexpr const char* trial_word = "take-over-trial";

// Becomes the program at `path`. Returns only if that fails: an errno of execve(2). Nothing has
// changed then but the flags of descriptors.
[[nodiscard]] int become_program_at(const std::string& path, const Ledger& ledger);
// The program behind this descriptor, where the system can execute one (fexecve(3)). `name`: for
// its command line.
[[nodiscard]] int become_program_of(int fd, const std::string& name, const Ledger& ledger);

// In the master that has taken over: no worker inherits these descriptors by chance.
void keep_descriptors_from_children();

} // namespace chatserv
