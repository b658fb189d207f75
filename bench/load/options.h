// What a run of the load generator does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace chatserv::bench {

struct LoadOptions {
    uint16_t port = 0;            // on 127.0.0.1
    std::string protocol = "raw"; // or "floor": a server that needs no senders (floor.cpp)
    size_t listeners = 9;
    size_t senders = 1;
    size_t line_bytes = 64;
    size_t write_bytes = 64 * 1024; // of one send(2); a line at the least
    bool all_talk = false; // the senders are among the listeners, where the protocol permits
    size_t stalled = 0;    // connections more, that listen and are not read once the run begins
    int64_t connect_pause_us = 0; // between two connects: for a server whose listen queue is short
    double seconds = 1;
    uint64_t lines_max = 0;      // of all senders together; 0: as many as there is time for
    double lines_per_second = 0; // paced, by the first sender; 0: as fast as the server takes them
};

// How long a server that is far behind is waited for.
constexpr std::chrono::seconds patience{10};

} // namespace chatserv::bench
