// The other end of the control socket (control.h): one conversation with a running server.
#pragma once

#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// A server's first line to a client: what it says of itself.
struct Greeting {
    pid_t pid = 0;
    std::vector<std::string> listen{};
    uint32_t users = 0;
    uint32_t users_max = 0;
    uint32_t workers = 0;
    std::chrono::milliseconds hang_limit{};
};

class ControlClient {
public:
    using Clock = std::chrono::steady_clock;

    // How long a server may take to answer. One that is well does at once.
    static constexpr std::chrono::seconds patience{10};

    // `socket`: connected to the control socket at `path`; non-blocking.
    ControlClient(std::string path, UniqueFd socket);

    // Readable when there is something for read().
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // The functions below throw Failure(EX_UNAVAILABLE) where the server ended, has no room for
    // another client, or is none.

    // Sends a request, without its newline. Fails where the server has not read a great many.
    void ask(const std::string& request);

    // Reads what has come, without waiting.
    void read();

    struct Message {
        std::string event; // what it is about
        std::string line;  // all of it, a JSON object, without its newline
    };
    // The next of what was read; nothing where no whole one is left.
    [[nodiscard]] std::optional<Message> next();

    // Waits for the next message about `event` and passes over others. Fails when the limit is
    // over.
    [[nodiscard]] std::string wait_for(std::string_view event, std::chrono::milliseconds limit);

    // The content of a message about "hello".
    [[nodiscard]] Greeting greeting_of(const std::string& line) const;

private:
    [[noreturn]] void fail(const char* what) const;

    std::string path_;
    UniqueFd socket_;
    std::string input_;
};

} // namespace chatserv
