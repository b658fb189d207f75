// The process that a test kills. It runs under a tracer, from point to point, to the exact point of
// its death.
#pragma once

#include "tests/crash/tracer.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace chatserv::test {

class Victim {
public:
    // The unit in which its points are counted: both ends of each system call, or each instruction.
    enum class Unit { system_call, instruction };

    // Asked about each process that the victim starts, which is stopped before its first
    // instruction and needs a tracer (Begin::attached, or Begin::attached_following). Returns
    // whether the victim stays traced.
    using Started = std::function<bool(pid_t)>;

    // Stopped until go_on(). Does not outlive this object.
    Victim(pid_t pid, Unit unit, Tracer::Begin begin = Tracer::Begin::attach) :
        tracer_(pid, begin), unit_(unit) {}
    // The same, and `started` is asked.
    Victim(pid_t pid, Unit unit, Started started,
        Tracer::Begin begin = Tracer::Begin::attach_following) :
        tracer_(pid, begin),
        unit_(unit), started_(std::move(started)) {}

    // It may end by itself from now on. Otherwise advance() throws std::runtime_error when it does.
    void may_end() { may_end_ = true; }

    // Continues and counts points from here. The victim is killed at point `kill_at`; 0 means no
    // point.
    void go_on(std::uint64_t kill_at) { go_on_after(0, kill_at); }
    // The same, from where it has come to so many ends of system calls: much faster than counting
    // instructions all the way.
    void go_on_after(std::uint64_t ends_of_calls, std::uint64_t kill_at);

    // Call in every wait of the test: without this call the victim gets no further than one point.
    // Takes it as far as it comes in a few milliseconds. Returns whether it had reached a point.
    bool advance();

    // Kills the victim now, wherever it is.
    void kill();

    [[nodiscard]] bool killed() const { return killed_; }
    // The process whose end the tracer is to learn before anybody reaps it; nothing if there is
    // none or no more.
    [[nodiscard]] std::optional<pid_t> traced() const;
    [[nodiscard]] std::uint64_t points() const { return points_; }
    // The point at which it was killed, if it was.
    [[nodiscard]] const std::string& place() const { return place_; }

private:
    // Nothing if it runs on or sleeps.
    [[nodiscard]] std::optional<Tracer::Stop> next_stop();
    void resume();

    Tracer tracer_;
    Unit unit_;
    Started started_{};
    bool may_end_ = false;
    bool released_ = false;
    bool going_ = false;
    std::uint64_t ends_to_pass_ = 0;
    std::uint64_t points_ = 0;
    std::uint64_t kill_at_ = 0;
    bool killed_ = false;
    std::string place_ = "at none of its points";
};

} // namespace chatserv::test
