// Draining: the workers that are to have no clients, because somebody asked for it
// (`chatserv drain`), and how far that has got; and those that a reload has taken out of service.
//
// A drained entry keeps its worker. Its clients move to the other entries, a bounded number at a
// time, so that neither of the workers concerned is held up for long. It gets no newcomers while
// another entry is served. It stays drained, through any death of its worker, until end(): a client
// that comes all the same, because no other worker was there, moves on as soon as one is.
//
// An entry out of service is drained as well, until another reload takes it into service. Its
// clients may go to workers that somebody has drained, if there are no others.
#pragma once

#include "master/ledger/layout.h"
#include "master/workers/moving.h"
#include "shared/segment/served_clock.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace chatserv {

struct FinishedDrain {
    EntryId entry;
    uint64_t users;      // that were moved
    double milliseconds; // that it took, in served time
    bool complete;       // false: end() came first
};

class Draining {
public:
    using IsServed = std::function<bool(EntryId)>;

    // `entries`: of the worker table, as the ledger has them. Those that an earlier master drained
    // stay drained, and their drains go on: their time is counted from now on. `is_served`: whether
    // an entry has a worker process.
    Draining(std::span<EntryRecord> entries, const Escrow& escrow, Moving& moving,
        ServedClock& clock, IsServed is_served);

    // The first `workers` entries are in service, and a drain of any other is over.
    void follow(uint32_t workers);

    // `worker`: its number, from 1, as people give it. Each returns why that cannot be done, as the
    // end of a line, or nothing if it was begun or done.
    [[nodiscard]] std::optional<std::string> begin(uint32_t worker);
    [[nodiscard]] std::optional<std::string> end(uint32_t worker);
    // The server stops: no client moves any more, and nothing else is drained.
    void stop() { stopped_ = true; }

    [[nodiscard]] bool is_drained(EntryId entry) const {
        return pages_[index_of(entry)].drained || !in_service(entry);
    }
    // The entry's first clients are still there.
    [[nodiscard]] bool any_under_way() const;
    // The numbers of the workers that somebody has drained.
    [[nodiscard]] std::vector<uint32_t> workers() const;

    // In each turn of the loop: asks for clients of drained entries. `choose`: the entry that the
    // rule of placement gives a client to.
    void look(const std::function<EntryId()>& choose);
    // The drains that have come to their end since this was asked last.
    [[nodiscard]] std::vector<FinishedDrain> take_finished() {
        return std::exchange(finished_, {});
    }

private:
    struct Page {
        bool drained = false;
        bool under_way = false;
        ServedClock::time_point begun{};
        uint64_t moved_before = 0; // Moving::moved_from() at the beginning
    };

    [[nodiscard]] bool exists(uint32_t worker) const { return worker >= 1 && worker <= workers_; }
    [[nodiscard]] bool in_service(EntryId entry) const { return index_of(entry) < workers_; }
    [[nodiscard]] bool takes_clients(EntryId entry) const {
        return is_served_(entry) && !is_drained(entry);
    }
    [[nodiscard]] bool can_take_clients_of(EntryId from, EntryId to) const {
        return in_service(from) ? takes_clients(to) : is_served_(to) && in_service(to);
    }
    void ask_for_clients(EntryId entry, const std::function<EntryId()>& choose);
    void finish(EntryId entry, bool complete);

    const Escrow& escrow_;
    Moving& moving_;
    ServedClock& clock_;
    IsServed is_served_;
    std::span<EntryRecord> records_;
    std::vector<Page> pages_; // by entry
    uint32_t workers_;        // entries in service
    std::vector<FinishedDrain> finished_;
    bool stopped_ = false;
};

} // namespace chatserv
