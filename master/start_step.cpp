#include "master/start_step.h"

#include "shared/handler_line.h"
#include "shared/panic.h"

#include <cerrno>
#include <fmt/core.h>
#include <string_view>
#include <sys/time.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

// What the handler looks at. Written while no timer runs.
struct Watch {
    std::string_view waits;
    std::string_view gave_up;
    int64_t limit = 0;
    int64_t seconds = 0;
    bool on = false;
};
Watch watch;

// Only async-signal-safe calls: signal-safety(7).
void tell(int /*signal*/) {
    const int error = errno;
    ++watch.seconds;
    if (watch.seconds == 1)
        write_line_from_handler(watch.waits);
    if (watch.seconds >= watch.limit) {
        write_line_from_handler(watch.gave_up);
        ::_exit(EX_OSERR);
    }
    errno = error;
}

void set_timer(time_t seconds) {
    itimerval every{};
    every.it_interval.tv_sec = seconds;
    every.it_value.tv_sec = seconds;
    ::setitimer(ITIMER_REAL, &every, nullptr);
}

} // namespace

StartStep::StartStep(
    const std::string& doing, const std::string& advice, std::chrono::seconds limit) :
    waits_(fmt::format("chatserv: still {}, for {} s at the most\n", doing, limit.count())),
    gave_up_(fmt::format(
        "chatserv: {} did not come to an end in {} s: {}\n", doing, limit.count(), advice)) {
    invariant(!watch.on, "two steps of the start at once");
    watch = {
        .waits = waits_, .gave_up = gave_up_, .limit = limit.count(), .seconds = 0, .on = true};
    struct sigaction action {};
    action.sa_handler = tell;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (::sigaction(SIGALRM, &action, &former_action_) == -1)
        throw std::system_error(errno, std::generic_category(), "sigaction");
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ::sigprocmask(SIG_UNBLOCK, &alarm, &former_mask_);
    set_timer(1);
}

StartStep::~StartStep() {
    set_timer(0);
    ::sigprocmask(SIG_SETMASK, &former_mask_, nullptr);
    ::sigaction(SIGALRM, &former_action_, nullptr);
    watch = {};
}

} // namespace chatserv
