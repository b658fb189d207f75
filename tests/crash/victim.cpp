#include "tests/crash/victim.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace chatserv::test {

namespace {

using Clock = std::chrono::steady_clock;
// Most stops are microseconds apart, and the test takes far longer between two calls of advance().
constexpr std::chrono::microseconds next_stop_within{50};
constexpr std::chrono::milliseconds turn_max{5};

} // namespace

void Victim::go_on_after(std::uint64_t ends_of_calls, std::uint64_t kill_at) {
    points_ = 0;
    ends_to_pass_ = ends_of_calls;
    kill_at_ = kill_at;
    if (!going_)
        resume();
    going_ = true;
}

bool Victim::advance() {
    bool any = false;
    const auto turn_over = Clock::now() + turn_max;
    while (!killed_ && !released_ && Clock::now() < turn_over) {
        const auto stop = next_stop();
        if (!stop)
            break;
        any = true;
        if (*stop == Tracer::Stop::started_child) {
            released_ = !started_(tracer_.child());
            released_ ? tracer_.detach() : resume();
            continue;
        }
        if (ends_to_pass_ > 0) {
            ends_to_pass_ -= *stop == Tracer::Stop::step ? 0 : 1;
            resume();
            continue;
        }
        ++points_;
        if (points_ != kill_at_) {
            resume();
            continue;
        }
        place_ = tracer_.place();
        kill();
    }
    if (tracer_.ended() && !may_end_)
        throw std::runtime_error("the traced process has ended by itself");
    return any;
}

std::optional<Tracer::Stop> Victim::next_stop() {
    const auto give_up = Clock::now() + next_stop_within;
    for (;;) {
        const auto stop = tracer_.stopped();
        if (stop || tracer_.ended() || Clock::now() >= give_up)
            return stop;
        std::this_thread::yield();
    }
}

std::optional<pid_t> Victim::traced() const {
    return killed_ || released_ || tracer_.ended() ? std::nullopt : std::optional(tracer_.pid());
}

void Victim::kill() {
    if (!tracer_.ended())
        tracer_.kill();
    killed_ = true;
}

void Victim::resume() {
    unit_ == Unit::system_call || ends_to_pass_ > 0 ? tracer_.run_to_syscall()
                                                    : tracer_.single_step();
}

} // namespace chatserv::test
