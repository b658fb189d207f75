#include "master/control/overview.h"

#include "master/clients/traffic.h"
#include "master/ledger/noted_address.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/names.h"
#include "shared/segment/room_standing.h"
#include "shared/system/printable_text.h"
#include "shared/system/version.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

constexpr size_t slowest_max = 5;

// The instant to which absolute numbers belong: the difference of two gives a rate.
int64_t clock_milliseconds() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

bool is_there(const ClientRecord& record) {
    return number_of(record.socket) != -1;
}

} // namespace

std::string Overview::status() const {
    const Escrow& escrow = subjects_.clients.escrow();
    const uint64_t head = BroadcastLog(subjects_.segment).head();
    const Sums sums = look_at_all(head);
    ordered_json object{{"event", "status"}, {"version", program_version()},
        {"pid", subjects_.server}, {"master", ::getpid()},
        {"started_ms", subjects_.ledger.standing().started_at_ms},
        {"clock_ms", clock_milliseconds()}, {"listen", ordered_json::array()},
        {"accepting", subjects_.acceptor.accepting()}, {"users", escrow.held()},
        {"users_max", escrow.users_max()}, {"bytes_in", sums.in}, {"bytes_out", sums.out},
        {"framing", framing()}, {"log", log(sums)}, {"slowest", ordered_json::array()},
        {"workers", ordered_json::array()}, {"metrics", metrics()}, {"room", room()},
        {"sources", sources()}};
    for (const Listener& listener : subjects_.acceptor.listeners())
        object["listen"].push_back(listener.door());
    for (const uint32_t slot : sums.slowest)
        object["slowest"].push_back(user(slot, head));
    const EntryRoll& roll = subjects_.pool.roll();
    for (uint32_t index = 0; index < roll.size(); ++index)
        if (roll.is_present(EntryId{index}))
            object["workers"].push_back(worker(EntryId{index}));
    return object.dump();
}

ordered_json Overview::framing() const {
    const FramingSettings& framing = subjects_.segment.header().framing;
    if (framing.framing == Framing::none)
        return nullptr;
    return {{"line_max", framing.line_bytes_max}};
}

std::string Overview::users(uint32_t from) const {
    const uint64_t head = BroadcastLog(subjects_.segment).head();
    const std::span<const ClientRecord> records = subjects_.ledger.clients();
    const uint32_t end = subjects_.clients.escrow().slots_ever_used();
    ordered_json object{{"event", "users"}, {"clock_ms", clock_milliseconds()},
        {"users", ordered_json::array()}, {"next", nullptr}};
    ordered_json& users = object["users"];
    for (uint32_t slot = from; slot < end; ++slot) {
        if (!is_there(records[slot]))
            continue;
        if (users.size() == users_in_answer_max) {
            object["next"] = slot;
            break;
        }
        users.push_back(user(slot, head));
    }
    return object.dump();
}

Overview::Sums Overview::look_at_all(uint64_t head) const {
    const std::span<const uint64_t> counters = subjects_.ledger.counters();
    const std::span<const ClientRecord> records = subjects_.ledger.clients();
    const std::span<const UserSlot> slots = subjects_.segment.user_table();
    Sums sums{.in = load_acquire(counters[departed_in_counter]),
        .out = load_acquire(counters[departed_out_counter])};
    std::vector<std::pair<uint64_t, uint32_t>> slowest; // by backlog, the largest first
    const uint32_t end = subjects_.clients.escrow().slots_ever_used();
    for (uint32_t slot = 0; slot < end; ++slot) {
        if (!is_there(records[slot]))
            continue;
        const Traffic traffic = traffic_of(slots[slot], head);
        sums.in += traffic.in;
        sums.out += traffic.out;
        sums.held = std::max(sums.held, traffic.backlog);
        const bool is_slow = slowest.size() < slowest_max || traffic.backlog > slowest.back().first;
        if (traffic.backlog == 0 || !is_slow)
            continue;
        slowest.emplace_back(traffic.backlog, slot);
        std::ranges::stable_sort(
            slowest, std::ranges::greater{}, &decltype(slowest)::value_type::first);
        slowest.resize(std::min(slowest.size(), slowest_max));
    }
    for (const auto& [backlog, slot] : slowest)
        sums.slowest.push_back(slot);
    return sums;
}

ordered_json Overview::user(uint32_t slot, uint64_t head) const {
    const ClientRecord& record = subjects_.ledger.clients()[slot];
    const UserSlot& user = subjects_.segment.user_table()[slot];
    const Traffic traffic = traffic_of(user, head);
    const Source* const source = subjects_.sources.find(record.source);
    return {{"slot", slot}, {"generation", record.generation},
        {"address", address_of(record.peer).text()},
        {"name", name_of_user({SlotId{slot}, record.generation}, user)},
        {"role", name_of(role_of(record.role))},
        {"source", source == nullptr ? ordered_json() : ordered_json(source->address().name())},
        {"since_ms", record.since_ms}, {"worker", number_of(EntryId{record.entry})},
        {"bytes_in", traffic.in}, {"bytes_out", traffic.out}, {"backlog", traffic.backlog}};
}

// A worker has stored the name: it may be any bytes, and JSON holds UTF-8 alone.
ordered_json Overview::name_of_user(ClientId client, const UserSlot& user) const {
    const auto name = Names(subjects_.segment).in_force(client, user);
    return name && !name->empty() ? ordered_json(as_one_line(*name)) : ordered_json(nullptr);
}

ordered_json Overview::log(const Sums& sums) const {
    const BroadcastLog log(subjects_.segment);
    const uint64_t head = log.head();
    return {{"bytes", subjects_.segment.header().log_bytes}, {"head", head}, {"held", sums.held},
        {"senders_wait", senders_wait(head - std::min(sums.held, head) < log.room_wanted())}};
}

// Of a room of several hosts, the bridge waits for the log, and the senders wait for the bridge.
bool Overview::senders_wait(bool appender_waits) const {
    const Segment& segment = subjects_.segment;
    return segment.joined() ? standing_of(segment.room(), segment.outbound_control()).senders_wait
                            : appender_waits;
}

ordered_json Overview::metrics() const {
    if (!subjects_.metrics.resources().wanted())
        return nullptr;
    ordered_json listen = ordered_json::array();
    for (const Listener& listener : subjects_.metrics.resources().listeners)
        listen.push_back(listener.address().text());
    return {{"listen", std::move(listen)}, {"pid", subjects_.metrics.pid()}};
}

ordered_json Overview::room() const {
    const Segment& segment = subjects_.segment;
    if (!segment.joined())
        return nullptr;
    RoomStanding standing = standing_of(segment.room(), segment.outbound_control());
    if (subjects_.bridge.pid() == 0 && standing.link == LinkState::delivering) {
        standing.link = LinkState::connecting; // what the last bridge has reported holds no more
        standing.since_ms = subjects_.bridge.gone_since_ms();
    }
    return {{"name", subjects_.options.room}, {"link", name_of(standing.link)},
        {"since_ms", standing.since_ms}, {"trouble", standing.trouble}, {"others", standing.others},
        {"waiting", standing.waiting_bytes}, {"applied", standing.applied},
        {"messages", standing.messages}, {"repeated", standing.repeated},
        {"published_again", standing.published_again}, {"bridge", subjects_.bridge.pid()},
        {"bridge_deaths", subjects_.clients.counters().bridge_deaths()}};
}

ordered_json Overview::sources() const {
    const auto now = Source::Clock::now();
    ordered_json all = ordered_json::array();
    for (const auto& [number, source] : subjects_.sources.all()) {
        const SourceRecord& record = source.record();
        ordered_json& object = all.emplace_back(ordered_json{{"source", source.address().name()},
            {"role", name_of(source.address().role)},
            {"state", source.is_wanted() ? name_of(source.state()) : "leaving"}, {"slot", nullptr},
            {"connections", load_acquire(record.connections)}, {"error", source.error()},
            {"next_try_ms", nullptr},
            {"dropped", dropped_by(record) - load_acquire(record.dropped_before)}});
        if (source.client())
            object["slot"] = index_of(source.client()->slot);
        if (source.is_wanted() && source.state() == Source::State::waiting)
            object["next_try_ms"] = source.wait_from(now).count();
    }
    return all;
}

ordered_json Overview::worker(EntryId entry) const {
    const EntryRecord& record = subjects_.ledger.entries()[index_of(entry)];
    const WorkerProcess* const process = subjects_.pool.process_of(entry);
    ordered_json object{{"worker", number_of(entry)},
        {"pid", process == nullptr ? 0 : process->pid()}, {"state", state_of(entry)},
        {"drained", subjects_.draining.is_drained(entry)},
        {"users", subjects_.clients.escrow().clients_of(entry)},
        {"awake", std::round(subjects_.balancer.awake_share(entry) * 1000) / 1000},
        {"takeovers", record.takeovers}, {"last_takeover", nullptr}};
    if (record.takeovers > 0)
        object["last_takeover"] = {{"at_ms", record.taken_over_at_ms},
            {"milliseconds", static_cast<double>(record.takeover_ns) / 1e6}};
    return object;
}

const char* Overview::state_of(EntryId entry) const {
    const WorkerProcess* const process = subjects_.pool.process_of(entry);
    if (!subjects_.pool.roll().in_service(entry))
        return "retiring";
    if (process == nullptr || process->ended())
        return "being replaced";
    return process->stopped() ? "stopped" : "serving";
}

} // namespace chatserv
