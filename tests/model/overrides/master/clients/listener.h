// Stands in for master/clients/listener.h where master/clients/newcomers.cpp is compiled into the
// model: the listen queue of the simulated kernel.
#pragma once

#include "shared/segment/role.h"

#include "tests/model/port.h"

namespace chatserv {

class Listener {
public:
    [[nodiscard]] Role role() const { return Role::talk; }
    [[nodiscard]] bool proxied() const { return false; }
    [[nodiscard]] int accept() const { return model::accept_connection(); }
};

} // namespace chatserv
