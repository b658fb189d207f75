// What a worker says, checked: a message of its channel becomes one of the types below, or
// Malformed where no worker of this version says such a thing.
//
// This check looks at the message and at how far its sender's life has got. Whether a client that
// the message names is the sender's own is checked where the word is used (Escrow::find_served_by),
// since late word of a client that has left is no fault.
#pragma once

#include "master/workers/worker_process.h"
#include "shared/ipc/channel.h"
#include "shared/ipc/protocol.h"

#include <variant>
#include <vector>

namespace chatserv {

// Of each message type of protocol.h that has no type of its own there.
struct Attached {
    std::vector<ClientId> clients;
};
struct NotReceived {
    std::vector<ClientId> clients;
};
struct Throttled {
    std::vector<ClientId> clients;
};
struct HandedOver {
    std::vector<ClientId> clients;
};
struct Closed {
    std::vector<ClosedClient> clients; // each for a reason that workers give
};
struct StoppedReading {};
struct LogFileLost {};
struct Introduced {};
// No worker says such a thing: the process is to be ended.
struct Malformed {};

using WorkerMessage = std::variant<Malformed, Hello, CannotWork, Attached, NotReceived, Closed,
    HandedOver, Throttled, Settled, StoppedReading, LogFileLost, Introduced>;

// A visitor of a WorkerMessage, from one lambda for each type.
template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

struct Sender {
    bool ready;     // it has said hello
    bool has_entry; // it serves an entry of the worker table
    // How far it has got on a channel that replaces another. Its first word there is hello.
    WorkerProcess::Introduction introduction = WorkerProcess::Introduction::over;
};

[[nodiscard]] WorkerMessage parse_worker_message(const Message& message, const Sender& sender);

} // namespace chatserv
