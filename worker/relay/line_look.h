// A look at the whole lines that wait in a socket (`--framing line`).
//
// What has come of a line stays in its TCP socket until the rest is there. So an unfinished line
// needs no memory of ours: the kernel holds it, no death can lose it, and the kernel's account of
// the connection counts it as unread. recv(2) with MSG_PEEK shows the bytes; the caller then reads
// as many of them as are whole lines. (Of a UNIX socket it reads the rest as well: parts.h.)
#pragma once

#include "shared/segment/lines.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace chatserv {

struct LineLook {
    enum class Kind {
        lines,       // whole lines, which may be read
        part,        // no whole line
        nothing,     // the socket has no bytes
        end_of_file, // and never will
        failed,      // the connection is broken
    };
    Kind kind;
    std::span<const char> seen{}; // lines, part: what was kept, and what the socket has shown
    bool is_all = false;          // ... and nothing can follow it
    int error = 0;                // failed: the errno of recv(2)
};

// Makes the socket's receive buffer hold an unfinished line and more. Linux charges the buffer with
// the whole of a piece of memory until its last byte is read: the beginning of a line, at the end
// of a fast sender's bytes, can charge it with hundreds of kilobytes. A buffer that this fills
// takes no more bytes, and the line would never end.
void make_room_for_lines(int socket);

// Copies what waits in the socket to `place`, behind the first `kept` bytes there: they came before
// it and were read, and there is room for one more. `at_end`: the peer has ended its side, or the
// connection is broken, so that the rest without an end is a line. Bytes in front of urgent data
// are all that the socket shows until they are read, so they count as whole lines too.
[[nodiscard]] LineLook look_for_lines(
    int socket, std::span<char> place, size_t kept, const Lines& lines, bool at_end);

// The bytes that can be read from the socket: ioctl(2), FIONREAD. 0 if the system cannot tell.
[[nodiscard]] size_t unread_bytes(int socket);

} // namespace chatserv
