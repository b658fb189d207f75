#include "tests/model/world.h"

#include "master/ledger/noted_address.h"
#include "shared/segment/broadcast_log.h"
#include "shared/system/panic.h"
#include "tests/model/judgement.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace chatserv::model {

namespace {

// Who sent what the log holds in the beginning: nobody who is still there.
constexpr ClientId old_client{.slot = SlotId{entries}, .generation = 1};

std::vector<FdPair> make_pipes() {
    std::vector<FdPair> pipes;
    for (uint32_t entry = 0; entry < entries; ++entry)
        pipes.push_back({UniqueFd(descriptor(Descriptor::pipe_reading, entry)),
            UniqueFd(descriptor(Descriptor::pipe_writing, entry))});
    return pipes;
}

ClientId client_in(uint32_t slot) {
    return {.slot = SlotId{slot}, .generation = 1};
}

} // namespace

World::World(const Setting& setting) :
    setting_(setting), segment_(Segment::create({.users = entries + 1,
                           .workers = entries,
                           .log_bytes = log_bytes_min,
                           .settings = {.stall_limit_ms = 1000}})),
    ledger_(Ledger::create({.users = entries, .workers = entries, .processes = processes_max})),
    pipes_(make_pipes()),
    doorbells_(segment_.worker_table(), pipes_), around_workers_{segment_, doorbells_, simulator_,
                                                     setting.sleep, setting.letting_go,
                                                     setting.introduction, setting.replay_bytes},
    around_masters_{segment_, ledger_, doorbells_, simulator_, setting.move, setting.recovery,
        setting.admission, setting.inheritance} {
    begin_kernel();
    admit_clients();
    seat_workers();
    begin_log();
    watch_segment();
    watch_log();
    watch_ledger();
    add_processes();
    simulator_.state().kills_left = setting_.kills;
}

void World::begin_kernel() {
    KernelState& kernel = simulator_.state().kernel;
    kernel.write_limit = setting_.write_limit;
    for (ChannelState& channel : kernel.channels)
        channel.connected = 1;
    uint32_t process = 0;
    for (uint32_t number = 0; number < connections; ++number) {
        ConnectionState& connection = kernel.connected[number];
        connection.messages = setting_.messages[number];
        connection.ends = number == setting_.leaver ? 1 : 0;
        process += setting_.is_at_work(number) ? 1 : 0;
        if (setting_.has_client(number)) {
            connection.base = setting_.head;
            connection.watched = static_cast<uint8_t>(process);
            kernel.table[number] = static_cast<uint8_t>(number + 1);
        }
    }
    if (setting_.listener == Listening::comes_later)
        kernel.connected[entry_r].waits = 1;
}

// Those who send get nothing, as if their sockets took nothing any more: the search is long enough.
// A slot without a client had one that has left, and came from the same machine.
void World::admit_clients() const {
    const std::array<uint8_t, 4> loopback{127, 0, 0, 1};
    for (uint32_t slot = 0; slot < entries; ++slot) {
        const ClientId client = client_in(slot);
        const Address peer = Address::ipv4(loopback.data(), port_of(slot));
        UserSlot& shared = users_[client.slot];
        ClientRecord& record = ledger_.clients()[slot];
        std::copy_n(peer.ip_bytes(), loopback.size(), shared.address);
        users_.assign(client, EntryId{slot});
        record.generation = client.generation;
        if (!setting_.has_client(slot)) {
            users_.release(client);
            continue;
        }
        users_.attach(client, 0);
        shared.heard_ns = now_ns(slot) - quiet_ns;
        shared.port = peer.port();
        shared.ip_version = 4;
        shared.accounted = 1;
        if (slot != entry_r)
            move_cursor(shared, {.bytes_written = 0, .log_offset = log_offset_none});
        record.socket = noted(descriptor(Descriptor::place, slot));
        record.entry = slot;
        record.peer = noted(peer);
        record.since_ms = arrival_ms;
        ++ledger_.counters()[counter_accepted];
    }
}

// The processes are numbered as in add_processes().
void World::seat_workers() const {
    uint32_t number = 0;
    const auto seat = [&] {
        SeatRecord& record = ledger_.seats()[number];
        record.state = static_cast<uint32_t>(SeatState::ready);
        record.pid = pid_of(number);
        record.rendezvous = noted(descriptor(Descriptor::rendezvous, number));
        record.proven = 1;
        return number++;
    };
    for (uint32_t entry = 0; entry < entries; ++entry)
        if (setting_.is_at_work(entry))
            ledger_.entries()[entry] = {
                .state = static_cast<uint32_t>(EntryState::manned), .seat = seat()};
    for (uint32_t spare = 0; spare < setting_.spares(); ++spare)
        seat();
}

// What worker A has published before.
void World::begin_log() const {
    const Staging staging(segment_, EntryId{entry_a});
    while (log().head < setting_.head) {
        const uint64_t bytes = std::min(setting_.head - log().head, staging.room().size());
        std::fill_n(staging.room().begin(), bytes, '.');
        staging.add(old_client, static_cast<uint32_t>(bytes), log().head + bytes);
        const LogLock lock(log(), EntryId{entry_a});
        invariant(LogAppender(segment_).append(staging, EntryId{entry_a}) == AppendResult::appended,
            "the log cannot begin there");
        staging.clear();
    }
}

// In the order of layout.h. Where a test touches what is not named here, it fails.
void World::watch_segment() {
    Memory& memory = simulator_.memory();
    memory.begin_mapping();
    for (uint32_t i = 0; i < entries; ++i) {
        WorkerEntry& at = entry(i);
        memory.watch("in_flight", &at.in_flight, 8, Access::own, static_cast<int>(i));
        memory.watch("batch", &at.batch, 8, Access::own, static_cast<int>(i));
        memory.watch("staged_chunks", &at.staged_chunks, 4, Access::own, static_cast<int>(i));
        memory.watch("asleep", &at.asleep, 4, Access::shared);
        memory.watch("published_batch", &at.published_batch, 8, Access::own, static_cast<int>(i));
    }
    memory.watch("slots_in_use", &segment_.user_control().slots_in_use, 4, Access::still);
    for (uint32_t i = 0; i <= entries; ++i)
        watch_slot(i);
}

// What a newcomer finds in its slot was another's, or its predecessor's: anybody may touch it.
void World::watch_slot(uint32_t number) {
    Memory& memory = simulator_.memory();
    UserSlot& slot = users_[SlotId{number}];
    const int owner = static_cast<int>(number);
    const bool moves = number == setting_.move.from;
    const bool leaves = number == setting_.leaver;
    const bool changes_hands = moves || setting_.is_for_newcomer(number);
    const Access cursors = setting_.roomy() ? Access::own : Access::kept;
    const Access cursor = changes_hands                 ? Access::shared
                          : number == entry_r || leaves ? cursors
                                                        : Access::still;
    const Access mostly_still = changes_hands ? Access::shared : Access::still;
    memory.watch("status", &slot.status, 8,
        setting_.kills == 0 && !changes_hands && !leaves ? Access::still : Access::shared);
    memory.watch("cursor", &slot.cursor, sizeof slot.cursor, cursor, owner);
    memory.watch("cursor_index", &slot.cursor_index, 8, cursor, owner);
    memory.watch(
        "bytes_read", &slot.bytes_read, 8, changes_hands ? Access::shared : Access::own, owner);
    memory.watch("close_at", &slot.close_at, 8,
        moves    ? Access::shared
        : leaves ? Access::quiet
                 : Access::still);
    memory.watch("port", &slot.port, 8, Access::quiet);
    memory.watch("heard_ns", &slot.heard_ns, 8, mostly_still);
    memory.watch("departure", &slot.told_too_fast, 8, mostly_still);
    memory.watch("quiet_ns", &slot.quiet_ns, 8, mostly_still);
}

void World::watch_log() {
    Memory& memory = simulator_.memory();
    LogControl& control = log();
    memory.watch("the lock", &control.lock, 8, Access::spun);
    memory.watch("head", &control.head, 8, Access::locked);
    memory.watch("tail", &control.tail, 8, Access::shared);
    memory.watch("index_next", &control.index_next, 8, Access::shared);
    memory.watch("index_tail", &control.index_tail, 8, Access::shared);
    memory.watch("intent_head", &control.intent_head, 8, Access::quiet);
    memory.watch("intent_index_next", &control.intent_index_next, 8, Access::quiet);
    memory.watch("intent_batch", &control.intent_batch, 8, Access::quiet);
    memory.watch("intent_entry", &control.intent_entry, 4, Access::quiet);
    memory.watch(
        "room_wanted", &control.room_wanted, 8, setting_.roomy() ? Access::still : Access::locked);
    simulator_.set_lock(granule(&control.lock));
    for (uint64_t* const word :
        {&control.head, &control.tail, &control.index_next, &control.index_tail})
        simulator_.read_plainly(granule(word));

    const uint64_t bytes = bytes_in_all(setting_);
    memory.watch("the index", &segment_.index()[control.index_next],
        bytes / message_bytes * sizeof(IndexEntry), Access::shared);
    const std::span<char> ring = segment_.ring();
    const uint64_t begin = control.head % ring.size();
    const uint64_t until_wrap = std::min(bytes, ring.size() - begin);
    if (until_wrap < bytes)
        memory.watch("the ring", ring.data(), bytes - until_wrap, Access::shared);
    memory.watch("the ring", &ring[begin], until_wrap, Access::shared);
    for (uint32_t i = 0; i < entries; ++i) {
        const size_t count = setting_.messages[i] +
                             (i == setting_.move.to ? setting_.messages[setting_.move.from] : 0);
        const int owner = static_cast<int>(i);
        memory.watch("staging, chunks", segment_.staging_chunks(EntryId{i}).data(),
            count * sizeof(ChunkRecord), Access::own, owner);
        memory.watch("staging, bytes", segment_.staging_bytes(EntryId{i}).data(),
            count * message_bytes, Access::own, owner);
    }
}

// What of it a master of the model changes. It is nobody else's.
void World::watch_ledger() {
    Memory& memory = simulator_.memory();
    const auto watch = [&memory](const char* name, void* begin, size_t bytes) {
        memory.watch(name, begin, bytes, Access::own, static_cast<int>(entry_master));
    };
    memory.begin_mapping();
    for (const uint32_t counter : {counter_accepted, departed_in_counter, departed_out_counter,
             counter_left, no_count.counter})
        watch("a counter", &ledger_.counters()[counter], sizeof(uint64_t));
    RedoRecord& record = redo();
    watch("the redo record", &record, offsetof(RedoRecord, lingering));
    watch("the redo record", &record.since_ms, sizeof record - offsetof(RedoRecord, since_ms));
    watch("the newcomers", ledger_.newcomers().data(), 2 * sizeof(NewcomerRecord));
    for (EntryRecord& entry : ledger_.entries())
        watch("an entry's record", &entry, sizeof entry);
    for (SeatRecord& seat : ledger_.seats())
        watch("a seat", &seat, offsetof(SeatRecord, proven));
    for (ClientRecord& client : ledger_.clients())
        watch("a client's record", &client, offsetof(ClientRecord, unused_1));
    const uint32_t begin = granule(&record.kind);
    simulator_.add_draft({.owner = entry_master,
        .begin = begin,
        .end = granule(&record.departed_out) + 1,
        .valid_mask = 0xffffffff});
}

bool World::in_ring(uint32_t granule) {
    return simulator_.memory().name(granule) == "the ring";
}

void World::add_processes() {
    static constexpr std::array names{"worker A", "worker B", "worker R"};
    static constexpr std::array spare_names{"spare 1", "spare 2"};
    static constexpr std::array master_names{"the second master", "the third master"};
    for (uint32_t i = 0; i < entries; ++i) {
        if (setting_.is_at_work(i))
            simulator_.add_process(names[i], i, setting_.may_die(i), [this, i] {
                WorkerProcess worker(around_workers_, i);
                if (setting_.has_client(i))
                    worker.begin_with({.id = client_in(i), .connection = i});
                worker.run();
            });
    }
    for (uint32_t i = 0; i < setting_.spares(); ++i)
        simulator_.add_process(spare_names.at(i), no_entry, setting_.successors_may_die,
            [this] { run_spare(around_workers_); });
    if (!setting_.has_master())
        return;
    const bool may_die = setting_.may_die(entry_master);
    simulator_.add_process(
        "the master", entry_master, may_die, [this] { run_master(around_masters_); });
    for (uint32_t i = 0; i < setting_.next_masters(); ++i)
        simulator_.add_process(master_names.at(i), no_entry, setting_.successors_may_die,
            [this] { run_successor(around_masters_); });
}

Findings World::explore() {
    const uint64_t index_begin = log().index_next;
    Findings findings = Explorer(simulator_, [&] {
        return Judgement(setting_, segment_, ledger_, simulator_.state(), index_begin).pass();
    }).explore();
    const std::string stray = simulator_.memory().find_stray_store();
    if (findings.violation.empty() && !stray.empty())
        findings.violation =
            "the model is wrong: a process stored where nothing is watched, behind " + stray;
    return findings;
}

} // namespace chatserv::model
