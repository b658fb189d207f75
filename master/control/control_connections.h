// The connections of the control socket, by which `chatserv chaos`, `chatserv drain` and `chatserv
// stats` reach a running master.
//
// A UNIX stream socket that only its user may connect to (control_path.h says where it is). A
// request is a line of words, and its answer is a line of JSON, so `nc -U` will do as well:
//
//     kill N       SIGKILL worker N      {"event":"struck","how":"kill","worker":2,"pid":77}
//     stop N       SIGSTOP worker N      {"event":"refused","reason":"worker 2 is being replaced"}
//     drain N      move its users away   {"event":"draining","worker":2,"users":500}, or refused
//     drain-end N  let it have users     {"event":"drain_ended","worker":2}, or refused
//     stats        what was counted      {"event":"stats",...}, as follows
//
// The answer to `stats` has the members
//
//     users, users_max        how many users are connected, and how many can be
//     accepted                how many came in since the start: the users, and all that left
//     turned_away             how many were refused, by reason (departures.cpp)
//     left                    how many left, by reason (departures.cpp)
//     throttled               how many users sent faster than --max-rate; each counts once
//     accept_pauses           how often accepting was paused for want of descriptors or memory
//     accepting               false while it is paused, and once the server stops
//     moved                   how often a user was moved from one live worker to another
//     drained                 the workers that are drained, by number
//
// A client that connects is first told of the server,
//
//     {"event":"hello","pid":77,"listen":["127.0.0.1:9999"],"users":3,"users_max":10,
//      "workers":2,"hang_limit_ms":2000}
//
// of each takeover as it ends ({"event":"taken_over",...}), and of each drain:
//
//     {"event":"drained","worker":2,"users":500,"milliseconds":12.5,"complete":true}
//
// It is not complete if `drain-end` came before the last user had moved. The master never waits for
// a control client. One that stops reading is disconnected. Eight can be connected. When a ninth
// comes, the one that has been silent for longest is disconnected, if that was two seconds or
// longer; if not, the newcomer is told {"event":"turned_away","reason":"..."}. So clients that say
// nothing keep no other client out.
#pragma once

#include "master/control/control_socket.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace chatserv {

class ControlConnections {
public:
    struct Request {
        enum class Kind { kill, stop, drain, end_drain, stats };
        Kind kind;
        uint32_t worker = 0; // from 1; for all but stats
    };
    // Carries a request out and returns the answer: a JSON object.
    using Answer = std::function<std::string(const Request&)>;

    // The first line that a client is sent.
    using Greeting = std::function<std::string()>;

    // `silence`: after which a client can be disconnected for another. Throws std::system_error
    // where the socket cannot be watched.
    ControlConnections(EventQueue& events, Tag tag, std::unique_ptr<ControlSocket> socket,
        Greeting greeting, std::chrono::seconds silence = std::chrono::seconds(2));
    ControlConnections(const ControlConnections&) = delete;
    ControlConnections& operator=(const ControlConnections&) = delete;

    // An event with this object's tag.
    void handle(const EventQueue::Event& event, const Answer& answer);
    // Sends a line to every client that is connected.
    void tell(const std::string& line);
    // In each turn of the loop: makes sure that the socket is still in its place, and accepts
    // clients for which there was no descriptor before.
    void look();

private:
    using Clock = std::chrono::steady_clock;

    struct Connection {
        UniqueFd socket;
        std::string input{};
        std::string output{};
        bool waits_for_write = false;
        bool ending = false; // it has ended its input, and gets what is still to be written
        bool has_asked = false;
        Clock::time_point heard = Clock::now(); // when it last asked, or came
    };

    [[nodiscard]] int watch(int listener);
    void accept(int listener);
    void take_in(UniqueFd socket);
    [[nodiscard]] bool make_room();
    void read(Connection& connection, const Answer& answer);
    void reply(Connection& connection, std::string_view line, const Answer& answer);
    void end_input(Connection& connection, const Answer& answer);
    void send(Connection& connection, const std::string& line);
    void flush(Connection& connection);
    void sweep();

    EventQueue& events_;
    Tag tag_;
    std::unique_ptr<ControlSocket> socket_;
    Greeting greeting_;
    std::chrono::seconds silence_;
    std::list<Connection> connections_; // sweep() removes those whose socket is closed
    bool accept_failed_ = false;
};

} // namespace chatserv
