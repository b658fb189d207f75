// One connection to a NATS server and one subscription to the room's stream. It is not mended: when
// anything is wrong with it, it is closed, and another one is opened, perhaps to another server. So
// there is one way to begin, which is also the one after a failure, and the library's own
// reconnecting is off.
#pragma once

#include "bridge/engine/engine.h"
#include "bridge/engine/jetstream_settings.h"

#include <cstdint>
#include <memory>
#include <nats/nats.h>
#include <optional>
#include <string>
#include <utility>

namespace chatserv {

// Where a session begins to deliver.
struct StreamPlace {
    uint64_t from = 0;   // the message of this number, or the next one; 0: what is published then
    bool create = false; // the stream, if there is none
};

class NatsSession {
public:
    // Nothing of the network is done yet.
    explicit NatsSession(JetStreamSettings settings) : settings_(std::move(settings)) {}
    ~NatsSession();
    NatsSession(const NatsSession&) = delete;
    NatsSession& operator=(const NatsSession&) = delete;

    // What became of opening it. `delivering`: all is well; otherwise `trouble` says what is not.
    struct Opened {
        LinkState state = LinkState::connecting;
        std::string trouble{};
        std::string version{}; // of the server, if it is known
    };
    // Connects, finds the stream and subscribes. Takes some seconds at most.
    [[nodiscard]] Opened open(const StreamPlace& place);
    // Waits for the next message; nothing when the session is of no use any more.
    [[nodiscard]] std::optional<Delivery> next();
    // What next() has ended for, in words.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    // May be called by other threads while next() waits. Errors end the session, which next() says.
    void publish(const std::string& message);
    void close();

private:
    [[nodiscard]] std::string connect();
    [[nodiscard]] std::string version() const;
    [[nodiscard]] Opened find_stream(bool create);
    [[nodiscard]] natsStatus create_stream(jsErrCode& error);
    [[nodiscard]] natsStatus subscribe(uint64_t from);
    [[nodiscard]] std::string stream() const { return "chatserv-" + settings_.room; }
    [[nodiscard]] std::string subject() const { return "chatserv." + settings_.room; }

    struct Destroy {
        void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }
        void operator()(jsCtx* context) const { jsCtx_Destroy(context); }
        void operator()(natsSubscription* subscription) const {
            natsSubscription_Destroy(subscription);
        }
        void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
        void operator()(jsMsgMetaData* about) const { jsMsgMetaData_Destroy(about); }
    };
    template <typename T>
    using Owned = std::unique_ptr<T, Destroy>;

    const JetStreamSettings settings_;
    std::string trouble_;
    // Destroyed from the last to the first.
    Owned<natsConnection> connection_;
    Owned<jsCtx> context_;
    Owned<natsSubscription> subscription_;
};

} // namespace chatserv
