// The worker that a test kills: it runs, traced, up to the very point at which it is to die.
#pragma once

#include "tests/crash/tracer.h"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace chatserv::test {

class Victim {
public:
    // What it is stopped at and its points are counted by: both ends of each system call, or each
    // instruction.
    enum class Unit { system_call, instruction };

    // Stopped until go_on(). Does not outlive this object.
    Victim(pid_t pid, Unit unit) : tracer_(pid), unit_(unit) {}

    // Counts its points anew from here; it is killed at the one of this number, 0 for none of them.
    void go_on(std::uint64_t kill_at);

    // To be called whenever the test waits, since it gets no further than one point without. Says
    // whether it had come to one.
    bool advance();

    // Kills it now, wherever it is.
    void kill();

    [[nodiscard]] bool killed() const { return killed_; }
    [[nodiscard]] std::uint64_t points() const { return points_; }
    // Where it was killed at its point, if it was.
    [[nodiscard]] const std::string& place() const { return place_; }

private:
    void resume();

    Tracer tracer_;
    Unit unit_;
    bool going_ = false;
    std::uint64_t points_ = 0;
    std::uint64_t kill_at_ = 0;
    bool killed_ = false;
    std::string place_ = "at none of its points";
};

} // namespace chatserv::test
