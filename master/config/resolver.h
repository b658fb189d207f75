// Names of hosts: getaddrinfo(3), with a limit to the wait for the name service.
#pragma once

#include "master/config/address.h"
#include "master/start/start_step.h"

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

// Does `lookup(name)` as a step of the start, since getaddrinfo(3) takes no limit: should there be
// no answer in time, the process ends with EX_UNAVAILABLE. `asked_by`: where the name was written.
[[nodiscard]] Resolved look_up_in_time(const std::function<Resolved(const std::string&)>& lookup,
    const std::string& name, const std::string& asked_by, Patience patience = {});

} // namespace chatserv
