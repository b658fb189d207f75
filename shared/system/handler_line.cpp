#include "shared/system/handler_line.h"

#include <poll.h>
#include <unistd.h>

namespace chatserv {

void write_line_from_handler(std::string_view line) {
    pollfd standard_error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&standard_error, 1, 0) == 1 && (standard_error.revents & POLLOUT) != 0)
        (void)!::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace chatserv
