// The trial of a new program: whether it could go on with this server. Nothing has ended yet, so a
// program that could not costs a line.
//
// The program runs as a child of the master, inherits ledger, segment and legacy, and reads them.
// It answers over a pipe, in one line: "ok VERSION", or why not.
#pragma once

#include "master/ledger/ledger.h"
#include "shared/system/fd.h"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>

namespace chatserv {

class Trial {
public:
    using Clock = std::chrono::steady_clock;

    // Starts the program at `path`. Throws std::system_error where the system refuses a process.
    Trial(std::string path, const Ledger& ledger);
    // The program is killed if it has not ended; the master reaps it like any child.
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    struct Verdict {
        std::string version{}; // of the new program, which can go on with the server
        std::string why_not{}; // otherwise: a line
    };
    // To be asked after each SIGCHLD, before other children are reaped, and when due(). Nothing as
    // long as the program runs.
    [[nodiscard]] std::optional<Verdict> look();
    // When a program that still runs is too late.
    [[nodiscard]] Clock::time_point due() const { return due_; }

private:
    [[nodiscard]] Verdict judge(std::optional<int> wait_status) const;

    std::string path_;
    pid_t pid_ = 0;
    UniqueFd answer_{};
    Clock::time_point due_;
    bool overdue_ = false;
};

// In the program that is tried: `ledger` and `answer` are the inherited descriptors, `argv0` is its
// name. Returns the exit status. Changes nothing.
[[nodiscard]] int stand_trial(int ledger, int answer, const std::string& argv0);

} // namespace chatserv
