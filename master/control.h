// The control socket: how `chatserv chaos` and `chatserv stats` reach a running master.
//
// A UNIX stream socket that only its user may connect to. What is asked is a line of words, what is
// answered a line of JSON (so `nc -U` will do as well):
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
// Whoever connects is told of the server first ({"event":"hello",...}) and of each takeover as it
// ends ({"event":"taken_over",...}). The master waits for none of them: who does not read is
// disconnected.
#pragma once

#include "shared/event_queue.h"
#include "shared/fd.h"

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <sys/types.h>

namespace chatserv {

// Where the master with this pid listens unless it is told otherwise: in the folder that
// $XDG_RUNTIME_DIR or else $TMPDIR names, or in /tmp.
[[nodiscard]] std::string default_control_path(pid_t master);

class Control {
public:
    struct Request {
        enum class Kind { kill, stop, stats };
        Kind kind;
        uint32_t worker = 0; // from 1; for kill and stop
    };
    // Carries a request out and returns the answer: a JSON object.
    using Answer = std::function<std::string(const Request&)>;

    // Listens at `path`. `greeting`: what whoever connects is told first. Throws std::system_error:
    // EADDRINUSE where somebody listens there or something else than a socket is there.
    Control(EventQueue& events, uint64_t udata, std::string path, std::string greeting);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    // An event with this object's udata.
    void handle(const EventQueue::Event& event, const Answer& answer);
    // Tells everybody who is connected.
    void tell(const std::string& line);

private:
    struct Connection {
        UniqueFd socket;
        std::string input{};
        std::string output{};
        bool waits_for_write = false;
    };

    void accept();
    void read(Connection& connection, const Answer& answer);
    void send(Connection& connection, const std::string& line);
    void flush(Connection& connection);
    void sweep();

    EventQueue& events_;
    uint64_t udata_;
    std::string path_;
    std::string greeting_;
    UniqueFd listener_;
    std::list<Connection> connections_; // one whose socket is closed is swept away
};

} // namespace chatserv
