#include "tests/model/worker_calls.h"

#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"
#include "tests/model/simulator.h"

#include <utility>

namespace chatserv::model {

namespace {

uint32_t events_of(const State& state, size_t process) {
    const ChannelState& channel = state.kernel.channels[process];
    const uint32_t entry = state.processes[process].entry;
    uint32_t events = entry != no_entry && state.kernel.rung[entry] != 0 ? event_rung : 0;
    for (const ConnectionState& connection : state.kernel.connected)
        if (connection.watched == process + 1 && connection.unread == 0 &&
            (connection.messages != connection.sent || connection.ends != 0))
            events |= event_readable;
    return events | (channel.asked != 0 ? event_asked : 0) |
           (channel.coming.generation != 0 ? event_client : 0) |
           (channel.offered != 0 ? event_offered : 0) | (channel.entry != 0 ? event_entry : 0);
}

bool awake(const State& state, size_t process) {
    return events_of(state, process) != 0;
}

} // namespace

ChannelState& WorkerCalls::channel() const {
    return simulator_->state().kernel.channels[simulator_->running()];
}

uint32_t WorkerCalls::events(bool may_sleep) const {
    simulator_->call(may_sleep ? "sleeps until there is an event" : "takes what events there are",
        may_sleep ? awake : nullptr);
    const uint32_t events = events_of(simulator_->state(), simulator_->running());
    channel().asked = 0;
    simulator_->note(events);
    return events;
}

WorkerCalls::Arrival WorkerCalls::receive_client() const {
    const Parcel parcel = std::exchange(channel().coming, Parcel{});
    simulator_->note(static_cast<uint64_t>(parcel.slot) << 16 |
                     static_cast<uint64_t>(parcel.generation) << 8 | parcel.connection);
    return {.id = {.slot = SlotId{parcel.slot}, .generation = parcel.generation},
        .connection = parcel.connection};
}

uint32_t WorkerCalls::receive_entry() const {
    const uint32_t entry = std::exchange(channel().entry, 0) - 1U;
    simulator_->note(entry);
    simulator_->set_entry(entry);
    return entry;
}

void WorkerCalls::take_channel() const {
    simulator_->call("takes a new channel");
    ChannelState& channel = this->channel();
    channel.connected = channel.offered == offered_by_the_living ? 1 : 0;
    simulator_->note(channel.offered);
    channel.offered = 0;
    channel.lose_orders();
}

void WorkerCalls::tell(const Word& word) const {
    static constexpr std::array what{"says hello", "tells which client it serves",
        "tells that it has closed its client", "tells that it has let its client go",
        "tells that it has said everything"};
    simulator_->call(what.at(static_cast<size_t>(word.kind)));
    ChannelState& channel = this->channel();
    if (channel.connected == 0)
        return;
    invariant(channel.word_count < words_max, "the model is wrong: a channel is too small");
    channel.words.at(channel.word_count++) = word;
}

// Nobody else may watch it: a client is in one hand.
void WorkerCalls::watch(uint32_t connection) const {
    simulator_->call_alone("watches its client");
    ConnectionState& watched = simulator_->state().kernel.connected[connection];
    invariant(watched.watched == 0, "two workers serve a client");
    watched.watched = static_cast<uint8_t>(simulator_->running() + 1);
    watched.unread = 0;
}

void WorkerCalls::stop_reading(uint32_t connection) const {
    simulator_->call_alone("reads its client no more");
    simulator_->state().kernel.connected[connection].unread = 1;
}

void WorkerCalls::unwatch(uint32_t connection) const {
    simulator_->call_alone("watches its client no more");
    simulator_->state().kernel.connected[connection].watched = 0;
}

void WorkerCalls::note_joined(uint32_t connection, uint64_t log_offset) const {
    simulator_->state().kernel.connected[connection].joined_at = log_offset;
}

uint64_t WorkerCalls::consumed(uint32_t connection) const {
    simulator_->call_alone("asks how much was read");
    const uint64_t bytes = simulator_->state().kernel.connected[connection].sent * message_bytes;
    simulator_->note(bytes);
    return bytes;
}

uint64_t WorkerCalls::written(uint32_t connection) const {
    simulator_->call_alone("asks how much was written");
    const uint64_t bytes = simulator_->state().kernel.connected[connection].written;
    simulator_->note(bytes);
    return bytes;
}

} // namespace chatserv::model
