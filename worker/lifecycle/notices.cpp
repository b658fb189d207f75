#include "worker/lifecycle/notices.h"

#include <string_view>

namespace chatserv {

std::vector<Client*> Notices::send(uint64_t delivered_head) const {
    std::vector<Client*> blocked;
    rate_limiter_.notify([&](ClientId id, std::string_view line) {
        Client* const client = roster_.find(id);
        if (client == nullptr || client->mute || !client->hears() || client->is_closing())
            return true;
        if (client->write_blocked || cursor_of(*client->slot).log_offset != delivered_head)
            return false;
        if (delivery_.notify(*client, line).kind != FanOut::Delivery::Kind::blocked)
            return true;
        blocked.push_back(client);
        return false;
    });
    return blocked;
}

} // namespace chatserv
