// A worker's batch on its way into the log, and the clients that cannot be read until it is there.
#pragma once

#include "worker/clients/roster.h"
#include "worker/relay/ingest.h"

#include <utility>
#include <vector>

namespace chatserv {

class Publisher {
public:
    Publisher(const Segment& segment, EntryId entry) :
        ingest_(segment, entry), joined_(segment.joined()) {}

    [[nodiscard]] Ingest& ingest() { return ingest_; }
    [[nodiscard]] const Ingest& ingest() const { return ingest_; }

    // Publishes the batch. Its senders learn which stretches of the log are their own; in a joined
    // room they do so when the batch comes back (worker/lifecycle/learning.h).
    [[nodiscard]] Ingest::Publish publish(const Roster& roster) {
        return ingest_.publish([&](const ChunkRecord& chunk, const LogRange& range) {
            Client* const sender = roster.find({chunk.slot, chunk.generation});
            if (sender == nullptr)
                return;
            if (joined_)
                sender->outbound_end = range.end;
            else if (sender->hears())
                sender->own.add(range);
        });
    }

    // The client has bytes for which the batch has no room. It must not be read until the batch is
    // published.
    void wait_for_room(ClientId client) { waiting_.push_back(client); }
    [[nodiscard]] std::vector<ClientId> take_waiting() { return std::exchange(waiting_, {}); }

private:
    Ingest ingest_;
    bool joined_;
    std::vector<ClientId> waiting_;
};

} // namespace chatserv
