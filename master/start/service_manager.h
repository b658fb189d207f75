// What the server says to the service manager that has started it, as systemd hears it: datagrams
// to the socket that $NOTIFY_SOCKET names, sd_notify(3). Without that variable nothing is said.
//
// Every master speaks for the whole server, so the service has NotifyAccess=all. Its main process
// is the keeper: each master says which one that is, because the one before may have died with it.
#pragma once

#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace chatserv {

class ServiceManager {
public:
    using Clock = std::chrono::steady_clock;

    struct Contact {
        // The path of a UNIX datagram socket, or '@' and an abstract name (unix(7)); empty for
        // none.
        std::string address{};
        // The manager ends a service that is silent for this long: sd_watchdog_enabled(3). Zero if
        // it does not.
        std::chrono::microseconds watchdog{0};
    };
    // $NOTIFY_SOCKET and $WATCHDOG_USEC. $WATCHDOG_PID is not looked at: it names the keeper, or
    // one before it.
    [[nodiscard]] static Contact contact_of_environment();

    explicit ServiceManager(Contact contact);

    struct Server {
        pid_t main_process;
        bool serving; // or it was, before it began to stop
        bool stopping;
        uint32_t users;
        uint32_t workers;
    };
    // To be called in each turn of the loop. Says what is due: that the server serves or stops,
    // that it is alive, how many users it has if that has changed (once a second at most), and what
    // could not be said before. Never waits. The log has a line when the manager cannot be reached,
    // once.
    void look(const Server& server, Clock::time_point now = Clock::now());
    // The manager keeps a copy of the socket until the next start, and hands it over by this name:
    // sd_pid_notify_with_fds(3), FDSTORE=1. How many it keeps, its FileDescriptorStoreMax= says. To
    // say this of the same socket again is of no importance. False if it could not be said now:
    // then it is to be said in a later turn. Never waits.
    [[nodiscard]] bool keep(int socket, const std::string& name);
    // The manager closes its copies of this name: FDSTOREREMOVE=1. As keep().
    [[nodiscard]] bool forget(const std::string& name);
    // Whether there is a manager.
    [[nodiscard]] bool exists() const { return !contact_.address.empty(); }

    // When look() has to be called at the latest; nothing if that does not matter.
    [[nodiscard]] std::optional<Clock::time_point> next_look() const;

private:
    void say_phase(const Server& server);
    void say_status(const Server& server, Clock::time_point now);
    void say_sign_of_life(Clock::time_point now);
    void send();
    [[nodiscard]] bool send_apart(
        const std::string& message, std::optional<int> descriptor, Clock::time_point now);
    [[nodiscard]] bool is_sent(std::string_view message, std::optional<int> descriptor);

    Contact contact_;
    UniqueFd socket_{};
    std::string unsaid_{}; // lines, each with its end
    bool serving_said_ = false;
    bool stopping_said_ = false;
    bool trouble_told_ = false;
    std::optional<uint32_t> users_said_{};
    bool status_is_due_ = false;
    Clock::time_point next_status_{};
    Clock::time_point next_sign_of_life_{};
    Clock::time_point next_try_{};
};

} // namespace chatserv
