// Counts the datagrams that this process has lost, and says so to the master: of the first at once,
// then at most once a second. A process that is killed has not said the last second's.
#pragma once

#include "master/sources/datagram_drops.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace chatserv {

class DropTally {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds pause{1};

    // `lifeline`: to the master; borrowed. `before`: those of earlier processes of this source.
    DropTally(int lifeline, uint64_t before) : lifeline_(lifeline), drops_{.total = before} {}

    void count(uint64_t datagrams, std::string why);
    // Says what is to be said by now. Returns the milliseconds until it is to be called again; -1:
    // not until the next count(). Does not wait: where the stream has no room, the word is later.
    int say(Clock::time_point now);
    // At once and whatever was said already: to a new master, and at the end of the process.
    void say_again();

private:
    int lifeline_;
    DatagramDrops drops_;
    bool is_said_ = true;
    Clock::time_point next_{};
};

} // namespace chatserv
