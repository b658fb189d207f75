// A question to a running server, and its answer as a JSON object.
#pragma once

#include "master/control/control_client.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace chatserv {

// Sends a request and waits for the answer with this name; other messages are skipped. Throws
// Failure(EX_UNAVAILABLE) if the server refuses, does not answer within ControlClient::patience, or
// says what no chatserv says; ConnectionClosed if it closed the connection.
[[nodiscard]] nlohmann::ordered_json ask(
    ControlClient& server, const std::string& request, std::string_view answer);

// A message of the server. Throws as ask() does.
[[nodiscard]] nlohmann::ordered_json parsed(
    const ControlClient& server, const ControlClient::Message& message);

// Another connection to the server at this path, since the former one has ended: the socket is open
// for as long as the server lives, whoever its master is. Waits while the socket's queue is full.
// Throws Failure(EX_UNAVAILABLE) if the server has ended, or takes no connection within
// ControlClient::patience.
[[nodiscard]] ControlClient connect_anew(const std::string& path);

// What `question`, a function of a ControlClient, returns. If a master dies meanwhile the next one
// is asked, so the question must be one that may be asked twice.
template <typename Question>
auto ask_any_master(ControlClient& server, Question question) {
    for (;;) {
        try {
            return question(server);
        } catch (const ConnectionClosed&) {
            server = connect_anew(server.path());
        }
    }
}

} // namespace chatserv
