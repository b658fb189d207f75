#include "master/master.h"

#include "master/events.h"
#include "shared/segment/memory_fault.h"
#include "shared/system/logging.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <utility>

namespace chatserv {

namespace {

// The idents of the master's timers.
constexpr uintptr_t lingering_timer = 1;
constexpr uintptr_t stop_timer = 2;

// What the events of the master's kqueue are about.
enum class Watched : uint8_t {
    listener = 1, // generation: its index
    channel = 2,  // generation: the worker's pid
    lingering = 3,
    control = 4,
    signals = 5
};

// An event of a timer or of an exit has no tag.
bool is_listener(const EventQueue::Event& event) {
    return is_readable(event) && tag_of(event).kind<Watched>() == Watched::listener;
}

// Shorter standstills are not logged: they are normal for a machine under more load than it can
// carry.
constexpr std::chrono::seconds worth_telling{1};

} // namespace

Master::Master(const Options& options, const WorkerProgram& program, LogFile& log_file) :
    options_(options), log_file_(log_file),
    clock_(served_, ServedClock::allowance_for(std::chrono::hours(1))), prepared_(prepare(options)),
    clients_(
        Escrow(UserTable(prepared_.segment), options.workers, prepared_.why_no_account.empty()),
        {options.allow, options.deny, options.max_per_address},
        LingeringClose(events_, clock_, Watched::lingering, lingering_timer),
        {.max_rate_bytes = options.max_rate_bytes, .idle_timeout = options.idle_timeout}),
    acceptor_(events_, clock_, std::move(prepared_.listeners), Watched::listener,
        options.keepalive_seconds),
    workforce_(program, options, prepared_.segment, prepared_.doorbells, clients_, events_, clock_,
        Watched::channel),
    shutdown_(options.stall_limit, events_, clock_, stop_timer),
    signals_(events_, Watched::signals),
    control_(events_, Watched::control, std::move(prepared_.control_socket),
        {.clients = clients_,
            .acceptor = acceptor_,
            .pool = workforce_.pool(),
            .moving = workforce_.moving(),
            .balancer = workforce_.balancer(),
            .draining = workforce_.draining(),
            .entries = options.workers,
            .hang_limit = options.hang_limit}),
    choose_entry_([this] { return workforce_.entry_for_newcomer(); }) {
    explain_memory_faults(prepared_.segment.bytes());
}

int Master::run() {
    events::starting(options_);
    events::kernel_account(prepared_.why_no_account);
    (void)clock_.now();
    (void)clock_.take_found(); // the start takes as long as it takes
    workforce_.begin();
    while (!shutdown_.dismissing() || !workforce_.empty()) {
        const std::span<const EventQueue::Event> events = wait();
        workforce_.begin_turn();
        control_.look();
        handle(events);
        while (!shutdown_.stopping() && workforce_.look_at_staff()) {
            shutdown_.start_serving();
            acceptor_.start();
        }
        workforce_.add(acceptor_.try_again(clients_, choose_entry_));
        workforce_.end_turn();
        for (const FinishedTakeover& finished : workforce_.take_finished())
            control_.tell(finished);
        for (const FinishedDrain& finished : workforce_.draining().take_finished())
            control_.tell(finished);
        advance_stop();
        say_dropped_lines(); // at least once a second: so often the heartbeats are looked at
    }
    return shutdown_.exit_status();
}

// Waits for events, and says so in the log if the server stood still meanwhile.
std::span<const EventQueue::Event> Master::wait() {
    const std::span<const EventQueue::Event> events = events_.wait(time_to_sleep());
    (void)clock_.now();
    if (const auto stood_still = clock_.take_found(); stood_still >= worth_telling)
        events::stood_still(stood_still);
    return events;
}

// Newcomers come last, because clients that leave in the same turn make room for them.
void Master::handle(std::span<const EventQueue::Event> events) {
    for (const EventQueue::Event& event : events)
        if (!is_listener(event))
            handle(event);
    for (const EventQueue::Event& event : events)
        if (is_listener(event))
            workforce_.add(acceptor_.accept(tag_of(event).generation(), clients_, choose_entry_));
}

void Master::handle(const EventQueue::Event& event) {
    if (is_timer(event)) {
        if (timer_of(event) == lingering_timer)
            clients_.lingering_close().timer();
        else
            stop(shutdown_.timer());
        return;
    }
    if (is_exit(event)) {
        workforce_.handle_exit(pid_of(event));
        return;
    }
    switch (tag_of(event).kind<Watched>()) {
    case Watched::listener: // its event says that it is readable, and no other
        break;
    case Watched::channel:
        workforce_.handle_channel(static_cast<pid_t>(tag_of(event).generation()));
        break;
    case Watched::lingering:
        clients_.lingering_close().readable(descriptor_of(event));
        break;
    case Watched::control:
        control_.handle(event);
        break;
    case Watched::signals:
        handle_signals();
        break;
    }
}

void Master::handle_signals() {
    for (const auto& [signal, count] : signals_.take()) {
        if (signal == SIGCHLD)
            workforce_.reap_children();
        else if (is_stop(signal))
            for (int64_t i = 0; i < count; ++i)
                stop(shutdown_.handle_stop(signal, clients_.escrow().held()));
        else if (signal == SIGHUP && log_file_.in_use())
            open_log_again();
        else
            events::signal_ignored(signal);
    }
}

// The workers too have to close the old file. The master waits for none of them: until its channel
// has brought the new file, a worker goes on writing to the old one.
void Master::open_log_again() {
    if (const int error = log_file_.open_again()) {
        events::log_not_opened(log_file_.path(), error);
        return;
    }
    events::log_opened(log_file_.path());
    workforce_.send_log_file();
}

void Master::advance_stop() {
    while (shutdown_.stopping()) {
        const auto step =
            shutdown_.advance(clients_.escrow().empty(), workforce_.all_stopped_reading());
        if (step == Shutdown::Step::none)
            return;
        stop(step);
    }
}

void Master::stop(Shutdown::Step step) {
    switch (step) {
    case Shutdown::Step::none:
        break;
    case Shutdown::Step::stop_reading:
        acceptor_.stop();
        clients_.lingering_close().close_all();
        workforce_.order(MessageType::stop_reading);
        break;
    case Shutdown::Step::finish:
        workforce_.order(MessageType::finish);
        break;
    case Shutdown::Step::dismiss:
        workforce_.dismiss();
        break;
    case Shutdown::Step::kill:
        workforce_.kill();
        break;
    }
}

// How long at most the master is about to sleep; its clock is told. While a limit runs, that is a
// small part of the limit (served_clock.h).
std::optional<std::chrono::nanoseconds> Master::time_to_sleep() {
    if (clients_.take_room_freed())
        acceptor_.room_freed();
    const ServedClock::Steady::time_point now = ServedClock::Steady::now();
    (void)clock_.now(now);
    auto longest = ServedClock::duration::max();
    for (const auto& look : {workforce_.next_turn(), acceptor_.next_try()})
        if (look)
            longest = std::min(longest, std::max(*look - now, ServedClock::duration::zero()));
    const auto limit_runs = [&](ServedClock::duration limit) {
        longest = std::min(longest, ServedClock::sleep_max(limit));
    };
    if (!clients_.lingering_close().empty())
        limit_runs(lingering_time);
    if (workforce_.is_timed())
        limit_runs(std::chrono::seconds(1));
    if (shutdown_.stopping())
        limit_runs(shutdown_.limit());
    clock_.about_to_sleep(longest);
    return longest == ServedClock::duration::max() ? std::nullopt : std::optional(longest);
}

} // namespace chatserv
