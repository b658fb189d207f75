#include "master/workers/workforce.h"

#include "master/config/processors.h"
#include "master/ledger/master_point.h"
#include "master/workers/reaping.h"
#include "master/workers/worker_events.h"
#include "master/workers/worker_messages.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chatserv {

namespace {

// How many messages of one worker are read before other events are looked at again: a worker that
// sends without end does not have the master to itself.
constexpr int messages_per_turn = 256;
// More than the channel of a dead worker can hold.
constexpr int last_words_max = 10'000;

} // namespace

Workforce::Workforce(const WorkerProgram& program, const Options& options, const Segment& segment,
    const Ledger& ledger, const std::vector<FdPair>& doorbell_pipes, ClientBook& clients,
    EventQueue& events, ServedClock& clock, Tag channel_tag) :
    entries_(segment.header().workers),
    clients_(clients), clock_(clock), doorbells_(segment.all_entries(), doorbell_pipes),
    pool_(WorkerStarter(program, options, segment, doorbell_pipes), options, segment, ledger,
        events, clock, channel_tag,
        [this](EntryId entry) { return clients_.escrow().clients_of(entry); }),
    exit_watch_(events), renewal_(segment, options.hang_limit, pool_, clock),
    dispatch_(entries_, clients.escrow(), pool_), log_file_dispatch_(pool_, options.has_log_file()),
    succession_(ledger.entries(), segment, clients.escrow(), doorbells_, pool_, clock),
    orders_(entries_, clients.escrow(), pool_), moving_(entries_, clients.escrow()),
    kicking_(entries_, clients.escrow()),
    draining_(ledger.entries(), clients.escrow(), moving_, clock,
        [this](EntryId entry) { return pool_.is_served(entry); }),
    balancer_(
        options.placement, options.workers, segment, clients.escrow(), moving_, draining_,
        [this](EntryId entry) { return pool_.seat_of(entry); }, usable_processors),
    hold_up_(segment, options.stall_limit, options.slow_policy),
    rights_(options.user, options.user_by_default, ledger.standing()),
    hearing_({.segment = segment,
        .clients = clients_,
        .pool = pool_,
        .renewal = renewal_,
        .dispatch = dispatch_,
        .log_file_dispatch = log_file_dispatch_,
        .succession = succession_,
        .staffing = staffing_,
        .orders = orders_,
        .moving = moving_,
        .kicking = kicking_,
        .draining = draining_,
        .balancer = balancer_,
        .rights = rights_}),
    replacing_(pool_, ledger.standing().died_young), retiring_(pool_, succession_) {
    draining_.follow(options.workers);
}

// Children that another program left behind when it became this one by exec(2) are reaped first:
// their exits came before the signals were watched.
void Workforce::begin() {
    reap_children();
    staffing_.note_failure(pool_.replenish());
}

// An entry that no process serves is recovered once more: the dead master may have died within the
// recovery, or before it.
void Workforce::take_over(bool serving) {
    starting_ = !serving;
    if (rights_.keeps_own())
        pool_.keep_own_rights();
    for (const pid_t pid : pool_.take_over())
        exit_watch_.add(pid);
    renew_channels();
    for (const EntryId entry : pool_.dead_entries())
        recover(entry, "it died, and the master after it", clock_.now());
    bury_the_gone();
    reap_children();
    may_reap_ = true; // those that the dead master had recovered
    staffing_.note_failure(pool_.replenish());
}

// A process that says hello on another channel later is told then (Hearing). Workers that are new
// get the spares, and workers that are too many are drained from now on (MW16).
void Workforce::follow(const Options& options) {
    hold_up_.follow(options.stall_limit, options.slow_policy);
    pool_.follow(options);
    draining_.follow(options.workers);
    balancer_.follow(options.placement, options.workers);
    retiring_.look();
    assign_spares();
    if (succession_.can_start_processes())
        staffing_.note_failure(pool_.replenish());
    for (const pid_t pid : pool_.pids())
        if (WorkerProcess& process = *pool_.find(pid); process.channel().open()) {
            process.channel().queue(MessageType::settings);
            pool_.send(process);
        }
    end_turn();
}

void Workforce::bury_the_gone() {
    for (const pid_t pid : exit_watch_.look(Clock::now()))
        if (pool_.find(pid) != nullptr)
            bury(pid);
}

void Workforce::renew_channels() {
    for (const pid_t pid : pool_.pids())
        renewal_.renew(*pool_.find(pid));
}

void Workforce::handle_channel(pid_t pid) {
    WorkerProcess* const process = pool_.find(pid);
    if (process == nullptr || !process->channel().open())
        return;
    if (read_channel(*process, messages_per_turn) && process->channel().has_unread())
        unread_.push_back(pid); // no event will tell of these messages
    assign_spares();
    finish_takeovers();
    if (process->channel().open())
        pool_.send(*process);
}

// True where there may be more to read.
bool Workforce::read_channel(WorkerProcess& process, int messages_max) {
    Message message;
    for (int count = 0; count < messages_max; ++count) {
        const Channel::Received received = process.channel().receive(message);
        if (received == Channel::Received::nothing)
            return false;
        if (received == Channel::Received::closed) { // its exit will be told
            pool_.hang_up(process);
            return false;
        }
        const Sender sender{.ready = process.ready(),
            .has_entry = process.entry().has_value(),
            .introduction = process.introduction()};
        if (received == Channel::Received::malformed ||
            !hearing_.hear(process, parse_worker_message(message, sender))) {
            pool_.end_for_protocol_error(process);
            return false;
        }
    }
    return true;
}

// NOTE_EXIT. It can be late word of a process that SIGCHLD told of, whose number a new worker may
// have by now: that one has not exited. A process that an earlier master had started is no child,
// and nothing but its NOTE_EXIT tells of it.
void Workforce::handle_exit(pid_t pid) {
    const WorkerProcess* const process = pool_.find(pid);
    if (process != nullptr && (process->is_inherited() || has_exited(pid)))
        bury(pid);
}

void Workforce::reap_children() {
    while (const auto exited = next_exited())
        bury(*exited);
}

// A process has exited; most often it is a worker. A successor of this master must not take another
// process of its number for it: so its exit is noted before it is reaped (MW9).
void Workforce::bury(pid_t pid) {
    WorkerProcess* const process = pool_.find(pid);
    if (process == nullptr)
        return events::stranger_reaped(pid, reap(pid));
    pool_.note_exit(*process);
    master_point(MasterPoint::exit_noted);
    const auto wait_status = process->is_inherited() ? std::nullopt : reap(pid);
    master_point(MasterPoint::exit_reaped);
    // Its last words come first: a client that it has closed must not be handed on.
    if (process->channel().open())
        (void)read_channel(*process, last_words_max);
    may_reap_ = may_reap_ || process->is_inherited();
    const WorkerPool::Exit exit = pool_.remove(pid, wait_status);
    renewal_.forget(pid);
    const std::string cause = exit.cause();
    const bool was_refused =
        !dismissed_ && rights_.judge(exit) == WorkerRights::Verdict::keep_own_rights;
    if (!dismissed_ && !was_refused && exit.ended_because != Retiring::cause)
        events::worker_died(exit, cause);
    if (!dismissed_ && exit.entry)
        recover(*exit.entry, cause, exit.ended);
    master_point(MasterPoint::entry_recovered);
    pool_.vacate(exit.seat);
    if (dismissed_)
        return;
    retiring_.look();
    if (was_refused) {
        pool_.keep_own_rights();
        staffing_.note_failure(pool_.replenish());
        return;
    }
    if (!exit.was_ready)
        staffing_.note_failed_start(exit, cause, starting_);
    pool_.delay_start_after(exit);
    assign_spares();
    finish_takeovers();
    if (succession_.can_start_processes())
        staffing_.note_failure(pool_.replenish());
}

void Workforce::recover(EntryId entry, const std::string& cause, ServedClock::time_point died_at) {
    for (const ClientId lost : succession_.recover(entry, cause, died_at))
        clients_.release_client(lost, {.reason = LeaveReason::overwritten});
    moving_.forget_asked_of(entry);
    kicking_.forget_asked_of(entry);
    orders_.note_death(entry);
}

// Gives vacant entries to spares, which get their clients and what the workers were ordered before.
void Workforce::assign_spares() {
    for (auto& [entry, clients] : succession_.assign_spares()) {
        WorkerProcess& process = *pool_.process_of(entry);
        dispatch_.replace(entry, std::move(clients));
        dispatch_.send(entry);
        orders_.queue_for(process);
        pool_.send(process);
        events::worker_started(entry, process.pid()); // it is at work already
    }
}

void Workforce::finish_takeovers() {
    std::vector<FinishedTakeover> finished = succession_.take_finished();
    if (finished.empty())
        return;
    std::ranges::move(finished, std::back_inserter(finished_));
    if (succession_.can_start_processes())
        staffing_.note_failure(pool_.replenish());
}

void Workforce::add(std::span<const Acceptor::Admitted> admitted) {
    for (const auto& [client, entry] : admitted)
        dispatch_.add(entry, client);
}

void Workforce::begin_turn() {
    staffing_.note_failure(pool_.look());
    renewal_.look(Clock::now());
    bury_the_gone();
    for (const pid_t pid : std::exchange(unread_, {}))
        handle_channel(pid);
}

void Workforce::end_turn() {
    log_file_dispatch_.look();
    moving_.look();
    balancer_.look(Clock::now());
    draining_.look([this] { return entry_for_newcomer(); });
    retiring_.look();
    // In this order: a client that a process has and is sent once more, because the word of that
    // was lost with a channel, must not arrive after the process has let it go.
    dispatch_.send_all();
    dispatch_.send_requests(moving_);
    dispatch_.send_kicks(kicking_);
}

std::optional<Workforce::Clock::time_point> Workforce::next_turn() const {
    if (!unread_.empty())
        return Clock::time_point{};
    std::optional<Clock::time_point> next = pool_.next_look();
    for (const auto& look : {dispatch_.next_look(), log_file_dispatch_.next_look(),
             balancer_.next_look(), renewal_.next_look(), exit_watch_.next_look()})
        if (look)
            next = std::min(next.value_or(*look), *look);
    return next;
}

bool Workforce::look_at_staff() {
    bool begins_to_serve = starting_ && pool_.staff().all_served();
    if (staffing_.any_missing()) {
        const std::vector<ClientId> waiting = succession_.clients_without_worker();
        const auto count = static_cast<uint32_t>(waiting.size());
        auto verdict = staffing_.look(pool_.staff(), count, starting_ && !begins_to_serve);
        if (verdict == Staffing::Verdict::start_serving)
            begins_to_serve = true;
        if (verdict == Staffing::Verdict::complete)
            hold_up_.reset();
        if (verdict == Staffing::Verdict::workers_missing) {
            const std::vector<ClientId> in_the_way = hold_up_.look(waiting, Clock::now());
            for (const ClientId client : in_the_way)
                clients_.release_client(client, {.reason = LeaveReason::no_worker});
            if (!in_the_way.empty())
                doorbells_.ring_all(); // an appender that waits for room can have it now
        }
    }
    if (begins_to_serve)
        starting_ = false;
    return begins_to_serve;
}

} // namespace chatserv
