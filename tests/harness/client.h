// A TCP client under the test's control: it sends, reads and leaves when told to.
#pragma once

#include "tests/harness/endpoint.h"
#include "tests/harness/loop.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatserv::test {

class Client final : public Loop::Source {
public:
    // Begins to connect. With a `receive_buffer_bytes` other than 0 (SO_RCVBUF) TCP holds little
    // for this client, so that the server soon notices when it does not read. `source` is the IP
    // address to connect from, such as "127.0.0.2" or "[::1]"; otherwise the system chooses.
    Client(Loop& loop, const Endpoint& server, int receive_buffer_bytes = 0,
        const std::string& source = "");
    // Over a connection that is made already; `address` is as the caller wants to find it.
    Client(Loop& loop, UniqueFd connected, std::string address);

    // The address as the server's log prints it.
    [[nodiscard]] const std::string& address() const { return address_; }

    void send(std::string_view bytes) { queue_.append(bytes); }
    [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
    [[nodiscard]] bool is_sent() const { return queue_offset_ == queue_.size(); }

    // Ends the sending side after the queued bytes: the server reads end of file.
    void half_close();
    // Ends both directions with a TCP reset and discards queued bytes.
    void reset();
    // From now on the client's machine answers nothing, as if switched off. Returns false if this
    // system cannot do that.
    [[nodiscard]] bool fall_silent();
    // Calls close(2) at once, as the end of an interrupted program does.
    void close() { fd_.reset(); }

    void pause() { paused_ = true; }
    void resume() { paused_ = false; }
    [[nodiscard]] bool is_paused() const { return paused_; }

    [[nodiscard]] const std::string& received() const { return received_; }
    // A client that has received more ends, with EOVERFLOW: a server that repeats without end must
    // not take all memory.
    static constexpr std::size_t received_bytes_max = 200'000'000;
    // For a client that stays for long.
    void forget_received() { received_.clear(); }
    // True once the server has closed the connection, in whichever way.
    [[nodiscard]] bool ended() const { return ended_; }
    // 0 for end of file, the errno otherwise.
    [[nodiscard]] int end_error() const { return end_error_; }

    void wait_for(std::string_view text);
    void wait_for_bytes(std::size_t count);
    void wait_for_end();

    [[nodiscard]] pollfd interest() const override;
    void ready(short events) override;

private:
    void read_once();
    void write_once();
    void end(int error);

    UniqueFd fd_;
    std::string address_;
    std::string queue_;
    std::size_t queue_offset_ = 0;
    std::uint64_t sent_bytes_ = 0;
    std::string received_;
    bool half_closing_ = false;
    bool paused_ = false;
    bool ended_ = false;
    int end_error_ = 0;
};

} // namespace chatserv::test
