// What an administrator could do to the stream of a room, or ask of it.
#pragma once

#include <cstdint>
#include <memory>
#include <nats/nats.h>
#include <string>
#include <vector>

namespace chatserv::test {

class StreamControl {
public:
    // Throws std::runtime_error if no server is to be reached.
    StreamControl(const std::vector<std::string>& servers, const std::string& room);

    // Name of the server that leads the stream; empty if none is known.
    [[nodiscard]] std::string leader() const;
    // The number of the last message; 0 without a stream.
    [[nodiscard]] uint64_t last() const;
    // Throw std::runtime_error.
    void purge() const;
    void remove() const;
    // As another program would, that knows nothing of chatserv.
    void publish(const std::string& message) const;

private:
    struct Destroy {
        void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }
        void operator()(jsCtx* context) const { jsCtx_Destroy(context); }
    };

    std::string stream_;
    std::string subject_;
    std::unique_ptr<natsConnection, Destroy> connection_;
    std::unique_ptr<jsCtx, Destroy> context_;
};

} // namespace chatserv::test
