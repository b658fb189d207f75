// The connections of the control socket, by which `chatserv chaos`, `chatserv drain` and `chatserv
// stats` reach a running master.
//
// docs/control.md describes the interface: a request is a line of words, its answer a line of JSON.
// The master never waits for a control client: one that stops reading is disconnected.
#pragma once

#include "master/control/control_request.h"
#include "master/control/control_socket.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

namespace chatserv {

class ControlConnections {
public:
    using Request = ControlRequest;
    // Carries a request out and returns the answer: a JSON object.
    using Answer = std::function<std::string(const Request&)>;

    // The first line that a client is sent.
    using Greeting = std::function<std::string()>;

    // `silence`: after which a client can be disconnected for another. Throws std::system_error
    // where the socket cannot be watched.
    ControlConnections(EventQueue& events, Tag tag, ControlSocket& socket, Greeting greeting,
        std::chrono::seconds silence = std::chrono::seconds(2));
    ControlConnections(const ControlConnections&) = delete;
    ControlConnections& operator=(const ControlConnections&) = delete;

    // An event with this object's tag.
    void handle(const EventQueue::Event& event, const Answer& answer);
    // Sends a line to every client that is connected.
    void tell(const std::string& line);
    // Sends a line to those that have asked for events. A client that does not take the lines as
    // fast as they come is told so, as far as it can be, and gets no more.
    void tell_watchers(const std::string& line);
    void cut_watchers_off();
    [[nodiscard]] bool has_watchers() const;
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
        bool watches = false;                   // it is told of every event
        bool mid_line = false;                  // of the first line in `output` a part is sent
        Clock::time_point heard = Clock::now(); // when it last asked, or came
    };

    [[nodiscard]] int watch(int listener);
    void accept(int listener);
    void take_in(UniqueFd socket);
    [[nodiscard]] bool make_room();
    [[nodiscard]] size_t count_of(bool watching) const;
    void cut_off(Connection& connection);
    void read(Connection& connection, const Answer& answer);
    void reply(Connection& connection, std::string_view line, const Answer& answer);
    void end_input(Connection& connection, const Answer& answer);
    void send(Connection& connection, const std::string& line);
    void flush(Connection& connection);
    void sweep();

    EventQueue& events_;
    Tag tag_;
    ControlSocket& socket_;
    Greeting greeting_;
    std::chrono::seconds silence_;
    std::list<Connection> connections_; // sweep() removes those whose socket is closed
    bool accept_failed_ = false;
};

} // namespace chatserv
