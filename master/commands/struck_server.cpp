#include "master/commands/struck_server.h"

#include "master/commands/asking.h"
#include "shared/system/errors.h"

#include <utility>

namespace chatserv {

StruckServer::StruckServer(ChosenServer server, EventQueue& events, Tag tag) :
    events_(events), tag_(tag), client_(std::move(server.client)),
    greeting_(std::move(server.greeting)) {
    require(events_.watch_readable(client_.fd(), tag_), "watching the server");
}

bool StruckServer::ask(const std::string& request) {
    try {
        client_.ask(request);
        return false;
    } catch (const ConnectionClosed&) {
        connect_again();
        return true;
    }
}

bool StruckServer::read() {
    try {
        client_.read();
        return false;
    } catch (const ConnectionClosed&) {
        connect_again();
        return true;
    }
}

void StruckServer::connect_again() {
    answers_ = false;
    client_ = connect_anew(client_.path());
    require(events_.watch_readable(client_.fd(), tag_), "watching the server");
}

std::optional<ControlClient::Message> StruckServer::next() {
    auto message = client_.next();
    if (message && message->event == "hello") {
        greeting_ = client_.greeting_of(message->line);
        answers_ = true;
    }
    return message;
}

} // namespace chatserv
