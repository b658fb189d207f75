#include "master/workers/client_dispatch.h"

#include "master/workers/worker_events.h"

#include <utility>

namespace chatserv {

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

void ClientDispatch::send_requests(Moving& moving) {
    for (uint32_t index = 0; index < outbox_.size(); ++index) {
        WorkerProcess* const process = pool_.process_of(EntryId{index});
        if (process == nullptr || !process->channel().open())
            continue;
        const std::vector<ClientId> clients = moving.take_requests(EntryId{index});
        if (clients.empty())
            continue;
        process->channel().queue_all(MessageType::hand_over, std::span(clients));
        pool_.send(*process);
    }
}

// In frames of as many clients as one message can carry.
void ClientDispatch::send(EntryId entry) {
    WorkerProcess* const process = pool_.process_of(entry);
    if (process == nullptr || outbox_[index_of(entry)].empty() || !process->channel().open())
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
