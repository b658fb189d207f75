// What a master makes of an upgrade that a dead process has left in each of its states.
#include "master/ledger/holdings.h"
#include "master/upgrade/upgrading.h"
#include "shared/system/fd.h"
#include "tests/unit/small_ledger.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

constexpr Image former{.number = 0};
constexpr Image next{.number = 1};

class UpgradingTest : public testing::Test {
protected:
    // An upgrade from `former` to `next` has got as far as `state`.
    void leave(UpgradeState state) {
        book_.begin(former);
        book_.enter(state);
    }
    std::optional<UpgradeReport> resume(Image image) {
        Upgrading upgrading(ledger_, image, "/nowhere/chatserv");
        upgrading.resume();
        return upgrading.take_finished();
    }

    const Ledger ledger_ = small_ledger();
    UpgradeBook book_{ledger_};
};

TEST_F(UpgradingTest, EndsAnUpgradeOfWhichTheFormerProgramIsLeft) {
    for (const UpgradeState state : {UpgradeState::trying, UpgradeState::handing_over,
             UpgradeState::proving, UpgradeState::returning}) {
        leave(state);
        const auto finished = resume(Image{.number = book_.number() - 1});
        ASSERT_TRUE(finished) << static_cast<uint32_t>(state);
        EXPECT_TRUE(finished->failed);
        EXPECT_NE(finished->reason, "");
        EXPECT_FALSE(book_.under_way());
    }
}

TEST_F(UpgradingTest, KeepsTheFirstReason) {
    leave(UpgradeState::returning);
    book_.note_reason("it was Tuesday");
    book_.note_reason("it was Wednesday");
    EXPECT_EQ(resume(former)->reason, "it was Tuesday");
}

TEST_F(UpgradingTest, ALongReasonIsCutWhereALineShowsIt) {
    leave(UpgradeState::returning);
    std::string reason(147, 'a');
    book_.note_reason(reason + "\u00e9lan, and more than that");
    EXPECT_EQ(resume(former)->reason, reason + "...") << "there is no half of a character";
    leave(UpgradeState::returning);
    reason.resize(151, 'a');
    book_.note_reason(reason);
    EXPECT_EQ(resume(former)->reason, reason) << "it fits";
}

TEST_F(UpgradingTest, TheNewProgramGoesOnToReplaceTheWorkers) {
    leave(UpgradeState::proving);
    EXPECT_FALSE(resume(next));
    EXPECT_EQ(book_.state(), UpgradeState::replacing);
    EXPECT_FALSE(resume(next)) << "after that master's death";
    Upgrading upgrading(ledger_, next, "");
    upgrading.note_takeover(2.5);
    upgrading.note_takeover(1.5);
    upgrading.advance(Replacing::Verdict::under_way);
    EXPECT_FALSE(upgrading.take_finished());
    upgrading.advance(Replacing::Verdict::complete);
    const auto finished = upgrading.take_finished();
    ASSERT_TRUE(finished);
    EXPECT_FALSE(finished->failed);
    EXPECT_EQ(finished->users_waited_ms, 2.5);
    EXPECT_EQ(finished->workers, 2U);
}

TEST_F(UpgradingTest, IsRefusedWithTheCallersReasonOrWithoutAPath) {
    Upgrading upgrading(ledger_, former, "");
    EXPECT_EQ(upgrading.begin("the server is stopping"), "the server is stopping");
    EXPECT_EQ(upgrading.begin(""), "it is not known by which path the server was started");
    EXPECT_FALSE(book_.under_way());
}

TEST_F(UpgradingTest, AProgramThatIsNotThereFailsTheTrial) {
    Upgrading upgrading(ledger_, former, "/nowhere/chatserv");
    EXPECT_EQ(upgrading.begin(""), std::nullopt);
    EXPECT_EQ(upgrading.begin(""), "an upgrade is under way");
    while (book_.under_way())
        upgrading.look();
    EXPECT_EQ(upgrading.take_finished()->reason, "/nowhere/chatserv: No such file or directory");
}

TEST_F(UpgradingTest, ForgetsFilesThatWereClosedBeforeTheirMasterDied) {
    const Holdings holdings(ledger_);
    const FdPair open = make_pipe();
    int closed = -1;
    {
        const FdPair pair = make_pipe();
        closed = pair.first.get();
    }
    holdings.note(Holding::own_program, 1, closed);
    holdings.note(Holding::worker_program, 1, open.first.get());
    forget_closed_former(ledger_);
    EXPECT_EQ(holdings.find(Holding::own_program, 1), -1);
    EXPECT_EQ(holdings.find(Holding::worker_program, 1), open.first.get());
}

} // namespace
} // namespace chatserv
