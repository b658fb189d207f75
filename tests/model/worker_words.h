// What a worker of the model tells the master, and tells the next master again.
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/user_table.h"
#include "tests/model/worker_calls.h"
#include "worker/lifecycle/untaken.h"

#include <cstdint>
#include <optional>

namespace chatserv::model {

// The right way, and a wrong one that the model has to find.
enum class Introduction { right, before_the_latest_words };

class WorkerWords {
public:
    WorkerWords(
        const WorkerCalls& calls, UserTable users, uint32_t entry, Introduction introduction) :
        calls_(calls),
        entry_(entry), introduction_(introduction), closed_(users, EntryId{entry}),
        let_go_(users, EntryId{entry}) {}

    // The worker serves this client no more: the master is to be told.
    void note_closed(ClientId client);
    void note_let_go(ClientId client) { untold_let_go_ = client; }
    // Tells the master what was noted. (Worker::report)
    void report();
    // On a new channel: tells everything that the master may not have heard.
    void introduce(std::optional<ClientId> served);

    // How many words are kept for the next introduction. The words themselves follow from what the
    // worker has done, and the latest is about its latest client.
    [[nodiscard]] uint32_t kept() const { return kept_; }

private:
    void keep_latest();
    void tell(Word::Kind kind, ClientId client) const;

    WorkerCalls calls_;
    uint32_t entry_;
    Introduction introduction_;
    std::optional<ClosedClient> untold_closed_;
    std::optional<ClientId> untold_let_go_;
    Untaken<ClosedClient> closed_;
    Untaken<ClientId> let_go_;
    uint32_t kept_ = 0;
};

} // namespace chatserv::model
