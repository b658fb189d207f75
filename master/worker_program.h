// The worker's program: found and opened once, executed from then on.
#pragma once

#include "shared/fd.h"
#include "shared/logging.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

class WorkerProgram {
public:
    // Looks beside the master's own program, then where it was installed. The descriptor stays
    // open, so that where the system can execute one (fexecve(3)), an upgrade of the package does
    // not mix versions under a running master. `argv0`: the master's own. Throws
    // Failure(EX_UNAVAILABLE) where there is no such program.
    explicit WorkerProgram(const std::string& argv0);

    // fork(2) and exec a worker that inherits these descriptors, and no others but 0, 1 and 2.
    // Returns its pid; throws std::system_error where there is no process to be had.
    [[nodiscard]] pid_t start(
        const std::vector<std::string>& arguments, const std::vector<int>& inherited) const;

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
    UniqueFd file_;
};

} // namespace chatserv
