#include "master/bridge/bridge_build.h"

#include "master/workers/reaping.h"
#include "shared/ipc/program_build.h"
#include "shared/system/event_queue.h"
#include "shared/system/failure.h"
#include "shared/system/fd.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

using std::chrono::milliseconds;

// True if the process ends in time.
bool ends_within(milliseconds patience, pid_t pid) {
    using Clock = std::chrono::steady_clock;
    EventQueue events;
    if (events.watch_exit(pid) != 0)
        return has_exited(pid);
    const Clock::time_point end = Clock::now() + patience;
    for (Clock::time_point now = Clock::now(); now < end; now = Clock::now())
        if (!events.wait(end - now).empty())
            return true;
    return false;
}

// waitpid(2), which waits.
std::optional<int> await_end(pid_t pid) {
    int wait_status = 0;
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(pid, &wait_status, 0);
    } while (reaped == -1 && errno == EINTR);
    return reaped == pid ? std::optional(wait_status) : std::nullopt;
}

struct Answer {
    std::optional<ProgramBuild> build; // none: it did not say
    std::string how_it_ended;
};

Answer ask(const ProgramFile& program, milliseconds patience) {
    const FdPair pipe = make_pipe();
    const int answer = pipe.second.get();
    int32_t pid_word = 0; // of which the process has a copy
    const pid_t pid = program.start({.title = "chatserv: bridge",
        .arguments = {build_word, std::to_string(answer)},
        .inherited = {answer},
        .pid_word = {.word = &pid_word, .unset = 0},
        .say_why_not = [](int /*error*/) {}});
    const bool in_time = ends_within(patience, pid);
    if (!in_time)
        ::kill(pid, SIGKILL);
    const std::optional<int> wait_status = await_end(pid);
    char bytes[128];
    const ssize_t got = ::read(pipe.first.get(), bytes, sizeof bytes);
    return {.build = build_in({bytes, got > 0 ? static_cast<size_t>(got) : 0}),
        .how_it_ended = in_time ? text_of_wait_status(wait_status)
                                : fmt::format("no answer within {} ms", patience.count())};
}

} // namespace

// What to do comes before the path: an upgrade's line has room for little more than that.
void check_bridge_build(const ProgramFile& program, milliseconds patience) {
    const Answer answer = ask(program, patience);
    const ProgramBuild own = own_build();
    if (!answer.build)
        throw Failure(EX_UNAVAILABLE,
            fmt::format("chatserv-bridge does not say its version ({}): install that of chatserv "
                        "{}, in place of {}",
                answer.how_it_ended, own.version, program.path()));
    if (*answer.build != own)
        throw Failure(EX_UNAVAILABLE,
            fmt::format("chatserv-bridge is {} (layout {}), not {} (layout {}): install that of "
                        "chatserv {}, in place of {}",
                answer.build->version, answer.build->layout, own.version, own.layout, own.version,
                program.path()));
}

} // namespace chatserv
