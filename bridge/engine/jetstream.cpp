#include "bridge/engine/jetstream.h"

#include "bridge/engine/nats_options.h"
#include "bridge/engine/server_version.h"

#include <chrono>
#include <csignal>
#include <utility>

namespace chatserv {
namespace {

// Between two sessions. Each tries one server after another, so this is no burden to any.
constexpr std::chrono::milliseconds pause_between{250};

// Signals are for the thread that waits for them, which is the process's first. A thread has the
// mask of the one that starts it, also the library's.
class WithoutSignals {
public:
    WithoutSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    WithoutSignals(const WithoutSignals&) = delete;
    WithoutSignals& operator=(const WithoutSignals&) = delete;

private:
    sigset_t before_{};
};

template <typename Function>
std::thread start_without_signals(Function function) {
    const WithoutSignals without;
    return std::thread(std::move(function));
}

} // namespace

std::string JetStreamEngine::refusal_of(const JetStreamSettings& settings) {
    const WithoutSignals without; // the library starts its own threads at its first use
    return NatsOptions(settings).refusal();
}

JetStreamEngine::JetStreamEngine(JetStreamSettings settings) :
    settings_(std::move(settings)), receiver_(start_without_signals([this] { receive(); })),
    sender_(start_without_signals([this] { send(); })) {}

JetStreamEngine::~JetStreamEngine() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        end_session();
    }
    box_.end();
    receiver_.join();
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    sender_.join();
}

void JetStreamEngine::begin(Beginning beginning) {
    deliver_from({.from = beginning == Beginning::oldest ? 1U : 0U, .create = true});
}

void JetStreamEngine::replay(uint64_t from) {
    deliver_from({.from = from, .create = false});
}

void JetStreamEngine::deliver_from(const StreamPlace& place) {
    const std::lock_guard lock(mutex_);
    task_ = Task{.round = box_.restart(), .place = place};
    end_session();
}

bool JetStreamEngine::publish(std::string_view message) {
    const std::lock_guard lock(mutex_);
    if (!session_)
        return false;
    if (unsent_bytes_ >= unsent_bytes_max) {
        refused_ = true;
        return false;
    }
    unsent_.emplace_back(message);
    unsent_bytes_ += message.size();
    changed_.notify_all();
    return true;
}

void JetStreamEngine::receive() {
    Task task;
    uint64_t last = 0; // of this round
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || task_.round != 0; });
            if (ending_)
                break;
            if (task.round != task_.round)
                last = 0;
            task = task_;
        }
        run_session(task, last);
        pause(task);
    }
    nats_ReleaseThreadMemory();
}

// Until the session, the round or the engine ends.
void JetStreamEngine::run_session(const Task& task, uint64_t& last) {
    const auto session = std::make_shared<NatsSession>(settings_);
    // A stream that has been there is not made anew: what was read would be none of it.
    const StreamPlace place = last == 0 ? task.place : StreamPlace{.from = last, .create = false};
    const NatsSession::Opened opened = open(task, session, place);
    if (opened.state != LinkState::delivering) {
        box_.set_link(task.round, opened.state, opened.trouble);
        return;
    }
    if (!begin_session(task, session))
        return;
    box_.set_link(task.round, LinkState::delivering, "");
    look_at(opened.version);
    std::optional<Delivery> delivery;
    while (is_current(task) && (delivery = session->next())) {
        last = delivery->number;
        if (!box_.put(task.round, std::move(*delivery)))
            break;
    }
    {
        const std::lock_guard lock(mutex_);
        if (session_ == session)
            end_session();
    }
    box_.set_link(task.round, LinkState::connecting, session->trouble());
}

NatsSession::Opened JetStreamEngine::open(
    const Task& task, const std::shared_ptr<NatsSession>& session, const StreamPlace& place) {
    std::shared_ptr<SessionOpening> opening;
    {
        const std::lock_guard lock(mutex_);
        if (ending_ || task_.round != task.round)
            return {};
        opening = opening_ = SessionOpening::start(session, place);
    }
    NatsSession::Opened opened = opening->wait();
    const std::lock_guard lock(mutex_);
    opening_ = nullptr;
    return opened;
}

void JetStreamEngine::look_at(const std::string& version) {
    if (is_older(version, sound_version))
        box_.warn("a server of the room is nats-server " + version + ": below " +
                  std::string(sound_version) +
                  " a stream can lose what it held when servers are killed, and the room then ends "
                  "on the hosts that notice; upgrade the servers");
}

bool JetStreamEngine::is_current(const Task& task) {
    const std::lock_guard lock(mutex_);
    return !ending_ && task_.round == task.round;
}

void JetStreamEngine::pause(const Task& task) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(
        lock, pause_between, [this, &task] { return ending_ || task_.round != task.round; });
}

// From now on publish() takes messages. False: the session is of no use any more.
bool JetStreamEngine::begin_session(const Task& task, const std::shared_ptr<NatsSession>& session) {
    const std::lock_guard lock(mutex_);
    if (ending_ || task_.round != task.round)
        return false;
    session_ = session;
    return true;
}

// The lock is held. What was not sent is published again from what has counted.
void JetStreamEngine::end_session() {
    if (opening_)
        opening_->give_up();
    if (session_)
        closing_.push_back(std::move(session_));
    session_ = nullptr;
    unsent_.clear();
    unsent_bytes_ = 0;
    changed_.notify_all();
}

void JetStreamEngine::send() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ended_ || !closing_.empty() || !unsent_.empty(); });
        if (!closing_.empty()) {
            const auto sessions = std::exchange(closing_, {});
            lock.unlock();
            for (const auto& session : sessions)
                session->close();
            lock.lock();
        } else if (!unsent_.empty()) {
            const std::shared_ptr<NatsSession> session = session_;
            const std::string message = std::move(unsent_.front());
            unsent_.pop_front();
            unsent_bytes_ -= message.size();
            if (std::exchange(refused_, false))
                box_.ring();
            lock.unlock();
            session->publish(message);
            lock.lock();
        } else {
            break;
        }
    }
    nats_ReleaseThreadMemory();
}

} // namespace chatserv
