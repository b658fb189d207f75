#include "master/config/start_step.h"

#include "master/config/option_values.h"
#include "shared/system/errors.h"
#include "shared/system/handler_line.h"
#include "shared/system/panic.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fmt/core.h>
#include <string_view>
#include <unistd.h>

namespace chatserv {

namespace {

// Read by the handler. Written only while no timer runs.
struct Watch {
    std::string_view waits;
    std::string_view gave_up;
    int exit_status = EX_OSERR;
    int64_t limit = 0; // in expirations of the timer
    int64_t expirations = 0;
    bool on = false;
};
Watch watch;

// Only async-signal-safe calls: signal-safety(7).
void report_wait(int /*signal*/) {
    const int error = errno;
    ++watch.expirations;
    if (watch.expirations == 1)
        write_line_from_handler(watch.waits);
    if (watch.expirations >= watch.limit) {
        write_line_from_handler(watch.gave_up);
        ::_exit(watch.exit_status);
    }
    errno = error;
}

itimerval timer_of(std::chrono::milliseconds interval) {
    itimerval timer{};
    timer.it_interval.tv_sec = static_cast<time_t>(interval.count() / 1000);
    timer.it_interval.tv_usec = static_cast<suseconds_t>(interval.count() % 1000 * 1000);
    timer.it_value = timer.it_interval;
    return timer;
}

} // namespace

StartStep::StartStep(
    const std::string& doing, const std::string& advice, int exit_status, Patience patience) :
    waits_(as_one_line(fmt::format(
               "chatserv: still {}, for at most {} s", doing, text_of_seconds(patience.limit))) +
           "\n"),
    gave_up_(as_one_line(fmt::format("chatserv: {} took longer than {} s: {}", doing,
                 text_of_seconds(patience.limit), advice)) +
             "\n") {
    invariant(!watch.on, "two steps of the start at once");
    watch = {.waits = waits_,
        .gave_up = gave_up_,
        .exit_status = exit_status,
        .limit = std::max<int64_t>(1, patience.limit / patience.silent),
        .expirations = 0,
        .on = true};
    struct sigaction action {};
    action.sa_handler = report_wait;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (::sigaction(SIGALRM, &action, &former_action_) == -1)
        throw_errno("sigaction");
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ::sigprocmask(SIG_UNBLOCK, &alarm, &former_mask_);
    const itimerval timer = timer_of(patience.silent);
    ::setitimer(ITIMER_REAL, &timer, &former_timer_);
}

StartStep::~StartStep() {
    const itimerval none{};
    ::setitimer(ITIMER_REAL, &none, nullptr);
    ::sigprocmask(SIG_SETMASK, &former_mask_, nullptr);
    ::sigaction(SIGALRM, &former_action_, nullptr);
    ::setitimer(ITIMER_REAL, &former_timer_, nullptr);
    watch = {};
}

} // namespace chatserv
