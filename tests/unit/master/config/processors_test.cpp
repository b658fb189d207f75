// How many processors the server may run on.
#define _WITH_CPU_SET_T // NOLINT(bugprone-reserved-identifier): processors.cpp

#include "master/config/processors.h"

#include "config.h"

#include <gtest/gtest.h>
#include <thread>
#ifdef HAVE_SCHED_GETAFFINITY
#include <sched.h>
#endif

namespace chatserv {
namespace {

TEST(Processors, AreAtMostThoseOfTheMachine) {
    EXPECT_GE(usable_processors(), 1U);
    EXPECT_LE(usable_processors(), std::thread::hardware_concurrency());
}

#ifdef HAVE_SCHED_GETAFFINITY
TEST(Processors, AreThoseThatTheProcessWasLeft) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (size_t processor = 0; CPU_COUNT(&one) == 0; ++processor)
        if (CPU_ISSET(processor, &before))
            CPU_SET(processor, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_processors(), 1U);
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
    EXPECT_EQ(usable_processors(), static_cast<uint32_t>(CPU_COUNT(&before)));
}
#endif

} // namespace
} // namespace chatserv
