// Keepalive: how long a connection may be silent before its peer is asked whether it is there.
#pragma once

#include <cstdint>

namespace chatserv {

inline constexpr uint32_t keepalive_seconds_max = 7200; // what systems do by themselves

// Has the system end the connection of a peer that is gone without a word (a cable pulled, a
// machine switched off) about so many seconds after it was heard of last: SO_KEEPALIVE, tcp(7).
// Where the system lets nobody choose these times, its own are in force. Said of each connection:
// not every system has accepted sockets inherit it all from the listen socket.
//
// It is a matter of silence only. Where bytes are on their way to such a peer, TCP sends them again
// and again, as long as the system thinks fit. TCP_USER_TIMEOUT would shorten that, but ends the
// connections of those as well who answer and only read nothing for so long; these are the stall
// limit's.
//
// All this is the kernel's work, which goes on while this server's processes are stopped: probes
// are sent and answered, and nobody who answers is lost. Of a machine that stood still as a whole
// the kernel finds the silence over at once, but a peer that is there answers the probe that it
// then sends.
void keep_alive(int socket, uint32_t seconds);

} // namespace chatserv
