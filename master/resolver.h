// Names of hosts: getaddrinfo(3), with a limit to the wait for the name service.
#pragma once

#include "master/address.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace chatserv {

struct Resolved {
    std::vector<Address> addresses{}; // each once, with port 0; empty where there is an error
    std::string error{};
};

// Waits for as long as the system does.
[[nodiscard]] Resolved look_up(const std::string& name);

struct Patience {
    std::chrono::milliseconds silent; // after that, `waiting` is called once
    std::chrono::milliseconds limit;  // after that, the name is given up
};

inline constexpr Patience resolve_patience{
    std::chrono::milliseconds(1000), std::chrono::milliseconds(30'000)};

// Does `lookup(name)` in a thread of its own, since getaddrinfo(3) takes no limit. A thread that is
// given up goes on until the process ends; then the server does not start anyway. Where the system
// has no thread left, it waits in this one.
[[nodiscard]] Resolved look_up_in_time(std::function<Resolved(const std::string&)> lookup,
    const std::string& name, Patience patience, const std::function<void()>& waiting);

} // namespace chatserv
