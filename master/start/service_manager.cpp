#include "master/start/service_manager.h"

#include "master/start/start_events.h"
#include "shared/ipc/passed_descriptors.h"
#include "shared/system/whole_number.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fmt/core.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <utility>

namespace chatserv {

namespace {

constexpr std::chrono::seconds status_interval{1};
constexpr std::chrono::milliseconds retry_interval{100};

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// The first byte of an abstract name is zero. Such a name ends where the address ends.
struct SocketAddress {
    sockaddr_un address{};
    socklen_t size = 0;
};

std::optional<SocketAddress> socket_address(std::string_view name) {
    SocketAddress result;
    if (name.size() >= sizeof result.address.sun_path)
        return std::nullopt;
    result.address.sun_family = AF_UNIX;
    std::memcpy(result.address.sun_path, name.data(), name.size());
    const bool is_abstract = name.starts_with('@');
    if (is_abstract)
        result.address.sun_path[0] = '\0';
    result.size = static_cast<socklen_t>(
        offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1));
    return result;
}

// 0, or an errno. The descriptor goes along with the message.
int send_to(
    int socket, std::string_view name, std::string_view message, std::optional<int> descriptor) {
    auto to = socket_address(name);
    if (!to)
        return ENAMETOOLONG;
    iovec piece{const_cast<char*>(message.data()), message.size()};
    DescriptorRoom room;
    msghdr header{};
    header.msg_name = &to->address;
    header.msg_namelen = to->size;
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (descriptor)
        attach_descriptors(header, room, {&*descriptor, 1});
    return ::sendmsg(socket, &header, 0) == -1 ? errno : 0;
}

} // namespace

ServiceManager::Contact ServiceManager::contact_of_environment() {
    Contact contact{.address = std::string(variable("NOTIFY_SOCKET"))};
    if (const auto usec = whole_number<int64_t>(variable("WATCHDOG_USEC")); usec && *usec > 0)
        contact.watchdog = std::chrono::microseconds(*usec);
    return contact;
}

ServiceManager::ServiceManager(Contact contact) : contact_(std::move(contact)) {
    if (contact_.address.empty())
        return;
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM, 0));
    if (!socket_)
        return; // send() says so
    set_close_on_exec(socket_.get(), true);
    set_nonblocking(socket_.get());
}

void ServiceManager::look(const Server& server, Clock::time_point now) {
    if (contact_.address.empty())
        return;
    say_phase(server);
    if (serving_said_) {
        say_status(server, now);
        say_sign_of_life(now);
    }
    if (unsaid_.empty() || now < next_try_)
        return;
    send();
    next_try_ = unsaid_.empty() ? now : now + retry_interval;
}

void ServiceManager::say_phase(const Server& server) {
    if (server.serving && !std::exchange(serving_said_, true))
        unsaid_ += fmt::format("READY=1\nMAINPID={}\n", server.main_process);
    if (server.stopping && !std::exchange(stopping_said_, true))
        unsaid_ += "STOPPING=1\n";
}

void ServiceManager::say_status(const Server& server, Clock::time_point now) {
    status_is_due_ = users_said_ != server.users;
    if (!status_is_due_ || now < next_status_)
        return;
    const auto counted = [](uint32_t count, const char* what) {
        return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
    };
    unsaid_ += fmt::format(
        "STATUS={}, {}\n", counted(server.users, "user"), counted(server.workers, "worker"));
    users_said_ = server.users;
    status_is_due_ = false;
    next_status_ = now + status_interval;
}

void ServiceManager::say_sign_of_life(Clock::time_point now) {
    if (contact_.watchdog.count() == 0 || now < next_sign_of_life_)
        return;
    unsaid_ += "WATCHDOG=1\n";
    next_sign_of_life_ = now + contact_.watchdog / 2;
}

void ServiceManager::send() {
    if (is_sent(unsaid_, std::nullopt))
        unsaid_.clear();
}

// In a datagram of its own: the name is that of every descriptor of the datagram.
bool ServiceManager::send_apart(
    const std::string& message, std::optional<int> descriptor, Clock::time_point now) {
    if (!exists())
        return true;
    if (now < next_try_)
        return false;
    const bool sent = is_sent(message, descriptor);
    if (!sent)
        next_try_ = now + retry_interval;
    return sent;
}

bool ServiceManager::keep(int socket, const std::string& name) {
    return send_apart(fmt::format("FDSTORE=1\nFDNAME={}\n", name), socket, Clock::now());
}

bool ServiceManager::forget(const std::string& name) {
    return send_apart(
        fmt::format("FDSTOREREMOVE=1\nFDNAME={}\n", name), std::nullopt, Clock::now());
}

// A manager that does not read as fast as this is tried again. One that is not there is too: it may
// be starting anew.
bool ServiceManager::is_sent(std::string_view message, std::optional<int> descriptor) {
    const int error =
        socket_ ? send_to(socket_.get(), contact_.address, message, descriptor) : EMFILE;
    if (error == 0)
        return true;
    if (error != EAGAIN && error != ENOBUFS && !std::exchange(trouble_told_, true))
        events::service_manager_unreachable(contact_.address, error);
    return false;
}

std::optional<ServiceManager::Clock::time_point> ServiceManager::next_look() const {
    if (contact_.address.empty())
        return std::nullopt;
    std::optional<Clock::time_point> next;
    const auto no_later_than = [&next](Clock::time_point instant) {
        next = next ? std::min(*next, instant) : instant;
    };
    if (!unsaid_.empty())
        no_later_than(next_try_);
    if (status_is_due_)
        no_later_than(next_status_);
    if (serving_said_ && contact_.watchdog.count() > 0)
        no_later_than(next_sign_of_life_);
    return next;
}

} // namespace chatserv
