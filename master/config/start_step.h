// A step of the start that may have to wait for something outside this process: a name service, a
// file system on another machine, memory that must first be made free.
//
// The wait is neither silent nor endless. After a second a line on standard error says what the
// server waits for. After the limit another line says what to check, and the process ends. A
// handler of SIGALRM writes both lines, so it does not matter in which call the step waits.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <sys/time.h>
#include <sysexits.h>

namespace chatserv {

struct Patience {
    std::chrono::milliseconds silent{1000};  // until the line that says what the server waits for
    std::chrono::milliseconds limit{30'000}; // until the process ends
};

class StartStep {
public:
    // Begins the step. `doing`: what the step does, "looking up the user nobody". `advice`: what
    // the user can do if the limit passes, "check that the name service responds". Bytes that would
    // break the line are replaced in both. `exit_status`: the status if the limit passes, as in
    // sysexits(3). Only one step at a time. Throws std::system_error.
    StartStep(const std::string& doing, const std::string& advice, int exit_status = EX_OSERR,
        Patience patience = {});
    // Ends the step, and restores the former handler of SIGALRM and the former timer.
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
