// Clients move between two workers again and again while they talk, lag behind, are announced a
// second time, and while workers die between two passes. Each client gets every byte of the others
// once, in the order of the log.
#include "tests/harness/seed.h"
#include "tests/oracle/stream_code.h"
#include "tests/unit/worker/lifecycle/two_workers_test.h"

#include "shared/segment/broadcast_log.h"

#include <numeric>
#include <random>
#include <set>

namespace chatserv {
namespace {

constexpr uint32_t talkers = 4;
constexpr int rounds = 40;
constexpr int steps = 2000; // of a round

class RandomMovesTest : public TwoWorkersTest {
protected:
    RandomMovesTest() { std::signal(SIGPIPE, SIG_IGN); }

    void SetUp() override {
        for (uint32_t slot = 0; slot < talkers; ++slot)
            join(slot, slot % 2 == 0 ? entry_0 : entry_1);
    }

    void make_a_step(std::mt19937_64& random) {
        const auto slot = static_cast<uint32_t>(random() % talkers);
        const EntryId entry = random() % 2 == 0 ? entry_0 : entry_1;
        switch (random() % 12) {
        case 0:
            return ask_for(slot);
        case 1:
            return give_all();
        case 2:
            return announce_again(slot);
        case 3:
            return random() % 8 == 0 ? die(entry) : pass(entry);
        case 4:
            return random() % 2 == 0 ? lock_log() : unlock_log();
        case 5:
        case 6:
            return hear(slot, 1 + random() % 20'000);
        case 7:
        case 8:
        case 9:
            return talk(slot, 1 + random() % (random() % 4 == 0 ? 4000 : 20));
        default:
            return pass(entry);
        }
    }

    void end_well() {
        unlock_log();
        for (int turn = 0; turn < 1000 && !all_have_everything(); ++turn) {
            give_all();
            pass(entry_0);
            pass(entry_1);
            for (uint32_t slot = 0; slot < talkers; ++slot)
                hear(slot, 1 << 20);
        }
        for (uint32_t slot = 0; slot < talkers; ++slot) {
            EXPECT_TRUE(published_[slot] == sent_[slot])
                << "of client " << slot << " " << published_[slot].size() << " bytes of "
                << sent_[slot].size() << " are published";
            EXPECT_TRUE(heard_[slot] == due_[slot])
                << "client " << slot << " has heard " << heard_[slot].size() << " bytes of "
                << due_[slot].size();
        }
    }

private:
    // Less than the log holds is under way, so that look_at_log() finds all of it there.
    void talk(uint32_t slot, size_t bytes) {
        if (total(sent_) - total(published_) > log_bytes_min / 2)
            return;
        const std::string text = code_.bytes(slot, sent_[slot].size(), bytes);
        const ssize_t taken = ::write(peers_[slot].get(), text.data(), text.size());
        if (taken > 0)
            sent_[slot] += text.substr(0, static_cast<size_t>(taken));
    }
    void hear(uint32_t slot, size_t bytes_max) {
        std::string text(bytes_max, '\0');
        const ssize_t got = ::read(peers_[slot].get(), text.data(), text.size());
        if (got > 0)
            heard_[slot] += text.substr(0, static_cast<size_t>(got));
    }

    void pass(EntryId entry) {
        serve(entry);
        look_at_log();
        for (const ClientId client : worker(entry).take_report().handed_over)
            handed_over_.insert(index_of(client.slot));
    }
    void ask_for(uint32_t slot) {
        const ClientId client = client_id(slot);
        worker(status(slot).owner).hand_over(std::span(&client, 1));
    }
    void give_all() {
        for (const uint32_t slot : std::exchange(handed_over_, {})) {
            const EntryId from = status(slot).owner;
            const EntryId to = from == entry_0 ? entry_1 : entry_0;
            ASSERT_TRUE(users_.reassign(client_id(slot), from, to));
            send_to(to, slot);
        }
    }
    // A master that has not heard that the client was let go.
    void announce_again(uint32_t slot) {
        if (!handed_over_.contains(slot))
            send_to(status(slot).owner, slot);
    }
    // The successor serves the clients that its predecessor had let go and nobody has taken.
    void die(EntryId entry) {
        std::erase_if(handed_over_, [&](uint32_t slot) { return status(slot).owner == entry; });
        begin_worker(entry);
        look_at_log();
    }

    void look_at_log() {
        const BroadcastLog log(segment_);
        const LogPieces pieces = log.pieces(seen_, log.head());
        for (const std::span<const char> piece : {pieces.first, pieces.second}) {
            for (const char byte : piece) {
                published_[test::sender_of(byte)] += byte;
                for (uint32_t slot = 0; slot < talkers; ++slot)
                    if (slot != test::sender_of(byte))
                        due_[slot] += byte;
            }
        }
        seen_ = log.head();
    }
    [[nodiscard]] bool all_have_everything() const { return published_ == sent_ && heard_ == due_; }

    using Texts = std::array<std::string, talkers>;
    static size_t total(const Texts& texts) {
        return std::accumulate(texts.begin(), texts.end(), size_t{0},
            [](size_t bytes, const std::string& text) { return bytes + text.size(); });
    }

    Texts sent_;
    Texts published_;
    Texts due_; // to this client
    Texts heard_;
    std::set<uint32_t> handed_over_; // slots, as the master was told
    uint64_t seen_ = 0;              // of the log
    test::StreamCode code_{test::base_seed()};
};

class RandomMovesRound : public RandomMovesTest, public testing::WithParamInterface<int> {};

TEST_P(RandomMovesRound, EveryoneHearsEveryByteOfTheOthersOnce) {
    std::mt19937_64 random(test::mixed(test::base_seed() + static_cast<uint64_t>(GetParam())));
    for (int step = 0; step < steps && !HasFatalFailure(); ++step)
        make_a_step(random);
    end_well();
}

INSTANTIATE_TEST_SUITE_P(Rounds, RandomMovesRound, testing::Range(0, rounds));

} // namespace
} // namespace chatserv
