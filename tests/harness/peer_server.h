// A server of the test, which the server under test connects to: over TCP or a UNIX socket.
#pragma once

#include "tests/harness/endpoint.h"
#include "tests/harness/loop.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

// One connection, seen from the peer's side. Its destructor closes it.
class PeerConnection final : public Loop::Source {
public:
    PeerConnection(Loop& loop, UniqueFd fd) : Source(loop), fd_(std::move(fd)) {}

    void send(std::string_view bytes) { queue_.append(bytes); }
    [[nodiscard]] bool is_sent() const { return sent_ == queue_.size(); }
    // Its sending side, once all is sent.
    void end() const;
    void wait_for(std::string_view text);
    void wait_for_end();
    [[nodiscard]] const std::string& received() const { return received_; }
    // The other side has closed the connection, in whichever way.
    [[nodiscard]] bool ended() const { return ended_; }

    [[nodiscard]] pollfd interest() const override;
    void ready(short events) override;

private:
    UniqueFd fd_;
    std::string queue_;
    std::size_t sent_ = 0;
    std::string received_;
    bool ended_ = false;
};

class PeerServer final : public Loop::Source {
public:
    // On a free port of 127.0.0.1.
    explicit PeerServer(Loop& loop);
    // At a path of a UNIX socket.
    PeerServer(Loop& loop, const std::string& path);

    // As --source takes it.
    [[nodiscard]] const std::string& address() const { return address_; }
    // Waits for the next connection.
    std::unique_ptr<PeerConnection> accept();
    UniqueFd accept_fd();
    // One waits to be accepted.
    [[nodiscard]] bool has_connection() const { return !waiting_.empty(); }
    // Connections are refused from now on, until listen() is called.
    void stop_listening() { fd_.reset(); }
    void listen();

    [[nodiscard]] pollfd interest() const override { return {fd_.get(), POLLIN, 0}; }
    void ready(short events) override;

private:
    std::string address_;
    sockaddr_storage where_{};
    socklen_t where_length_ = 0;
    UniqueFd fd_;
    std::vector<UniqueFd> waiting_;
};

} // namespace chatserv::test
