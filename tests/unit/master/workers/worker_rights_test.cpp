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
    WorkerRights rights("nobody", true);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::keep_own_rights);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::keep_own_rights)
        << "this process was started before the first one failed";
}

TEST(WorkerRights, AreThoseOfAUserThatAnOptionNames) {
    WorkerRights rights("nobody", false);
    EXPECT_EQ(rights.judge(not_permitted), Verdict::not_the_reason);
}

TEST(WorkerRights, DoNotChangeForOtherFailures) {
    WorkerRights rights("nobody", true);
    EXPECT_EQ(rights.judge(early_exit(std::nullopt)), Verdict::not_the_reason);
    EXPECT_EQ(rights.judge(early_exit(cannot_work(Hindrance::segment, EPERM, "mapping"))),
        Verdict::not_the_reason);
    EXPECT_EQ(rights.judge(early_exit(cannot_work(Hindrance::user, EAGAIN, "becoming user 65534"))),
        Verdict::not_the_reason)
        << "a shortage can pass";
}

} // namespace
} // namespace chatserv
