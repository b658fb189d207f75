#include "worker/relay/deliveries.h"

#include <algorithm>

namespace chatserv {

namespace {

void skip_to(Client& client, uint64_t log_offset) {
    move_cursor(*client.slot, {cursor_of(*client.slot).bytes_written, log_offset});
    client.own.forget_up_to(log_offset);
}

} // namespace

FanOut::Delivery Deliveries::deliver_to(Client& client, uint64_t target) const {
    if (client.answer != Answer::none) {
        const FanOut::Delivery result = fan_out_.answer(client);
        if (result.kind != FanOut::Delivery::Kind::complete)
            return result;
    }
    const FanOut::Delivery result = fan_out_.deliver(client, target);
    const bool is_due = client.gets_last_line() && client.is_closing() && has_all(client);
    if (result.kind != FanOut::Delivery::Kind::complete || !is_due)
        return result;
    return fan_out_.say_last_line(client);
}

// A client whose socket takes no more bytes may still have sent some that lie unread in the socket
// (R5). Until they are read, its cursor moves with the head as if it were written to: the client
// must not block the room in the log, least of all the room for its own bytes. The kernel tells
// once why a connection broke, and reading then ends as if at an end of file, so the reason is
// kept. (EPIPE is no reason: the peer may have closed before.) A client that is not heard leaves at
// once.
FanOut::Delivery Deliveries::deliver(Client& client, uint64_t head) const {
    const uint64_t target = client.is_closing() ? std::min(client.slot->close_at, head) : head;
    if (!client.mute) {
        const FanOut::Delivery result = deliver_to(client, target);
        if (result.kind != FanOut::Delivery::Kind::failed ||
            client.phase == Client::Phase::closing || !client.is_heard())
            return result;
        client.mute = true;
        if (client.phase == Client::Phase::talking) // otherwise its reason to leave is known
            client.leave_error = result.error;
    }
    skip_to(client, target);
    return {.kind = FanOut::Delivery::Kind::complete};
}

} // namespace chatserv
