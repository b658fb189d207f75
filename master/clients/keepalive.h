// Keepalive: how long a connection may be silent before the kernel asks whether its peer is there.
#pragma once

#include <cstdint>

namespace chatserv {

// Has the system end the connection of a peer that vanished (a cable pulled, a machine switched
// off) about `seconds` after it last heard of that peer: SO_KEEPALIVE, tcp(7). A system that does
// not let a program choose these times uses its own. The options are set on each connection,
// because not every system lets an accepted socket inherit all of them.
//
// Keepalive is about silence only. While bytes are in flight to a vanished peer, TCP sends them
// again for as long as the system thinks fit. TCP_USER_TIMEOUT would shorten that, but it also ends
// the connections of peers that answer and merely read nothing; those are left to the stall limit.
//
// The kernel does all this, also while this server's processes are stopped: it sends and answers
// probes, and no peer that answers is lost. After a standstill of the whole machine the kernel
// finds the silence over at once, but a peer that is there answers the probe that is then sent.
void keep_alive(int socket, uint32_t seconds);

} // namespace chatserv
