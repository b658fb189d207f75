// A step of the start that may have to wait for others: a name service, a file system on another
// machine, memory that has to be made free first.
//
// The start neither waits without a word nor for ever. After a second a line on standard error says
// what it waits for; after the limit another one says what to look at, and the process ends with
// EX_OSERR. Both come from a handler of SIGALRM, so that it makes no difference in which call the
// step waits.
#pragma once

#include <chrono>
#include <csignal>
#include <string>

namespace chatserv {

class StartStep {
public:
    static constexpr std::chrono::seconds usual_limit{30};

    // Begins it. `doing`: what is done, "looking up the user nobody". `advice`: what to do should
    // it not come to an end, "see whether the name service answers". At most one at a time; throws
    // std::system_error.
    StartStep(const std::string& doing, const std::string& advice,
        std::chrono::seconds limit = usual_limit);
    // Ends it; SIGALRM is again what it was.
    ~StartStep();
    StartStep(const StartStep&) = delete;
    StartStep& operator=(const StartStep&) = delete;

private:
    std::string waits_;
    std::string gave_up_;
    struct sigaction former_action_ {};
    sigset_t former_mask_{};
};

} // namespace chatserv
