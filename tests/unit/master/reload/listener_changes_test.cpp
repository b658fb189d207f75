// Which listen sockets a reload opens, keeps and closes.
#include "master/reload/listener_changes.h"

#include "master/clients/listeners.h"
#include "master/ledger/holdings.h"
#include "shared/system/failure.h"
#include "tests/unit/small_ledger.h"

#include <gtest/gtest.h>
#include <string>
#include <sysexits.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {
namespace {

std::vector<ListenAddress> values(const std::vector<std::string>& texts) {
    std::vector<ListenAddress> all;
    for (const std::string& text : texts)
        all.push_back(ListenAddress::parse({{"--listen", EX_USAGE}, text}));
    resolve_listen(all);
    return all;
}

class ListenerChangesTest : public testing::Test {
protected:
    // The server listens there, and its ledger says so.
    void listen(const std::vector<std::string>& texts) {
        present_ = make_listeners(values(texts));
        for (uint32_t index = 0; index < present_.size(); ++index) {
            present_[index].note_number(index);
            Holdings(ledger_).note(Holding::listener, index, present_[index].fd());
        }
    }
    // ... and the service manager has handed over the first of these sockets.
    void note_handed_over() {
        Listener& first = present_.front();
        Listener handed(UniqueFd(::dup(first.fd())), Listener::Origin::handed_over);
        handed.note_number(first.number());
        handed.note_serves(first.serves(), Role::talk, false);
        first = std::move(handed);
    }
    ListenerChanges plan(const std::vector<std::string>& texts) {
        return plan_listeners(present_, values(texts), ledger_);
    }
    std::string refusal_of(const std::vector<std::string>& texts) {
        try {
            (void)plan(texts);
            return "opened";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.exit_status(), EX_UNAVAILABLE);
            return failure.what();
        }
    }
    std::string port() const { return std::to_string(present_.at(0).address().port()); }

    const Ledger ledger_ = small_ledger();
    std::vector<Listener> present_;
};

TEST_F(ListenerChangesTest, AValueThatStaysKeepsItsSockets) {
    listen({"127.0.0.1:0", "localhost:0"});
    const ListenerChanges changes = plan({"localhost:0", "127.0.0.1:0"});
    EXPECT_TRUE(changes.opened.empty());
    EXPECT_TRUE(changes.unwanted.empty());
    EXPECT_EQ(changes.in_force.size(), present_.size());
}

TEST_F(ListenerChangesTest, OpensWhatIsNewAndClosesWhatIsNotWanted) {
    listen({"127.0.0.1:0", "127.0.0.2:0"});
    const ListenerChanges changes = plan({"127.0.0.2:0", "127.0.0.3:0"});
    ASSERT_EQ(changes.opened.size(), 1U);
    EXPECT_EQ(changes.opened[0].number(), 2U) << "the others are noted until they are closed";
    EXPECT_EQ(changes.opened[0].serves(), "127.0.0.3:0");
    EXPECT_EQ(changes.unwanted, std::vector<uint32_t>{0});
    ASSERT_EQ(changes.in_force.size(), 2U);
    EXPECT_EQ(changes.in_force[0].number, 1U);
    EXPECT_EQ(changes.in_force[1].number, 2U);
}

TEST_F(ListenerChangesTest, AnAddressKeepsItsSocketUnderAnotherValue) {
    listen({"127.0.0.1:0"});
    const ListenerChanges changes = plan({port()});
    for (const Listener& listener : changes.opened)
        EXPECT_EQ(listener.address().family(), AF_INET6);
    EXPECT_TRUE(changes.unwanted.empty());
    EXPECT_EQ(changes.in_force[0].number, 0U);
    EXPECT_EQ(changes.in_force[0].serves, port());
}

TEST_F(ListenerChangesTest, AnAddressKeepsItsSocketInAnotherRole) {
    listen({"127.0.0.1:0"});
    const ListenerChanges changes = plan({"listen:127.0.0.1:" + port()});
    EXPECT_TRUE(changes.opened.empty());
    EXPECT_TRUE(changes.unwanted.empty());
    ASSERT_EQ(changes.in_force.size(), 1U);
    EXPECT_EQ(changes.in_force[0].number, 0U);
    EXPECT_EQ(changes.in_force[0].role, Role::listen);
}

TEST_F(ListenerChangesTest, ASocketStaysWhereProxiesConnectFromNowOn) {
    listen({"127.0.0.1:0"});
    const ListenerChanges changes = plan({"speak:proxy:127.0.0.1:" + port()});
    EXPECT_TRUE(changes.opened.empty());
    EXPECT_TRUE(changes.in_force.at(0).proxied);
    EXPECT_EQ(changes.in_force[0].role, Role::speak);
    EXPECT_TRUE(plan({"proxy:127.0.0.9:0"}).in_force.at(0).proxied) << "one that is opened";
}

TEST_F(ListenerChangesTest, AUnixSocketStaysOrGoesWithItsPath) {
    const std::string path = testing::TempDir() + "chatserv-changes-" + std::to_string(::getpid());
    listen({"127.0.0.1:0", "unix:" + path});
    ListenerChanges changes = plan({"127.0.0.1:0", "speak:unix:" + path});
    EXPECT_TRUE(changes.opened.empty());
    EXPECT_TRUE(changes.unwanted.empty());
    EXPECT_EQ(changes.in_force.at(1).role, Role::speak);
    changes = plan({"127.0.0.1:0"});
    EXPECT_EQ(changes.unwanted, std::vector<uint32_t>{1});
    present_.pop_back();
    EXPECT_EQ(::access(path.c_str(), F_OK), -1) << "the file goes with the listener";
}

TEST_F(ListenerChangesTest, ASocketThatWasHandedOverGetsTheRoleOfItsUnitBack) {
    listen({"127.0.0.1:0"});
    note_handed_over();
    present_.front().note_handed_role(Role::listen);
    present_.front().note_serves("speak:127.0.0.1:" + port(), Role::speak, false);
    EXPECT_EQ(plan({}).in_force.at(0).role, Role::listen);
}

TEST_F(ListenerChangesTest, AnAddressThatIsTakenIsRefused) {
    listen({"127.0.0.1:0"});
    const Listener other(*Address::parse("127.0.0.9:0"));
    EXPECT_NE(refusal_of({"127.0.0.8:0", other.address().text()}).find(other.address().text()),
        std::string::npos);
}

TEST_F(ListenerChangesTest, ASocketThatWasHandedOverStays) {
    listen({"127.0.0.1:0", "127.0.0.2:0"});
    note_handed_over();
    const ListenerChanges changes = plan({});
    EXPECT_TRUE(changes.opened.empty());
    EXPECT_EQ(changes.unwanted, std::vector<uint32_t>{1});
    ASSERT_EQ(changes.in_force.size(), 1U);
    EXPECT_EQ(changes.in_force[0].number, 0U);
    EXPECT_EQ(changes.in_force[0].serves, "") << "no value asks for it";
    EXPECT_TRUE(changes.in_force[0].is_handed_over);
}

TEST_F(ListenerChangesTest, AValueCanAskForASocketThatWasHandedOver) {
    listen({"127.0.0.1:0"});
    note_handed_over();
    present_.front().note_serves("", Role::talk, false);
    const std::string value = "127.0.0.1:" + port();
    const ListenerChanges changes = plan({value, "127.0.0.2:0"});
    ASSERT_EQ(changes.opened.size(), 1U);
    EXPECT_TRUE(changes.unwanted.empty());
    ASSERT_EQ(changes.in_force.size(), 2U);
    EXPECT_EQ(changes.in_force[0].serves, value);
    EXPECT_TRUE(changes.in_force[0].is_handed_over);
    EXPECT_FALSE(changes.in_force[1].is_handed_over);
}

TEST_F(ListenerChangesTest, ASocketThatWasHandedOverCanBeInTheWay) {
    listen({"127.0.0.1:0"});
    note_handed_over();
    EXPECT_NE(refusal_of({"0.0.0.0:" + port()}).find("change its socket unit"), std::string::npos);
}

TEST_F(ListenerChangesTest, ASocketOfTheServerItselfCanBeInTheWay) {
    listen({"127.0.0.1:0"});
    EXPECT_NE(refusal_of({"0.0.0.0:" + port()}).find("a restart is needed"), std::string::npos);
}

} // namespace
} // namespace chatserv
