// Reading the options again, in a process of its own: a file system, a name service or a user
// database that does not answer holds up that process alone, and the master waits for nothing.
//
// The process is a child of the master and runs the master's own program, with the words by which
// the server was started. Its standard error leads to the master. It writes there a zero byte and
// its answer in CBOR, the options or why there are none. Where it cannot, the last line of text
// says why.
#pragma once

#include "master/config/options.h"
#include "shared/system/fd.h"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// The first word of the command line of such a process, before those of the server.
inline constexpr const char* reading_word = "read-options";

class Reading {
public:
    using Clock = std::chrono::steady_clock;

    // `program`: the file of this program (open_own_program()); borrowed; -1 for the one at `path`.
    // `command_line`: the program's name first. Throws std::system_error where the system refuses a
    // process.
    Reading(int program, std::string path, const std::vector<std::string>& command_line);
    // The process is killed if it has not ended; the master reaps it like any child.
    ~Reading();
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    // To be watched: look() is to be called when it is readable.
    [[nodiscard]] int answer_fd() const { return answer_.get(); }

    struct Verdict {
        std::optional<Options> options{}; // complete: the user and the addresses are looked up
        std::string failure{};            // otherwise: a line
        int exit_status = 0;              // of that failure: sysexits(3)
    };
    // To be asked when the answer is readable, after each SIGCHLD before other children are reaped,
    // and when due(). Nothing as long as the process runs.
    [[nodiscard]] std::optional<Verdict> look();
    // The process has closed its end of the answer; its exit follows.
    [[nodiscard]] bool said_all() const { return said_all_; }
    // When a process that still runs is too late.
    [[nodiscard]] Clock::time_point due() const { return due_; }

private:
    void take_answer();
    [[nodiscard]] Verdict judge(std::optional<int> wait_status) const;

    pid_t pid_ = 0;
    UniqueFd answer_{};
    std::string said_{};
    bool said_all_ = false;
    bool overdue_ = false;
    Clock::time_point due_;
};

// In that process; argv[1] is reading_word. Returns the exit status. Throws std::system_error if
// the server cannot be answered.
[[nodiscard]] int read_options_for_server(int argc, const char* const* argv);

} // namespace chatserv
