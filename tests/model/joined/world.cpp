#include "tests/model/joined/world.h"

#include "bridge/segment_inbox.h"
#include "shared/system/panic.h"
#include "tests/model/joined/happenings.h"
#include "tests/model/joined/judgement.h"
#include "tests/model/joined/other_hosts.h"

#include <array>
#include <cstddef>

namespace chatserv::model {

namespace {

constexpr int bridge = static_cast<int>(entry_bridge);

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

JoinedWorld::JoinedWorld(const JoinedSetting& setting) :
    setting_(setting), segment_(Segment::create({.users = joined_clients,
                           .workers = joined_clients,
                           .log_bytes = joined_log_bytes_min,
                           .outbound_bytes = joined_log_bytes_min,
                           .settings = {.stall_limit_ms = 1000}})),
    pipes_(make_pipes()),
    doorbells_(segment_.all_entries(), pipes_), around_workers_{segment_, doorbells_, simulator_,
                                                    setting.delivering},
    around_bridges_{segment_, setting.ringing == Ringing::right ? doorbells_ : silence_, simulator_,
        setting.going_on, true},
    around_stand_in_{segment_, doorbells_, simulator_, {}, {}, setting.repair} {
    begin_kernel();
    admit_clients();
    begin_room();
    simulator_.memory().begin_mapping();
    watch_entries();
    watch_slots();
    watch_log("the lock", log(), true);
    watch_log("the outbound log's lock", segment_.outbound_control(), false);
    watch_room();
    watch_rings();
    add_happenings(simulator_, setting_);
    add_processes();
    simulator_.state().kills_left = setting_.kills;
    simulator_.set_in_order(setting_.in_order);
}

void JoinedWorld::begin_kernel() {
    KernelState& kernel = simulator_.state().kernel;
    kernel.write_limit = joined_log_bytes_min;
    for (ChannelState& channel : kernel.channels)
        channel.connected = 1;
    kernel.exit_watched.fill(1);
    for (uint32_t number = 0; number < setting_.clients; ++number) {
        ConnectionState& connection = kernel.connected[number];
        connection.messages = setting_.messages[number];
        connection.ends = number == setting_.leaver ? 1 : 0;
        connection.watched = static_cast<uint8_t>(number + 1);
    }
}

void JoinedWorld::admit_clients() const {
    for (uint32_t slot = 0; slot < setting_.clients; ++slot) {
        users_.assign(client_in(slot), EntryId{slot});
        users_.attach(client_in(slot), 0);
    }
}

// The first message of the stream is this host's join, and it is committed.
void JoinedWorld::begin_room() {
    segment_.outbound_control().life = incarnation_here;
    StreamState& stream = simulator_.state().stream;
    stream.asks_wait = setting_.asks_wait ? 1 : 0;
    stream.words_left = setting_.words;
    stream.joins_left = setting_.joins;
    stream.losses_left = setting_.losses;
    stream.repeats_left = setting_.repeats;
    stream.hurries_left = setting_.hurries;
    if (!setting_.has_joined)
        return;
    stream.append(join_of(incarnation_here));
    const Order order(incarnation_here);
    invariant(SegmentInbox(segment_, doorbells_)
                  .commit(order.judge(1, stream.messages.front().view()), ""),
        "the model is wrong: the room does not begin");
}

// From here on in the order of layout.h. Where a test touches what is not named, it fails.
void JoinedWorld::watch_entries() {
    Memory& memory = simulator_.memory();
    for (uint32_t i = 0; i < entries; ++i) {
        WorkerEntry& at = segment_.all_entries()[i];
        const int owner = static_cast<int>(i);
        const bool at_work = i == entry_bridge || i < setting_.clients;
        memory.watch("in_flight", &at.in_flight, 8, Access::own, owner);
        memory.watch("batch", &at.batch, 8, Access::own, owner);
        memory.watch("staged_chunks", &at.staged_chunks, 4, Access::own, owner);
        memory.watch("asleep", &at.asleep, 4, at_work ? Access::shared : Access::still);
        memory.watch("published_batch", &at.published_batch, 8, Access::own, owner);
    }
    memory.watch("slots_in_use", &segment_.user_control().slots_in_use, 4, Access::still);
}

// Each client stays with its entry.
void JoinedWorld::watch_slots() {
    Memory& memory = simulator_.memory();
    for (uint32_t i = 0; i < setting_.clients; ++i) {
        UserSlot& slot = users_[SlotId{i}];
        const int owner = static_cast<int>(i);
        const bool is_closed = i == setting_.leaver;
        memory.watch("status", &slot.status, 8,
            setting_.may_die(i) || is_closed ? Access::shared : Access::still);
        memory.watch("cursor", &slot.cursor, sizeof slot.cursor, Access::own, owner);
        memory.watch("cursor_index", &slot.cursor_index, 8, Access::own, owner);
        memory.watch("bytes_read", &slot.bytes_read, 8, Access::own, owner);
        memory.watch("close_at", &slot.close_at, 8, Access::own, owner);
    }
}

// Nobody but the bridge stores into the broadcast log, and it holds the lock when it does. There is
// room for everything in either log.
void JoinedWorld::watch_log(const char* lock_name, LogControl& control, bool of_bridge) {
    Memory& memory = simulator_.memory();
    const Access access = of_bridge ? Access::kept : Access::locked;
    memory.watch(lock_name, &control.lock, 8, Access::spun);
    memory.watch(of_bridge ? "head" : "the outbound head", &control.head, 8, access, bridge);
    memory.watch("tail", &control.tail, 8, Access::still);
    memory.watch(of_bridge ? "index_next" : "the outbound index_next", &control.index_next, 8,
        of_bridge ? Access::quiet : access);
    memory.watch("index_tail", &control.index_tail, 8, Access::still);
    memory.watch("intent_head", &control.intent_head, 8, Access::quiet);
    memory.watch("intent_index_next", &control.intent_index_next, 8, Access::quiet);
    memory.watch("intent_batch", &control.intent_batch, 8, Access::quiet);
    memory.watch("intent_entry", &control.intent_entry, 4, Access::quiet);
    memory.watch("room_wanted", &control.room_wanted, 8, Access::still);
    simulator_.set_last_value(granule(&control.head),
        message_bytes * (of_bridge ? setting_.messages_in_all() : setting_.messages_here()));
    if (!of_bridge)
        simulator_.set_lock(granule(&control.lock));
    simulator_.read_plainly(granule(&control.head));
    simulator_.read_plainly(granule(&control.index_next));
}

void JoinedWorld::watch_room() {
    Memory& memory = simulator_.memory();
    memory.watch("counted", &room().counted, 8,
        setting_.leaver == no_client ? Access::own : Access::kept, bridge);
    for (RoomState& state : room().states) {
        memory.watch(
            "a state of the room", &state, offsetof(RoomState, unused), Access::own, bridge);
        memory.watch("a state of the room", &state.expected, 2 * sizeof(ExpectedRecord),
            Access::own, bridge);
        const uint32_t begin = granule(&state.sequence);
        simulator_.add_draft({.owner = entry_bridge,
            .begin = begin,
            .end = granule(&state.expected[1].offset) + 1,
            .valid_mask = ~0ULL});
    }
}

// What the index of the broadcast log says is read plainly by whoever holds its lock.
void JoinedWorld::watch_rings() {
    Memory& memory = simulator_.memory();
    const uint64_t records = setting_.messages_in_all();
    memory.watch(
        "the index", segment_.index().data(), records * sizeof(IndexEntry), Access::kept, bridge);
    for (uint64_t i = 0; i < records; ++i)
        for (size_t word = 0; word < sizeof(IndexEntry); word += 8)
            simulator_.read_plainly(
                granule(reinterpret_cast<const std::byte*>(&segment_.index()[i]) + word));
    memory.watch("the ring", segment_.ring().data(), records * message_bytes, Access::kept, bridge);
    const uint64_t own = setting_.messages_here();
    memory.watch("the outbound index", segment_.outbound_index().data(), own * sizeof(IndexEntry),
        Access::locked);
    memory.watch(
        "the outbound ring", segment_.outbound_ring().data(), own * message_bytes, Access::locked);
    for (uint32_t i = 0; i < setting_.clients; ++i) {
        const int owner = static_cast<int>(i);
        memory.watch("staging, chunks", segment_.staging_chunks(EntryId{i}).data(),
            setting_.messages[i] * sizeof(ChunkRecord), Access::own, owner);
        memory.watch("staging, bytes", segment_.staging_bytes(EntryId{i}).data(),
            setting_.messages[i] * message_bytes, Access::own, owner);
    }
}

void JoinedWorld::add_processes() {
    static constexpr std::array names{"worker A", "worker B"};
    static constexpr std::array spare_names{"spare 1", "spare 2"};
    static constexpr std::array bridge_names{"the second bridge", "the third bridge"};
    uint32_t number = 0;
    for (uint32_t i = 0; i < setting_.clients; ++i, ++number)
        simulator_.add_process(names.at(i), i, setting_.may_die(i), [this, i] {
            JoinedWorker worker(around_workers_, i);
            worker.begin_with({.id = client_in(i), .connection = i});
            worker.run();
        });
    simulator_.add_process("the bridge", entry_bridge, setting_.may_die(entry_bridge),
        [this] { run_bridge(around_bridges_); });
    ++number;
    for (uint32_t i = 0; i < setting_.spares(); ++i, ++number) {
        around_stand_in_.spares.push_back(number);
        simulator_.add_process(spare_names.at(i), no_entry, setting_.successors_may_die,
            [this] { run_joined_spare(around_workers_); });
    }
    for (uint32_t i = 0; i < setting_.next_bridges(); ++i, ++number) {
        around_stand_in_.next_bridges.push_back(number);
        simulator_.add_process(bridge_names.at(i), no_entry, setting_.successors_may_die,
            [this] { run_next_bridge(around_bridges_); });
    }
    if (setting_.kills > 0)
        simulator_.add_process(
            "the master", no_entry, false, [this] { StandIn(around_stand_in_).run(); });
}

Findings JoinedWorld::explore() {
    Findings findings = Explorer(simulator_, [&] {
        return JoinedJudgement(setting_, segment_, simulator_.state()).pass();
    }).explore();
    const std::string stray = simulator_.memory().find_stray_store();
    if (findings.violation.empty() && !stray.empty())
        findings.violation =
            "the model is wrong: a process stored where nothing is watched, behind " + stray;
    return findings;
}

} // namespace chatserv::model
