// What each client of a worker is to be written, and how far.
#pragma once

#include "worker/relay/fan_out.h"

#include <string_view>
#include <utility>
#include <vector>

namespace chatserv {

class Deliveries {
public:
    Deliveries(const Segment& segment, EntryId entry) : fan_out_(segment, entry) {}

    // Clients that were attached and have not been written to.
    void add_fresh(ClientId client) { fresh_.push_back(client); }
    [[nodiscard]] bool has_fresh() const { return !fresh_.empty(); }
    [[nodiscard]] std::vector<ClientId> take_fresh() { return std::exchange(fresh_, {}); }

    // Writes what the client lacks: of a log that ends at `head`, and not beyond where the client's
    // slot says that it is closed, and then the last line, if it gets one. The result is `failed`
    // only for a client that is closing or is not heard. Another client whose socket is broken
    // becomes mute.
    [[nodiscard]] FanOut::Delivery deliver(Client& client, uint64_t head) const;

    // Of a client that is closing: it needs nothing more of the log.
    [[nodiscard]] static bool has_all(const Client& client) {
        return cursor_of(*client.slot).log_offset >= client.slot->close_at;
    }

    // Writes a line that is not part of the log: see FanOut::notify.
    [[nodiscard]] FanOut::Delivery notify(Client& client, std::string_view line) const {
        return fan_out_.notify(client, line);
    }

private:
    [[nodiscard]] FanOut::Delivery deliver_to(Client& client, uint64_t target) const;

    FanOut fan_out_;
    std::vector<ClientId> fresh_;
};

} // namespace chatserv
