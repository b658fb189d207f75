#include "master/keeper/stand_in.h"

#include "master/keeper/keeper_events.h"
#include "shared/segment/atomic_word.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

// How often the keeper's life is looked at. A process stands in for milliseconds, unless the keeper
// is stopped or dies.
constexpr std::chrono::milliseconds look_interval{20};

// A program takes a while to start, however short the hang limit is.
constexpr std::chrono::milliseconds start_limit_min{2000};

constexpr uint32_t taken = 1U << 31; // no pid is that large

uint32_t word_of(pid_t pid) {
    return static_cast<uint32_t>(pid);
}

} // namespace

pid_t stand_in_of(const KeeperWords& words) {
    return static_cast<pid_t>(load_acquire(words.stand_in) & ~taken);
}

void stand_in(KeeperWords& words, pid_t self) {
    store_release(words.stand_in, word_of(self));
}

// The looks are counted, not the time: a machine that was suspended has stopped this process too. A
// keeper that hangs is killed only after the word says that no master of it can go on.
void stand_in_for_next_program(KeeperWords& words, pid_t keeper, CaughtSignals& signals,
    std::chrono::milliseconds hang_limit) {
    const pid_t self = ::getpid();
    signals.begin();
    stand_in(words, self);
    ::kill(keeper, SIGCHLD);
    const auto limit = std::max(hang_limit, start_limit_min);
    auto left = limit;
    while (stand_in_of(words) == self) {
        if (::getppid() == keeper && left.count() > 0) {
            if (!signals.wait(look_interval))
                left -= look_interval;
        } else if (replace_keeper(words, self)) {
            if (::getppid() == keeper) {
                events::next_program_hangs(keeper, limit);
                ::kill(keeper, SIGKILL);
            }
            return;
        }
    }
    ::_exit(EX_OK);
}

bool replace_keeper(KeeperWords& words, pid_t self) {
    return replace_if(words.stand_in, word_of(self), word_of(self) | taken);
}

// Where nobody stands in (any more), a master of a dead keeper finds that another one is in office.
bool claim_connections(KeeperWords& words, pid_t keeper) {
    for (;;) {
        const uint32_t word = load_acquire(words.stand_in);
        if (word == 0)
            return load_acquire(words.keeper) == word_of(keeper);
        if ((word & taken) != 0 && (word & ~taken) != word_of(keeper))
            return false;
        if (replace_if(words.stand_in, word, 0U))
            return true;
    }
}

} // namespace chatserv
