// A worker process: its kqueue, its channel to the master, and its loop.
//
// It begins as a spare, attached and idle, and serves nobody until the master gives it an entry of
// the worker table; from then on it serves that entry's clients until it or the master ends. When
// the master is gone, so is the worker: the channel's end tells.
#pragma once

#include "shared/ipc/channel.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/heartbeat.h"
#include "shared/segment/segment.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "worker/service.h"

#include <chrono>
#include <optional>
#include <vector>

namespace chatserv {

// What a worker process inherits from the master.
struct Inheritance {
    UniqueFd channel;
    UniqueFd segment;
    uint32_t seat = 0;             // its place among the heartbeats
    std::vector<FdPair> doorbells; // one per entry: listening end, ringing end
};

class Worker {
public:
    // Throws where the segment is not of this program's making or has no such seat, or the system
    // has no more kqueues.
    explicit Worker(Inheritance inheritance);

    // Works until the master closes the channel.
    void run(Confinement in_force);

private:
    [[nodiscard]] std::chrono::nanoseconds time_to_sleep();
    [[nodiscard]] bool nothing_to_do();
    void handle(const EventQueue::Event& event);
    void handle_timer(uintptr_t ident);
    void handle_channel();
    void handle_message(Message& message);
    void take_entry(uint32_t entry);
    void receive_clients(Message& message);
    void take_log_file(const Message& message);
    void report();
    void flush_channel();

    Segment segment_;
    Heartbeat* heartbeat_;
    std::chrono::nanoseconds beat_interval_;
    Channel channel_;
    std::vector<FdPair> doorbell_pipes_;
    Doorbells doorbells_;
    EventQueue events_;
    std::optional<Doorbell> doorbell_; // with an entry only
    std::optional<Service> service_;   // with an entry only
    bool stop_reading_reported_ = false;
    bool running_ = true;
};

} // namespace chatserv
