#include "master/workers/hearing.h"

#include "master/workers/worker_events.h"
#include "shared/segment/broadcast_log.h"

#include <optional>
#include <variant>

namespace chatserv {

// False where no worker says such a thing.
bool Hearing::hear(WorkerProcess& process, const WorkerMessage& said) {
    const EntryId entry =
        process.entry().value_or(EntryId{}); // messages about clients come with an entry
    const auto held = [&](ClientId client) {
        return books_.clients.escrow().find_served_by(entry, client);
    };
    const Overloaded visitor{
        [&](const Malformed&) { return false; },
        [&](const Hello& hello) { return greet(process, hello); },
        [&](const Introduced&) {
            end_introduction(process);
            return true;
        },
        [&](const CannotWork& words) {
            process.note_cannot_work(words);
            return true;
        },
        [&](const Attached& attached) {
            for (const ClientId client : attached.clients)
                if (HeldClient* const own = held(client)) {
                    books_.succession.mark_served(*own);
                    books_.clients.note_attached(client, *own);
                    if (!process.is_introduced())
                        books_.dispatch.note_confirmed(entry, client);
                    books_.moving.note_served(entry, client);
                    books_.kicking.note_served(entry, client, *own);
                }
            return true;
        },
        [&](const Closed& closed) {
            for (const auto& [client, reason, error] : closed.clients)
                if (HeldClient* const own = held(client)) {
                    books_.succession.mark_served(*own);
                    books_.clients.release_client(client, {.reason = reason, .error = error});
                }
            return true;
        },
        [&](const HandedOver& let_go) { return move(process, entry, let_go.clients); },
        [&](const Throttled& throttled) {
            for (const ClientId client : throttled.clients)
                if (HeldClient* const own = held(client))
                    books_.clients.note_throttled(client, *own);
            return true;
        },
        [&](const NotReceived& lost) {
            books_.dispatch.note_not_received(entry, lost.clients);
            return true;
        },
        [&](const Settled& settled) {
            books_.pool.mark_proven(process);
            books_.succession.mark_settled(entry, settled.bytes);
            return true;
        },
        [&](const StoppedReading&) {
            books_.orders.note_stopped_reading(entry);
            return true;
        },
        [&](const LogFileLost&) {
            books_.log_file_dispatch.note_lost(process.pid());
            return true;
        },
    };
    return std::visit(visitor, said);
}

// False where the process has another entry than the books say.
bool Hearing::greet(WorkerProcess& process, const Hello& hello) {
    if (hello.entry != no_entry && process.entry() != hello.entry)
        return false;
    if (!process.ready()) {
        books_.rights.tell_once(hello.confinement);
        books_.pool.mark_ready(process);
        books_.staffing.note_ready(books_.pool.staff());
        events::worker_ready(process.pid());
    }
    if (!process.awaits_hello())
        return true;
    process.begin_introduction();
    if (process.entry()) {
        if (hello.entry == no_entry) // it was given the entry over the old channel, unheard
            WorkerPool::tell_entry(process);
        books_.orders.queue_for(process);
    }
    process.channel().queue(MessageType::settings); // it may have missed a change
    books_.log_file_dispatch.send_to(process.pid());
    return true;
}

// The process has said all that the old channel may have lost.
void Hearing::end_introduction(WorkerProcess& process) {
    process.end_introduction();
    books_.renewal.forget(process.pid());
    if (!process.entry())
        return;
    const EntryId entry = *process.entry();
    books_.dispatch.replace_unconfirmed(
        entry, clients_for_successor(entry, books_.segment, books_.clients.escrow()));
    books_.moving.ask_again(entry);
}

// Gives clients that the worker of `from` has let go to their next entries. False where that worker
// was not asked for one of them, or has left in its slot what no worker leaves: the worker is
// ended, and the client stays with its entry. Word of a client that has left meanwhile is no fault.
bool Hearing::move(
    const WorkerProcess& process, EntryId from, std::span<const ClientId> handed_over) {
    for (const ClientId client : handed_over) {
        HeldClient* const held = books_.clients.escrow().find_served_by(from, client);
        if (held == nullptr)
            continue;
        if (books_.moving.is_on_its_way(from, client))
            continue; // it has come back since, and the worker does not know that yet
        const std::optional<EntryId> wanted = books_.moving.wanted_by(from, client);
        // Of what an earlier master asked, this one knows nothing.
        if (!wanted && (!process.is_inherited() || process.is_introduced()))
            return false;
        std::optional<EntryId> to = wanted;
        if (!to || !books_.pool.is_served(*to) || books_.draining.is_drained(*to))
            to = books_.balancer.entry_for_newcomer();
        const bool sane = BroadcastLog(books_.segment)
                              .can_serve(books_.segment.user_table()[index_of(client.slot)]);
        // Who lets a client go has served it. Its word of that can have been lost with a channel.
        books_.succession.mark_served(*held);
        const Count count = *to == from ? no_count : books_.clients.counters().one_more_moved();
        if (!sane || !books_.clients.escrow().reassign(client, *to, count))
            return false;
        if (wanted)
            books_.moving.note_handed_over(client, *to);
        books_.dispatch.add(*to, client);
        events::moved(client, from, *to);
    }
    return true;
}

} // namespace chatserv
