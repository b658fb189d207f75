// The client's end of the control socket (control_connections.h): one connection to a running
// server.
#pragma once

#include "shared/system/failure.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace chatserv {

// The contents of the first line that a server sends to a control client.
struct Greeting {
    pid_t pid = 0;    // of the server: its keeper, if it has one
    pid_t master = 0; // as `pid` where the server has no keeper
    std::vector<std::string> listen{};
    uint32_t users = 0;
    uint32_t users_max = 0;
    bool bridge = false; // the server has one, or had one a moment ago
    uint32_t workers = 0;
    std::chrono::milliseconds hang_limit{};
};

// The server closed the connection: it has ended, or its master has died and another carries on.
class ConnectionClosed : public Failure {
public:
    using Failure::Failure;
};

class ControlClient {
public:
    using Clock = std::chrono::steady_clock;

    // How long a server may take to answer. A healthy server answers at once.
    static constexpr std::chrono::seconds patience{10};

    // `socket`: connected to the control socket at `path`; non-blocking.
    ControlClient(std::string path, UniqueFd socket);

    // Becomes readable when there is something for read().
    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }

    // The functions below throw ConnectionClosed if the server closed the connection, and
    // Failure(EX_UNAVAILABLE) if it turns this client away, or is not a chatserv.

    // Sends a request, given without its newline. Also fails if the socket is full because the
    // server has not read earlier requests.
    void ask(const std::string& request);

    // Reads the bytes that have arrived, without waiting.
    void read();

    struct Message {
        std::string event; // the name of the message
        std::string line;  // the whole message, a JSON object, without its newline
    };
    // The next message that was read; nothing if none is complete.
    [[nodiscard]] std::optional<Message> next();

    // Waits for the next message with one of these names, and skips others. Nothing if none comes
    // within the limit.
    [[nodiscard]] std::optional<Message> wait_for_any(
        std::initializer_list<std::string_view> events, std::chrono::milliseconds limit);
    // Waits for the next message with the name `event`, and skips others. Also fails if none comes
    // within the limit.
    [[nodiscard]] std::string wait_for(std::string_view event, std::chrono::milliseconds limit);

    // Throws what wait_for() throws when its limit is over.
    [[noreturn]] void give_up() const { fail("does not answer"); }

    // The contents of the message "hello".
    [[nodiscard]] Greeting greeting_of(const std::string& line) const;

private:
    [[noreturn]] void fail(const char* what) const;
    [[noreturn]] void fail_turned_away(const std::string& reason) const;
    [[noreturn]] void fail_closed() const;

    std::string path_;
    UniqueFd socket_;
    std::string input_;
};

} // namespace chatserv
