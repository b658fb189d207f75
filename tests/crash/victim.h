// The worker that a test kills. It runs under a tracer, from point to point, to the exact point of
// its death.
#pragma once

#include "tests/crash/tracer.h"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace chatserv::test {

class Victim {
public:
    // The unit in which its points are counted: both ends of each system call, or each instruction.
    enum class Unit { system_call, instruction };

    // Stopped until go_on(). Does not outlive this object.
    Victim(pid_t pid, Unit unit) : tracer_(pid), unit_(unit) {}

    // Continues and counts points from here. The worker is killed at point `kill_at`; 0 means no
    // point.
    void go_on(std::uint64_t kill_at);

    // Call in every wait of the test: without this call the worker gets no further than one point.
    // Returns whether it had reached a point.
    bool advance();

    // Kills the worker now, wherever it is.
    void kill();

    [[nodiscard]] bool killed() const { return killed_; }
    [[nodiscard]] std::uint64_t points() const { return points_; }
    // The point at which it was killed, if it was.
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
