#include "master/control/control_socket.h"

#include "master/commands/server_finder.h"
#include "master/control/control_path.h"
#include "master/start/start_step.h"
#include "shared/system/failure.h"
#include "shared/system/logging.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <system_error>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr std::chrono::seconds look_interval{2};
// Cleaners of /tmp go by the age of a file's times; the XDG base directory specification asks for a
// new one every six hours.
constexpr std::chrono::hours touch_interval{1};

std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// What is wrong with the path, in words that follow it.
std::string trouble_at(const std::string& path, int error) {
    const std::string folder = folder_of(path);
    switch (error) {
    case EISDIR:
        return "is a directory";
    case ENOTSOCK:
        return "is not a socket";
    case EADDRINUSE:
        return "another server listens there";
    case ENAMETOOLONG:
        return "is too long for a socket's path";
    case ENOENT:
        if (!identity_of(folder))
            return fmt::format("there is no folder {}", folder);
        return fmt::format("no socket can be made in {}", folder);
    case ENOTDIR:
        return fmt::format("{} is not a folder", folder);
    case EACCES:
    case EPERM:
        return fmt::format(
            "this user cannot make a socket in {}: {}", folder, std::strerror(error));
    default:
        return fmt::format("cannot listen there: {}", std::strerror(error));
    }
}

Failure not_to_be_had(const std::string& path, int error) {
    const std::string trouble =
        error == EADDRINUSE ? who_listens_at(path) : trouble_at(path, error);
    return {EX_UNAVAILABLE,
        fmt::format("--control \"{}\": {}; choose another path, or none if nobody needs it", path,
            trouble)};
}

constexpr const char* advice = "see whether its file system answers, or choose another --control";

void remove_what_the_dead_left(const Options& options, const Surroundings& surroundings) {
    const StartStep step("looking for control sockets of servers that have ended", advice);
    for (const std::string& folder : control_folders(surroundings))
        remove_abandoned_controls(folder, surroundings.user);
    if (!options.control.empty() && options.control != "none")
        remove_abandoned_controls(folder_of(options.control), surroundings.user);
}

} // namespace

ControlSocket::ControlSocket(std::string path) :
    path_(std::move(path)), socket_(listen_at(path_)) {}

ControlSocket::~ControlSocket() {
    (void)remove_if_still(path_, socket_.file);
}

std::optional<UniqueFd> ControlSocket::look(Clock::time_point now) {
    if (now < next_look_)
        return std::nullopt;
    next_look_ = now + look_interval;
    const auto there = identity_of(path_);
    if (there != socket_.file) {
        if (there && there == occupant_)
            return std::nullopt;
        return make_anew();
    }
    if (now >= next_touch_) {
        next_touch_ = now + touch_interval;
        // A path that cannot be touched is not worse for it.
        (void)::utimensat(AT_FDCWD, path_.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    }
    return std::nullopt;
}

std::optional<UniqueFd> ControlSocket::make_anew() {
    Listening anew = try_to_listen_at(path_);
    if (anew.error != 0) {
        tell_trouble(anew.error);
        return std::nullopt;
    }
    std::swap(socket_, anew.socket);
    log_warning("control_made_anew",
        fmt::format("the control socket {} was removed, so it was made anew", path_),
        {{"path", path_}});
    trouble_told_ = false;
    occupant_.reset();
    return std::move(anew.socket.fd);
}

void ControlSocket::tell_trouble(int error) {
    const bool taken = error == EADDRINUSE || error == EISDIR || error == ENOTSOCK;
    occupant_ = taken ? identity_of(path_) : std::nullopt;
    if (trouble_told_)
        return;
    trouble_told_ = true;
    log_warning("control_lost",
        fmt::format("the control socket {} was removed and cannot be made anew: {}; until it can, "
                    "`chatserv stats` and `chatserv chaos` do not reach this server",
            path_, trouble_at(path_, error)),
        {{"path", path_}});
}

std::unique_ptr<ControlSocket> open_control_socket(const Options& options) {
    const Surroundings surroundings = Surroundings::of_this_process();
    remove_what_the_dead_left(options, surroundings);
    if (options.control == "none")
        return nullptr;
    const bool asked_for = !options.control.empty();
    const std::string path =
        asked_for ? options.control : default_control_path(surroundings, ::getpid());
    try {
        const StartStep step("opening the control socket", advice);
        return std::make_unique<ControlSocket>(path);
    } catch (const std::system_error& failure) {
        const int error = failure.code().value();
        if (asked_for)
            throw not_to_be_had(path, error);
        log_warning("no_control",
            fmt::format("no control socket: {}: {}; `chatserv stats` and `chatserv chaos` cannot "
                        "reach this server",
                path, trouble_at(path, error)));
        return nullptr;
    }
}

} // namespace chatserv
