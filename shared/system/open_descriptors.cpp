#include "shared/system/open_descriptors.h"

#include "config.h"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr int chunk = 1024;

// Which of the numbers in the chunk are open. The limit can be a million numbers, nearly all of
// them not open, and poll(2) says so of many in one call. It takes no more numbers than the limit
// of descriptors allows, which may be small.
void mark_open(int first, std::array<pollfd, chunk>& numbers) {
    for (int i = 0; i < chunk; ++i)
        numbers[static_cast<size_t>(i)] = {.fd = first + i, .events = 0, .revents = 0};
    if (::poll(numbers.data(), numbers.size(), 0) != -1)
        return;
    for (pollfd& number : numbers)
        number.revents = ::fcntl(number.fd, F_GETFD) == -1 ? POLLNVAL : 0;
}

// A descriptor that has no status, as some kinds of some systems have none, is open all the same.
OpenDescriptor status_of(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        status = {};
    return {.fd = fd,
        .is_socket = S_ISSOCK(status.st_mode),
        .device = status.st_dev,
        .inode = status.st_ino};
}

} // namespace

std::vector<OpenDescriptor> open_descriptors(int first, int end) {
    std::vector<OpenDescriptor> open;
    std::array<pollfd, chunk> numbers{};
    end = std::min(end, INT_MAX - chunk);
    for (int begin = first; begin < end; begin += chunk) {
        mark_open(begin, numbers);
        for (const pollfd& number : numbers)
            if ((number.revents & POLLNVAL) == 0 && number.fd < end)
                open.push_back(status_of(number.fd));
    }
    return open;
}

int descriptor_numbers_end() {
    const long limit = ::sysconf(_SC_OPEN_MAX);
    return static_cast<int>(std::clamp<long>(limit, 0, INT_MAX));
}

void close_descriptors_from(int first) {
#ifdef HAVE_CLOSEFROM
    ::closefrom(first);
#else
    // Some systems set no limit, or one of a thousand million. No parent hands on such numbers.
    constexpr int likely_end = 65'536;
    for (int fd = first, end = std::min(descriptor_numbers_end(), likely_end); fd < end; ++fd)
        ::close(fd);
#endif
}

} // namespace chatserv
