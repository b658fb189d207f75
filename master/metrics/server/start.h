// How the metrics process begins: what it inherits, gives up and becomes before it accepts the
// first connection.
//
// The arguments, which the master alone writes (master/metrics/metrics_process.cpp):
//     LOG_LEVEL LOG_FORMAT UID GID LIFELINE SEGMENT LEDGER LISTENER...
// UID and GID are what the process is to become; the others are numbers of inherited descriptors.
#pragma once

namespace chatserv {

// The metrics process's whole life. Returns the exit status (sysexits.h): EX_OK after the server
// has ended; EX_USAGE, with a line on standard error, if the arguments are not the master's;
// EX_NOPERM, EX_OSERR or EX_SOFTWARE, with a line in the log, if a step of the start failed.
[[nodiscard]] int start_metrics(int argc, char** argv);

} // namespace chatserv
