// The clients that a worker serves, and which of them take bytes right now.
#pragma once

#include "worker/clients/client.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace chatserv {

class Roster {
public:
    [[nodiscard]] bool empty() const { return count_ == 0; }
    // Somebody is to be written to, now or later: not all rest.
    [[nodiscard]] bool any_awake() const { return resting_ < count_; }
    [[nodiscard]] bool any_blocked() const { return flowing_.size() + resting_ < count_; }

    // Null for a client that this worker does not serve: an event can come after its client left.
    [[nodiscard]] Client* find(ClientId id) const;

    [[nodiscard]] std::vector<ClientId> ids() const;

    Client& add(ClientId id, UniqueFd fd, UserSlot& slot);
    // Destroys the client and closes its descriptor.
    void remove(Client& client);

    // A blocked client is not visited by for_each_flowing(). Both may be called again.
    void block(Client& client);
    void unblock(Client& client);

    // A client that does not hear the others rests: for_each_flowing() does not visit it either, so
    // it costs no delivery. wake() ends that, once it is closing.
    void rest(Client& client);
    void wake(Client& client);

    // Calls visit(Client&) for each client that is not blocked and does not rest. It may block or
    // remove that client.
    template <typename Visit>
    void for_each_flowing(Visit visit) {
        for (size_t i = flowing_.size(); i-- > 0;)
            visit(*flowing_[i]);
    }

    // Calls visit(Client&) for every client. It may remove that client.
    template <typename Visit>
    void for_each(Visit visit) {
        for (const std::unique_ptr<Client>& client : by_slot_)
            if (client != nullptr)
                visit(*client);
    }

private:
    void begin_flowing(Client& client);
    void end_flowing(Client& client);

    std::vector<std::unique_ptr<Client>> by_slot_; // as long as the highest slot so far
    std::vector<Client*> flowing_;
    size_t count_ = 0;
    size_t resting_ = 0;
};

} // namespace chatserv
