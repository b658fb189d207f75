// The pump of a UDP source: carries datagrams to the relay, and what the relay says into datagrams.
//
// Nothing waits for it, and it waits for nobody: the relay is always read, and the socket too. So a
// network that takes nothing holds up no sender, and a relay that takes nothing (its log is full,
// or --max-rate is passed) makes no datagram old. What has no room is lost, counted and said
// (drop_tally.h). This process holds one datagram for the relay, and for the network a queue with a
// bound (datagram_queue.h); both are lost if it is killed.
#pragma once

#include "master/sources/program/pump.h"
#include "shared/segment/layout.h"

#include <cstdint>
#include <string>

namespace chatserv {

// The ends that it works on; it owns none of them. All of them are non-blocking.
struct DatagramEnds {
    int socket;   // of udp_opening.h
    int relay;    // this process's end of the connection to the relay
    int lifeline; // to the master
};

struct DatagramTask {
    bool is_heard = false; // what comes goes to the relay
    bool hears = false;    // what the relay says is sent; the socket is connected
    Framing framing = Framing::none;
    std::string greeting{}; // a datagram that is sent first; empty: none is
    uint64_t dropped = 0;   // by earlier processes of this source
};

// Pumps until the relay or the server ends: a UDP socket has no end.
[[nodiscard]] PumpEnd run_datagram_pump(const DatagramEnds& ends, const DatagramTask& task);

} // namespace chatserv
