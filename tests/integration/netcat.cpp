#include "tests/integration/netcat.h"

namespace chatserv::test {

Netcat openbsd_netcat() {
    // Debian's name for OpenBSD's netcat, in case another netcat has the short name.
    return {"netcat-openbsd", is_installed("nc.openbsd") ? "nc.openbsd" : "nc", {"-N"}};
}

Netcat ncat() {
    return {"ncat", "ncat", {}};
}

std::string why_unusable(Loop& loop, const Netcat& netcat) {
    if (!is_installed(netcat.program))
        return netcat.name + " is not installed (" + netcat.program + " is not on PATH)";
    if (netcat.program == "ncat")
        return "";
    const Finished help = run(loop, {{netcat.program, "-h"}});
    // Other programs named nc lack this option or use it for something else.
    if ((help.output + help.errors).find("hutdown the network socket") == std::string::npos)
        return netcat.program + " is not " + netcat.name + ": it has no -N";
    return "";
}

Command netcat_command(
    const Netcat& netcat, const Endpoint& server, const std::vector<std::string>& options) {
    std::vector<std::string> arguments{netcat.program};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {server.host(), std::to_string(server.port())});
    return {arguments};
}

} // namespace chatserv::test
