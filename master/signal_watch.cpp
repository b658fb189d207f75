#include "master/signal_watch.h"

#include "master/keeper/server_signals.h"
#include "shared/system/errors.h"

#include <chrono>
#include <csignal>

namespace chatserv {

SignalWatch::SignalWatch(EventQueue& events, Tag tag, KeeperLink* keeper) : keeper_(keeper) {
    if (keeper_ == nullptr)
        watch_server_signals();
    require(signals_.watch_signal(SIGCHLD), "watching for signals");
    require(events.watch_readable(signals_.fd(), tag), "watching for signals");
}

void SignalWatch::watch_server_signals() {
    for (const int signal : server_signals()) {
        if (is_stop(signal))
            std::signal(signal, SIG_IGN);
        const int error = signals_.watch_signal(signal);
        if (is_stop(signal) || signal == SIGHUP) // the server gets on without the others
            require(error, "watching for signals");
    }
}

std::vector<SignalWatch::Arrived> SignalWatch::take() {
    std::vector<Arrived> arrived;
    for (const EventQueue::Event& event : signals_.wait(std::chrono::nanoseconds::zero()))
        arrived.push_back(
            {.signal = signal_of(event), .count = static_cast<uint32_t>(times_of(event))});
    if (keeper_ != nullptr)
        for (const auto& [signal, count] : keeper_->arrived_signals())
            arrived.push_back({.signal = signal, .count = count});
    return arrived;
}

void SignalWatch::note_taken(const Arrived& arrived) {
    if (keeper_ != nullptr && arrived.signal != SIGCHLD)
        keeper_->note_taken({.signal = arrived.signal, .count = arrived.count});
}

} // namespace chatserv
