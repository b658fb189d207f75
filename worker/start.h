// How a worker process begins: what it inherits, gives up and becomes before it serves.
//
// The arguments, which the master alone writes (master/workers/worker_pool.cpp):
//     LOG_LEVEL LOG_FORMAT UID GID SEAT CHANNEL SEGMENT RENDEZVOUS [LISTENING_END RINGING_END]...
// UID and GID are what the process is to become, SEAT is its place among the heartbeats, and the
// other five kinds are numbers of inherited descriptors.
#pragma once

#include "worker/lifecycle/in_doubt.h"

namespace chatserv {

// A worker's whole life. `account`: see InDoubt. Returns the exit status (sysexits.h): EX_OK after
// the master has ended or dismissed the worker; EX_USAGE, with a line on standard error, if the
// arguments are not the master's; EX_NOPERM, EX_OSERR or EX_SOFTWARE if a step of the start failed,
// of which the master has been told.
[[nodiscard]] int start_worker(int argc, char** argv, SocketAccount account);

} // namespace chatserv
