#include "tests/model/joined/judgement.h"

#include "shared/segment/broadcast_log.h"
#include "shared/segment/room_state.h"
#include "tests/model/joined/other_hosts.h"

#include <array>

namespace chatserv::model {

namespace {

char sender_of(const std::string& text, size_t at) {
    return text[at + 1];
}

char letter_of(uint32_t number) {
    return static_cast<char>('A' + number);
}

} // namespace

std::string JoinedJudgement::pass() const {
    const uint64_t head = segment_.log_control().head;
    if (head > 2 * message_bytes * setting_.messages_in_all())
        return "the log's head is nowhere";
    const LogPieces pieces = BroadcastLog(segment_).pieces(0, head);
    const std::string text(pieces.first.begin(), pieces.first.end());
    std::string wrong = on_log(text);
    if (wrong.empty())
        wrong = on_outbound();
    if (wrong.empty())
        wrong = on_order(text);
    if (wrong.empty())
        wrong = on_index(text);
    if (wrong.empty())
        wrong = on_entries();
    for (uint32_t number = 0; number < setting_.clients && wrong.empty(); ++number)
        wrong = on_client(number, text);
    return wrong.empty() ? wrong : wrong + " (the log has \"" + text + "\")";
}

// All messages of all hosts, each whole and once, each sender's in the order in which they were
// sent.
std::string JoinedJudgement::on_log(const std::string& text) const {
    std::array<uint32_t, elsewhere + 1> seen{};
    for (size_t at = 0; at < text.size(); at += message_bytes) {
        const std::string found = text.substr(at, message_bytes);
        bool known = false;
        for (const uint32_t sender : {entry_a, entry_b, elsewhere}) {
            const auto expected = message(sender, seen.at(sender));
            if (found == std::string(expected.begin(), expected.end())) {
                ++seen.at(sender);
                known = true;
                break;
            }
        }
        if (!known)
            return "a record is torn, repeated or out of order: " + found;
    }
    if (seen[entry_a] != setting_.messages[0] || seen[entry_b] != setting_.messages[1] ||
        seen[elsewhere] != setting_.words)
        return "nobody has anything to do, and a record is not in the log";
    return {};
}

// One that has read all of the stream from this host's join on, without a death, knows what this
// host's bridge knows.
std::string JoinedJudgement::on_order(const std::string& text) const {
    Order order(incarnation_here);
    std::string said;
    for (uint64_t number = 1; number <= state_.stream.count; ++number) {
        const Ruling ruling = order.judge(number, state_.stream.messages.at(number - 1).view());
        if (ruling.verdict == Ruling::Verdict::lost || ruling.verdict == Ruling::Verdict::replay)
            return "the stream has lost its order";
        if (ruling.verdict == Ruling::Verdict::append)
            said += ruling.batch.bytes;
        order.apply(ruling);
    }
    if (said != text)
        return "the log is not what the order says, which is \"" + said + "\"";
    const auto progress = RoomStates(segment_).in_force();
    if (!progress)
        return "the bridge has not joined the room";
    const OrderState state = order.state();
    const Footprint applied{.number = progress->applied_number,
        .digest = progress->applied_digest,
        .hash = progress->applied_hash};
    Filter::Expected expected;
    for (const ExpectedRecord& record : progress->expected)
        expected.emplace(record.incarnation, record.offset);
    if (OrderState{applied, progress->epoch, expected, progress->counted, progress->base} != state)
        return "what the bridge knows is not what the order says";
    return {};
}

std::string JoinedJudgement::on_index(const std::string& text) const {
    const uint64_t records = text.size() / message_bytes;
    if (segment_.log_control().index_next > records)
        return "the index has more entries than the log has records";
    uint64_t begin = 0;
    for (uint64_t i = 0; i < segment_.log_control().index_next; ++i) {
        const IndexEntry& entry = segment_.index()[i];
        if (entry.end <= begin || entry.end > text.size())
            return "the index is not in the order of the log";
        const bool is_ours = entry.slot != slot_elsewhere;
        for (uint64_t at = begin; at < entry.end; at += message_bytes)
            if (sender_of(text, at) != letter_of(is_ours ? index_of(entry.slot) : elsewhere))
                return "an entry of the index names another sender";
        const auto last = static_cast<uint64_t>(text[entry.end - 2] - '0');
        if (is_ours && entry.sender_bytes != message_bytes * (last + 1))
            return "an entry of the index counts a sender's bytes wrongly";
        begin = entry.end;
    }
    return begin == text.size() ? "" : "the index does not reach the end of the log";
}

std::string JoinedJudgement::on_client(uint32_t number, const std::string& text) const {
    const ConnectionState& connection = state_.kernel.connected[number];
    const std::string received(connection.received.data(), connection.written);
    if (received.find(letter_of(number)) != std::string::npos)
        return "a client was sent its own bytes: \"" + received + "\"";
    std::string due;
    for (size_t at = 0; at < text.size(); at += message_bytes)
        if (sender_of(text, at) != letter_of(number))
            due += text.substr(at, message_bytes);
    if (setting_.leaver == number)
        return due.starts_with(received) ? on_end(number, received, text)
                                         : "a client that left was sent \"" + received + "\"";
    if (received != due)
        return "a client was not sent what the others have said, but \"" + received + "\"";
    if (cursor_of(users_[SlotId{number}]).log_offset != text.size())
        return "a client's cursor is not where the client is";
    return connection.watched != 0 ? "" : "a client is served by nobody";
}

// Its end comes behind its last bytes in the order, and it is sent what is in front of them (R5).
std::string JoinedJudgement::on_end(
    uint32_t number, const std::string& received, const std::string& text) const {
    const UserSlot& slot = users_[SlotId{number}];
    if (status_of(slot).state != SlotState::closing ||
        cursor_of(slot).log_offset != log_offset_none ||
        state_.kernel.connected[number].watched != 0)
        return "a client has ended, and is not let go";
    const size_t last = text.find_last_of(letter_of(number));
    size_t due = 0;
    for (size_t at = 0; last != std::string::npos && at < last; at += message_bytes)
        due += sender_of(text, at) != letter_of(number) ? message_bytes : 0;
    return received.size() >= due ? "" : "a client has ended before its last bytes were said";
}

std::string JoinedJudgement::on_outbound() const {
    const uint64_t said = message_bytes * setting_.messages_here();
    if (segment_.outbound_control().head != said)
        return "the outbound log has not what the clients have sent";
    if (segment_.room().counted != said)
        return "not all of the outbound log has counted";
    return {};
}

std::string JoinedJudgement::on_entries() const {
    if (segment_.log_control().lock != 0 || segment_.outbound_control().lock != 0)
        return "a lock was not released";
    for (uint32_t number = 0; number < entries; ++number) {
        const WorkerEntry& entry = segment_.all_entries()[number];
        const bool is_bridge = number == entry_bridge;
        if (!is_bridge && number >= setting_.clients)
            continue;
        if (!is_bridge && (entry.staged_chunks != 0 || entry.published_batch + 1 != entry.batch))
            return "a staging area is not as after a publication";
        if (entry.in_flight != 0)
            return "an operation is still in flight";
        if (entry.asleep == 0)
            return "somebody sleeps, and nobody would ring it";
    }
    return {};
}

} // namespace chatserv::model
