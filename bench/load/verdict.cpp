// Load, the verdict: what did not come, what was wrong, and whether all saw one order.
#include "bench/load/load.h"

#include <algorithm>

namespace chatserv::bench {

uint64_t Load::lines_sent_by(const Sender& sender) const {
    return sender.sent_bytes / (sender.buffer.size() / numbers_);
}

uint64_t Load::missing() const {
    uint64_t missing = 0;
    for (const Connection& connection : connections_) {
        if (connection.receiver == nullptr)
            continue;
        for (size_t sender = 0; sender < senders_.size(); ++sender) {
            const bool own =
                framing_.one_connection && connection.sender == static_cast<int>(sender);
            const uint64_t due = own ? 0 : lines_sent_by(senders_[sender]);
            missing += due - std::min(due, connection.receiver->lines_of(sender));
        }
    }
    return missing;
}

std::string Load::first_error() const {
    for (size_t i = 0; i < connections_.size(); ++i) {
        if (connections_[i].closed)
            return "connection " + std::to_string(i) + " was closed by the server";
        if (connections_[i].receiver != nullptr && !connections_[i].receiver->error().empty())
            return "listener " + std::to_string(i) + ": " + connections_[i].receiver->error();
    }
    return {};
}

// One total order: two listeners saw what both of them were sent in the same order. The last one is
// compared with all others; it has nothing left out but its own lines.
std::string Load::disagreement() const {
    if (!expectations_.record_order)
        return {};
    const Connection& reference = connections_[options_.listeners - 1];
    for (size_t i = 0; i + 1 < options_.listeners; ++i) {
        const Connection& other = connections_[i];
        const std::vector<uint16_t>& theirs = other.receiver->order();
        size_t at = 0;
        bool same = true;
        const auto unseen = [](const Connection& by, uint16_t sender) {
            return by.sender == static_cast<int>(sender);
        };
        for (const uint16_t sender : reference.receiver->order()) {
            if (framing_.one_connection && unseen(other, sender))
                continue;
            while (at < theirs.size() && framing_.one_connection && unseen(reference, theirs[at]))
                ++at;
            same = same && at < theirs.size() && theirs[at++] == sender;
        }
        if (!same)
            return "listeners " + std::to_string(i) + " and " +
                   std::to_string(options_.listeners - 1) + " disagree on the order";
    }
    return {};
}

} // namespace chatserv::bench
