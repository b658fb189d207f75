// A master that replaces the channels of all its workers again and again, at random, as a successor
// does once: at the ends of its turns, when messages are on their way in both directions.
//
// CHATSERV_TEST_RENEWALS_IN is the average number of turns from one renewal to the next. At the end
// the program says how many there were.
#include "master/workers/workforce.h"
#include "tests/harness/seed.h"

#include <cstdint>
#include <cstdio>
#include <random>

namespace chatserv::test {
namespace {

class Renewals {
public:
    void look(Workforce& workforce) {
        if (workforce.empty()) // the server ends
            return say();
        if (turns_ == 0 || random_() % turns_ != 0)
            return;
        workforce.renew_channels();
        ++count_;
    }

private:
    void say() const {
        std::fprintf(stderr, "channels renewed: %llu\n", static_cast<unsigned long long>(count_));
    }

    uint64_t turns_ = number_from_environment("CHATSERV_TEST_RENEWALS_IN", 0);
    std::mt19937_64 random_{number_from_environment("CHATSERV_TEST_SEED", 1)};
    uint64_t count_ = 0;
};

} // namespace
} // namespace chatserv::test

// The linker leads Workforce::end_turn() here.
extern "C" void __real__ZN8chatserv9Workforce8end_turnEv(chatserv::Workforce* workforce);
extern "C" void __wrap__ZN8chatserv9Workforce8end_turnEv(chatserv::Workforce* workforce) {
    static chatserv::test::Renewals renewals;
    __real__ZN8chatserv9Workforce8end_turnEv(workforce);
    renewals.look(*workforce);
}
