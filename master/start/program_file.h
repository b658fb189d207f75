// A program that is installed beside this one: found and opened once, executed from then on.
#pragma once

#include "shared/system/fd.h"

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// Shared memory in which a process stores its pid. A process that finds another value than `unset`
// there is late: its master has died, and the next one has given it up.
struct PidWord {
    int32_t* word;
    int32_t unset;
};

class ProgramFile {
public:
    // Looks for a program of this name beside the master's own program, then where chatserv was
    // installed. The descriptor stays open: on systems that can execute one (fexecve(3)), an
    // upgrade of the package does not mix versions under a running master. `argv0`: the master's
    // own, for systems that do not say which file a process runs; any text will do. Throws
    // Failure(EX_UNAVAILABLE) where no such program can be executed; `advice` says what to do then.
    ProgramFile(const std::string& name, const std::string& argv0,
        const std::string& advice = "install it beside chatserv");

    // One that an earlier program of this process has opened. `path`: for messages.
    ProgramFile(UniqueFd file, std::string path) : path_(std::move(path)), file_(std::move(file)) {}

    struct Child {
        std::string title; // what ps(1) shows until the process says something else
        std::vector<std::string> arguments;
        std::vector<int> inherited; // descriptors; the process gets no others but 0, 1 and 2
        PidWord pid_word;
        // Called in the child, with an errno, if it cannot execute the program. It may make
        // async-signal-safe calls only (signal-safety(7)).
        std::function<void(int)> say_why_not;
    };
    // fork(2) and exec. Returns the pid; throws std::system_error where the system refuses a
    // process. The child stores its pid before anything else, so that a successor of this process
    // knows it. One that cannot execute the program exits with EX_UNAVAILABLE.
    [[nodiscard]] pid_t start(const Child& child) const;

    [[nodiscard]] const std::string& path() const { return path_; }
    // Of the open file, or -1.
    [[nodiscard]] int fd() const { return file_.get(); }

private:
    std::string path_;
    UniqueFd file_; // none where the program may be executed but not read
};

} // namespace chatserv
