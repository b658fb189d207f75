// What the administrator says of a room on NATS. Secrets are held as contents, not as paths: their
// files are read before the process gives up the rights to read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv {

struct JetStreamSettings {
    // nats://[USER:PASSWORD@]HOST[:PORT] or tls://...; one of them is tried after another.
    std::vector<std::string> servers{};
    std::string room{};                      // letters, digits, - and _; names stream and subject
    int replicas = 1;                        // of a stream that does not exist yet: 1, 3 or 5
    bool in_memory = false;                  // ... instead of in files
    uint64_t bytes_max = 1024 * 1024 * 1024; // ... which then drops what is oldest

    // A user's token and seed, as the tools of NATS write them into one file; empty: none.
    std::string credentials{};
    // PEM. Certificates by which servers are known, instead of the system's; empty: none.
    std::string authorities{};
    // PEM. This client's certificate and its key; empty: none.
    std::string certificate{};
    std::string key{};
};

} // namespace chatserv
