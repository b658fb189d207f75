#include "master/control/control_socket.h"

#include "master/config/start_step.h"
#include "master/control/control_client.h"
#include "master/control/control_events.h"
#include "master/control/control_path.h"
#include "shared/system/failure.h"

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
// Cleaners of /tmp go by the times of a file. The XDG base directory specification asks that they
// be renewed every six hours.
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

constexpr std::chrono::seconds introduction_patience{2};

// Names the server that has the socket at `path`, in words that follow the path. Takes two seconds
// at most.
std::string who_listens_at(const std::string& path) {
    Connecting connecting = connect_at_once(path);
    if (connecting.error == EACCES)
        return "another user's socket is there";
    if (connecting.error != 0)
        return "another server listens there";
    try {
        ControlClient client(path, std::move(connecting.socket));
        const std::string line = client.wait_for("hello", introduction_patience);
        return fmt::format("the chatserv with pid {} listens there", client.greeting_of(line).pid);
    } catch (const Failure&) {
        return "another server listens there, but it does not identify itself";
    }
}

Failure not_available(const std::string& path, int error) {
    const std::string trouble =
        error == EADDRINUSE ? who_listens_at(path) : trouble_at(path, error);
    return {EX_UNAVAILABLE,
        fmt::format("--control \"{}\": {}; choose another path, or none if nobody needs it", path,
            trouble)};
}

constexpr const char* advice = "see whether its file system answers, or choose another --control";

void remove_abandoned_sockets(const Options& options, const Surroundings& surroundings) {
    const StartStep step("looking for control sockets of servers that have ended", advice);
    for (const std::string& folder : control_folders(surroundings))
        remove_abandoned_controls(folder, surroundings.user);
    if (!options.control.empty() && options.control != "none")
        remove_abandoned_controls(folder_of(options.control), surroundings.user);
}

} // namespace

ControlSocket::ControlSocket(std::string path) :
    path_(std::move(path)), socket_(listen_at(path_)) {}

ControlSocket::ControlSocket(std::string path, UniqueFd socket) :
    path_(std::move(path)), socket_{.fd = std::move(socket),
                                .file = identity_of(path_).value_or(FileIdentity{})} {}

void ControlSocket::note_in(const Holdings& holdings) {
    holdings_.emplace(holdings).note(Holding::control_listener, 0, fd());
}

void ControlSocket::adopt_noted(const Holdings& holdings) {
    const int noted = holdings_.emplace(holdings).find(Holding::control_listener, 0);
    if (noted == fd())
        return;
    (void)socket_.fd.release(); // the dead master has closed it
    socket_.fd = UniqueFd(noted);
    socket_.file = identity_of(path_).value_or(socket_.file);
}

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
        // A path that cannot be touched serves all the same.
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
    if (holdings_) // before the caller closes the former one
        holdings_->note(Holding::control_listener, 0, fd());
    events::control_made_anew(path_);
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
    events::control_lost(path_, trouble_at(path_, error));
}

std::unique_ptr<ControlSocket> open_control_socket(const Options& options) {
    const Surroundings surroundings = Surroundings::of_this_process();
    remove_abandoned_sockets(options, surroundings);
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
            throw not_available(path, error);
        events::no_control(path, trouble_at(path, error));
        return nullptr;
    }
}

} // namespace chatserv
