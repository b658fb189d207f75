#include "tests/model/joined/stream_engine.h"

#include "bridge/order/batch.h"
#include "bridge/order/digest.h"
#include "shared/system/panic.h"

#include <algorithm>
#include <string>

namespace chatserv::model {

namespace {

bool is_readable(const StreamState& stream) {
    return stream.follows != 0 && stream.next < stream.count;
}

// Time passes when nothing else can happen on the way of a message. That it passes earlier is a
// mishap (joined_world.cpp).
bool is_woken(const State& state, size_t /*process*/) {
    const StreamState& stream = state.stream;
    return state.kernel.rung[entry_bridge] != 0 || is_readable(stream) ||
           (stream.is_due != 0 && (stream.is_still() || stream.time_is_up != 0));
}

} // namespace

void StreamEngine::note(uint64_t value) {
    done_.add(value);
    simulator_.note(value);
}

bool StreamEngine::publish(std::string_view message) {
    const std::optional<Batch> batch = read_batch(message);
    invariant(batch.has_value(), "a bridge has published what is no message");
    simulator_.call("publishes a message");
    StreamState& stream = simulator_.state().stream;
    const bool has_bytes = batch->kind == MessageKind::bytes;
    stream.publish(message, has_bytes);
    if (has_bytes)
        stream.published_to = std::max(stream.published_to, batch->to());
    note(Digest().add(message).value());
    return true;
}

void StreamEngine::begin(Beginning beginning) {
    deliver_from(beginning == Beginning::oldest ? 0 : simulator_.state().stream.count);
}

void StreamEngine::replay(uint64_t from) {
    deliver_from(std::min<uint64_t>(from - 1, simulator_.state().stream.count));
}

// Behind so many messages.
void StreamEngine::deliver_from(uint64_t next) {
    simulator_.state().stream.next = static_cast<uint8_t>(next);
    note(next);
}

std::optional<Delivery> StreamEngine::take() {
    StreamState& stream = simulator_.state().stream;
    if (stream.next == stream.count)
        return std::nullopt;
    const StreamMessage& message = stream.messages.at(stream.next++);
    note(message.digest);
    return Delivery{.number = stream.next, .message = std::string(message.view())};
}

// A turn begins, and the bridge has just looked at the outbound log.
void StreamEngine::look() {
    seen_head_ = outbound_.head;
}

StreamEngine::Events StreamEngine::wait(bool sleeps, bool follows, bool is_due) const {
    State& state = simulator_.state();
    state.stream.waits = 1;
    state.stream.follows = follows ? 1 : 0;
    state.stream.is_due = sleeps && is_due ? 1 : 0;
    simulator_.call(sleeps ? "sleeps until there is an event" : "takes what events there are",
        sleeps ? is_woken : nullptr);
    const Events events{
        .rung = state.kernel.rung[entry_bridge] != 0, .readable = is_readable(state.stream)};
    state.stream.waits = 0;
    state.stream.is_due = 0;
    state.stream.time_is_up = 0;
    simulator_.note((events.rung ? 1U : 0U) | (events.readable ? 2U : 0U));
    return events;
}

Hash StreamEngine::knowledge() const {
    Hash hash = done_;
    hash.add(seen_head_);
    return hash;
}

} // namespace chatserv::model
