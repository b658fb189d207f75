#include "tests/model/judgement.h"

#include "shared/segment/broadcast_log.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace chatserv::model {

uint64_t bytes_in_all(const Setting& setting) {
    return message_bytes *
           std::accumulate(setting.messages.begin(), setting.messages.end(), uint64_t{0});
}

std::string Judgement::pass() const {
    const uint64_t head = segment_.log_control().head;
    if (head < setting_.head || head > setting_.head + 2 * bytes_in_all(setting_))
        return "the log's head is nowhere";
    const LogPieces pieces = BroadcastLog(segment_).pieces(setting_.head, head);
    const std::string text = std::string(pieces.first.begin(), pieces.first.end())
                                 .append(pieces.second.begin(), pieces.second.end());
    std::string wrong = on_log(text);
    for (uint32_t number = 0; number < connections && wrong.empty(); ++number)
        wrong = on_connection(number);
    for (const std::string& other :
        {on_index(text), on_listener(text), on_entries(), on_move(), on_ledger()})
        if (wrong.empty())
            wrong = other;
    return wrong.empty() ? wrong : wrong + " (the log has \"" + text + "\")";
}

// All messages, each whole and once, each sender's in the order in which they were sent.
std::string Judgement::on_log(const std::string& text) const {
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

// A listener that comes gets all from the offset at which it was attached: what was in the log in
// the beginning is dots. One that ends gets what
// the log held then.
std::string Judgement::on_listener(const std::string& text) const {
    if (setting_.listener == Listening::no)
        return {};
    const ConnectionState& connection = state_.kernel.connected[entry_r];
    const std::string received(connection.received.data(),
        std::max<uint64_t>(connection.written, connection.base) - connection.base);
    const uint64_t from = std::max(connection.joined_at, connection.base);
    const uint64_t replayed = setting_.head - std::min(from, setting_.head);
    const uint64_t said = std::max(from, setting_.head) - setting_.head;
    const std::string wanted =
        std::string(replayed, '.') + text.substr(std::min<size_t>(said, text.size()));
    const bool left = setting_.leaver == entry_r;
    if (left ? !wanted.starts_with(received) : received != wanted)
        return "the listener was not sent what the log has, but \"" + received + "\"";
    if (left)
        return {};
    for (uint32_t slot = 0; slot < entries; ++slot)
        if (users_[SlotId{slot}].port == port_of(entry_r) &&
            cursor_of(users_[SlotId{slot}]).log_offset == segment_.log_control().head)
            return {};
    return "the listener's cursor is not where the listener is";
}

std::string Judgement::on_index(const std::string& text) const {
    if (segment_.log_control().index_next != index_begin_ + text.size() / message_bytes)
        return "the index has not as many entries as the log has records";
    for (size_t i = 0; i < text.size() / message_bytes; ++i) {
        const IndexEntry& entry = segment_.index()[index_begin_ + i];
        const auto number = static_cast<uint64_t>(text[message_bytes * i + 3] - '0');
        if (entry.end != setting_.head + message_bytes * (i + 1) || entry.generation != 1 ||
            index_of(entry.slot) != static_cast<uint32_t>(text[message_bytes * i + 1] - 'A') ||
            entry.sender_bytes != message_bytes * (number + 1))
            return "an entry of the index is wrong";
    }
    return {};
}

// The client is served where it was wanted, and has been quiet for as long as before.
std::string Judgement::on_move() const {
    if (!setting_.move.any() || setting_.leaver == setting_.move.from)
        return {};
    const UserSlot& slot = users_[SlotId{setting_.move.from}];
    const SlotStatus status = status_of(slot);
    if (status.state != SlotState::attached || status.owner != EntryId{setting_.move.to})
        return "a client was to move, and has not";
    if (slot.heard_ns != now_ns(setting_.move.to) - quiet_ns)
        return "a client that has moved was quiet for another time";
    return {};
}

std::string Judgement::on_entries() const {
    if (segment_.log_control().lock != 0)
        return "the lock was not released";
    for (uint32_t number = 0; number < entries; ++number) {
        const WorkerEntry& entry = segment_.worker_table()[number];
        if (entry.staged_chunks != 0 || entry.published_batch + 1 != entry.batch)
            return "a staging area is not as after a publication";
        if (entry.in_flight != 0)
            return "an operation is still in flight";
        if (entry.asleep == 0 && setting_.is_at_work(number))
            return "somebody sleeps, and nobody would ring it";
    }
    return {};
}

// A connection is served by one worker and noted once, or its client has ended and it is closed.
std::string Judgement::on_connection(uint32_t number) const {
    const ConnectionState& connection = state_.kernel.connected[number];
    const auto& table = state_.kernel.table;
    const auto open = std::count(table.begin(), table.end(), number + 1);
    const bool takes_part =
        setting_.has_client(number) || (number == entry_r && setting_.listener != Listening::no);
    if (connection.waits != 0)
        return "a connection was not accepted";
    if (!takes_part || setting_.leaver == number) {
        if (open != 0 || connection.watched != 0)
            return "a client has ended, and its connection is not closed";
        return takes_part && connection.shut == 0 ? "a client has ended, and was not told the end"
                                                  : "";
    }
    if (open != 1 || connection.shut != 0)
        return "a connection was lost";
    return on_client(number,
        static_cast<uint32_t>(std::find(table.begin(), table.end(), number + 1) - table.begin()));
}

std::string Judgement::on_client(uint32_t number, uint32_t place) const {
    uint32_t noted_times = 0;
    for (uint32_t slot = 0; slot < entries; ++slot) {
        const ClientRecord& record = ledger_.clients()[slot];
        if (number_of(record.socket) != descriptor(Descriptor::place, place))
            continue;
        ++noted_times;
        const SlotStatus status = status_of(users_[SlotId{slot}]);
        if (status.state != SlotState::attached || status.generation != record.generation ||
            index_of(status.owner) != record.entry)
            return "a client is not attached where the ledger has it";
        if (record.peer.port != port_of(number) || users_[SlotId{slot}].port != port_of(number))
            return "a client is noted with another's address";
        if (record.since_ms != arrival_ms)
            return "a client is noted as if it had come at another time";
        const uint32_t watched = state_.kernel.connected[number].watched;
        if (watched == 0)
            return "a client is served by nobody";
        if (state_.processes[watched - 1].entry != record.entry)
            return "a client is served by a worker of another entry";
    }
    return noted_times == 1 ? "" : "a connection is not noted once";
}

std::string Judgement::on_ledger() const {
    uint64_t clients = 0;
    for (uint32_t slot = 0; slot < entries; ++slot) {
        const bool noted = number_of(ledger_.clients()[slot].socket) != -1;
        if (noted != (status_of(users_[SlotId{slot}]).state != SlotState::free))
            return "ledger and segment do not agree on who is here";
        clients += noted ? 1 : 0;
    }
    if (ledger_.redo().kind != 0)
        return "a transition is still under way";
    for (const NewcomerRecord& newcomer : ledger_.newcomers())
        if (number_of(newcomer.socket) != -1)
            return "a newcomer is still noted";
    const auto& counters = ledger_.counters();
    if (counters[counter_accepted] != counters[counter_left] + clients)
        return "clients were counted twice, or not at all";
    if (counters[departed_in_counter] != counters[counter_left] * traffic_of_leaver.in ||
        counters[departed_out_counter] != counters[counter_left] * traffic_of_leaver.out)
        return "the bytes of clients that left were counted twice, or not at all";
    for (uint32_t number = 0; number < entries; ++number) {
        const EntryRecord& entry = ledger_.entries()[number];
        if (!setting_.is_at_work(number))
            continue;
        if (entry.state != static_cast<uint32_t>(EntryState::manned))
            return "an entry has no worker";
        if (const ProcessState& process = state_.processes.at(entry.seat);
            process.dead || process.entry != number)
            return "an entry has another worker than the ledger says";
    }
    return {};
}

} // namespace chatserv::model
