// A worker process: its kqueue, its channel to the master, and its loop.
//
// A worker begins as a spare: it has mapped the segment and serves no client. Once the master has
// given it an entry of the worker table, it serves the clients of that entry until it ends. A
// master can die and be replaced meanwhile; the worker goes on, and gets a new channel
// (master_link.h). The end of the rendezvous tells it that no master will come any more, and then
// the worker ends too.
#pragma once

#include "shared/ipc/channel.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/heartbeat.h"
#include "shared/segment/segment.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "worker/limits/metronome.h"
#include "worker/master_link.h"
#include "worker/relay.h"
#include "worker/tempo.h"

#include <chrono>
#include <optional>
#include <span>
#include <vector>

namespace chatserv {

// What a worker process inherits from the master.
struct Inheritance {
    UniqueFd channel;
    UniqueFd rendezvous;
    UniqueFd segment;
    SeatId seat{};                 // its place among the heartbeats
    std::vector<FdPair> doorbells; // one per entry: listening end, ringing end
};

class Worker {
public:
    // Throws std::runtime_error if the segment was not made by this version of the program or has
    // no such seat, and std::system_error if the system refuses a kqueue or the mapping.
    // `account`: see InDoubt.
    Worker(Inheritance inheritance, SocketAccount account);

    // Works until the master closes the rendezvous.
    void run(Confinement in_force);

private:
    void wait_and_handle();
    [[nodiscard]] bool may_sleep();
    void gather();
    void handle(std::span<const EventQueue::Event> events);
    void handle(const EventQueue::Event& event);
    void handle_timer(uintptr_t ident);
    void handle_rendezvous();
    void handle_channel();
    void handle_message(Message& message);
    void take_entry(EntryId entry);
    void receive_clients(Message& message);
    void take_log_file(const Message& message);
    void take_settings();
    void say_hello();
    void introduce_itself();
    void report();

    Segment segment_;
    RelaySettings settings_; // those that this process has taken last
    Heartbeat* heartbeat_;
    std::chrono::milliseconds beat_interval_;
    SocketAccount account_;
    std::vector<FdPair> doorbell_pipes_;
    Doorbells doorbells_;
    EventQueue events_;
    MasterLink master_;
    Metronome metronome_;
    Tempo tempo_;
    std::optional<Doorbell> doorbell_; // with an entry only
    std::optional<Relay> relay_;       // with an entry only
    Confinement confinement_{};
    EntryId entry_ = no_entry;
    bool stop_reading_reported_ = false;
    bool running_ = true;
};

} // namespace chatserv
