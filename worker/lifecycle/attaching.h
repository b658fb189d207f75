// How a client that the master has sent is attached, or carried on with after its worker died or
// let it go.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/broadcast_log.h"
#include "shared/segment/log_replay.h"
#include "shared/segment/user_table.h"
#include "shared/system/fd.h"
#include "worker/clients/pulse.h"
#include "worker/clients/roster.h"
#include "worker/lifecycle/learning.h"
#include "worker/limits/idle_watch.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace chatserv {

class Attaching {
public:
    Attaching(const Segment& segment, EntryId entry, const Doorbells& doorbells, Learning& learning,
        const IdleWatch& idle_watch, const Pulse& pulse, const RelaySettings& settings);

    // How much of the log newcomers are sent first, from now on.
    void follow(const RelaySettings& settings) { settings_ = settings; }

    // This worker serves the client already: the master sends a client twice if it cannot know that
    // the worker has it.
    void confirm(ClientId id) { attached_.push_back(id); }
    // A client that the master has sent, with this process's own descriptor of its socket. Of two
    // words for one client the second is a confirmation, and its descriptor is closed.
    void add(ClientId id, UniqueFd fd) { newcomers_.push_back({id, std::move(fd)}); }
    [[nodiscard]] bool empty() const { return newcomers_.empty(); }
    [[nodiscard]] bool has(ClientId id) const;

    // Attaches all of them, in state `talking` or `closing`. Returns those that this worker serves
    // from now on; the master's word for another may have been out of date, and the master still
    // has that client's socket. Nothing if another worker holds the log's lock.
    [[nodiscard]] std::optional<std::vector<Client*>> attach(Roster& roster);

    // The clients that the master has to be told of.
    [[nodiscard]] std::vector<ClientId> take_attached() { return std::exchange(attached_, {}); }
    // The master has to be told of all clients that this worker serves.
    void tell_again(const Roster& roster) { attached_ = roster.ids(); }

private:
    struct Newcomer {
        ClientId id;
        UniqueFd fd;
    };

    [[nodiscard]] Client* attach_one(Newcomer& newcomer, Roster& roster);
    [[nodiscard]] uint64_t first_offset_of(Role role);
    void find_own_ranges(const std::vector<Client*>& newcomers, const Roster& roster) const;

    EntryId entry_;
    UserTable users_;
    BroadcastLog log_;
    LogReplay replay_;
    LogControl* log_control_;
    const Doorbells& doorbells_;
    Learning& learning_;
    const IdleWatch& idle_watch_;
    Pulse pulse_;
    RelaySettings settings_;
    std::optional<uint64_t> replay_from_; // while the log's lock is held, once it is known
    std::vector<Newcomer> newcomers_;     // received, not attached yet
    std::vector<ClientId> attached_;
};

} // namespace chatserv
