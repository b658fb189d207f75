// The control desk: what the master says and does over the control socket (control_connections.h).
#pragma once

#include "master/control/control_connections.h"
#include "master/control/control_socket.h"
#include "master/control/control_subjects.h"
#include "master/control/overview.h"
#include "master/workers/draining.h"
#include "master/workers/succession.h"
#include "shared/system/event_queue.h"

#include <cstdint>
#include <optional>
#include <string>

namespace chatserv {

class ControlDesk {
public:
    using Subjects = ControlSubjects;

    // `tag`: the events of this object's descriptors have it. `socket`: null for none. Throws
    // std::system_error where the socket cannot be watched.
    ControlDesk(EventQueue& events, Tag tag, ControlSocket* socket, Subjects subjects);
    ControlDesk(const ControlDesk&) = delete;
    ControlDesk& operator=(const ControlDesk&) = delete;

    // An event with this object's tag.
    void handle(const EventQueue::Event& event);
    // In each turn of the loop; see ControlConnections::look().
    void look();
    // Tells every control client of a takeover.
    void tell(const FinishedTakeover& finished);
    // Another bridge is at work.
    void tell(const FinishedBridge& finished);
    // ... and of a drain.
    void tell(const FinishedDrain& finished);
    // ... and of the end of an upgrade.
    void tell(const UpgradeReport& report);
    // ... and of the end of a reload.
    void tell(const ReloadReport& report);
    // Tells those that watch events of what has happened since. At the end of each turn.
    void tell_events();
    // The server ends: closes every connection. The socket is the caller's.
    void close() { connections_.reset(); }

    // The answers, each a JSON object.
    [[nodiscard]] std::string greeting() const;
    [[nodiscard]] std::string answer(const ControlConnections::Request& request);

private:
    [[nodiscard]] std::string statistics() const;
    [[nodiscard]] std::string drain(uint32_t worker);
    [[nodiscard]] std::string end_drain(uint32_t worker);
    [[nodiscard]] std::string upgrade();
    [[nodiscard]] std::string upgrade_status() const;
    [[nodiscard]] std::string reload() const;
    [[nodiscard]] std::string reload_status() const;
    [[nodiscard]] std::string kick(const UserChoice& choice);

    Subjects subjects_;
    Overview overview_{subjects_};
    std::optional<ControlConnections> connections_{};
};

} // namespace chatserv
