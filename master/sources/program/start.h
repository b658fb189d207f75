// The process of a source: it gets at the source once, and passes a connection to the master, which
// takes it in as a client. Then it has done its work, or it pumps until the source ends.
//
//     tcp          the connection itself is passed on, and the process ends: no process stands
//                  between the source and the relay
//     all others   one end of a TCP connection within this machine is passed on (loopback_pair.h);
//                  the process carries the bytes between the other end and the source
//
// Whether and when the source is tried again is the master's to decide: each try is a process of
// its own. So no name service and no device holds up anything but its own source, and what was
// opened with the server's rights is opened before the process gives them up.
//
// The arguments, which the master alone writes (master/sources/source_process.cpp):
//     UID GID LIFELINE SOURCE AT_END GREETING PLACE FRAMING DROPPED
// UID and GID are what the process is to become; LIFELINE is the number of its end of the stream to
// the master; SOURCE is as SourceAddress::text() has it; AT_END is "end" or "go-on" (pump.h);
// GREETING is sent to the source first, as it is; PLACE is as FilePlace::text() has it, or empty;
// FRAMING is "line" or "none"; DROPPED is how many datagrams earlier processes of it have lost.
#pragma once

namespace chatserv {

// The process's whole life. Returns the exit status (sysexits.h): EX_OK; EX_USAGE, with a line on
// standard error, if the arguments are not the master's; EX_UNAVAILABLE where the source cannot be
// got at, which the master was told.
[[nodiscard]] int start_source(int argc, char** argv);

} // namespace chatserv
