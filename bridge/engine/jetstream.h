// NATS JetStream as the engine (engine.h).
//
// The library waits in its calls, so two threads make them: one opens sessions and receives, the
// other sends. The process's loop calls the engine's functions alone, and none of them waits for
// the network.
#pragma once

#include "bridge/engine/engine.h"
#include "bridge/engine/mailbox.h"
#include "bridge/engine/nats_session.h"
#include "bridge/engine/session_opening.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chatserv {

class JetStreamEngine : public Engine {
public:
    static constexpr size_t unsent_bytes_max = 2 * 1024 * 1024; // then publish() refuses

    // Why these settings cannot be used, in one line that does not hold a secret; empty: they can.
    [[nodiscard]] static std::string refusal_of(const JetStreamSettings& settings);

    // Does nothing until begin() or replay() is called. Throws std::system_error without
    // descriptors or threads.
    explicit JetStreamEngine(JetStreamSettings settings);
    // Waits for the library's calls to end, which takes some seconds at most.
    ~JetStreamEngine() override;

    [[nodiscard]] bool publish(std::string_view message) override;
    void begin(Beginning beginning) override;
    void replay(uint64_t from) override;
    [[nodiscard]] std::optional<Delivery> take() override { return box_.take(); }
    [[nodiscard]] Link link() const override { return box_.link(); }
    [[nodiscard]] std::optional<std::string> take_warning() override { return box_.take_warning(); }
    [[nodiscard]] int fd() const override { return box_.fd(); }
    void look() override { box_.look(); }

private:
    // What the receiver is to do.
    struct Task {
        Mailbox::Round round = 0; // 0: nothing yet
        StreamPlace place{};
    };

    void deliver_from(const StreamPlace& place);
    void receive();
    void run_session(const Task& task, uint64_t& last);
    [[nodiscard]] NatsSession::Opened open(
        const Task& task, const std::shared_ptr<NatsSession>& session, const StreamPlace& place);
    [[nodiscard]] bool is_current(const Task& task);
    void look_at(const std::string& version);
    void pause(const Task& task);
    void send();
    [[nodiscard]] bool begin_session(const Task& task, const std::shared_ptr<NatsSession>& session);
    void end_session();

    const JetStreamSettings settings_;
    Mailbox box_;

    std::mutex mutex_; // guards what follows
    std::condition_variable changed_;
    Task task_;
    bool ending_ = false;                     // no session is opened any more
    bool ended_ = false;                      // and none is there
    std::shared_ptr<SessionOpening> opening_; // for as long as one is under way
    std::shared_ptr<NatsSession> session_;    // for as long as it delivers
    // Of an earlier round: the sender closes it, as that can take some time.
    std::vector<std::shared_ptr<NatsSession>> closing_;
    std::deque<std::string> unsent_;
    size_t unsent_bytes_ = 0;
    bool refused_ = false; // publish() has refused for want of room since

    std::thread receiver_;
    std::thread sender_;
};

} // namespace chatserv
