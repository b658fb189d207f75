// chatserv-floor: measures the most that the kernel can send. Writes the same lines from one buffer
// to every connection, and does nothing else: it does not read, relay or keep an order.
//
//     chatserv-floor CONNECTIONS LINE_BYTES WRITE_BYTES SECONDS [LINES]
//
// Prints `listening on PORT`. When it has CONNECTIONS connections, and the first of them has sent a
// byte, it writes to all of them in turn, the same number of bytes to each, for SECONDS or until
// each has LINES. Then it closes them.
#include "bench/load/line.h"
#include "bench/load/loopback.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace {

using namespace chatserv::bench;
using chatserv::UniqueFd;
using Clock = std::chrono::steady_clock;

// Writes all bytes, and waits only while the socket takes none.
void write_all(int fd, const char* bytes, size_t count) {
    while (count > 0) {
        const ssize_t written = ::send(fd, bytes, count, 0);
        if (written > 0) {
            bytes += written;
            count -= static_cast<size_t>(written);
            continue;
        }
        pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
        if (::poll(&waiting, 1, 10'000) != 1)
            fail("a listener does not read");
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5 && argc != 6) {
        std::fputs(
            "usage: chatserv-floor CONNECTIONS LINE_BYTES WRITE_BYTES SECONDS [LINES]\n", stderr);
        return 64;
    }
    const size_t connections = std::strtoul(argv[1], nullptr, 10);
    const size_t line_bytes = std::strtoul(argv[2], nullptr, 10);
    const size_t write_bytes = std::max(std::strtoul(argv[3], nullptr, 10), line_bytes);
    const std::chrono::duration<double> time(std::strtod(argv[4], nullptr));
    const uint64_t lines = argc == 6 ? std::strtoull(argv[5], nullptr, 10) : 0;
    uint64_t bytes_left = lines > 0 ? lines * line_bytes : std::numeric_limits<uint64_t>::max();
    allow_many_descriptors();

    std::string buffer;
    for (uint64_t number = 0; number < std::bit_floor(floor_buffer_bytes / line_bytes); ++number)
        buffer += make_line(line_bytes, 0, number, 0);

    const UniqueFd listener = listen_on_loopback();
    std::vector<UniqueFd> sockets;
    while (sockets.size() < connections) {
        sockets.emplace_back(::accept(listener.get(), nullptr, nullptr));
        if (!sockets.back())
            fail("accept");
    }
    char go = 0;
    if (::recv(sockets.front().get(), &go, 1, 0) != 1)
        fail("waiting for the first byte");
    for (const UniqueFd& socket : sockets)
        chatserv::set_nonblocking(socket.get());
    const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
    for (size_t offset = 0; Clock::now() < end && bytes_left > 0;) {
        const size_t bytes = std::min({write_bytes, buffer.size() - offset, bytes_left});
        for (const UniqueFd& socket : sockets)
            write_all(socket.get(), buffer.data() + offset, bytes);
        offset = (offset + bytes) % buffer.size();
        bytes_left -= bytes;
    }
    return 0;
}
