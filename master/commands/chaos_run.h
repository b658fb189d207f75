// One run of `chatserv chaos`: strikes processes of a server at random moments (a Poisson process),
// and prints and counts how long the server took to replace them.
//
// Workers and the bridge are struck by the master, on request, and the master tells of each
// takeover. Master and keeper are struck by this process, which then waits until another master
// answers. That one names its keeper as well, and a master answers only while its keeper lives. So
// both are there again, and the process that was struck is dead.
#pragma once

#include "master/commands/strike_tally.h"
#include "master/commands/struck_server.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

enum class ChaosTarget : uint8_t { worker = 0, master = 1, keeper = 2, bridge = 3 };
enum class ChaosMode : uint8_t { kill, stop, mixed };

struct ChaosOptions {
    double rate = 1; // strikes per second, on average
    double seconds = 10;
    // One of these is struck each time. Of several, one that the server is without is left out if
    // it is the bridge.
    std::vector<ChaosTarget> targets{ChaosTarget::worker};
    ChaosMode mode = ChaosMode::kill;
    uint64_t seed = 0;
};

class ChaosRun {
public:
    // Throws Failure if the server has no process of such a kind.
    ChaosRun(const ChaosOptions& options, ChosenServer server);
    ChaosRun(const ChaosRun&) = delete;
    ChaosRun& operator=(const ChaosRun&) = delete;

    // Strikes until the time is over or a signal asks for the end, and prints a summary. Throws
    // Failure if the server does not answer or does not replace a process in time.
    void run();

private:
    // If the whole machine stands still, the server does too. That time does not count against it.
    using Clock = ServedClock;

    // A master or keeper that was struck and is not replaced yet.
    struct Awaited {
        ChaosTarget target;
        pid_t pid;
        Clock::time_point since;
    };

    template <typename Condition>
    void wait_for(Condition condition, Clock::time_point end);
    void wait_for_server();
    void expect_answers(uint64_t missing_max) const;

    [[nodiscard]] bool choose_stop();
    void strike();
    void ask_for_strike(ChaosTarget target, const std::string& which);
    void strike_process(ChaosTarget target, bool stop);

    void read();
    void forget_unanswered();
    [[nodiscard]] ChaosTarget answered();
    void take(const std::string& event, const nlohmann::json& said);
    void look_for_successor();
    void count_strike(StrikeTally& tally, bool stop, const std::string& whom);
    void say(std::string_view text);
    void summarize() const;

    [[nodiscard]] StrikeTally& tally_of(ChaosTarget target) {
        return tallies_[static_cast<size_t>(target)];
    }

    const ChaosOptions& options_;
    EventQueue events_;
    StruckServer server_;
    std::mt19937_64 random_;
    ServedRecord record_{};
    Clock clock_{record_, Clock::allowance_for(ControlClient::patience)};
    Clock::time_point started_ = clock_.now();
    std::chrono::milliseconds hang_limit_;
    uint32_t workers_;
    std::vector<ChaosTarget> targets_;
    std::array<StrikeTally, 4> tallies_{}; // by ChaosTarget
    std::optional<Awaited> awaited_{};
    std::deque<ChaosTarget> unanswered_{}; // strikes that were asked for
    uint64_t outstanding_ = 0;             // workers that are to be taken over
    bool bridge_outstanding_ = false;      // ... or the bridge is
    bool interrupted_ = false;
};

} // namespace chatserv
