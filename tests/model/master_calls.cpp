#include "tests/model/master_calls.h"

#include "shared/system/panic.h"
#include "tests/model/port.h"
#include "tests/model/simulator.h"

#include <algorithm>
#include <optional>

namespace chatserv::model {

namespace {

using News = MasterCalls::News;

bool predecessor_dead(const State& state, size_t process) {
    return state.processes[process - 1].dead;
}

std::optional<News> first_word(const KernelState& kernel) {
    for (uint32_t process = 0; process < processes_max; ++process)
        if (const ChannelState& channel = kernel.channels[process];
            channel.connected != 0 && channel.word_count > 0)
            return News{News::Kind::word, process, channel.words.front()};
    return std::nullopt;
}

std::optional<News> first_exit(const State& state) {
    for (uint32_t process = 0; process < processes_max; ++process)
        if (state.processes[process].dead && state.kernel.exit_watched[process] != 0)
            return News{News::Kind::exit, process, {}};
    return std::nullopt;
}

bool any_waits(const KernelState& kernel) {
    return std::any_of(kernel.connected.begin(), kernel.connected.end(),
        [](const ConnectionState& connection) { return connection.waits != 0; });
}

bool any_news(const State& state, size_t /*process*/) {
    return first_word(state.kernel) || first_exit(state) || any_waits(state.kernel);
}

} // namespace

void MasterCalls::await_predecessor() const {
    simulator_->call("follows the dead master", predecessor_dead);
    simulator_->set_entry(entry_master);
}

void MasterCalls::close_channels() const {
    simulator_->call("closes the channels of the dead master");
    for (ChannelState& channel : simulator_->state().kernel.channels) {
        channel.word_count = 0;
        channel.words = {};
        channel.connected = 0;
        if (channel.offered != 0)
            channel.offered = offered_by_the_dead;
    }
}

std::vector<OpenDescriptor> MasterCalls::open_connections() const {
    std::vector<OpenDescriptor> open;
    const auto& table = simulator_->state().kernel.table;
    for (uint32_t place = 0; place < places; ++place) {
        simulator_->note(table[place]);
        if (table[place] != 0)
            open.push_back({.fd = descriptor(Descriptor::place, place),
                .is_socket = true,
                .device = 1,
                .inode = table[place]});
    }
    return open;
}

void MasterCalls::offer_channel(uint32_t process) const {
    simulator_->call("offers a new channel");
    if (!simulator_->state().processes[process].dead)
        simulator_->state().kernel.channels[process].offered = offered_by_the_living;
}

void MasterCalls::watch_exit(uint32_t process) const {
    simulator_->state().kernel.exit_watched[process] = 1;
}

MasterCalls::News MasterCalls::wait_for_news(bool last_words_first) const {
    simulator_->call("waits for news", any_news);
    State& state = simulator_->state();
    const auto word = first_word(state.kernel);
    const auto exit = first_exit(state);
    News news{News::Kind::connection, 0, {}};
    if (word && (last_words_first || !exit)) {
        news = *word;
        ChannelState& channel = state.kernel.channels[news.process];
        std::rotate(channel.words.begin(), channel.words.begin() + 1, channel.words.end());
        channel.words.back() = {};
        --channel.word_count;
    } else if (exit) {
        news = *exit;
        state.kernel.exit_watched[news.process] = 0;
    }
    simulator_->note(
        static_cast<uint64_t>(news.kind) << 40 | static_cast<uint64_t>(news.process) << 32 |
        static_cast<uint64_t>(news.word.kind) << 24 | static_cast<uint64_t>(news.word.entry) << 16 |
        static_cast<uint64_t>(news.word.slot) << 8 | news.word.generation);
    return news;
}

// The descriptor is looked up when the message is sent.
void MasterCalls::put(uint32_t process, ClientId client, int socket) const {
    State& state = simulator_->state();
    const uint8_t connection =
        is(Descriptor::place, socket) ? state.kernel.table.at(number_in(socket)) : uint8_t{0};
    invariant(connection != 0, "a worker was to be sent a connection that is closed");
    if (state.processes[process].dead)
        return;
    ChannelState& channel = state.kernel.channels[process];
    invariant(channel.coming.generation == 0, "the model is wrong: two clients for one worker");
    channel.coming = {.slot = static_cast<uint8_t>(index_of(client.slot)),
        .generation = static_cast<uint8_t>(client.generation),
        .connection = static_cast<uint8_t>(connection - 1)};
}

void MasterCalls::send_client(uint32_t process, ClientId client, int socket) const {
    simulator_->call("sends a client");
    put(process, client, socket);
}

void MasterCalls::give(uint32_t process, uint32_t entry, ClientId client, int socket) const {
    simulator_->call("gives the entry to a spare");
    if (!simulator_->state().processes[process].dead)
        simulator_->state().kernel.channels[process].entry = static_cast<uint8_t>(entry + 1);
    if (client.generation != 0)
        put(process, client, socket);
}

void MasterCalls::ask(uint32_t process) const {
    simulator_->call("asks for a client");
    if (!simulator_->state().processes[process].dead)
        simulator_->state().kernel.channels[process].asked = 1;
}

// Declared in port.h.
int accept_connection() {
    active()->call("accepts a connection");
    KernelState& kernel = active()->state().kernel;
    for (uint32_t number = 0; number < connections; ++number) {
        if (kernel.connected[number].waits == 0)
            continue;
        for (uint32_t place = 0; place < places; ++place) {
            if (kernel.table[place] != 0)
                continue;
            kernel.connected[number].waits = 0;
            kernel.table[place] = static_cast<uint8_t>(number + 1);
            active()->note(place);
            return descriptor(Descriptor::place, place);
        }
    }
    return -1;
}

} // namespace chatserv::model
