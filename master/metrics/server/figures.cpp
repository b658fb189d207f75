#include "master/metrics/server/figures.h"

#include "master/clients/traffic.h"
#include "master/ledger/source_names.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/user_table.h"

#include <algorithm>
#include <utility>

namespace chatserv {

namespace {

constexpr int looks_max = 100;

// What one look at all slots finds.
struct Table {
    uint64_t sent = 0;                // to the users that are there
    uint64_t held = 0;                // the largest backlog
    std::vector<uint32_t> users_of{}; // by entry
    std::array<uint32_t, roles_end> users_with_role{};
    std::array<Traffic, source_numbers_max> sources{}; // of their connections now
    std::array<bool, source_numbers_max> connected{};
};

// The bytes of users that have left.
struct Departed {
    uint64_t sent = 0;
    std::array<uint64_t, source_numbers_max> from_source{};
    std::array<uint64_t, source_numbers_max> to_source{};

    bool operator==(const Departed&) const = default;
};

Table read_table(const ServerView& view, uint64_t head) {
    Table table{};
    table.users_of.resize(view.entries().size());
    const std::span<const UserSlot> slots = view.users();
    const uint32_t in_use = std::min(
        load_acquire(view.user_control().slots_in_use), static_cast<uint32_t>(slots.size()));
    for (const UserSlot& slot : slots.first(in_use)) {
        const SlotStatus status = status_of(slot);
        if (status.state == SlotState::free)
            continue;
        const Traffic traffic = traffic_of(slot, head);
        ++table.users_with_role[static_cast<size_t>(role_of(slot.role))];
        table.sent += traffic.out;
        table.held = std::max(table.held, traffic.backlog);
        if (index_of(status.owner) < table.users_of.size())
            ++table.users_of[index_of(status.owner)];
        const uint32_t source = slot.source;
        if (source > 0 && source <= source_numbers_max) {
            table.sources[source - 1] = traffic;
            table.connected[source - 1] = true;
        }
    }
    return table;
}

Departed departed(const ServerView& view) {
    Departed bytes{.sent = load_acquire(view.departed_out())};
    for (uint32_t index = 0; index < source_numbers_max; ++index) {
        bytes.from_source[index] = load_acquire(view.sources()[index].received);
        bytes.to_source[index] = load_acquire(view.sources()[index].sent);
    }
    return bytes;
}

bool someone_leaves(const ServerView& view) {
    const auto kind = static_cast<RedoKind>(load_acquire(view.redo().kind));
    return kind == RedoKind::release || kind == RedoKind::dismiss;
}

// When a user leaves, the master adds its bytes to the sums of those that have left, and frees its
// slot. A look in between would count it twice or not at all, and a total would go down later. So
// a look counts only if nobody left meanwhile. The order matters: before the table, the sums are
// read and then whether a departure is under way; after it, the other way round. A departure that
// changed either is then seen by one of the four.
std::optional<Departed> departed_beside(const ServerView& view, uint64_t head, Table& table) {
    for (int look = 0; look < looks_max; ++look) {
        const Departed before = departed(view);
        const bool leaves_before = someone_leaves(view);
        table = read_table(view, head);
        const bool leaves_after = someone_leaves(view);
        if (!leaves_before && !leaves_after && departed(view) == before)
            return before;
    }
    return std::nullopt;
}

std::vector<SourceFigures> sources(
    const ServerView& view, const Table& table, const Departed& departed) {
    std::vector<SourceFigures> all;
    for (uint32_t index = 0; index < source_numbers_max; ++index) {
        const SourceRecord& record = view.sources()[index];
        auto name = source_name(record);
        if (!name)
            continue;
        const uint64_t dropped_before = load_acquire(record.dropped_before);
        all.push_back({.name = std::move(*name),
            .connected = table.connected[index],
            .connections = load_acquire(record.connections),
            .received_bytes = departed.from_source[index] + table.sources[index].in,
            .sent_bytes = departed.to_source[index] + table.sources[index].out,
            .dropped_datagrams = load_acquire(record.dropped) - dropped_before});
    }
    return all;
}

// The index of an entry's seat, where a process serves the entry.
std::optional<uint32_t> seat_of(const ServerView& view, const EntryRecord& entry) {
    const uint32_t seat = load_acquire(entry.seat);
    if (static_cast<EntryState>(load_acquire(entry.state)) != EntryState::manned ||
        seat >= std::min(view.seats().size(), view.heartbeats().size()))
        return std::nullopt;
    return seat;
}

// Of the entries in service, and of those that go on although a reload has taken them out of it.
std::vector<WorkerFigures> workers(const ServerView& view, const Table& table) {
    const uint32_t wanted = load_acquire(view.standing().workers_wanted);
    std::vector<WorkerFigures> all;
    for (uint32_t index = 0; index < view.entries().size(); ++index) {
        const EntryRecord& entry = view.entries()[index];
        if (wanted != 0 && index >= wanted &&
            static_cast<EntryState>(load_acquire(entry.state)) == EntryState::vacant)
            continue;
        WorkerFigures worker{.number = number_of(EntryId{index}),
            .drained = load_acquire(entry.drained) != 0,
            .users = table.users_of[index],
            .takeovers = load_acquire(entry.takeovers),
            .takeovers_ns = load_acquire(entry.takeovers_ns),
            .taken_over_at_ms = load_acquire(entry.taken_over_at_ms)};
        if (const auto seat = seat_of(view, entry)) {
            worker.pid = std::max(load_acquire(view.seats()[*seat].pid), 0);
            worker.awake_ns = load_acquire(view.heartbeats()[*seat].awake_ns);
        }
        all.push_back(worker);
    }
    return all;
}

uint32_t spares(const ServerView& view) {
    uint32_t ready = 0;
    for (const SeatRecord& seat : view.seats())
        ready += static_cast<SeatState>(load_acquire(seat.state)) == SeatState::ready ? 1 : 0;
    uint32_t manned = 0;
    for (const EntryRecord& entry : view.entries())
        manned += static_cast<EntryState>(load_acquire(entry.state)) == EntryState::manned ? 1 : 0;
    return ready > manned ? ready - manned : 0;
}

// Without a keeper there is one master as long as the server runs.
bool is_ready(const ServerView& view) {
    const KeeperWords& words = view.keeper();
    const uint32_t master = load_acquire(words.master);
    return load_acquire(view.standing().phase) == serving_phase &&
           (load_acquire(words.keeper) == 0 || load_acquire(words.serving) == master) &&
           std::ranges::any_of(view.entries(), [](const EntryRecord& entry) {
               return static_cast<EntryState>(load_acquire(entry.state)) == EntryState::manned;
           });
}

// A reload may have changed it.
uint32_t users_max_of(const ServerView& view) {
    const uint32_t limit = load_acquire(view.standing().users_limit);
    return limit != 0 ? limit : view.header().users;
}

// As in BroadcastLog: a faulty worker can write any offset.
uint64_t room_wanted(const ServerView& view, uint64_t head) {
    const uint64_t wanted = load_acquire(view.log().room_wanted);
    return wanted <= head ? wanted : 0;
}

uint64_t sum_of(const std::vector<NamedCount>& counts) {
    uint64_t sum = 0;
    for (const NamedCount& count : counts)
        sum += count.value;
    return sum;
}

} // namespace

Figures look_at(const ServerView& view) {
    const uint64_t head = load_acquire(view.log().head);
    const Counters& counters = view.counters();
    Table table{};
    const auto departed = departed_beside(view, head, table);
    Figures figures{.started_at_ms = load_acquire(view.standing().started_at_ms),
        .is_ready = is_ready(view),
        .users_max = users_max_of(view),
        .received_bytes = head,
        .chunks = load_acquire(view.log().index_next),
        .sent_bytes = departed ? std::optional(departed->sent + table.sent) : std::nullopt,
        .log_bytes = view.header().log_bytes};
    // The departures first: a user that comes and leaves meanwhile must not count as left alone.
    figures.departures = counters.departures();
    figures.accepted = counters.accepted();
    figures.users = figures.accepted - std::min(figures.accepted, sum_of(figures.departures));
    figures.refusals = counters.refusals();
    figures.throttled = counters.throttled();
    figures.moved = counters.moved();
    figures.accept_pauses = counters.accept_pauses();
    figures.dropped_datagrams = counters.dropped_datagrams();
    if (departed)
        figures.sources = sources(view, table, *departed);
    figures.users_with_role = table.users_with_role;
    figures.log_held_bytes = table.held;
    figures.room = view.room();
    figures.bridge_deaths = counters.bridge_deaths();
    figures.senders_wait = figures.room
                               ? figures.room->senders_wait
                               : head - std::min(table.held, head) < room_wanted(view, head);
    figures.spares = spares(view);
    figures.workers = workers(view, table);
    const uint32_t masters = load_acquire(view.keeper().generation);
    figures.masters_replaced = masters > 0 ? masters - 1 : 0;
    figures.keepers_replaced = load_acquire(view.keeper().keepers_replaced);
    figures.upgrades = load_acquire(view.upgrade().number);
    figures.metrics_starts = load_acquire(view.metrics().starts);
    return figures;
}

} // namespace chatserv
