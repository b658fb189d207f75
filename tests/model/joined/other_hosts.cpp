#include "tests/model/joined/other_hosts.h"

#include "tests/model/joined/setting.h"
#include "tests/model/kernel.h"

namespace chatserv::model {

std::string join_of(Incarnation incarnation) {
    return written({.kind = MessageKind::join, .incarnation = incarnation});
}

Order order_at_join(Incarnation incarnation, const StreamState& stream) {
    Order here(incarnation_here);
    here.apply(here.judge(1, stream.messages.front().view()));
    return {incarnation, here.state()};
}

std::string next_word(const StreamState& stream, uint32_t number) {
    Order order = order_at_join(incarnation_talking, stream);
    for (uint64_t at = 1; at <= stream.count; ++at)
        order.apply(order.judge(at, stream.messages.at(at - 1).view()));
    const auto text = message(elsewhere, number);
    Batch batch = order.signed_batch(MessageKind::bytes);
    batch.from = order.counted();
    batch.chunks = {{.slot = SlotId{0},
        .generation = 1,
        .bytes = static_cast<uint32_t>(text.size()),
        .sender_bytes = order.counted() + text.size()}};
    batch.bytes = {text.data(), text.size()};
    return written(batch);
}

} // namespace chatserv::model
