// Word of clients that this worker serves no more (closed, handed over), kept until their slots
// show that the master has acted on it.
//
// The channel can be replaced before the master has read such a word. Nothing else would tell the
// master of the client then, as long as this worker lives: its slot would be closing or handed over
// for ever. The master frees the slot of a client that is closed, and names the next owner of one
// that is handed over; until then the word is said again on each new channel. A word that is said
// once too often names a client that is no longer this entry's, and is ignored.
#pragma once

#include "shared/ipc/protocol.h"
#include "shared/segment/user_table.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace chatserv {

// The client that a word is about.
[[nodiscard]] inline ClientId client_of(ClientId handed_over) {
    return handed_over;
}
[[nodiscard]] inline ClientId client_of(const ClosedClient& closed) {
    return closed.client;
}

template <typename Word>
class Untaken {
public:
    Untaken(UserTable users, EntryId entry) : users_(users), entry_(entry) {}

    // The master is being told this.
    void add(std::span<const Word> words) {
        if (words.empty())
            return;
        words_.insert(words_.end(), words.begin(), words.end());
        if (words_.size() < look_at_)
            return;
        forget_taken();
        look_at_ = 2 * words_.size() + few;
    }
    // This worker serves the client again.
    void forget(ClientId client) {
        std::erase_if(words_, [client](const Word& word) { return client_of(word) == client; });
    }

    // What the master has not acted on yet: it is to be told, and then added again.
    [[nodiscard]] std::vector<Word> take_all() {
        forget_taken();
        return std::exchange(words_, {});
    }

private:
    static constexpr size_t few = 64;

    void forget_taken() {
        std::erase_if(words_, [this](const Word& word) { return is_taken(client_of(word)); });
    }
    [[nodiscard]] bool is_taken(ClientId client) const {
        const SlotStatus status = status_of(users_[client.slot]);
        const bool waits =
            status.state == SlotState::closing || status.state == SlotState::handed_over;
        return status.generation != client.generation || status.owner != entry_ || !waits;
    }

    UserTable users_;
    EntryId entry_;
    std::vector<Word> words_;
    size_t look_at_ = few; // so many words, until the taken ones are looked for
};

} // namespace chatserv
