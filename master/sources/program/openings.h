// How the process of a source gets at it: one try of each kind. The master decides when the next
// try is due.
#pragma once

#include "shared/system/fd.h"

#include <cstdint>
#include <string>

namespace chatserv {

// What a try has come to.
struct Opened {
    UniqueFd fd{};       // non-blocking and close-on-exec; none where the try has failed
    std::string error{}; // of a try that has failed: why, for people
};

// Looks the host up (getaddrinfo(3)), and connects to its addresses one after the other. Waits for
// the name service as long as that takes, and for each address at most `connect_seconds_max`. The
// connection has SO_OOBINLINE, as those that come to the server have: DESIGN, the kernel's account.
inline constexpr int connect_seconds_max = 15;
[[nodiscard]] Opened connect_tcp(const std::string& host, uint16_t port);

// Connects to a UNIX stream socket. Does not wait.
[[nodiscard]] Opened connect_unix(const std::string& path);

// Opens a serial line and makes it raw: 8 bits, no parity, no flow control, no modem lines; its
// bytes pass as they are (termios(3), cfmakeraw). `access`: O_RDONLY, O_WRONLY or O_RDWR, as
// open(2) takes it.
[[nodiscard]] Opened open_serial(const std::string& path, uint32_t baud, int access);

} // namespace chatserv
