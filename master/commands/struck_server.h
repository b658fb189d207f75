// The server that `chatserv chaos` strikes, over one control connection after another: a connection
// ends with its master, and the next master answers at the same path.
#pragma once

#include "master/commands/server_finder.h"
#include "master/control/control_client.h"
#include "shared/system/event_queue.h"

#include <optional>
#include <string>

namespace chatserv {

class StruckServer {
public:
    // The events of the connection have this tag. Throws std::system_error where it cannot be
    // watched.
    StruckServer(ChosenServer server, EventQueue& events, Tag tag);
    StruckServer(const StruckServer&) = delete;
    StruckServer& operator=(const StruckServer&) = delete;

    [[nodiscard]] const std::string& path() const { return client_.path(); }
    // What the master said that answered last.
    [[nodiscard]] const Greeting& greeting() const { return greeting_; }
    // False while the master at the other end has not said its greeting.
    [[nodiscard]] bool answers() const { return answers_; }

    // The functions below connect again where the connection has ended. They return true if they
    // did: then whatever was asked over the former connection stays unanswered. They throw Failure
    // if the server has ended, or is no chatserv.
    [[nodiscard]] bool ask(const std::string& request);
    // Reads the bytes that have arrived, without waiting.
    [[nodiscard]] bool read();
    void connect_again();

    // The next message that was read; a greeting is taken here and returned as well.
    [[nodiscard]] std::optional<ControlClient::Message> next();

private:
    EventQueue& events_;
    Tag tag_;
    ControlClient client_;
    Greeting greeting_;
    bool answers_ = true;
};

} // namespace chatserv
