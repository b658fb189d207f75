// The listener store: which of the listen sockets the service manager keeps for the next start
// (FileDescriptorStoreMax=, systemd.service(5)). A kept socket goes on listening while no server
// runs, so a restart refuses no connection, and its port cannot become another program's.
//
// Every master tells the manager anew: what the one before it had said may not have arrived. A
// server that stops takes nothing back, since it cannot know whether another one follows.
#pragma once

#include "master/clients/listener.h"
#include "master/start/service_manager.h"

#include <string>
#include <vector>

namespace chatserv {

class ListenerStore {
public:
    // `kept`: the names by which the manager has handed kept sockets back (handed_listeners.h).
    explicit ListenerStore(const std::vector<std::string>& kept);

    // In each turn in which the server serves. Tells the manager of the sockets that it does not
    // keep yet, and which it need not keep any longer. What cannot be said now is said in a later
    // turn.
    void look(const std::vector<Listener>& listeners, ServiceManager& manager);

private:
    [[nodiscard]] bool is_up_to_date(const std::vector<Listener>& listeners) const;

    struct Kept {
        int fd; // -1: as an earlier server had it
        std::string name;
    };
    std::vector<Kept> kept_;
};

} // namespace chatserv
