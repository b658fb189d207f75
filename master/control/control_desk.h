// The control desk: what the master says and does over the control socket (control_connections.h).
#pragma once

#include "master/clients/acceptor.h"
#include "master/clients/client_book.h"
#include "master/control/control_connections.h"
#include "master/control/control_socket.h"
#include "master/workers/balancer.h"
#include "master/workers/draining.h"
#include "master/workers/moving.h"
#include "master/workers/succession.h"
#include "master/workers/worker_pool.h"
#include "shared/system/event_queue.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace chatserv {

class ControlDesk {
public:
    // What the answers are about.
    struct Subjects {
        const ClientBook& clients;
        const Acceptor& acceptor;
        WorkerPool& pool;
        const Moving& moving;
        const Balancer& balancer;
        Draining& draining;
        uint32_t entries; // of the worker table
        std::chrono::milliseconds hang_limit;
    };

    // `tag`: the events of this object's descriptors have it. `socket`: null for none. Throws
    // std::system_error where the socket cannot be watched.
    ControlDesk(EventQueue& events, Tag tag, std::unique_ptr<ControlSocket> socket,
        const Subjects& subjects);
    ControlDesk(const ControlDesk&) = delete;
    ControlDesk& operator=(const ControlDesk&) = delete;

    // An event with this object's tag.
    void handle(const EventQueue::Event& event);
    // In each turn of the loop; see ControlConnections::look().
    void look();
    // Tells every control client of a takeover.
    void tell(const FinishedTakeover& finished);
    // ... and of a drain.
    void tell(const FinishedDrain& finished);

    // The answers, each a JSON object.
    [[nodiscard]] std::string greeting() const;
    [[nodiscard]] std::string answer(const ControlConnections::Request& request);

private:
    [[nodiscard]] std::string statistics() const;
    [[nodiscard]] std::string kill_or_stop(const ControlConnections::Request& request);
    [[nodiscard]] std::string drain(uint32_t worker);
    [[nodiscard]] std::string end_drain(uint32_t worker);

    Subjects subjects_;
    std::optional<ControlConnections> connections_{};
};

} // namespace chatserv
