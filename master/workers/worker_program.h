// The worker's program.
#pragma once

#include "master/start/program_file.h"

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class WorkerProgram {
public:
    // Throws as ProgramFile does.
    explicit WorkerProgram(const std::string& argv0);

    // One that an earlier program of this process has opened. `path`: for messages.
    WorkerProgram(UniqueFd file, std::string path) : file_(std::move(file), std::move(path)) {}

    // A worker that inherits these descriptors, and no others but 0, 1 and 2. Returns its pid;
    // throws std::system_error where the system refuses a process. A child that cannot execute the
    // program says so over its channel, inherited[0] (CannotWork), and ends.
    [[nodiscard]] pid_t start(const std::vector<std::string>& arguments,
        const std::vector<int>& inherited, PidWord pid_word) const;

    [[nodiscard]] const std::string& path() const { return file_.path(); }
    // Of the open file, or -1.
    [[nodiscard]] int fd() const { return file_.fd(); }

private:
    ProgramFile file_;
};

} // namespace chatserv
