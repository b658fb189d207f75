// The web server: connections from their acceptance to the end of their answer, in one loop without
// threads.
//
// Whatever clients do, this process holds at most `connections_max` connections, each of them for
// at most `life_max` and with at most `request_bytes_max` of what it sends. A newcomer for which
// there is no room takes the place of the oldest connection. So clients that send slowly, or
// nothing, are in each other's way, and a client that asks at once is answered.
#pragma once

#include "master/metrics/server/web_desk.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace chatserv {

class WebServer {
public:
    static constexpr size_t connections_max = 128;
    static constexpr size_t request_bytes_max = 16 * 1024;
    static constexpr std::chrono::seconds life_max{10};

    // `desk`: borrowed. `lifeline`: see master/metrics/metrics_process.h. Throws std::system_error
    // if the system refuses to watch these descriptors.
    WebServer(WebDesk& desk, UniqueFd lifeline, std::vector<UniqueFd> listeners);

    // Serves until the lifeline ends.
    void run();

private:
    using Clock = std::chrono::steady_clock;

    struct Connection {
        UniqueFd socket;
        uint32_t number; // its events have it, so that those of an earlier connection are ignored
        Clock::time_point ends_at;
        std::string request{};
        std::string answer{};
        size_t sent = 0;
    };

    [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep() const;
    void handle(const EventQueue::Event& event);
    void accept(int listener);
    void admit(UniqueFd socket);
    void pause_accepting();
    void read(Connection& connection);
    void write(Connection& connection);
    void end(Connection& connection);
    void drop_oldest();
    void drop_ended();

    WebDesk& desk_;
    UniqueFd lifeline_;
    std::vector<UniqueFd> listeners_;
    EventQueue events_;
    std::deque<Connection> connections_; // the oldest first
    uint32_t last_number_ = 0;
    std::optional<Clock::time_point> accepts_again_{}; // the listeners are not watched until then
    bool server_has_ended_ = false;
};

} // namespace chatserv
