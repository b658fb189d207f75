#include "tests/model/worker_words.h"

#include <utility>
#include <vector>

namespace chatserv::model {

void WorkerWords::note_closed(ClientId client) {
    untold_closed_ = {.client = client, .reason = LeaveReason::end_of_file, .error = 0};
}

void WorkerWords::keep_latest() {
    if (untold_closed_)
        closed_.add({&*untold_closed_, 1});
    if (untold_let_go_)
        let_go_.add({&*untold_let_go_, 1});
    kept_ += (untold_closed_ ? 1 : 0) + (untold_let_go_ ? 1 : 0);
}

void WorkerWords::report() {
    keep_latest();
    if (const auto let_go = std::exchange(untold_let_go_, std::nullopt))
        tell(Word::Kind::let_go, *let_go);
    if (const auto closed = std::exchange(untold_closed_, std::nullopt))
        tell(Word::Kind::closed, closed->client);
}

// Relay::tell_again. What was noted and not told yet is told before the end of the introduction:
// after that, the master believes that a client which was not named is to be sent.
void WorkerWords::introduce(std::optional<ClientId> served) {
    if (introduction_ == Introduction::right) {
        keep_latest();
        untold_closed_.reset();
        untold_let_go_.reset();
    }
    calls_.tell({.kind = Word::Kind::hello, .entry = static_cast<uint8_t>(entry_ + 1)});
    if (served)
        tell(Word::Kind::serves, *served);
    const std::vector<ClosedClient> closed = closed_.take_all();
    closed_.add(closed);
    const std::vector<ClientId> let_go = let_go_.take_all();
    let_go_.add(let_go);
    kept_ = static_cast<uint32_t>(closed.size() + let_go.size());
    for (const ClientId client : let_go)
        tell(Word::Kind::let_go, client);
    for (const ClosedClient& word : closed)
        tell(Word::Kind::closed, word.client);
    calls_.tell({.kind = Word::Kind::introduced});
}

void WorkerWords::tell(Word::Kind kind, ClientId client) const {
    calls_.tell({.kind = kind,
        .slot = static_cast<uint8_t>(index_of(client.slot)),
        .generation = static_cast<uint8_t>(client.generation)});
}

} // namespace chatserv::model
