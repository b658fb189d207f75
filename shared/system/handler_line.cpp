#include "shared/system/handler_line.h"

#include <array>
#include <cstddef>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace chatserv {

namespace {

std::array<char, 63> head_bytes{};
size_t head_size = 0;

} // namespace

void begin_handler_lines_with(std::string_view head) {
    head_size = head.copy(head_bytes.data(), head_bytes.size());
}

void write_line_from_handler(std::string_view line) {
    pollfd standard_error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    const iovec pieces[] = {
        {head_bytes.data(), head_size}, {const_cast<char*>(line.data()), line.size()}};
    if (::poll(&standard_error, 1, 0) == 1 && (standard_error.revents & POLLOUT) != 0)
        (void)!::writev(STDERR_FILENO, pieces, 2);
}

} // namespace chatserv
