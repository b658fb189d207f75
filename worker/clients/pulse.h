// A worker's sign of life in the middle of a pass that takes long: the heartbeat that the master
// watches (heartbeat.h), and the look at the served clock that goes with it (served_clock.h).
#pragma once

#include "shared/segment/heartbeat.h"
#include "shared/segment/served_clock.h"

namespace chatserv {

class Pulse {
public:
    Pulse(Heartbeat& heartbeat, ServedClock& clock) : heartbeat_(heartbeat), clock_(clock) {}

    void beat() const { (void)clock_.now(chatserv::beat(heartbeat_)); }

private:
    Heartbeat& heartbeat_;
    ServedClock& clock_;
};

} // namespace chatserv
