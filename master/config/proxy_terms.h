// On what terms the server believes a proxy that says whose connection it passes on.
#pragma once

#include "master/config/network.h"
#include "master/config/options.h"

#include <chrono>
#include <vector>

namespace chatserv {

struct ProxyTerms {
    std::vector<Network> trust{};           // a proxy with an IP address must be in one of them
    std::chrono::milliseconds time_limit{}; // in which the whole header must have come
};

[[nodiscard]] ProxyTerms proxy_terms_of(const Options& options);

// Throws Failure(EX_USAGE) if proxies can connect to an IP address and none is trusted.
void check_proxies(const Options& options);

} // namespace chatserv
