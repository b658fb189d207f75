// Four clients on two workers. The first worker dies at crash points, and the scene checks what
// each client received, byte for byte.
#pragma once

#include "shared/segment/crash_point.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

// The path of a test build of chatserv, by the environment variable that holds it.
[[nodiscard]] std::string build_named(const char* variable);

// The --max-rate of scenes in which a client sends faster than that.
inline constexpr std::size_t max_rate_bytes = 65536;
[[nodiscard]] std::string too_fast_line();
[[nodiscard]] std::string flood();

class CrashScene : public testing::Test {
protected:
    struct Person {
        std::unique_ptr<Client> client;
        std::string expected{}; // everything it must have received
    };

    // Users 0 and 2 are served by worker 1, the victim; 1 and 3 by worker 2.
    void open(const std::string& binary, const std::vector<std::string>& options = {});

    // The victim, or the worker of this number, dies when it comes to this point next.
    void arm_victim(CrashPoint point, std::size_t worker = 1);
    // The first process that comes to the point dies there.
    void arm_anyone(CrashPoint point);
    // The first process that comes to the point spins there.
    void arm_to_spin(CrashPoint point);
    // The first process that comes to the point makes a forbidden call there.
    void arm_to_break_out(CrashPoint point);
    // Every process that comes to the point fails, until disarm_failing().
    void arm_to_fail(CrashPoint point);
    void disarm_failing(CrashPoint point);
    // Whether a process has died there.
    [[nodiscard]] bool struck(CrashPoint point) const;

    // Waits until all clients but this one have received `text`.
    void everyone_but(std::size_t person, const std::string& text);
    // A client joins and sends `text`; all clients that were present receive it.
    void join(const std::string& text);
    // The client sends `text`. Waits until all others have received it.
    void say(std::size_t person, const std::string& text);
    // The client sends `text` and end of file, receives its backlog and is closed.
    void leave(std::size_t person, const std::string& text);
    // Sends fast enough to be sent one notice, even if its worker dies meanwhile.
    void send_too_fast(std::size_t person);
    void everyone_speaks(const std::string& occasion);
    // Runs `chatserv drain` for this worker, and waits for its end. Returns what it prints.
    [[nodiscard]] std::string drain(std::size_t worker);
    // The member of `chatserv stats`.
    [[nodiscard]] std::uint64_t users_moved();
    // Worker 1 is drained while a client that moves sends more than one batch.
    void move();
    // Kills worker 1, and looks at its takeover.
    void expect_that_worker_1_has_no_users();

    // The path of the server's control socket.
    [[nodiscard]] std::string control() const;

    // Each client has received exactly its due, and only clients that wanted to leave have left.
    void expect_that_nobody_noticed();
    void stop();

    Loop loop_;
    TemporaryDirectory folder_;
    std::unique_ptr<Server> server_;
    std::vector<Person> people_;
    std::size_t left_ = 0;
};

} // namespace chatserv::test
