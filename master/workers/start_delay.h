// The start delay: how long the master waits before it starts the next worker process, after
// processes that died young and after starts that the system refused.
//
// Without a delay a program that cannot run would be started again and again, as fast as the
// machine can. The delay grows from failure to failure, and the first success ends it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace chatserv {

class StartDelay {
public:
    using Clock = std::chrono::steady_clock;

    // The system refused a process.
    void refused(Clock::time_point now);
    // A process was started.
    void started() { refused_ = 0; }

    // A process ended before its first work. `killed`: from outside, by SIGKILL. Returns the delay.
    std::chrono::milliseconds died_young(bool killed, Clock::time_point now);
    // So many had died young in a row when the master's predecessor died.
    void restore(uint32_t deaths) { died_young_ = deaths; }
    // A process ended that had proven itself.
    void died_proven() { died_young_ = 0; }
    // How many processes in a row have died young.
    [[nodiscard]] uint32_t deaths() const { return died_young_; }

    // Whether a process can be started without waiting.
    [[nodiscard]] bool over() const { return !until_; }
    // When to try again; nothing where no delay runs. The caller bounds its sleep by this instant:
    // a timer would need a descriptor, and there may be none.
    [[nodiscard]] std::optional<Clock::time_point> until() const { return until_; }
    // Ends the delay where its time has come; true where it did.
    [[nodiscard]] bool take_due(Clock::time_point now);
    void cancel() { until_.reset(); }

private:
    uint32_t died_young_ = 0; // in a row
    uint32_t refused_ = 0;    // in a row
    std::optional<Clock::time_point> until_{};
};

} // namespace chatserv
