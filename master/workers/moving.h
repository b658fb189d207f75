// The moves of clients between live workers: which clients were asked of their workers, for whom,
// and which of those are on their way.
//
//     ask             the master wants the client for another entry, and asks its worker
//     handed over     that worker has let the client go: it belongs to the other entry from now on
//     served          the other entry's worker serves it; the move is over
//
// A client has one move at a time. A move that was asked of a worker that has died is forgotten:
// its successor was not asked. Where the entry that a client goes to has lost its worker, that
// entry's successor serves the client. This book says what follows; Workforce does it.
#pragma once

#include "master/clients/escrow.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace chatserv {

class Moving {
public:
    // `entries`: of the worker table.
    Moving(uint32_t entries, Escrow& escrow) : escrow_(escrow), pages_(entries) {}

    // Asks the worker of `from` to let these clients go to `to`. Clients that are not of that
    // entry, or that are moving already, are passed over.
    void ask(EntryId from, EntryId to, std::span<const ClientId> clients);
    // What is to be sent to the process of `from`, once there is one: the clients that it is asked
    // for.
    [[nodiscard]] std::vector<ClientId> take_requests(EntryId from) {
        return std::exchange(pages_[index_of(from)].requests, {});
    }

    // The entry that a client was asked of the worker of `from` for; nothing if it was not asked.
    [[nodiscard]] std::optional<EntryId> wanted_by(EntryId from, ClientId client) const;
    // The client was handed over already, and is on its way to that entry.
    [[nodiscard]] bool is_on_its_way(EntryId to, ClientId client) const;
    // The client was asked for and handed over, and is on its way to `to`: the entry that it was
    // asked for, or another one.
    void note_handed_over(ClientId client, EntryId to);
    // The worker of `entry` serves the client.
    void note_served(EntryId entry, ClientId client);
    // The process of `from` has forgotten what it was asked: it is to be asked again for the
    // clients that it has not handed over.
    void ask_again(EntryId from);
    // The process of `from` has died, or is not asked any more. Its last words were read before.
    void forget_asked_of(EntryId from);
    // Forgets the clients that have left. In each turn of the loop.
    void look();

    [[nodiscard]] bool is_moving(ClientId client) const;
    // Moves whose clients the entry still has; that bring it clients and were asked for only; that
    // began at the entry, asked for or on their way.
    [[nodiscard]] uint32_t asked_of(EntryId from) const { return pages_[index_of(from)].asked_of; }
    [[nodiscard]] uint32_t asked_for(EntryId to) const { return pages_[index_of(to)].asked_for; }
    [[nodiscard]] uint32_t under_way_from(EntryId from) const {
        return pages_[index_of(from)].under_way;
    }
    // Moves that began at this entry and have come to their end, since this master began.
    [[nodiscard]] uint64_t moved_from(EntryId from) const {
        return pages_[index_of(from)].moved_from;
    }

private:
    struct Move {
        EntryId from;
        EntryId to;
        bool handed_over = false;
    };
    struct Page { // of an entry
        std::vector<ClientId> requests{};
        uint32_t asked_of = 0;
        uint32_t asked_for = 0;
        uint32_t under_way = 0;
        uint64_t moved_from = 0;
    };
    // By slot and generation.
    using Moves = std::map<std::pair<uint32_t, uint32_t>, Move>;

    static Moves::key_type key_of(ClientId client) {
        return {index_of(client.slot), client.generation};
    }
    Moves::iterator forget(Moves::iterator move);
    void forget_request(const Move& move);

    Escrow& escrow_;
    Moves moves_;
    std::vector<Page> pages_; // by entry
};

} // namespace chatserv
