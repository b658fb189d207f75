#include "master/master.h"

#include "master/config/proxy_terms.h"
#include "master/events.h"
#include "master/keeper/lost_segment.h"
#include "master/keeper/server_signals.h"
#include "master/ledger/holdings.h"
#include "master/ledger/master_point.h"
#include "master/watched.h"
#include "shared/system/logging.h"
#include "shared/system/sleep_time.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

constexpr std::chrono::milliseconds look_at_room_pause{5};

} // namespace

Master::Master(Options& options, const WorkerProgram& program, LogFile& log_file,
    Preparation& prepared, KeeperLink* keeper) :
    options_(options),
    clock_(served_, ServedClock::allowance_for(std::chrono::hours(1))), prepared_(prepared),
    keeper_(keeper), clients_(prepared_.ledger, UserTable(prepared_.segment), events_, clock_,
                         {.entries = prepared_.segment.header().workers,
                             .keep_account = prepared_.why_no_account.empty(),
                             .rules = {options.allow, options.deny, options.max_per_address},
                             .limits = {.max_rate_bytes = options.max_rate_bytes,
                                 .idle_timeout = options.idle_timeout},
                             .lingering_tag = Watched::lingering,
                             .lingering_timer = lingering_timer,
                             .users = options.users}),
    acceptor_(events_, clock_, prepared_.listeners, Watched::listener, Watched::proxied,
        options.keepalive_seconds, proxy_terms_of(options)),
    workforce_(program, options, prepared_.segment, prepared_.ledger, prepared_.doorbells, clients_,
        events_, clock_, Watched::channel),
    companions_(prepared_, options, events_, clock_),
    shutdown_(prepared_.ledger.standing(), options.stall_limit, events_, clock_, stop_timer),
    upgrading_(prepared_.ledger, prepared_.image, prepared_.program),
    choose_entry_([this] { return workforce_.entry_for_newcomer(); }),
    sources_({prepared_.sources, options_, prepared_.segment, prepared_.ledger, events_, clients_,
        acceptor_, workforce_.kicking(), choose_entry_, Watched::source, prepared_.image.number}),
    reloading_(events_, Watched::reload,
        {.options = options,
            .log_file = log_file,
            .segment = prepared_.segment,
            .ledger = prepared_.ledger,
            .legacy = prepared_.legacy,
            .own_program = prepared_.own_program.get(),
            .program = prepared_.program,
            .clients = clients_,
            .acceptor = acceptor_,
            .workforce = workforce_,
            .metrics = companions_.metrics(),
            .bridge = companions_.bridge(),
            .sources = sources_,
            .choose_entry = choose_entry_}),
    signals_(events_, Watched::signals, keeper),
    control_(events_, Watched::control, prepared_.control_socket.get(),
        {.segment = prepared_.segment,
            .ledger = prepared_.ledger,
            .options = options_,
            .clients = clients_,
            .acceptor = acceptor_,
            .pool = workforce_.pool(),
            .balancer = workforce_.balancer(),
            .draining = workforce_.draining(),
            .kicking = workforce_.kicking(),
            .upgrading = upgrading_,
            .metrics = companions_.metrics(),
            .bridge = companions_.bridge(),
            .sources = sources_,
            .reloads = reloading_.book(),
            .why_no_upgrade = [this] { return why_no_upgrade(); },
            .ask_for_reload =
                [this] { return reloading_.ask("chatserv reload", shutdown_.stopping()); },
            .hang_limit = options.hang_limit,
            .server = keeper == nullptr ? ::getpid() : keeper->keeper()}) {
    end_server_if_lost(prepared_.segment.bytes(), prepared_.ledger.keeper());
    workforce_.pool().note_program(prepared_.image.number);
    if (keeper_ != nullptr)
        keeper_->watch(events_);
}

MasterEnd Master::run() {
    begin();
    while (!is_done()) {
        if (keeper_is_dead())
            return {.how = MasterEnd::How::keeper_died};
        if (upgrading_.hands_over())
            return {.how = MasterEnd::How::stands_in};
        turn();
    }
    tell_who_has_not_read();
    control_.close();
    prepared_.control_socket.reset();
    return {.how = MasterEnd::How::final, .exit_status = shutdown_.exit_status()};
}

void Master::begin() {
    (void)clock_.now();
    (void)clock_.take_found(); // the start takes as long as it takes
    if (keeper_ != nullptr && keeper_->is_successor()) {
        begin_as_successor();
    } else {
        events::starting(options_);
        events::kernel_account(prepared_.why_no_account);
        workforce_.begin();
    }
    handle_signals(); // those that came before this master could be told
}

// The clients and the workers of the dead master go on where it left them.
void Master::begin_as_successor() {
    events::carries_on(clients_.escrow().held());
    clients_.resume();
    companions_.take_over();
    sources_.take_over();
    reloading_.resume();
    workforce_.take_over(!shutdown_.starting());
    if (shutdown_.stopping()) {
        clients_.newcomers().drop_all();
        stop(shutdown_.resume());
    } else if (!shutdown_.starting()) {
        workforce_.add(acceptor_.judge_inherited(clients_, choose_entry_));
        acceptor_.start();
        keeper_->note_serving();
    }
    upgrading_.resume();
    if (const auto signal = keeper_->taken_stop(); signal && !shutdown_.stopping())
        stop(shutdown_.handle_stop(*signal, clients_.escrow().held())); // it had not begun to
}

void Master::turn() {
    const std::span<const EventQueue::Event> events = wait();
    if (keeper_ != nullptr)
        keeper_->beat();
    workforce_.begin_turn();
    control_.look();
    handle(events);
    while (!shutdown_.stopping() && workforce_.look_at_staff()) {
        shutdown_.start_serving();
        acceptor_.start();
        acceptor_.announce();
        if (keeper_ != nullptr)
            keeper_->note_serving();
    }
    workforce_.add(acceptor_.try_again(clients_, choose_entry_));
    advance_sources();
    workforce_.end_turn();
    tell_finished();
    advance_upgrade();
    advance_reload();
    advance_stop();
    companions_.look(!shutdown_.starting() && !shutdown_.dismissing());
    advance_room();
    bool may_reap = workforce_.take_may_reap();
    for (const bool each : {companions_.take_may_reap(), sources_.take_may_reap()})
        may_reap = may_reap || each;
    if (may_reap && keeper_ != nullptr)
        keeper_->nudge_keeper();
    tell_service_manager();
    control_.tell_events();
    say_dropped_lines(); // at least once a second: so often the heartbeats are looked at
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
        if ((keeper_ == nullptr || !keeper_->handle_exit(pid_of(event))) &&
            !companions_.handle_exit(pid_of(event)) && !sources_.handle_exit(pid_of(event)))
            workforce_.handle_exit(pid_of(event));
        return;
    }
    switch (tag_of(event).kind<Watched>()) {
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
    case Watched::source:
        sources_.handle(event);
        break;
    case Watched::proxied:
        workforce_.add(acceptor_.hear(event, clients_, choose_entry_));
        break;
    case Watched::listener: // its event says that it is readable, and no other
    case Watched::reload:   // advance_reload() looks in each turn
        break;
    }
}

// What may be done twice is noted when it is done. A stop is not among it: if this master dies
// before it has begun to stop, its successor finds that a stop was taken.
void Master::handle_signals() {
    upgrading_.look(); // before another exit of a child is taken for its
    companions_.reap_children();
    sources_.reap_children();
    advance_reload(); // likewise
    for (const SignalWatch::Arrived& arrived : signals_.take()) {
        if (is_stop(arrived.signal)) {
            signals_.note_taken(arrived);
            master_point(MasterPoint::stop_taken); // MW12
            for (uint32_t i = 0; i < arrived.count; ++i)
                stop(shutdown_.handle_stop(arrived.signal, clients_.escrow().held()));
            continue;
        }
        if (arrived.signal == SIGCHLD)
            workforce_.reap_children();
        else if (arrived.signal == SIGUSR2 && keeper_ != nullptr)
            upgrading_.begin_by_signal(why_no_upgrade());
        else if (arrived.signal == SIGHUP)
            reloading_.ask_by_signal(shutdown_.stopping());
        else
            events::signal_ignored(arrived.signal);
        signals_.note_taken(arrived);
    }
}

void Master::stop(Shutdown::Step step) {
    switch (step) {
    case Shutdown::Step::none:
        break;
    case Shutdown::Step::stop_reading:
        upgrading_.cancel();
        reloading_.cancel();
        acceptor_.stop(clients_.newcomers());
        master_point(MasterPoint::listeners_closed);
        Holdings(prepared_.ledger).forget_all(Holding::listener);
        clients_.lingering_close().close_all();
        workforce_.order(MessageType::stop_reading);
        if (shutdown_.room_is_over())
            companions_.bridge().give_up(); // a successor must not join it anew
        master_point(MasterPoint::stop_told);
        break;
    case Shutdown::Step::give_up_room:
        events::room_not_told(companions_.bridge().waiting_bytes());
        companions_.bridge().give_up();
        break;
    case Shutdown::Step::finish:
        workforce_.order(shutdown_.room_is_over() ? MessageType::end_room : MessageType::finish);
        break;
    case Shutdown::Step::dismiss:
        workforce_.dismiss();
        master_point(MasterPoint::dismissed);
        break;
    case Shutdown::Step::kill:
        workforce_.kill();
        break;
    }
}

// The longest sleep from now on; the clock is told. Short while a limit runs (served_clock.h).
std::optional<std::chrono::nanoseconds> Master::time_to_sleep() {
    if (clients_.take_room_freed())
        acceptor_.room_freed();
    const ServedClock::Steady::time_point now = ServedClock::Steady::now();
    (void)clock_.now(now);
    SleepTime sleep(now);
    for (const auto& look : {workforce_.next_turn(), acceptor_.next_try(), upgrading_.next_look(),
             reloading_.next_look(), service_manager_.next_look(), companions_.next_look(),
             sources_.next_look(), next_look_at_log()})
        sleep.wake_at(look);
    if (!clients_.lingering_close().empty())
        sleep.at_most(ServedClock::sleep_max(lingering_time));
    if (workforce_.is_timed())
        sleep.at_most(ServedClock::sleep_max(std::chrono::seconds(1)));
    if (shutdown_.stopping())
        sleep.at_most(ServedClock::sleep_max(shutdown_.limit()));
    if (shutdown_.draining() && companions_.bridge().is_waited_for())
        sleep.at_most(look_at_room_pause); // nothing tells this process that the room took it
    if (keeper_ != nullptr)                // the keeper looks for this master's beat
        sleep.at_most(options_.hang_limit / 2);
    clock_.about_to_sleep(sleep.longest());
    return sleep.timeout();
}

} // namespace chatserv
