// What a program finds that has taken the place of another one in the keeper (exec(2)): the
// descriptors that the ledger notes, and by them everything that a start prepares. Nothing in the
// ledger is changed: until a master of this program has claimed the connections, the former program
// may have to go on.
#pragma once

#include "master/preparation.h"

#include <cstdint>

namespace chatserv {

// The objects own their descriptors as those of the former program did.
struct Resumed {
    Options options;
    LogFile log_file;
    WorkerProgram program;
    Preparation preparation;
    int former_program; // the file that this process ran before; borrowed; -1: none
};

// `ledger`: attached by its descriptor. `argv0`: this program's. Throws Failure or
// std::system_error where a descriptor is not what it should be; nothing is closed then, and the
// ledger is left to the caller.
[[nodiscard]] Resumed resume_preparation(Ledger& ledger, const std::string& argv0);

// In a master of this program, which has claimed the connections and begins: notes its own files,
// and those of the former program as long as that may have to return. Can be done again.
void note_resumed(Resumed& resumed);

} // namespace chatserv
