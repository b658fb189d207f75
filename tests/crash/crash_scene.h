// Four clients on two workers. The first worker dies at crash points, and the scene checks what
// each client received, byte for byte.
#pragma once

#include "master/ledger/master_point.h"
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
    // `listens_by_file`: how many addresses the file of --config names; 0: it names none. If it
    // names some, it also says how many workers there are.
    void open(const std::string& binary, const std::vector<std::string>& options = {},
        std::size_t listens_by_file = 0);

    // The victim, or the worker of this number, dies when it comes to this point next.
    void arm_victim(CrashPoint point, std::size_t worker = 1);
    // The victim at `first`, and whoever comes to `point` then; if `first` is none
    // (CrashPoint::count), the victim at `point`.
    void arm(CrashPoint point, CrashPoint first, std::size_t worker = 1);
    // The first process that comes to the point spins there.
    void arm_to_spin(CrashPoint point);
    // The first process that comes to the point makes a forbidden call there.
    void arm_to_break_out(CrashPoint point);
    // Every process that comes to the point fails, until disarm_failing().
    void arm_to_fail(CrashPoint point);
    void disarm_failing(CrashPoint point);
    // The next master that comes to the point dies there.
    void arm_master(MasterPoint point);
    [[nodiscard]] bool struck(MasterPoint point) const;
    // Whether a process has died there.
    [[nodiscard]] bool struck(CrashPoint point) const;

    // Waits until all clients but this one have received `text`.
    void everyone_but(std::size_t person, const std::string& text);
    // A client joins and sends `text`; all clients that were present receive it.
    void join(const std::string& text);
    // Client 1 sends somewhat more than a log of 64 KiB, piece by piece, so that its tail moves.
    void fill_log();
    // After that: a client joins, is sent the last 32 KiB first, and sends `text`.
    void join_with_replay(const std::string& text);
    // A reader resumes at this offset of the log, on the last listener, and has its answer.
    void resume_from(std::size_t offset);
    // It has been sent all that was said since, once.
    void expect_that_the_reader_has_all(std::size_t offset);
    // The client sends `text`. Waits until all others have received it.
    void say(std::size_t person, const std::string& text);
    // The client sends `text` and end of file, receives its backlog and is closed.
    void leave(std::size_t person, const std::string& text);
    // The client reads nothing while client 1 sends more than the log holds, and is disconnected.
    void fall_behind(std::size_t person);
    // The client sends `text`, and is kicked when all others have received it.
    void be_kicked(std::size_t person, const std::string& text);
    // Sends fast enough to be sent one notice, even if its worker dies meanwhile.
    void send_too_fast(std::size_t person);
    virtual void everyone_speaks(const std::string& occasion);
    // The file that --config can name.
    [[nodiscard]] std::string config() const;
    void configure(const std::string& text);
    // Runs `chatserv reload`. Returns what it prints.
    [[nodiscard]] std::string reload();
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
    std::vector<std::string> listen_ = ServerOptions().listen;
    std::vector<Person> people_;
    std::unique_ptr<Client> reader_; // that resumes
    std::string said_;               // by people, in the order of the log
    std::size_t left_ = 0;
    std::size_t behind_ = 0; // disconnected as too slow
    std::size_t kicked_ = 0;
};

} // namespace chatserv::test
