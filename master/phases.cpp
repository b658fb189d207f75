// Master: its phases, from the first worker at its place to the end of the last one.
#include "master/master.h"

#include "shared/logging.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>

namespace chatserv {

namespace {

// Who asks for one stop can send two signals: timeout(1) tells the process and then its group.
constexpr std::chrono::milliseconds same_request{50};

} // namespace

void Master::start_serving() {
    phase_ = Phase::serving;
    for (const Listener& listener : listeners_) {
        must_change(
            events_.change(static_cast<uintptr_t>(listener.fd()), EVFILT_READ, EV_ADD, NOTE_NODATA,
                0, listener_udata | static_cast<uint64_t>(&listener - listeners_.data())),
            "watching a listen socket");
        const std::string address = listener.address().text();
        log_info(
            "listening", fmt::format("listening on {}", listener.text()), {{"address", address}});
    }
}

void Master::handle_signal(int signal) {
    if (phase_ == Phase::starting || phase_ == Phase::serving) {
        begin_stop(signal);
        return;
    }
    if (std::chrono::steady_clock::now() - stop_begun_ < same_request)
        return;
    log_warning("stop_at_once", "a second signal: ending at once");
    exit_status_ = 128 + signal;
    pool_.kill_all();
    phase_ = Phase::dismissing;
    pool_.dismiss_all();
}

void Master::begin_stop(int signal) {
    log_info("stopping", fmt::format("{}: stopping; {} users get the rest of the log",
                             signal == SIGINT ? "SIGINT" : "SIGTERM", escrow_.held()));
    phase_ = Phase::draining;
    stop_begun_ = std::chrono::steady_clock::now();
    listeners_.clear();
    accept_pause_.reset();
    turned_away_.close_all();
    tell_workers(MessageType::stop_reading);
    // Draining and finishing are each bounded by the stall limit in the workers; should one of them
    // fail to keep to it, the server ends all the same.
    const int64_t limit_ms = 2 * stall_limit_.count() + 2000;
    must_change(events_.change(stop_timer_ident, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, limit_ms),
        "timing the stop");
}

void Master::advance_stop() {
    const auto all_stopped_reading = [&] {
        return std::all_of(
            stopped_reading_.begin(), stopped_reading_.end(), [](bool stopped) { return stopped; });
    };
    if (phase_ == Phase::draining && (escrow_.empty() || all_stopped_reading())) {
        phase_ = Phase::finishing;
        tell_workers(MessageType::finish);
    }
    if (phase_ == Phase::finishing && escrow_.empty()) {
        phase_ = Phase::dismissing;
        pool_.dismiss_all();
    }
}

void Master::tell_workers(MessageType message) {
    for (uint16_t entry = 0; entry < outbox_.size(); ++entry) {
        if (WorkerPool::Process* const process = pool_.process_of(entry)) {
            process->channel.queue(static_cast<uint16_t>(message));
            pool_.send(*process);
        }
    }
}

} // namespace chatserv
