#include "master/keeper/keeper_link.h"

#include "master/keeper/server_signals.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/heartbeat.h"

#include <csignal>
#include <unistd.h>

namespace chatserv {

KeeperLink::KeeperLink(KeeperWords& words, pid_t keeper, uint32_t generation) :
    words_(words), keeper_(keeper), generation_(generation) {
    store_release(words.master, static_cast<uint32_t>(::getpid()));
}

// The filter first, then the question: a keeper that died before the filter was there is no longer
// the parent. Its number may belong to another process then, whose exit is of no importance.
void KeeperLink::watch(EventQueue& events) {
    exit_will_be_told_ = events.watch_exit(keeper_) == 0;
    if (::getppid() != keeper_)
        exit_was_told_ = true;
}

bool KeeperLink::handle_exit(pid_t pid) {
    if (pid != keeper_ || !exit_will_be_told_)
        return false;
    exit_will_be_told_ = false;
    exit_was_told_ = true;
    return true;
}

bool KeeperLink::keeper_is_dead() const {
    return exit_was_told_ || (!exit_will_be_told_ && ::getppid() != keeper_);
}

void KeeperLink::beat() {
    (void)chatserv::beat(words_.beat);
}

void KeeperLink::note_serving() {
    serving_ = true;
    store_release(words_.serving, static_cast<uint32_t>(::getpid()));
}

std::vector<KeeperLink::Arrived> KeeperLink::arrived_signals() const {
    std::vector<Arrived> arrived;
    for (size_t signal = 1; signal < passed_signals_end; ++signal)
        if (const uint32_t count = load_acquire(words_.sent[signal]) - words_.taken[signal])
            arrived.push_back({.signal = static_cast<int>(signal), .count = count});
    return arrived;
}

void KeeperLink::note_taken(const Arrived& arrived) {
    uint32_t& taken = words_.taken[static_cast<size_t>(arrived.signal)];
    store_release(taken, taken + arrived.count);
}

std::optional<int> KeeperLink::taken_stop() const {
    for (size_t signal = 1; signal < passed_signals_end; ++signal)
        if (is_stop(static_cast<int>(signal)) && words_.taken[signal] != 0)
            return static_cast<int>(signal);
    return std::nullopt;
}

void KeeperLink::nudge_keeper() const {
    ::kill(keeper_, SIGCHLD);
}

} // namespace chatserv
