// Four clients on two workers, of whom the first worker dies at crash points; and what each of them
// must have read, byte for byte.
#pragma once

#include "shared/segment/crash_point.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

// The path of a build of chatserv that the tests made, by the variable that holds it.
[[nodiscard]] std::string build_named(const char* variable);

// For scenes in which somebody sends faster than this, where the server is told to mind.
inline constexpr std::size_t max_rate_bytes = 65536;
[[nodiscard]] std::string too_fast_line();
[[nodiscard]] std::string flood();

class CrashScene : public testing::Test {
protected:
    struct Person {
        std::unique_ptr<Client> client;
        std::string expected{}; // all that it must have read
    };

    // Users 0 and 2 are served by worker 1, the victim; 1 and 3 by worker 2.
    void open(const std::string& binary, const std::vector<std::string>& options = {});

    // The victim dies when it comes to this point next.
    void arm_victim(CrashPoint point);
    // So does whoever comes to it first.
    void arm_anyone(CrashPoint point);
    // Whoever comes to it first goes round and round there.
    void arm_to_spin(CrashPoint point);
    // Whoever comes to it first does there what its confinement forbids.
    void arm_to_break_out(CrashPoint point);
    // Everybody who comes to it fails, until they are told not to.
    void arm_to_fail(CrashPoint point);
    void disarm_failing(CrashPoint point);
    // Whether somebody has died there.
    [[nodiscard]] bool struck(CrashPoint point) const;

    // Joins, and says so: those who were there before read it.
    void join(const std::string& text);
    // Someone sends this, and all others have to get it. Waits until they have.
    void say(std::size_t person, const std::string& text);
    // Someone says goodbye with an end of file, gets all that is due and is closed.
    void leave(std::size_t person, const std::string& text);
    // Sends so much more than it may that it is told so once, also where its worker dies meanwhile.
    void send_too_fast(std::size_t person);
    void everyone_speaks(const std::string& occasion);

    // Nobody has read more or less than is due, and nobody but who wanted to has left.
    void expect_that_nobody_noticed();
    void stop();

    Loop loop_;
    TemporaryDirectory folder_;
    std::unique_ptr<Server> server_;
    std::vector<Person> people_;
    std::size_t left_ = 0;

private:
    void everyone_but(std::size_t person, const std::string& text);
};

} // namespace chatserv::test
