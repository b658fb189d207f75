// The client in doubt: a predecessor was reading from it or writing to it when it died, and the
// segment does not say how far it got (W1, W2).
//
// Until that is settled, the worker publishes, reads and writes nothing: the staging area may hold
// bytes that no record names, and the entry's word for the operation in flight is taken.
#pragma once

#include "shared/segment/in_flight.h"
#include "shared/segment/user_table.h"
#include "shared/system/kernel_account.h"
#include "worker/clients/client.h"
#include "worker/relay/fan_out.h"
#include "worker/relay/ingest.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace chatserv {

// How many bytes went through a client's socket since it was accepted. Nothing if the kernel does
// not count them: of a UNIX socket, those that are written.
struct SocketCounts {
    std::optional<uint64_t> written{};
    std::optional<uint64_t> consumed{};
};
using SocketAccount = SocketCounts (*)(const Client& client);

// The kernel's account.
[[nodiscard]] SocketCounts account_of(const Client& client);

class InDoubt {
public:
    InDoubt(const Segment& segment, EntryId entry, SocketAccount account);

    [[nodiscard]] bool any() const { return in_flight_.operation != Operation::none; }

    // The client in doubt. Nothing if there is none, or if the master has released it meanwhile, by
    // which the doubt is settled.
    [[nodiscard]] std::optional<ClientId> find();

    // Asks how far the client's socket is, and brings the staging area or the cursor there. A death
    // in the middle leaves all of it to the next successor. `line_bytes`: of the line that
    // FanOut::notify() writes. Returns false if the account says nothing, or something that cannot
    // be true: then the client has to be disconnected.
    [[nodiscard]] bool settle(Client& client, Ingest& ingest, uint64_t line_bytes);

    // Once, when it is settled: how many bytes the account knew of and the segment did not.
    [[nodiscard]] std::optional<uint64_t> take_settled_bytes() {
        return settled_bytes_ && !std::exchange(told_, true) ? settled_bytes_ : std::nullopt;
    }
    // The master has to be told that again.
    void tell_again() { told_ = false; }

private:
    [[nodiscard]] std::optional<uint64_t> settle_written(
        Client& client, uint64_t written, uint64_t line_bytes) const;
    void end(uint64_t settled_bytes);

    EntryId entry_id_;
    WorkerEntry* entry_;
    UserTable users_;
    BroadcastLog log_;
    FanOut fan_out_;
    SocketAccount account_;
    InFlight in_flight_;
    std::optional<uint64_t> settled_bytes_; // once it is settled
    bool told_ = false;
};

} // namespace chatserv
