// The rights of workers: when they keep the master's, although the default user was meant.
#include "master/workers/worker_rights.h"

#include "tests/unit/master/workers/early_exit.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using Verdict = WorkerRights::Verdict;

const WorkerPool::Exit not_permitted =
    early_exit(cannot_work(Hindrance::user, EPERM, "becoming user 65534"));

TEST(WorkerRights, AreTheMastersWhereTheDefaultUserIsNotPermitted) {
    StandingWords standing{};
    WorkerRights rights("nobody", true, standing);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::keep_own_rights);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::keep_own_rights)
        << "this process was started before the first one failed";
}

TEST(WorkerRights, StayTheMastersWhenItIsReplaced) {
    StandingWords standing{};
    EXPECT_FALSE(WorkerRights("nobody", true, standing).keeps_own());
    EXPECT_EQ(
        WorkerRights("nobody", true, standing).judge(not_permitted), Verdict::keep_own_rights);
    EXPECT_TRUE(WorkerRights("nobody", true, standing).keeps_own());
}

TEST(WorkerRights, AreThoseOfAUserThatAnOptionNames) {
    StandingWords standing{};
    WorkerRights rights("nobody", false, standing);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::not_the_reason);
}

TEST(WorkerRights, DoNotChangeForOtherFailures) {
    StandingWords standing{};
    WorkerRights rights("nobody", true, standing);
    EXPECT_EQ(rights.judge(early_exit(std::nullopt)), Verdict::not_the_reason);
    EXPECT_EQ(rights.judge(early_exit(cannot_work(Hindrance::segment, EPERM, "mapping"))),
        Verdict::not_the_reason);
    EXPECT_EQ(rights.judge(early_exit(cannot_work(Hindrance::user, EAGAIN, "becoming user 65534"))),
        Verdict::not_the_reason)
        << "a shortage can pass";
}

} // namespace
} // namespace chatserv
