// A listen socket of the test, and how a server is started to which it is handed over.
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/endpoint.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace chatserv::test {

// The variables name the process that executes the server.
inline const std::vector<std::string> with_own_pid{
    "sh", "-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" \"$@\""};

inline UniqueFd listening_socket(int type = SOCK_STREAM) {
    UniqueFd fd(::socket(AF_INET, type, 0));
    set_close_on_exec(fd.get(), true);
    const Endpoint address("127.0.0.1:0");
    EXPECT_EQ(::bind(fd.get(), address.address(), address.length()), 0);
    if (type == SOCK_STREAM) {
        EXPECT_EQ(::listen(fd.get(), 16), 0);
    }
    return fd;
}

} // namespace chatserv::test
