#include "bridge/engine/server_version.h"

#include "shared/system/fd.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <netdb.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t line_bytes_max = 64 * 1024;
constexpr std::string_view nats_port = "4222";

bool wait_for(int fd, short events, Clock::time_point until) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0)
            return false;
        pollfd asked{.fd = fd, .events = events, .revents = 0};
        const int got = ::poll(&asked, 1, static_cast<int>(left));
        if (got > 0)
            return true;
        if (got == -1 && errno != EINTR)
            return false;
    }
}

UniqueFd connected(const addrinfo& address, Clock::time_point until) {
    UniqueFd fd(::socket(address.ai_family, address.ai_socktype, address.ai_protocol));
    if (!fd)
        return fd;
    set_close_on_exec(fd.get(), true);
    set_nonblocking(fd.get());
    int error = 0;
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == -1 && errno != EINPROGRESS)
        return {};
    socklen_t size = sizeof error;
    if (!wait_for(fd.get(), POLLOUT, until) ||
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == -1 || error != 0)
        return {};
    return fd;
}

std::string first_line(int fd, Clock::time_point until) {
    std::string line;
    std::array<char, 4096> bytes{};
    while (line.size() < line_bytes_max && wait_for(fd, POLLIN, until)) {
        const ssize_t got = ::read(fd, bytes.data(), bytes.size());
        if (got == -1 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            break;
        line.append(bytes.data(), static_cast<size_t>(got));
        if (const size_t end = line.find('\n'); end != std::string::npos)
            return line.substr(0, end);
    }
    return {};
}

// The numbers in front of anything else: "2.10.23-RC.1" is 2, 10, 23. Nothing without three.
std::optional<std::array<int, 3>> numbers_of(std::string_view version) {
    std::array<int, 3> numbers{};
    const char* at = version.data();
    const char* const end = at + version.size();
    for (size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0 && (at == end || *at++ != '.'))
            return std::nullopt;
        const auto [parsed_to, error] = std::from_chars(at, end, numbers[i]);
        if (error != std::errc())
            return std::nullopt;
        at = parsed_to;
    }
    return numbers;
}

} // namespace

HostAndPort host_and_port_of(std::string_view url) {
    if (const size_t scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('/'));
    if (const size_t user = url.rfind('@'); user != std::string_view::npos)
        url.remove_prefix(user + 1);
    const size_t bracket = url.rfind(']');
    const size_t colon = url.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    std::string_view host = url.substr(0, has_port ? colon : std::string_view::npos);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    return {.host = std::string(host),
        .port = std::string(has_port ? url.substr(colon + 1) : nats_port)};
}

std::optional<std::string> version_in(std::string_view line) {
    constexpr std::string_view beginning = "INFO ";
    if (!line.starts_with(beginning))
        return std::nullopt;
    const auto said = nlohmann::json::parse(line.substr(beginning.size()), nullptr, false);
    if (!said.is_object() || !said.contains("version") || !said["version"].is_string())
        return std::nullopt;
    return said["version"].get<std::string>();
}

std::optional<std::string> version_said_at(std::string_view url, std::chrono::milliseconds limit) {
    const HostAndPort place = host_and_port_of(url);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found) != 0)
        return std::nullopt;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
    const Clock::time_point until = Clock::now() + limit;
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next)
        if (const UniqueFd fd = connected(*address, until))
            return version_in(first_line(fd.get(), until));
    return std::nullopt;
}

bool is_older(std::string_view version, std::string_view than) {
    const auto numbers = numbers_of(version);
    const auto limit = numbers_of(than);
    return numbers && limit && *numbers < *limit;
}

} // namespace chatserv
