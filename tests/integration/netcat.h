// The netcats that people use as clients.
#pragma once

#include "tests/harness/endpoint.h"
#include "tests/harness/process.h"

#include <string>
#include <vector>

namespace chatserv::test {

struct Netcat {
    std::string name;    // for messages
    std::string program; // as found on PATH
    // Makes it send end of file to the server when its own input ends, rather than say nothing.
    std::vector<std::string> half_close_options;
};

// OpenBSD's, which is also FreeBSD's and Debian's netcat-openbsd; and ncat of nmap.
[[nodiscard]] Netcat openbsd_netcat();
[[nodiscard]] Netcat ncat();

// "" if it can be used, otherwise why not.
[[nodiscard]] std::string why_unusable(Loop& loop, const Netcat& netcat);

// One user's command line; the options come first.
[[nodiscard]] Command netcat_command(
    const Netcat& netcat, const Endpoint& server, const std::vector<std::string>& options = {});

} // namespace chatserv::test
