// Bytes through descriptors, which a test waits for.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace chatserv {

// Reads until that much has come, or the end.
inline std::string read_bytes(int fd, size_t count) {
    std::string text;
    while (text.size() < count) {
        pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
        if (::poll(&asked, 1, 60'000) != 1)
            break;
        char bytes[4096];
        const ssize_t got = ::read(fd, bytes, std::min(sizeof bytes, count - text.size()));
        if (got <= 0)
            break;
        text.append(bytes, static_cast<size_t>(got));
    }
    return text;
}
inline bool is_at_end(int fd) {
    return read_bytes(fd, 1).empty();
}
inline void write_bytes(int fd, const std::string& text) {
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

} // namespace chatserv
