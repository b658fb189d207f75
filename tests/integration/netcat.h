// The netcat programs that users connect with.
#pragma once

#include "tests/harness/endpoint.h"
#include "tests/harness/process.h"

#include <string>
#include <vector>

namespace chatserv::test {

struct Netcat {
    std::string name;    // for messages
    std::string program; // as found on PATH
    // Make netcat send end of file to the server when its own input ends.
    std::vector<std::string> half_close_options;
};

// OpenBSD's, which is also FreeBSD's and Debian's netcat-openbsd; and ncat of nmap.
[[nodiscard]] Netcat openbsd_netcat();
[[nodiscard]] Netcat ncat();

// Empty if the program can be used, otherwise the reason why not.
[[nodiscard]] std::string why_unusable(Loop& loop, const Netcat& netcat);

// One user's command line; the options come first.
[[nodiscard]] Command netcat_command(
    const Netcat& netcat, const Endpoint& server, const std::vector<std::string>& options = {});

} // namespace chatserv::test
