// The control socket: how `chatserv chaos` and `chatserv stats` reach a running master.
//
// A UNIX stream socket that only its user may connect to (control_path.h says where it is). What is
// asked is a line of words, what is answered a line of JSON (so `nc -U` will do as well):
//
//     kill N     SIGKILL worker N        {"event":"struck","how":"kill","worker":2,"pid":77}
//     stop N     SIGSTOP worker N        {"event":"refused","reason":"worker 2 is being replaced"}
//     stats      what was counted        {"event":"stats",...}, as follows
//
// The answer to `stats` has the members
//
//     users, users_max        how many are in, and can be
//     accepted                who came in since the start: users, and all who left
//     turned_away             who did not, by reason: not_allowed (--allow, --deny), address_full
//                             (--max-per-address), table_full (--users)
//     left                    by reason: end_of_file, reset, timed_out, error, stalled,
//                             fell_behind (--slow-policy), server_stopped, in_doubt, lost, idle
//                             (--idle-timeout)
//     throttled               how many users sent faster than --max-rate; each counts once
//     accept_pauses           how often nobody could be accepted, for want of descriptors or memory
//     accepting               false while that is so, and once the server stops
//
// A client that connects is first told of the server,
//
//     {"event":"hello","pid":77,"listen":["127.0.0.1:9999"],"users":3,"users_max":10,
//      "workers":2,"hang_limit_ms":2000}
//
// and of each takeover as it ends ({"event":"taken_over",...}). The master waits for no client: one
// that does not read is disconnected. Eight can be connected. The one that has been silent for
// longest gives its place to another that comes, if that was two seconds or longer; if not, the
// newcomer is told {"event":"turned_away","reason":"..."}. So clients that say nothing keep nobody
// out.
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

class Control {
public:
    struct Request {
        enum class Kind { kill, stop, stats };
        Kind kind;
        uint32_t worker = 0; // from 1; for kill and stop
    };
    // Carries a request out and returns the answer: a JSON object.
    using Answer = std::function<std::string(const Request&)>;

    // The first line that a client is sent.
    using Greeting = std::function<std::string()>;

    // `silence`: after which a client gives its place to another. Throws std::system_error where
    // the socket cannot be watched.
    Control(EventQueue& events, Tag tag, std::unique_ptr<ControlSocket> socket, Greeting greeting,
        std::chrono::seconds silence = std::chrono::seconds(2));
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    // An event with this object's tag.
    void handle(const EventQueue::Event& event, const Answer& answer);
    // Tells everybody who is connected.
    void tell(const std::string& line);
    // At any turn: sees to it that the socket stays where it is looked for, and accepts those who
    // could not be for want of descriptors.
    void look();

private:
    using Clock = std::chrono::steady_clock;

    struct Connection {
        UniqueFd socket;
        std::string input{};
        std::string output{};
        bool waits_for_write = false;
        bool ending = false; // it has sent its last, and gets what is still to be written
        bool has_asked = false;
        Clock::time_point heard = Clock::now(); // when it asked last, or came
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
    std::list<Connection> connections_; // one whose socket is closed is swept away
    bool accept_failed_ = false;
};

} // namespace chatserv
