// The verdict on a load: missing lines, errors, and whether all listeners saw the same order.
#include "bench/load/load.h"

#include <algorithm>

namespace chatserv::bench {

namespace {

// The order in which one listener saw the senders' bytes, without the bytes of one sender: the
// other listener, which is that sender, does not receive them.
class Order {
public:
    Order(const Receiver& receiver, int left_out) :
        at_(receiver.order().begin()), end_(receiver.order().end()), left_out_(left_out) {
        pass_over_left_out();
    }

    [[nodiscard]] bool over() const { return at_ == end_; }
    [[nodiscard]] uint32_t sender() const { return at_->sender; }
    [[nodiscard]] uint64_t bytes() const { return at_->bytes - taken_; }
    void take(uint64_t bytes) {
        taken_ += bytes;
        if (taken_ == at_->bytes) {
            ++at_;
            taken_ = 0;
            pass_over_left_out();
        }
    }

private:
    void pass_over_left_out() {
        while (at_ != end_ && static_cast<int>(at_->sender) == left_out_)
            ++at_;
    }

    std::vector<Run>::const_iterator at_;
    std::vector<Run>::const_iterator end_;
    int left_out_;
    uint64_t taken_ = 0; // bytes already taken from the run at `at_`
};

bool same(Order one, Order other) {
    while (!one.over() && !other.over() && one.sender() == other.sender()) {
        const uint64_t bytes = std::min(one.bytes(), other.bytes());
        one.take(bytes);
        other.take(bytes);
    }
    return one.over() && other.over();
}

} // namespace

uint64_t Load::lines_sent_by(const Sender& sender) const {
    return sender.sent_bytes / message_bytes();
}

// Of everything so far, the warm-up included.
LineCounts Load::counts() const {
    LineCounts counts;
    for (const Sender& sender : senders_)
        counts.sent += lines_sent_by(sender);
    for (const Connection& connection : connections_)
        if (connection.receiver != nullptr) {
            counts.deliveries += connection.receiver->lines();
            counts.torn += connection.receiver->torn_lines();
        }
    return counts;
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
        if (connections_[i].receiver != nullptr && !connections_[i].receiver->error().empty())
            return "listener " + std::to_string(i) + ": " + connections_[i].receiver->error();
        if (connections_[i].closed)
            return "connection " + std::to_string(i) + " was closed by the server";
    }
    return {};
}

// One total order: any two listeners saw the bytes that both received in the same order. The last
// listener is compared with all others; it misses only its own lines.
std::string Load::disagreement() const {
    if (!expectations_.record_order)
        return {};
    const Connection& reference = connections_[options_.listeners - 1];
    const auto unseen_by = [&](const Connection& connection) {
        return framing_.one_connection ? connection.sender : -1;
    };
    for (size_t i = 0; i + 1 < options_.listeners; ++i) {
        const Connection& other = connections_[i];
        if (!same({*reference.receiver, unseen_by(other)}, {*other.receiver, unseen_by(reference)}))
            return "listeners " + std::to_string(i) + " and " +
                   std::to_string(options_.listeners - 1) + " disagree on the order";
    }
    return {};
}

} // namespace chatserv::bench
