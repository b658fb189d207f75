#include "master/workers/client_dispatch.h"

#include "master/workers/worker_events.h"

#include <algorithm>
#include <utility>

namespace chatserv {

void ClientDispatch::replace_unconfirmed(EntryId entry, std::vector<ClientId> clients) {
    const auto in_order = [](ClientId one, ClientId other) {
        return std::pair(one.slot, one.generation) < std::pair(other.slot, other.generation);
    };
    std::vector<ClientId> confirmed = std::exchange(confirmed_[index_of(entry)], {});
    std::ranges::sort(confirmed, in_order);
    std::erase_if(clients,
        [&](ClientId client) { return std::ranges::binary_search(confirmed, client, in_order); });
    outbox_[index_of(entry)] = std::move(clients);
}

void ClientDispatch::note_not_received(EntryId entry, std::span<const ClientId> clients) {
    size_t noted = 0;
    for (const ClientId client : clients) {
        HeldClient* const held = escrow_.find_served_by(entry, client);
        if (held == nullptr || !held->note_not_received())
            continue;
        not_received_.push_back(client);
        ++noted;
    }
    if (noted == 0)
        return;
    events::not_received(entry, noted);
    if (!send_again_at_)
        send_again_at_ = Clock::now() + resend_pause;
}

void ClientDispatch::send_all() {
    put_back();
    for (uint32_t index = 0; index < outbox_.size(); ++index)
        send(EntryId{index});
}

// A worker that has yet to read what it was sent before gets nothing more: its clients wait for
// another pause.
void ClientDispatch::put_back() {
    if (!send_again_at_ || *send_again_at_ > Clock::now())
        return;
    send_again_at_.reset();
    for (const ClientId client : std::exchange(not_received_, {})) {
        HeldClient* const held = escrow_.find(client);
        if (held == nullptr)
            continue;
        WorkerProcess* const process = pool_.process_of(held->entry());
        if (process != nullptr && process->channel().has_unsent()) {
            not_received_.push_back(client);
            send_again_at_ = Clock::now() + resend_pause;
        } else {
            held->mark_sent_again();
            outbox_[index_of(held->entry())].push_back(client);
        }
    }
}

WorkerProcess* ClientDispatch::can_be_asked(EntryId entry) {
    WorkerProcess* const process = pool_.process_of(entry);
    const bool can = process != nullptr && process->channel().open() && process->is_introduced();
    return can ? process : nullptr;
}

void ClientDispatch::ask(
    WorkerProcess& process, MessageType what, const std::vector<ClientId>& clients) {
    if (clients.empty())
        return;
    process.channel().queue_all(what, std::span(clients));
    pool_.send(process);
}

void ClientDispatch::send_requests(Moving& moving) {
    for (uint32_t index = 0; index < outbox_.size(); ++index)
        if (WorkerProcess* const process = can_be_asked(EntryId{index}))
            ask(*process, MessageType::hand_over, moving.take_requests(EntryId{index}));
}

void ClientDispatch::send_kicks(Kicking& kicking) {
    for (uint32_t index = 0; index < outbox_.size(); ++index)
        if (WorkerProcess* const process = can_be_asked(EntryId{index}))
            ask(*process, MessageType::kick, kicking.take_requests(EntryId{index}));
}

// In frames of as many clients as one message can carry.
void ClientDispatch::send(EntryId entry) {
    WorkerProcess* const process = pool_.process_of(entry);
    if (process == nullptr || outbox_[index_of(entry)].empty() || !process->channel().open() ||
        !process->is_introduced())
        return;
    std::vector<ClientId> clients;
    std::vector<int> sockets;
    const auto queue_frame = [&] {
        process->channel().queue(MessageType::clients, std::span<const ClientId>(clients), sockets);
        clients.clear();
        sockets.clear();
    };
    for (const ClientId client : std::exchange(outbox_[index_of(entry)], {})) {
        const HeldClient* const held = escrow_.find(client);
        if (held == nullptr)
            continue;
        clients.push_back(client);
        sockets.push_back(held->socket());
        if (clients.size() == descriptors_max)
            queue_frame();
    }
    if (!clients.empty())
        queue_frame();
    pool_.send(*process);
}

} // namespace chatserv
