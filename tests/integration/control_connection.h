// A control client that sends raw lines, as `nc -U` does.
#pragma once

#include "shared/ipc/unix_socket.h"
#include "tests/harness/loop.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace chatserv::test {

class ControlConnection final : public Loop::Source {
public:
    ControlConnection(Loop& loop, const std::string& path) :
        Source(loop), socket_(connect_at_once(path).socket) {
        EXPECT_TRUE(socket_) << path;
    }

    void ask(std::string_view request) { EXPECT_TRUE(try_to_ask(request)); }
    // False where the connection has ended.
    [[nodiscard]] bool try_to_ask(std::string_view request) {
        return ::write(socket_.get(), request.data(), request.size()) ==
               static_cast<ssize_t>(request.size());
    }
    void wait_for(std::string_view text) {
        loop().wait_until([&] { return heard_.find(text) != std::string::npos; }, text);
    }
    void wait_for_end() {
        loop().wait_until([&] { return !socket_; }, "the end of a control client");
    }
    [[nodiscard]] bool ended() const { return !socket_; }
    [[nodiscard]] const std::string& heard() const { return heard_; }

    [[nodiscard]] pollfd interest() const override { return {socket_.get(), POLLIN, 0}; }
    void ready(short /*events*/) override {
        char bytes[4096];
        const ssize_t got = ::read(socket_.get(), bytes, sizeof bytes);
        if (got > 0)
            heard_.append(bytes, static_cast<size_t>(got));
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            socket_.reset();
    }

private:
    UniqueFd socket_;
    std::string heard_;
};

} // namespace chatserv::test
