// A step of the start that may have to wait for others: a name service, a file system on another
// machine, memory that has to be made free first.
//
// The start neither waits without a word nor for ever. After a second a line on standard error says
// what it waits for; after the limit another one says what to look at, and the process ends. Both
// come from a handler of SIGALRM, so that it makes no difference in which call the step waits.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <sys/time.h>
#include <sysexits.h>

namespace chatserv {

struct Patience {
    std::chrono::milliseconds silent{1000}; // after that, the line that says what is waited for
    std::chrono::milliseconds limit{30'000};
};

class StartStep {
public:
    // Begins it. `doing`: what is done, "looking up the user nobody". `advice`: what to do should
    // it not come to an end, "see whether the name service answers". In both, what would break the
    // line is replaced. `exit_status`: of a process that has waited in vain, as in sysexits(3). At
    // most one at a time; throws std::system_error.
    StartStep(const std::string& doing, const std::string& advice, int exit_status = EX_OSERR,
        Patience patience = {});
    // Ends it; SIGALRM and the timer are again what they were.
    ~StartStep();
    StartStep(const StartStep&) = delete;
    StartStep& operator=(const StartStep&) = delete;

private:
    std::string waits_;
    std::string gave_up_;
    struct sigaction former_action_ {};
    sigset_t former_mask_{};
    itimerval former_timer_{};
};

} // namespace chatserv
