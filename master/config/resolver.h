// Looks up host names with getaddrinfo(3), with a limit to the wait for the name service.
#pragma once

#include "master/config/address.h"
#include "master/config/start_step.h"

#include <functional>
#include <string>
#include <vector>

namespace chatserv {

struct Resolved {
    std::vector<Address> addresses{}; // each once, with port 0; empty after an error
    std::string error{};
};

// Waits as long as getaddrinfo(3) does.
[[nodiscard]] Resolved look_up(const std::string& name);

// Calls `lookup(name)` as a step of the start, because getaddrinfo(3) takes no time limit. If there
// is no answer in time, the process ends with EX_UNAVAILABLE. `asked_by`: the option that contains
// the name.
[[nodiscard]] Resolved look_up_in_time(const std::function<Resolved(const std::string&)>& lookup,
    const std::string& name, const std::string& asked_by, Patience patience = {});

} // namespace chatserv
