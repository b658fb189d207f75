// The master dies at every master point of every transition, and so does its successor; the next
// one completes what they began. Each scene is gone through once for every pair of deaths, in one
// server.
#include "tests/unit/deaths/scene.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

void reset(UniqueFd& socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
}

// W, MW1 to MW5: no point is before accept(2), so whoever dies, the newcomer is in at once.
struct Admission : Scene {
    Admission() : Scene(2, 0) {}
    void prepare() override { client = master.connect(); }
    void act() override { master.accept(); }
    void finish(bool /*died*/) override {
        const auto found = master.client_of(client);
        ASSERT_TRUE(found);
        id = *found;
        EXPECT_EQ(id.slot, slot_0);
        EXPECT_EQ(master.counted("accepted"), times);
        const UserSlot& slot = master.segment().users[slot_0];
        EXPECT_EQ(status_of(slot).state, SlotState::assigned);
        EXPECT_EQ(slot.accounted, 1);
        EXPECT_EQ(::write(held()->socket(), "x", 1), 1);
        char byte = 0;
        EXPECT_EQ(::read(client.get(), &byte, 1), 1);
        let_go();
        EXPECT_EQ(read_to_end(client), "");
    }
};

// MW6.
struct Refused : Scene {
    Refused() : Scene(1, 0), occupant(master.connect()) { master.accept(); }
    void prepare() override { client = master.connect(); }
    void act() override { master.accept(); }
    void finish(bool /*died*/) override {
        EXPECT_EQ(read_to_end(client), "too many users!\n");
        EXPECT_EQ(master.turned_away(), times);
        EXPECT_TRUE(master.client_of(occupant));
        EXPECT_FALSE(master.book().lingering_close().empty()) << "its peer has not closed";
        end_lingering();
    }
    UniqueFd occupant;
};

// MW7.
struct Release : Scene {
    Release() : Scene(2, 0) {}
    void prepare() override {
        admit();
        talk();
    }
    void act() override { master.book().release_client(id, end_of_file); }
    void finish(bool /*died*/) override {
        let_go(); // its worker says it again
        EXPECT_EQ(read_to_end(client), "");
        EXPECT_EQ(master.left(), times);
        expect_bytes_of_departed();
    }
};

// MW7, then MW6.
struct Dismissal : Scene {
    Dismissal() : Scene(2, 0) {}
    void prepare() override {
        admit();
        talk();
    }
    void act() override { master.book().release_client(id, idle); }
    void finish(bool /*died*/) override {
        if (held() != nullptr)
            master.book().release_client(id, idle);
        EXPECT_EQ(read_to_end(client), "idle for too long!\n");
        EXPECT_EQ(master.left(), times);
        expect_bytes_of_departed();
        end_lingering();
    }
};

struct Reassignment : Scene {
    Reassignment() : Scene(2, 0) {}
    void prepare() override {
        admit();
        master.segment().users.hand_over(id, 0);
    }
    void act() override { EXPECT_TRUE(master.book().escrow().reassign(id, entry_1)); }
    void finish(bool /*died*/) override {
        if (held()->entry() == entry_0)
            act();
        EXPECT_EQ(held()->entry(), entry_1);
        EXPECT_EQ(status_of(master.segment().users[id.slot]).state, SlotState::handed_over);
        master.check();
        let_go();
    }
};

struct Throttling : Scene {
    Throttling() : Scene(2, 0) {}
    void prepare() override { admit(); }
    void act() override { master.book().note_throttled(id, *held()); }
    void finish(bool /*died*/) override {
        act(); // its worker says it again
        EXPECT_EQ(master.counted("throttled"), times);
        let_go();
    }
};

// A connection that its peer has reset before it was accepted. Some systems give it all the same,
// others pass it over; then it is the next one that comes.
struct Gone : Scene {
    Gone() : Scene(2, 0) {}
    void prepare() override {
        UniqueFd gone = master.connect();
        reset(gone);
        client = master.connect();
    }
    void act() override { master.accept(); }
    void finish(bool /*died*/) override {
        while (master.any_waits())
            master.accept();
        EXPECT_TRUE(master.client_of(client));
        while (!master.members().empty())
            master.book().release_client(master.members().front(), end_of_file);
    }
};

// A newcomer that is dropped, since the server stops.
struct Drop : Scene {
    Drop() : Scene(2, 0) {}
    void prepare() override {
        client = master.connect();
        (void)master.book().newcomers().note(master.listener().accept());
    }
    void act() override { master.book().newcomers().drop_all(); }
    void finish(bool /*died*/) override {
        if (const auto judged = master.client_of(client)) // by a successor that goes on
            master.book().release_client(*judged, end_of_file);
        EXPECT_EQ(read_to_end(client), "");
    }
};

// A connection on its last line ends.
struct EndOfLingering : Scene {
    EndOfLingering() : Scene(2, 0) {}
    void prepare() override {
        admit();
        master.book().release_client(id, idle);
    }
    void act() override { end_lingering(); }
    void finish(bool /*died*/) override {
        end_lingering();
        for (const LingeringRecord& record : master.ledger().lingering())
            EXPECT_EQ(number_of(record.socket), -1);
    }
};

// The master closes a connection on its last line, to have its descriptor. Its peer is still there;
// nobody may take it for a newcomer.
struct ForcedEndOfLingering : Scene {
    ForcedEndOfLingering() : Scene(2, 0) {}
    void prepare() override {
        admit();
        master.book().release_client(id, idle);
    }
    void act() override { EXPECT_TRUE(master.book().lingering_close().close_oldest()); }
    void finish(bool /*died*/) override {
        (void)master.book().lingering_close().close_oldest();
        EXPECT_TRUE(master.book().lingering_close().empty());
        EXPECT_EQ(read_to_end(client), "idle for too long!\n");
        EXPECT_FALSE(master.client_of(client));
        EXPECT_EQ(master.counted("accepted"), times);
    }
};

TEST(MasterDeath, OfAnAdmission) {
    play<Admission>();
}
TEST(MasterDeath, OfARefusal) {
    const uint64_t told_before = told()["turned_away"];
    play<Refused>();
    EXPECT_GT(told()["turned_away"], told_before);
}
TEST(MasterDeath, OfARelease) {
    play<Release>();
}
TEST(MasterDeath, OfADismissal) {
    play<Dismissal>();
}
TEST(MasterDeath, OfAReassignment) {
    play<Reassignment>();
}
TEST(MasterDeath, OfAThrottling) {
    play<Throttling>();
}
TEST(MasterDeath, OfANewcomerThatIsGone) {
    play<Gone>();
}
TEST(MasterDeath, OfADrop) {
    play<Drop>();
}
TEST(MasterDeath, OfTheEndOfALastLine) {
    play<EndOfLingering>();
}
TEST(MasterDeath, OfAForcedEndOfALastLine) {
    play<ForcedEndOfLingering>();
}

// All scenes together come to every point of a client's connection.
TEST(MasterDeath, HasBeenDiedAtEveryPoint) {
    play<Admission>();
    play<Refused>();
    play<Release>();
    play<Dismissal>();
    play<Reassignment>();
    play<Throttling>();
    play<Gone>();
    play<Drop>();
    play<EndOfLingering>();
    play<ForcedEndOfLingering>();
    for (size_t point = 0; point <= static_cast<size_t>(MasterPoint::client_marked); ++point)
        EXPECT_TRUE(deaths_died()[point]) << "point " << point;
}

} // namespace
} // namespace chatserv::test
