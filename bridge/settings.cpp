#include "bridge/settings.h"

#include "shared/system/errors.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>

namespace chatserv {
namespace {

constexpr size_t file_bytes_max = 1024 * 1024;

// Of the epochs that the stream holds, one at least is there from its join on.
constexpr uint64_t epochs_held = 4;
// With each epoch the hosts publish again what is under way, so it is to be much more than that.
constexpr uint64_t epoch_bytes_min = uint64_t{8} * Publication::under_way_bytes_max;

// No error text holds the name of a secret's contents, only that of its file. O_NONBLOCK: a FIFO
// that nobody writes would hold up the start.
std::string contents_of(const std::string& path, std::string_view option) {
    const auto refuse = [&](const char* why) {
        return Failure(exit_unusable, fmt::format("{} names {}, which cannot be read: {}; the file "
                                                  "has to be readable when the server starts",
                                          option, path, why));
    };
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        throw refuse(std::strerror(errno));
    std::string contents;
    std::array<char, 4096> bytes{};
    for (;;) {
        const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            throw refuse(std::strerror(errno));
        if (got == 0)
            break;
        contents.append(bytes.data(), static_cast<size_t>(got));
        if (contents.size() > file_bytes_max)
            throw refuse("it is too long");
    }
    if (contents.empty())
        throw refuse("it is empty");
    return contents;
}

std::string file_of(const nlohmann::json& object, const char* key, std::string_view option) {
    const std::string path = object.value(key, "");
    return path.empty() ? "" : contents_of(path, option);
}

} // namespace

std::string all_of(int fd) {
    std::string text;
    std::array<char, 4096> bytes{};
    for (;;) {
        const ssize_t got = ::read(fd, bytes.data(), bytes.size());
        if (got > 0) {
            text.append(bytes.data(), static_cast<size_t>(got));
        } else if (got == 0) {
            return text;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd more{.fd = fd, .events = POLLIN, .revents = 0};
            (void)::poll(&more, 1, -1);
        } else if (errno != EINTR) {
            throw_errno("reading the settings");
        }
    }
}

BridgeSettings settings_in(std::string_view json) {
    try {
        const nlohmann::json object = nlohmann::json::parse(json);
        BridgeSettings settings;
        JetStreamSettings& jetstream = settings.jetstream;
        jetstream.servers = object.at("servers").get<std::vector<std::string>>();
        jetstream.room = object.at("room").get<std::string>();
        jetstream.replicas = object.at("replicas").get<int>();
        jetstream.in_memory = object.at("storage").get<std::string>() == "memory";
        jetstream.bytes_max = object.at("bytes").get<uint64_t>();
        jetstream.credentials = file_of(object, "credentials", "--room-credentials");
        jetstream.authorities = file_of(object, "ca", "--room-ca");
        jetstream.certificate = file_of(object, "certificate", "--room-certificate");
        jetstream.key = file_of(object, "key", "--room-key");
        settings.hang_limit = std::chrono::milliseconds(object.at("hang_limit_ms").get<uint32_t>());
        Exchange::Settings& exchange = settings.exchange;
        exchange.history.lines = object.value("replay_lines", uint64_t{0});
        exchange.history.bytes = object.value("replay_bytes", uint64_t{0});
        exchange.epoch_bytes_max = std::max(jetstream.bytes_max / epochs_held, epoch_bytes_min);
        exchange.under_way_bytes_max =
            object.value("max_bytes_under_way", exchange.under_way_bytes_max);
        return settings;
    } catch (const nlohmann::json::exception& failure) {
        throw std::runtime_error(
            fmt::format("the master's settings cannot be read: {}", failure.what()));
    }
}

} // namespace chatserv
