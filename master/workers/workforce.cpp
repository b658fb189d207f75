#include "master/workers/workforce.h"

#include "master/workers/worker_events.h"
#include "shared/segment/broadcast_log.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace chatserv {

namespace {

// How many messages of one worker are read before other events are looked at again: a worker that
// sends without end does not have the master to itself.
constexpr int messages_per_turn = 256;
// More than the channel of a dead worker can hold.
constexpr int last_words_max = 10'000;

} // namespace

Workforce::Workforce(const WorkerProgram& program, const Options& options, const Segment& segment,
    const std::vector<FdPair>& doorbell_pipes, ClientBook& clients, EventQueue& events,
    ServedClock& clock, Tag channel_tag) :
    entries_(options.workers),
    segment_(segment), clients_(clients), doorbells_(segment.worker_table(), doorbell_pipes),
    pool_(program, options, segment, doorbell_pipes, events, clock, channel_tag),
    dispatch_(entries_, clients.escrow(), pool_), log_file_dispatch_(pool_),
    succession_(entries_, segment, clients.escrow(), doorbells_, pool_, clock),
    orders_(entries_, clients.escrow(), pool_), moving_(entries_, clients.escrow()),
    draining_(entries_, clients.escrow(), moving_, clock,
        [this](EntryId entry) { return pool_.is_served(entry); }),
    balancer_(options.placement, entries_, segment, clients.escrow(), moving_, draining_,
        [this](EntryId entry) { return pool_.seat_of(entry); }),
    hold_up_(segment, options.stall_limit), rights_(options.user, options.user_by_default) {}

// Children that another program left behind when it became this one by exec(2) are reaped first:
// their exits came before the signals were watched.
void Workforce::begin() {
    reap_children();
    staffing_.note_failure(pool_.replenish());
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
        const Sender sender{.ready = process.ready(), .has_entry = process.entry().has_value()};
        if (received == Channel::Received::malformed ||
            !hear(process, parse_worker_message(message, sender))) {
            pool_.end_for_protocol_error(process);
            return false;
        }
    }
    return true;
}

// False where no worker says such a thing.
bool Workforce::hear(WorkerProcess& process, const WorkerMessage& said) {
    const EntryId entry =
        process.entry().value_or(EntryId{}); // messages about clients come with an entry
    const auto held = [&](ClientId client) {
        return clients_.escrow().find_served_by(entry, client);
    };
    const Overloaded visitor{
        [&](const Malformed&) { return false; },
        [&](const Hello& hello) {
            rights_.tell_once(hello.confinement);
            process.mark_ready();
            staffing_.note_ready(pool_.staff());
            events::worker_ready(process.pid());
            return true;
        },
        [&](const CannotWork& words) {
            process.note_cannot_work(words);
            return true;
        },
        [&](const Attached& attached) {
            for (const ClientId client : attached.clients)
                if (HeldClient* const own = held(client)) {
                    succession_.mark_served(*own);
                    clients_.note_attached(client, *own);
                    moving_.note_served(entry, client);
                }
            return true;
        },
        [&](const Closed& closed) {
            for (const auto& [client, reason, error] : closed.clients)
                if (HeldClient* const own = held(client)) {
                    succession_.mark_served(*own);
                    clients_.release_client(client, {.reason = reason, .error = error});
                }
            return true;
        },
        [&](const HandedOver& let_go) { return move(entry, let_go.clients); },
        [&](const Throttled& throttled) {
            for (const ClientId client : throttled.clients)
                if (HeldClient* const own = held(client))
                    clients_.note_throttled(client, *own);
            return true;
        },
        [&](const NotReceived& lost) {
            dispatch_.note_not_received(entry, lost.clients);
            return true;
        },
        [&](const Settled& settled) {
            process.mark_proven();
            succession_.mark_settled(entry, settled.bytes);
            return true;
        },
        [&](const StoppedReading&) {
            orders_.note_stopped_reading(entry);
            return true;
        },
        [&](const LogFileLost&) {
            log_file_dispatch_.note_lost(process.pid());
            return true;
        },
    };
    return std::visit(visitor, said);
}

// Gives clients that the worker of `from` has let go to their next entries. False where that worker
// was not asked for one of them, or has left in its slot what no worker leaves: the worker is
// ended, and the client stays with its entry. Word of a client that has left meanwhile is no fault.
bool Workforce::move(EntryId from, std::span<const ClientId> handed_over) {
    for (const ClientId client : handed_over) {
        if (clients_.escrow().find_served_by(from, client) == nullptr)
            continue;
        std::optional<EntryId> to = moving_.wanted_by(from, client);
        if (!to)
            return false;
        if (!pool_.is_served(*to) || draining_.is_drained(*to))
            to = entry_for_newcomer();
        const bool sane =
            BroadcastLog(segment_).can_serve(segment_.user_table()[index_of(client.slot)]);
        if (!sane || !clients_.escrow().reassign(client, *to))
            return false;
        moving_.note_handed_over(client, *to);
        dispatch_.add(*to, client);
        events::moved(client, from, *to);
    }
    return true;
}

// NOTE_EXIT. It can be late word of a process that SIGCHLD told of, whose number a new worker may
// have by now: that one has not exited.
void Workforce::handle_exit(pid_t pid) {
    if (pool_.find(pid) == nullptr)
        return;
    if (const auto reaped = reap(pid))
        bury(*reaped);
}

void Workforce::reap_children() {
    while (const auto reaped = reap_next())
        bury(*reaped);
}

// A child has been reaped; most often it is a worker.
void Workforce::bury(const Reaped& reaped) {
    WorkerProcess* const process = pool_.find(reaped.pid);
    if (process == nullptr)
        return events::stranger_reaped(reaped.pid, reaped.wait_status);
    // Its last words come first: a client that it has closed must not be handed on.
    if (process->channel().open())
        (void)read_channel(*process, last_words_max);
    const WorkerPool::Exit exit = pool_.remove(reaped.pid, reaped.wait_status);
    if (dismissed_)
        return;
    if (rights_.judge(exit) == WorkerRights::Verdict::keep_own_rights) {
        pool_.keep_own_rights();
        staffing_.note_failure(pool_.replenish());
        return;
    }
    const std::string cause = exit.cause();
    events::worker_died(exit, cause);
    if (!exit.was_ready)
        staffing_.note_failed_start(exit, cause, starting_);
    pool_.delay_start_after(exit);
    if (exit.entry) {
        for (const ClientId lost : succession_.recover(*exit.entry, cause, exit.ended))
            clients_.release_client(lost, {.reason = LeaveReason::overwritten});
        moving_.forget_asked_of(*exit.entry);
        orders_.note_death(*exit.entry);
    }
    assign_spares();
    finish_takeovers();
    if (succession_.can_start_processes())
        staffing_.note_failure(pool_.replenish());
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
    for (const pid_t pid : std::exchange(unread_, {}))
        handle_channel(pid);
}

void Workforce::end_turn() {
    log_file_dispatch_.look();
    moving_.look();
    balancer_.look(Clock::now());
    draining_.look([this] { return entry_for_newcomer(); });
    dispatch_.send_requests(moving_);
    dispatch_.send_all();
}

std::optional<Workforce::Clock::time_point> Workforce::next_turn() const {
    if (!unread_.empty())
        return Clock::time_point{};
    std::optional<Clock::time_point> next = pool_.next_look();
    for (const auto& look :
        {dispatch_.next_look(), log_file_dispatch_.next_look(), balancer_.next_look()})
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
