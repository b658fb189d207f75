// MW17: the master dies while a proxy announces a client, and so does its successor.
#include "tests/unit/deaths/scene.h"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace chatserv::test {
namespace {

const std::string header = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 9999\r\n";

void send(const UniqueFd& socket, const std::string& bytes) {
    EXPECT_EQ(
        ::write(socket.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

// MW17: whoever dies, the client is the one that was announced, and none of its bytes is lost.
struct Announcement : Scene {
    Announcement() : Scene(2, 0) { master.expect_proxies(); }
    void prepare() override {
        client = master.connect();
        send(client, header + "hello");
    }
    void act() override { master.accept_from_proxy(); }
    void finish(bool /*died*/) override {
        id = master.client_of(*Address::parse("192.0.2.7:4711")).value();
        EXPECT_EQ(held()->peer().text(), "192.0.2.7:4711");
        char bytes[64];
        EXPECT_EQ(::read(held()->socket(), bytes, sizeof bytes), 5);
        EXPECT_EQ(std::string(bytes, 5), "hello");
        let_go();
        EXPECT_EQ(master.counted("accepted"), times);
    }
};

// The header comes in two pieces, and the master dies between them, or with the second.
struct CutAnnouncement : Announcement {
    void prepare() override {
        client = master.connect();
        send(client, header.substr(0, 20));
        is_sent = false;
    }
    void act() override {
        Announcement::act();
        send_rest();
        master.hear_proxies();
    }
    void finish(bool died) override {
        send_rest();
        while (!master.client_of(*Address::parse("192.0.2.7:4711")))
            master.hear_proxies();
        Announcement::finish(died);
    }
    void send_rest() {
        if (!std::exchange(is_sent, true))
            send(client, header.substr(20) + "hello");
    }
    bool is_sent = false;
};

// The client that is announced finds no room.
struct RefusedAnnouncement : Scene {
    RefusedAnnouncement() : Scene(1, 0), occupant(master.connect()) {
        master.accept();
        master.expect_proxies();
    }
    void prepare() override {
        client = master.connect();
        send(client, header);
    }
    void act() override { master.accept_from_proxy(); }
    void finish(bool /*died*/) override {
        EXPECT_EQ(read_to_end(client), "too many users!\n");
        EXPECT_EQ(master.turned_away(), times);
        end_lingering();
    }
    UniqueFd occupant;
};

TEST(AnnouncementDeath, OfOneThatIsThere) {
    play<Announcement>();
    for (const MasterPoint point :
        {MasterPoint::header_noted, MasterPoint::header_read, MasterPoint::header_taken})
        EXPECT_TRUE(deaths_died()[static_cast<size_t>(point)]) << static_cast<int>(point);
}
TEST(AnnouncementDeath, OfOneThatComesInPieces) {
    play<CutAnnouncement>();
}
TEST(AnnouncementDeath, OfOneThatIsRefused) {
    play<RefusedAnnouncement>();
}

} // namespace
} // namespace chatserv::test
