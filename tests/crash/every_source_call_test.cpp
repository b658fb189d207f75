// The process of a source that is a peer is killed before and after the system calls of its life,
// and the next one goes on. What is demanded differs:
//
//   UNIX socket   the connection ends with the process. What users get of it, and what it gets, is
//                 without gaps and in order, and at most its last bytes are missing
//   TCP           once the process has passed the connection on, nobody notices its death. Before
//                 that the connection ends, and nothing of it was relayed
#include "tests/crash/source_kill_test.h"

namespace chatserv::test {
namespace {

const std::string greeting = "greeting;";

class EverySourceCallTest : public SourceKillTest {
protected:
    using SourceKillTest::SourceKillTest;

    [[nodiscard]] virtual std::unique_ptr<PeerServer> make_peer() = 0;

    void SetUp() override {
        peer_ = make_peer();
        more_options_ = {"--source", "talk:" + peer_->address(), "--source-greeting", greeting};
        MasterKillTest::SetUp();
        if (!IsSkipped())
            welcome();
    }

    void welcome() override {
        feed_ = peer_->accept();
        told_ = greeting;
        wait_until([&] { return feed_has_what_is_due(); }, "the greeting");
    }

    void end_source() override { feed_.reset(); }

    [[nodiscard]] bool feed_has_what_is_due() const {
        return feed_->received().size() >= told_.size();
    }

    // False where the victim has died before it was connected.
    bool accept() {
        told_ = greeting;
        const bool lives =
            lives_until([&] { return peer_->has_connection(); }, "the source's connection");
        if (peer_->has_connection())
            feed_ = peer_->accept();
        return lives;
    }
    // Those that were made and not used.
    void drop_connections() {
        loop_.turn(std::chrono::milliseconds(0));
        while (peer_->has_connection())
            (void)peer_->accept();
    }

    std::unique_ptr<PeerServer> peer_{};
    std::unique_ptr<PeerConnection> feed_{};
    std::string told_{}; // what is due to the source on this connection
};

class EveryUnixSourceCallTest : public EverySourceCallTest {
protected:
    EveryUnixSourceCallTest() : EverySourceCallTest(true) {}

    std::unique_ptr<PeerServer> make_peer() override {
        return std::make_unique<PeerServer>(loop_, folder_.path().string() + "/peer");
    }

    void exchange() override {
        if (accept() && lives_until([&] { return is_connected(); }, "the source to be a client") &&
            hear(text("said by the source")) && tell(text("said to the source")) &&
            hear(long_text("much said by the source")))
            (void)tell(long_text("much said to the source"));
    }

    // The source says this, and all get it, or the victim is dead.
    bool hear(const std::string& said) {
        feed_->send(said);
        make_due(said);
        outstanding_ = said.size();
        if (!lives_until_all_is_passed())
            return false;
        outstanding_ = 0;
        return true;
    }

    // A user says this. The other users get it, whatever becomes of the source.
    bool tell(const std::string& said) {
        say(people_[0], said);
        told_ += said;
        wait_until_all_have_what_is_due();
        return lives_until([&] { return feed_has_what_is_due(); }, "all that is due to it") &&
               lives_until_rest();
    }

    void judge_loss() override {
        drop_connections();
        if (!feed_)
            return;
        wait_until([&] { return feed_->ended(); }, "the end of the source's connection");
        EXPECT_TRUE(told_.starts_with(feed_->received()));
        feed_.reset();
    }

    // Behind what it says now nothing can come of the connection before. Of that one all users miss
    // the same, which was said last.
    void welcome() override {
        EverySourceCallTest::welcome();
        const std::string seam = text("said by the source over another connection");
        feed_->send(seam);
        for (Person& person : people_)
            wait_until([&] { return person.client->received().ends_with(seam); }, "the seam");
        const std::size_t missing = missing_bytes(people_[0], seam);
        EXPECT_LE(missing, outstanding_);
        for (Person& person : people_) {
            const std::string& received = person.client->received();
            EXPECT_EQ(missing_bytes(person, seam), missing);
            EXPECT_TRUE(person.due.starts_with(received.substr(0, received.size() - seam.size())));
            person.due = received;
        }
        outstanding_ = 0;
    }
    static std::size_t missing_bytes(const Person& person, const std::string& seam) {
        return person.due.size() + seam.size() - person.client->received().size();
    }

    std::size_t outstanding_ = 0; // of what the source has said last
};

TEST_F(EveryUnixSourceCallTest, ADeathOfItsProcessCostsTheLastBytesAtMost) {
    kill_at_points();
}

class EveryTcpSourceCallTest : public EverySourceCallTest {
protected:
    EveryTcpSourceCallTest() : EverySourceCallTest(false) {}

    std::unique_ptr<PeerServer> make_peer() override { return std::make_unique<PeerServer>(loop_); }

    // The source speaks as soon as it is there.
    void exchange() override {
        const std::string said = text("said at once");
        if (accept())
            feed_->send(said);
        const bool spoke = !is_dead();
        wait_until([&] { return is_connected() || is_lost(); }, "the end of the try");
        if (is_lost())
            return; // none of it was relayed: nothing is due
        if (!feed_)
            feed_ = peer_->accept();
        if (spoke)
            make_due(said);
        hear(text("said by the source"));
        tell(text("said to the source"));
    }

    void hear(const std::string& said) {
        feed_->send(said);
        make_due(said);
        wait_until_all_have_what_is_due();
    }

    void tell(const std::string& said) {
        say(people_[0], said);
        told_ += said;
        wait_until_all_have_what_is_due();
        wait_until([&] { return feed_has_what_is_due(); }, "all that is due to the source");
        wait_for_rest();
        EXPECT_EQ(feed_->received(), told_);
    }

    void judge_loss() override {
        drop_connections();
        if (!feed_)
            return;
        wait_until([&] { return feed_->ended(); }, "the end of the source's connection");
        EXPECT_TRUE(greeting.starts_with(feed_->received()));
        feed_.reset();
    }
};

TEST_F(EveryTcpSourceCallTest, NobodyNoticesADeathBehindTheConnection) {
    kill_at_points();
}

} // namespace
} // namespace chatserv::test
