#include "tests/model/world.h"

#include "shared/segment/broadcast_log.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <numeric>

namespace chatserv::model {

namespace {

// Who sent what the log holds in the beginning: nobody who is still there.
constexpr ClientId old_client{.slot = SlotId{entries}, .generation = 1};

std::vector<FdPair> make_pipes() {
    std::vector<FdPair> pipes;
    for (uint32_t entry = 0; entry < entries; ++entry)
        pipes.push_back({UniqueFd(pipe_reading(entry)), UniqueFd(pipe_writing(entry))});
    return pipes;
}

uint64_t bytes_in_all(const Setting& setting) {
    return message_bytes *
           std::accumulate(setting.messages.begin(), setting.messages.end(), uint64_t{0});
}

} // namespace

World::World(const Setting& setting) :
    setting_(setting), segment_(Segment::create({.users = entries + 1,
                           .workers = entries,
                           .log_bytes = log_bytes_min,
                           .settings = {.stall_limit_ms = 1000}})),
    pipes_(make_pipes()),
    doorbells_(segment_.worker_table(), pipes_), around_{segment_, doorbells_, simulator_,
                                                     setting.sleep, setting.letting_go} {
    admit_clients();
    begin_log();
    watch_memory();
    add_processes();
    KernelState& kernel = simulator_.state().kernel;
    kernel.messages = setting_.messages;
    kernel.base = setting_.head;
    kernel.write_limit = setting_.write_limit;
    for (uint32_t i = 0; i < entries; ++i) {
        kernel.owner[i] = static_cast<uint8_t>(setting_.has_client(i) ? i : no_client);
        kernel.watched[i] = static_cast<uint8_t>(setting_.has_client(i) ? i + 1 : 0);
    }
    simulator_.state().kills_left = setting_.kills;
}

// Those who send get nothing, as if their sockets took nothing any more: the search is long enough.
void World::admit_clients() const {
    for (uint32_t slot = 0; slot < entries; ++slot) {
        const ClientId client{.slot = SlotId{slot}, .generation = 1};
        users_.assign(client, EntryId{slot});
        users_.attach(client, 0);
        users_[SlotId{slot}].heard_ns = now_ns(slot) - quiet_ns;
        if (slot != entry_r)
            move_cursor(users_[SlotId{slot}], {.bytes_written = 0, .log_offset = log_offset_none});
    }
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
void World::watch_memory() {
    Memory& memory = simulator_.memory();
    for (uint32_t i = 0; i < entries; ++i) {
        WorkerEntry& at = entry(i);
        memory.watch("in_flight", &at.in_flight, 8, Access::own, static_cast<int>(i));
        memory.watch("batch", &at.batch, 8, Access::own, static_cast<int>(i));
        memory.watch("staged_chunks", &at.staged_chunks, 4, Access::own, static_cast<int>(i));
        memory.watch("asleep", &at.asleep, 4, Access::shared);
        memory.watch("published_batch", &at.published_batch, 8, Access::own, static_cast<int>(i));
    }
    memory.watch("slots_in_use", &segment_.user_control().slots_in_use, 4, Access::still);
    const Access cursors = setting_.roomy() ? Access::own : Access::kept;
    for (uint32_t i = 0; i <= entries; ++i) {
        UserSlot& slot = users_[SlotId{i}];
        const int owner = static_cast<int>(i);
        const bool moves = i == setting_.move.from;
        const Access cursor = i != entry_r ? Access::still : moves ? Access::shared : cursors;
        memory.watch("status", &slot.status, 8,
            setting_.kills == 0 && !moves ? Access::still : Access::shared);
        memory.watch("cursor", &slot.cursor, sizeof slot.cursor, cursor, owner);
        memory.watch("cursor_index", &slot.cursor_index, 8, cursor, owner);
        memory.watch(
            "bytes_read", &slot.bytes_read, 8, moves ? Access::shared : Access::own, owner);
        memory.watch("heard_ns", &slot.heard_ns, 8, moves ? Access::shared : Access::still);
        memory.watch("quiet_ns", &slot.quiet_ns, 8, moves ? Access::shared : Access::still);
    }
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
    index_next_ = control.index_next;
    memory.watch("the index", &segment_.index()[index_next_],
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

bool World::in_ring(uint32_t granule) {
    return simulator_.memory().name(granule) == "the ring";
}

void World::add_processes() {
    static constexpr std::array names{"worker A", "worker B", "worker R"};
    static constexpr std::array spare_names{"spare 1", "spare 2"};
    for (uint32_t i = 0; i < entries; ++i) {
        if (!setting_.at_work(i))
            continue;
        const bool killable = std::count(setting_.killable.begin(), setting_.killable.end(), i) > 0;
        simulator_.add_process(names[i], i, killable, [this, i] {
            WorkerProcess(around_, i, setting_.has_client(i) ? i : no_client, false).run();
        });
    }
    if (setting_.kills == 0 && !setting_.move.any())
        return;
    simulator_.add_process("master", no_entry, false,
        [this] { run_master(around_, setting_.recovery, setting_.move); });
    for (uint32_t i = 0; i < setting_.kills; ++i)
        simulator_.add_process(spare_names.at(i), no_entry, true, [this] { run_spare(around_); });
}

Findings World::explore() {
    return Explorer(simulator_, [this] { return judge(); }).explore();
}

// --- what must be so in the end ------------------------------------------------------------------

std::string World::judge() const {
    const uint64_t head = log().head;
    if (head < setting_.head || head > setting_.head + 2 * bytes_in_all(setting_))
        return "the log's head is nowhere";
    const LogPieces pieces = BroadcastLog(segment_).pieces(setting_.head, head);
    const std::string text = std::string(pieces.first.begin(), pieces.first.end())
                                 .append(pieces.second.begin(), pieces.second.end());
    for (const std::string& wrong :
        {judge_log(text), judge_index(text), judge_listener(text), judge_entries(), judge_move()})
        if (!wrong.empty())
            return wrong + " (the log has \"" + text + "\")";
    return {};
}

// All messages, each whole and once, each sender's in the order in which they were sent.
std::string World::judge_log(const std::string& text) const {
    std::array<uint8_t, entries> seen{};
    for (size_t at = 0; at < text.size(); at += message_bytes) {
        const std::string found = text.substr(at, message_bytes);
        bool known = false;
        for (uint32_t entry = 0; entry < entries && !known; ++entry) {
            const auto expected = message(entry, seen[entry]);
            known = found == std::string(expected.begin(), expected.end());
            seen[entry] = static_cast<uint8_t>(seen[entry] + (known ? 1 : 0));
        }
        if (!known)
            return "a record is torn, repeated or out of order: " + found;
    }
    if (seen != setting_.messages)
        return "nobody has anything to do, and a record is not in the log";
    return {};
}

std::string World::judge_listener(const std::string& text) const {
    if (!setting_.listener)
        return {};
    const KernelState& kernel = simulator_.state().kernel;
    const std::string received(kernel.received[entry_r].data(),
        std::max<uint64_t>(kernel.written[entry_r], kernel.base) - kernel.base);
    if (received != text)
        return "the listener was not sent what the log has, but \"" + received + "\"";
    if (cursor_of(users_[SlotId{entry_r}]).log_offset != log().head)
        return "the listener's cursor is not where the listener is";
    return {};
}

std::string World::judge_index(const std::string& text) const {
    if (log().index_next != index_next_ + text.size() / message_bytes)
        return "the index has not as many entries as the log has records";
    for (size_t i = 0; i < text.size() / message_bytes; ++i) {
        const IndexEntry& entry = segment_.index()[index_next_ + i];
        const auto number = static_cast<uint64_t>(text[message_bytes * i + 3] - '0');
        if (entry.end != setting_.head + message_bytes * (i + 1) || entry.generation != 1 ||
            index_of(entry.slot) != static_cast<uint32_t>(text[message_bytes * i + 1] - 'A') ||
            entry.sender_bytes != message_bytes * (number + 1))
            return "an entry of the index is wrong";
    }
    return {};
}

// The client is served where it was wanted, and has been quiet for as long as before.
std::string World::judge_move() const {
    if (!setting_.move.any())
        return {};
    const UserSlot& slot = users_[SlotId{setting_.move.from}];
    const SlotStatus status = status_of(slot);
    if (status.state != SlotState::attached || status.owner != EntryId{setting_.move.to})
        return "a client was to move, and has not";
    if (slot.heard_ns != now_ns(setting_.move.to) - quiet_ns)
        return "a client that has moved was quiet for another time";
    return {};
}

std::string World::judge_entries() const {
    if (log().lock != 0)
        return "the lock was not released";
    for (uint32_t number = 0; number < entries; ++number) {
        const WorkerEntry& entry = segment_.worker_table()[number];
        if (entry.staged_chunks != 0 || entry.published_batch + 1 != entry.batch)
            return "a staging area is not as after a publication";
        if (entry.in_flight != 0)
            return "an operation is still in flight";
        if (entry.asleep == 0 && setting_.at_work(number))
            return "somebody sleeps, and nobody would ring it";
    }
    return {};
}

} // namespace chatserv::model
