// A host of the test with the real bridge program, on a segment whose master and worker the test
// plays.
#pragma once

#include "shared/system/fd.h"
#include "tests/harness/loop.h"
#include "tests/harness/process.h"
#include "tests/unit/bridge/joined_segment.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

// Where the bridge program of this build is. Throws std::runtime_error if nothing says it.
[[nodiscard]] std::string bridge_program();

class SegmentHost {
public:
    // `settings`: as the bridge is told them (bridge/start.h), without those of which there is only
    // one in a test.
    SegmentHost(Loop& loop, nlohmann::json settings);

    void start_bridge();
    // SIGKILL at this instant; then the master's repair, as DESIGN has it.
    void kill_bridge();
    // Waits for the end of the bridge, which is to come by itself. Its exit status.
    [[nodiscard]] int end_of_bridge();
    void send_signal(int number) const { bridge_->signal(number); }
    void end_lifeline() { lifeline_.first.reset(); }
    [[nodiscard]] pid_t pid() const { return bridge_->pid(); }
    // What all bridges have written to the log.
    [[nodiscard]] std::string log() const;

    // The user says it as soon as there is room.
    void say(std::string_view text) { unsaid_ += text; }
    // What the worker does in a turn: publishes, and reads on.
    void turn();
    // The reader does not read on until it is told to.
    void stall(bool stalls) { stalls_ = stalls; }

    // All that the reader has been sent.
    [[nodiscard]] const std::string& heard() const { return heard_; }
    [[nodiscard]] bool all_is_said() const { return unsaid_.empty(); }
    [[nodiscard]] bool all_has_counted() const { return joined_.all_has_counted(); }
    [[nodiscard]] bool has_joined() const { return joined_.has_joined(); }
    [[nodiscard]] RoomControl& room() const { return joined_.segment.room(); }
    [[nodiscard]] RoomReport& report() const { return room().report; }

private:
    // Keeps the loop awake whenever the worker's doorbell is rung.
    class Bell : public Loop::Source {
    public:
        Bell(Loop& loop, const Doorbell& doorbell) : Source(loop), doorbell_(doorbell) {}
        [[nodiscard]] pollfd interest() const override {
            return {doorbell_.listening_end(), POLLIN, 0};
        }
        void ready(short /*events*/) override { doorbell_.empty_pipe(); }

    private:
        const Doorbell& doorbell_;
    };

    Loop& loop_;
    nlohmann::json settings_;
    JoinedSegment joined_;
    Bell bell_; // the worker's
    FdPair lifeline_;
    std::unique_ptr<Process> bridge_;
    std::string former_logs_;
    std::string unsaid_;
    std::string heard_;
    bool stalls_ = false;
};

// Turns the hosts until the condition holds. Throws std::runtime_error naming `what` when it does
// not.
void run_until(Loop& loop, const std::vector<SegmentHost*>& hosts,
    const std::function<bool()>& condition, std::string_view what);

} // namespace chatserv::test
