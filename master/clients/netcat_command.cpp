#include "master/clients/netcat_command.h"

#include <fmt/core.h>

namespace chatserv {

std::string netcat_command(const Address& listening) {
    if (listening.is_unix())
        return "nc -U " + listening.path();
    const std::string address = listening.text();
    const size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host == "0.0.0.0")
        host = "127.0.0.1";
    else if (host == "[::]")
        host = "::1";
    else if (host.starts_with('['))
        host = host.substr(1, host.size() - 2);
    return fmt::format("nc {} {}", host, address.substr(colon + 1));
}

} // namespace chatserv
