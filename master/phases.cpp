// Master: its phases, from the first worker at its place to the end of the last one.
#include "master/master.h"

#include "shared/system/errors.h"
#include "shared/system/logging.h"
#include "shared/system/signals.h"

#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <string>

namespace chatserv {

namespace {

// Who asks for one stop can send two signals: timeout(1) tells the process and then its group.
constexpr std::chrono::milliseconds same_request{50};

// The netcat command by which somebody on this machine joins a server that listens on `address`, as
// Address::text() has it. An address that stands for all of the machine's is replaced by loopback.
std::string netcat_command(const std::string& address) {
    const size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host == "0.0.0.0")
        host = "127.0.0.1";
    else if (host == "[::]")
        host = "::1";
    else if (host.starts_with('['))
        host = host.substr(1, host.size() - 2);
    return fmt::format("nc {} {}", host, address.substr(colon + 1));
}

} // namespace

void Master::start_serving() {
    phase_ = Phase::serving;
    for (uint32_t index = 0; index < listeners_.size(); ++index) {
        const Listener& listener = listeners_[index];
        require(events_.watch_readable(listener.fd(), {MasterEvent::listener, index}),
            "watching a listen socket");
        const std::string address = listener.address().text();
        log_info(
            "listening", fmt::format("listening on {}", listener.text()), {{"address", address}});
    }
    const std::string command = netcat_command(listeners_.front().address().text());
    log_info("how_to_join",
        fmt::format("try it from another terminal: {} (Ctrl-C leaves)", command),
        {{"command", command}});
}

void Master::handle_signal(int signal) {
    if (signal == SIGHUP && log_file_.in_use())
        return open_log_again();
    const std::string name = name_of_signal(signal);
    log_info("signal_ignored",
        signal == SIGHUP ? "SIGHUP: ignored, since there is no --log-file to open again"
                         : fmt::format("{}: ignored; SIGTERM stops the server", name),
        {{"signal", name}});
}

// The workers too are to let go of the old file, and no worker is waited for: until its channel has
// brought the new one, a worker goes on writing to the old one.
void Master::open_log_again() {
    if (const int error = log_file_.open_again()) {
        log_warning("log_not_opened",
            fmt::format("SIGHUP: the log file {} cannot be opened again ({}): still using the one "
                        "that is open",
                log_file_.path(), std::strerror(error)),
            {{"path", log_file_.path()}});
        return;
    }
    log_info("log_opened",
        fmt::format("SIGHUP: the log file {} was opened again", log_file_.path()),
        {{"path", log_file_.path()}});
    pool_.send_log_file();
}

void Master::handle_stop(int signal) {
    if (phase_ == Phase::starting || phase_ == Phase::serving) {
        begin_stop(signal);
        return;
    }
    if (clock_.now() - stop_begun_ < same_request)
        return;
    log_warning("stop_at_once", "a second signal: ending at once");
    exit_status_ = 128 + signal;
    pool_.kill_all();
    phase_ = Phase::dismissing;
    pool_.dismiss_all();
}

void Master::begin_stop(int signal) {
    log_info("stopping", fmt::format("{}: stopping; {} users get the rest of the log",
                             name_of_signal(signal), escrow_.held()));
    phase_ = Phase::draining;
    stop_begun_ = clock_.now();
    listeners_.clear();
    accept_pause_.reset();
    turned_away_.close_all();
    tell_workers(MessageType::stop_reading);
    require(set_stop_timer(stop_limit()), "timing the stop");
}

// Draining and finishing are each bounded by the stall limit in the workers; should one of them
// fail to keep to it, the server ends all the same.
std::chrono::milliseconds Master::stop_limit() const {
    return 2 * stall_limit_ + std::chrono::seconds(2);
}

int Master::set_stop_timer(ServedClock::duration time) {
    return events_.set_timer(stop_timer_ident, std::chrono::ceil<std::chrono::milliseconds>(time));
}

// Early, where the server stood still since the timer was set: the workers are given that time.
void Master::stop_timer() {
    const ServedClock::duration left = stop_begun_ + stop_limit() - clock_.now();
    if (left > ServedClock::duration::zero() && set_stop_timer(left) == 0)
        return;
    log_warning("stop_overdue", "the workers did not come to an end, so they are ended");
    pool_.kill_all();
    phase_ = Phase::dismissing;
    pool_.dismiss_all();
}

void Master::advance_stop() {
    // An entry that has neither a worker nor users has nothing to stop.
    const auto all_stopped_reading = [&] {
        for (uint32_t index = 0; index < stopped_reading_.size(); ++index)
            if (const EntryId entry{index};
                !stopped_reading_[index] && (pool_.manned(entry) || escrow_.clients_of(entry) > 0))
                return false;
        return true;
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
    for (uint32_t index = 0; index < outbox_.size(); ++index) {
        if (WorkerPool::Process* const process = pool_.process_of(EntryId{index})) {
            process->channel.queue(message);
            pool_.send(*process);
        }
    }
}

} // namespace chatserv
