// One round of torture of a server with all kinds of doors and sources at once (doors.h), while
// workers are killed or stopped at random instants, or any process of the server is.
//
// All that have a stream send it the whole time. Users of the UNIX socket may be in doubt when
// their worker dies, since no system counts their bytes: such a user is disconnected, the counters
// say so, and another one comes. A reader leaves and resumes again and again. Newcomers are sent
// the last of the conversation first. The process that follows the file is killed too.
#pragma once

#include "tests/crash/doors.h"
#include "tests/crash/household_striker.h"
#include "tests/crash/lasting_control.h"
#include "tests/harness/striker.h"

#include <cstdint>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace chatserv::test {

struct DoorsTortureOptions {
    std::uint64_t strikes = 100;
    bool lines = false;       // --framing line
    bool any_process = false; // the master and the keeper are struck too
};

class DoorsTorture {
public:
    DoorsTorture(Loop& loop, std::uint64_t seed, const DoorsTortureOptions& options);

    // Runs the round to the server's end. Returns everything that a client could have noticed and
    // may not: nothing for a correct server.
    [[nodiscard]] std::vector<std::string> run();

    [[nodiscard]] std::uint64_t struck() const {
        return striker_.killed() + striker_.stopped() + any_.killed() + any_.stopped();
    }
    // How often a reader came back, and how often it was told that something is gone.
    [[nodiscard]] std::uint64_t resumed() const { return resumed_; }
    [[nodiscard]] std::uint64_t gone() const;
    [[nodiscard]] std::uint64_t in_doubt() const { return in_doubt_; }
    [[nodiscard]] std::uint64_t visits() const { return visits_; }
    [[nodiscard]] std::uint64_t files_followed_again() const { return files_followed_again_; }

private:
    void all_come();
    Member& admit(
        const std::string& name, Door door, std::unique_ptr<Client> client, bool speaks = false);
    void local_user_comes();
    void visitors_come_and_go();
    void reader_comes_back();
    void everyone_speaks(std::uint64_t stream_bytes_max);
    void speak_to(Member& member, const std::string& text) const;
    void strike();
    void kill_process_of_file();
    void observe();
    void observe_log();
    [[nodiscard]] bool someone_was_cut() const;
    [[nodiscard]] bool someone_waits_long() const;
    void send_stream_ends();
    [[nodiscard]] bool has_everything(const Member& member) const;
    [[nodiscard]] bool has_everything_of(const Member& member, const Member& writer) const;
    // Why send_stream_ends() waits.
    [[nodiscard]] std::string what_is_missing() const;
    [[nodiscard]] std::vector<std::string> check_books();
    [[nodiscard]] std::vector<std::string> violations() const;

    Loop& loop_;
    std::mt19937_64 random_;
    DoorsTortureOptions options_;
    StreamCode code_;
    Doors doors_;
    LastingControl control_;
    std::deque<Member> members_{};
    Member* file_ = nullptr;
    Member* reader_ = nullptr;
    unsigned streams_ = 0;
    std::size_t log_lines_seen_ = 0;
    std::vector<pid_t> workers_{};   // the last process known of each
    std::set<std::string> joined_{}; // addresses
    Striker striker_{};
    HouseholdStriker any_;
    std::uint64_t connections_ = 0; // that the server took in, sources among them
    std::uint64_t resumed_ = 0;
    std::uint64_t in_doubt_ = 0;
    std::uint64_t visits_ = 0;
    std::uint64_t files_followed_again_ = 0;
};

} // namespace chatserv::test
