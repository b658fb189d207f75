// What a service manager is told of the listen sockets, and the copies of them that it gets.
#include "master/clients/handed_listeners.h"
#include "master/clients/listener_store.h"
#include "tests/harness/datagram_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace chatserv {
namespace {

using testing::UnorderedElementsAre;

class ListenerStoreTest : public testing::Test {
protected:
    static std::string kept(const Listener& listener) {
        return "FDSTORE=1\nFDNAME=" + name_in_store(listener) + "\n";
    }
    static std::string forgotten(const std::string& name) {
        return "FDSTOREREMOVE=1\nFDNAME=" + name + "\n";
    }

    ListenerStoreTest() {
        listeners_.emplace_back(Address::loopback(AF_INET, 0));
        listeners_.emplace_back(Address::loopback(AF_INET, 0));
    }

    void look() { store_.look(listeners_, manager_); }

    test::DatagramListener socket_;
    ServiceManager manager_{{.address = socket_.path()}};
    std::vector<Listener> listeners_;
    ListenerStore store_{{}};
};

TEST_F(ListenerStoreTest, KeepsACopyOfEachSocket) {
    look();
    for (const Listener& listener : listeners_) {
        const test::DatagramListener::Heard heard = socket_.hear();
        EXPECT_EQ(heard.text, kept(listener));
        EXPECT_EQ(Address::of_socket(heard.descriptor.get()).text(), listener.address().text());
    }
    look();
    EXPECT_EQ(socket_.hear().text, "") << "it is said once";
}

TEST_F(ListenerStoreTest, FollowsTheListOfSockets) {
    look();
    (void)socket_.hear();
    (void)socket_.hear();
    const std::string gone = name_in_store(listeners_.front());
    listeners_.erase(listeners_.begin());
    listeners_.emplace_back(Address::loopback(AF_INET, 0));
    look();
    EXPECT_EQ(socket_.hear().text, kept(listeners_.back()));
    EXPECT_EQ(socket_.hear().text, forgotten(gone));
    EXPECT_EQ(socket_.hear().text, "");
}

TEST_F(ListenerStoreTest, ForgetsWhatAnEarlierServerHadAndThisOneDoesNotUse) {
    store_ = ListenerStore({name_in_store(listeners_.back()), "chatserv-listener-127.0.0.1_1"});
    look();
    EXPECT_EQ(socket_.hear().text, kept(listeners_.front()));
    EXPECT_EQ(socket_.hear().text, forgotten("chatserv-listener-127.0.0.1_1"));
    EXPECT_EQ(socket_.hear().text, "") << "the other one is kept already";
}

// In any order: the pause after a failure can end between one socket and the next.
TEST_F(ListenerStoreTest, SaysLaterWhatCouldNotBeSaid) {
    socket_.end();
    look();
    socket_.begin();
    const auto patience = ServiceManager::Clock::now() + std::chrono::minutes(1);
    std::vector<std::string> heard;
    while (heard.size() < listeners_.size() && ServiceManager::Clock::now() < patience) {
        look();
        if (std::string text = socket_.hear().text; !text.empty())
            heard.push_back(std::move(text));
    }
    EXPECT_THAT(heard, UnorderedElementsAre(kept(listeners_.front()), kept(listeners_.back())));
}

TEST(ListenerStore, SaysNothingWithoutAManager) {
    ServiceManager none({.address = ""});
    std::vector<Listener> listeners;
    listeners.emplace_back(Address::loopback(AF_INET, 0));
    ListenerStore store({"chatserv-listener-127.0.0.1_1"});
    store.look(listeners, none);
    EXPECT_FALSE(none.exists());
}

} // namespace
} // namespace chatserv
