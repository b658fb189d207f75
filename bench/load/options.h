// The options of a run of the load generator.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chatserv::bench {

struct LoadOptions {
    // On 127.0.0.1. Of several ports, each connection goes to the one after the last one's: the
    // servers of a room on several hosts.
    std::vector<uint16_t> ports{};
    std::string protocol = "raw"; // or "floor": a server that needs no senders (floor.cpp)
    size_t listeners = 9;
    size_t senders = 1;
    size_t line_bytes = 64;
    size_t write_bytes = 64 * 1024; // per send(2); at least one line
    bool all_talk = false;          // the senders listen too, if the protocol permits it
    size_t stalled = 0;             // additional listeners that do not read once the run begins
    int64_t connect_pause_us = 0;   // between two connects, for a server with a short listen queue
    double warm_up_seconds = 0;     // of the same load before the run; it is not measured
    double seconds = 1;
    uint64_t lines_max = 0;      // from all senders together; 0: as many as the time permits
    double lines_per_second = 0; // sent by the first sender; 0: as fast as the server takes them
};

// How long the generator waits for a server that is far behind.
constexpr std::chrono::seconds patience{10};

} // namespace chatserv::bench
