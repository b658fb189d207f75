// The worker's program: found and opened once, executed from then on.
#pragma once

#include "shared/system/fd.h"
#include "shared/system/logging.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

class WorkerProgram {
public:
    // Looks beside the master's own program, then where chatserv was installed. The descriptor
    // stays open: on systems that can execute one (fexecve(3)), an upgrade of the package does not
    // mix versions under a running master. `argv0`: the master's own, for systems that do not say
    // which file a process runs; any text will do. Throws Failure(EX_UNAVAILABLE) where no such
    // program can be executed.
    explicit WorkerProgram(const std::string& argv0);

    // fork(2) and exec a worker that inherits these descriptors, and no others but 0, 1 and 2.
    // Returns its pid; throws std::system_error where the system refuses a process. A child that
    // cannot execute the program says so over its channel, inherited[0] (CannotWork), and ends.
    [[nodiscard]] pid_t start(
        const std::vector<std::string>& arguments, const std::vector<int>& inherited) const;

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    UniqueFd file_; // none where the program may be executed but not read
};

} // namespace chatserv
