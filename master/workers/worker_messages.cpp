#include "master/workers/worker_messages.h"

#include "master/clients/departures.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace chatserv {

namespace {

using Introduction = WorkerProcess::Introduction;

// A message that holds exactly one item.
template <typename Item>
std::optional<Item> single(const Message& message) {
    const auto items = message.items<Item>();
    return items && items->size() == 1 ? std::optional(items->front()) : std::nullopt;
}

// A message that holds any number of clients.
template <typename Clients>
WorkerMessage clients_of(const Message& message) {
    auto clients = message.items<ClientId>();
    if (!clients)
        return Malformed{};
    return Clients{.clients = std::move(*clients)};
}

WorkerMessage closed_of(const Message& message) {
    auto clients = message.items<ClosedClient>();
    const auto is_known = [](const ClosedClient& closed) {
        return is_told_by_workers(closed.reason);
    };
    if (!clients || !std::all_of(clients->begin(), clients->end(), is_known))
        return Malformed{};
    return Closed{.clients = std::move(*clients)};
}

// The first word of a process, and its first on a channel that replaces another.
WorkerMessage hello_of(const Message& message, const Sender& sender) {
    const auto hello = single<Hello>(message);
    const bool awaited = !sender.ready || sender.introduction == Introduction::awaited;
    if (!hello || hello->layout_version != layout_version || !awaited)
        return Malformed{};
    return *hello;
}

// What a process can say before it serves an entry.
WorkerMessage parse_spare_message(const Message& message, const Sender& sender) {
    switch (message.type) {
    case MessageType::hello:
        return hello_of(message, sender);
    case MessageType::cannot_work:
        if (const auto words = single<CannotWork>(message); words && !sender.ready)
            return *words;
        return Malformed{};
    case MessageType::log_file_lost:
        return LogFileLost{};
    case MessageType::introduced:
        if (sender.introduction == Introduction::under_way)
            return Introduced{};
        return Malformed{};
    default:
        return Malformed{};
    }
}

} // namespace

WorkerMessage parse_worker_message(const Message& message, const Sender& sender) {
    if (!message.descriptors.empty() || message.descriptors_lost)
        return Malformed{};
    if (sender.introduction == Introduction::awaited)
        return message.type == MessageType::hello ? hello_of(message, sender) : Malformed{};
    if (!sender.has_entry)
        return parse_spare_message(message, sender);
    switch (message.type) {
    case MessageType::attached:
        return clients_of<Attached>(message);
    case MessageType::not_received:
        return clients_of<NotReceived>(message);
    case MessageType::throttled:
        return clients_of<Throttled>(message);
    case MessageType::handed_over:
        return clients_of<HandedOver>(message);
    case MessageType::closed:
        return closed_of(message);
    case MessageType::settled:
        if (const auto settled = single<Settled>(message))
            return *settled;
        return Malformed{};
    case MessageType::stopped_reading:
        return StoppedReading{};
    default:
        return parse_spare_message(message, sender);
    }
}

} // namespace chatserv
