#include "master/commands/asking.h"

#include "shared/ipc/unix_socket.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

nlohmann::ordered_json ask(
    ControlClient& server, const std::string& request, std::string_view answer) {
    server.ask(request);
    const auto message = server.wait_for_any({answer, "refused"}, ControlClient::patience);
    if (!message)
        server.give_up();
    return parsed(server, *message);
}

nlohmann::ordered_json parsed(const ControlClient& server, const ControlClient::Message& message) {
    try {
        auto said = nlohmann::ordered_json::parse(message.line);
        if (message.event == "refused")
            throw Failure(EX_UNAVAILABLE, fmt::format("the server at {} refuses: {}", server.path(),
                                              as_one_line(said.at("reason").get<std::string>())));
        return said;
    } catch (const nlohmann::json::exception& failure) {
        throw Failure(EX_UNAVAILABLE,
            fmt::format("the server at {} sent a message that no chatserv sends: {}", server.path(),
                failure.what()));
    }
}

ControlClient connect_anew(const std::string& path) {
    constexpr timespec moment{.tv_sec = 0, .tv_nsec = 10'000'000};
    const auto end = ControlClient::Clock::now() + ControlClient::patience;
    Connecting connecting = connect_at_once(path);
    while (connecting.error == EAGAIN && ControlClient::Clock::now() < end) {
        ::nanosleep(&moment, nullptr);
        connecting = connect_at_once(path);
    }
    if (connecting.error == 0)
        return {path, std::move(connecting.socket)};
    if (connecting.error == ECONNREFUSED || connecting.error == ENOENT)
        throw Failure(EX_UNAVAILABLE, fmt::format("the server at {} has ended: see its log", path));
    throw Failure(EX_UNAVAILABLE,
        fmt::format("the server at {} closed the connection, and takes no other: {}", path,
            std::strerror(connecting.error)));
}

} // namespace chatserv
