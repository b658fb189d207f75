// The version of a nats-server. The library does not tell it, but a server says it to everybody who
// connects, in its first line (the client protocol's INFO).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

// Connects to the server of this URL, nats://[USER:PASSWORD@]HOST[:PORT], reads its first line and
// closes the connection. Nothing if there is no such line within the time limit, to which the look
// for the host's name does not count: a server may want TLS first.
[[nodiscard]] std::optional<std::string> version_said_at(
    std::string_view url, std::chrono::milliseconds limit);

// What stands in such a line, and nothing if it is none.
[[nodiscard]] std::optional<std::string> version_in(std::string_view line);

// Host and port of such a URL: the port of NATS where it names none.
struct HostAndPort {
    std::string host{};
    std::string port{};
};
[[nodiscard]] HostAndPort host_and_port_of(std::string_view url);

// Below 2.10.23 a stream can lose what it held when its servers are killed. A version that cannot
// be read is not called old.
inline constexpr std::string_view sound_version = "2.10.23";
[[nodiscard]] bool is_older(std::string_view version, std::string_view than);

} // namespace chatserv
