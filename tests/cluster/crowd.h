// People on the hosts of a room, each of whom sends a position-coded stream: what each of them must
// get from all others, on whichever hosts, follows from what was sent.
//
// What is published on one host reaches the others later. So a person's beginning and end are
// compared only with what others on its own host had at those moments; the order is compared over
// all hosts.
#pragma once

#include "tests/cluster/room.h"
#include "tests/harness/client.h"
#include "tests/oracle/tally.h"
#include "tests/oracle/transcript.h"

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace chatserv::test {

class Crowd {
public:
    Crowd(Loop& loop, Room& room, std::uint64_t seed);

    // The first senders_max of all have a stream, all others listen. A slow one has small buffers.
    void invite(std::size_t host, bool slow = false);
    // Until all who were invited are served.
    void wait_until_joined();
    // Those who have joined and sent what they had to send so far send more, if they have sent less
    // than so many bytes.
    static constexpr std::uint64_t bytes_at_once_max = 16 * 1024;
    void speak(std::uint64_t stream_bytes_max, std::mt19937_64& random);
    // Those of them that are there have sent all of that.
    [[nodiscard]] bool has_queued(std::uint64_t stream_bytes) const;
    // All who stay have all that those who stay have sent to the end of their streams so far.
    [[nodiscard]] bool has_delivered() const;
    // How many are there and not about to leave.
    [[nodiscard]] std::size_t present() const;
    // Half-closes, closes or resets, as it comes. The first `stay` never leave.
    void somebody_leaves(std::size_t stay, std::mt19937_64& random);
    void half_close(std::size_t person);
    // One of the slow reads no more, or reads again.
    void pause_or_resume(std::mt19937_64& random);

    // Notes what has happened.
    void observe();
    // All who leave are gone, and those who stay send the ends of their streams and get each
    // other's. Ends early if somebody was cut off.
    void settle();
    // Somebody was disconnected who has not left, on a host that goes on; or waits for half of
    // `patience` to be served.
    [[nodiscard]] bool someone_was_cut() const;

    // By all on this host together.
    [[nodiscard]] std::uint64_t received_bytes_on(std::size_t host) const;
    [[nodiscard]] std::uint64_t received_bytes() const;
    [[nodiscard]] Client& client(std::size_t person) const { return *people_[person].client; }
    [[nodiscard]] std::size_t size() const { return people_.size(); }
    // What a person could have noticed: nothing if all is well. Those of hosts that have ended are
    // not asked, and what they sent last may be lost. Called once, at the end.
    [[nodiscard]] std::vector<std::string> violations();

private:
    struct Person {
        std::size_t host = 0;
        std::unique_ptr<Client> client{};
        Session session{};
        Tally tally{};
        std::uint64_t queued_bytes = 0;
        std::chrono::steady_clock::time_point invited = std::chrono::steady_clock::now();
        bool slow = false;
        bool joined = false;
        bool leaving = false; // has begun to
        bool gone = false;    // and is
    };

    [[nodiscard]] bool lives(const Person& person) const;
    [[nodiscard]] std::size_t staying_on(std::size_t host) const;
    void note_joins();
    void send(Person& person, std::uint64_t bytes);
    [[nodiscard]] std::vector<PerSender> delivered_on(std::size_t host) const;

    Loop& loop_;
    Room& room_;
    StreamCode code_;
    std::vector<Person> people_;
    std::vector<std::size_t> lines_seen_;       // by host, of its log
    std::vector<std::set<std::string>> joined_; // by host, addresses
};

} // namespace chatserv::test
