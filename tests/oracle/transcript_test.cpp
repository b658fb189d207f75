// The checker is itself checked: a correct conversation passes, and each kind of damage is found
// and named. Otherwise a property test that finds nothing would prove nothing.
#include "tests/oracle/transcript.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <random>

namespace chatserv::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// A server in miniature, perfect by construction: publishing delivers at once to all present.
class Conversation {
public:
    std::size_t join(std::optional<unsigned> sender) {
        Session session;
        session.name = "client " + std::to_string(transcript_.sessions.size());
        session.sender = sender;
        session.delivered_before = delivered();
        for (const Session& other : transcript_.sessions) {
            if (other.sender)
                session.sent_when_joined[*other.sender] = other.sent;
        }
        transcript_.sessions.push_back(session);
        present_.push_back(true);
        return present_.size() - 1;
    }

    void publish(std::size_t from, std::uint64_t length) {
        Session& session = transcript_.sessions[from];
        const std::string bytes = transcript_.code.bytes(*session.sender, session.sent, length);
        session.sent += length;
        for (std::size_t to = 0; to < present_.size(); ++to) {
            if (to != from && present_[to])
                transcript_.sessions[to].received += bytes;
        }
    }

    void leave(std::size_t who, Ending ending) {
        transcript_.sessions[who].ending = ending;
        if (ending == Ending::half_closed)
            transcript_.sessions[who].delivered_before_eof = delivered();
        present_[who] = false;
    }

    std::string& received(std::size_t who) { return transcript_.sessions[who].received; }
    Session& session(std::size_t who) { return transcript_.sessions[who]; }
    [[nodiscard]] std::vector<std::string> violations() const { return violations_in(transcript_); }

private:
    [[nodiscard]] std::vector<PerSender> delivered() const {
        std::vector<PerSender> all;
        for (const Session& session : transcript_.sessions) {
            PerSender counts{};
            for (const char byte : session.received)
                ++counts[sender_of(byte)];
            all.push_back(counts);
        }
        return all;
    }

    Transcript transcript_{StreamCode(20261123), {}};
    std::vector<bool> present_;
};

// Three clients that send in turns and one that only reads.
class TranscriptTest : public testing::Test {
protected:
    TranscriptTest() {
        for (unsigned sender = 0; sender < 3; ++sender)
            talk_.join(sender);
        talk_.join(std::nullopt);
        for (int round = 0; round < 20; ++round) {
            for (std::size_t from = 0; from < 3; ++from)
                talk_.publish(from, 40);
        }
    }

    Conversation talk_;
    const std::size_t listener_ = 3;
};

TEST_F(TranscriptTest, AcceptsACorrectTranscript) {
    EXPECT_THAT(talk_.violations(), IsEmpty());
}

TEST_F(TranscriptTest, AcceptsJoinsAndDeparturesInMidStream) {
    const std::size_t late = talk_.join(7);
    talk_.publish(0, 1);
    talk_.publish(late, 5000);
    talk_.leave(0, Ending::half_closed);
    talk_.publish(late, 3);
    talk_.leave(listener_, Ending::cut);
    talk_.publish(1, 100);
    talk_.leave(late, Ending::half_closed);
    const std::size_t last = talk_.join(std::nullopt);
    talk_.publish(2, 2);
    EXPECT_THAT(talk_.violations(), IsEmpty());
    EXPECT_EQ(talk_.received(last).size(), 2U);
}

TEST_F(TranscriptTest, FindsAByteThatASpeakerGot) {
    talk_.session(listener_).hears = false;
    EXPECT_THAT(talk_.violations(), ElementsAre(HasSubstr("only speaks")));
    talk_.received(listener_).clear();
    EXPECT_THAT(talk_.violations(), IsEmpty());
}

TEST_F(TranscriptTest, FindsAByteOfAListener) {
    EXPECT_THAT(talk_.violations(), IsEmpty());
    talk_.session(0).heard = false;
    EXPECT_THAT(talk_.violations(), Contains(HasSubstr("a byte that no client sent")));
}

TEST_F(TranscriptTest, FindsOneByteLostAnywhere) {
    const std::string whole = talk_.received(listener_);
    for (std::size_t place = 0; place < whole.size(); ++place) {
        talk_.received(listener_) = whole;
        talk_.received(listener_).erase(place, 1);
        EXPECT_THAT(talk_.violations(), ElementsAre(HasSubstr("client 3"))) << "at " << place;
    }
}

TEST_F(TranscriptTest, FindsOneByteRepeatedAnywhere) {
    const std::string whole = talk_.received(listener_);
    for (std::size_t place = 0; place < whole.size(); ++place) {
        talk_.received(listener_) = whole;
        talk_.received(listener_).insert(place, 1, whole[place]);
        EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R2/R4/R7: what client 3")))
            << "at " << place;
    }
}

TEST_F(TranscriptTest, FindsChunksOfOneSenderExchanged) {
    std::string& received = talk_.received(listener_);
    const std::string first = received.substr(0, 40);
    const std::string second = received.substr(120, 40); // the same sender's next
    received.replace(0, 40, second).replace(120, 40, first);
    EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R2/R4/R7")));
}

TEST_F(TranscriptTest, FindsAMissingEnd) {
    talk_.received(listener_).resize(talk_.received(listener_).size() - 1);
    EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R5/R7: client 3")));
}

TEST_F(TranscriptTest, FindsAMissingStream) {
    talk_.received(listener_).clear();
    EXPECT_EQ(talk_.violations().size(), 3U) << "once for each sender";
}

TEST_F(TranscriptTest, FindsReturnedOwnBytes) {
    talk_.received(1).insert(80, talk_.received(listener_).substr(40, 1));
    EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R2: client 1 got back")));
}

TEST_F(TranscriptTest, FindsBytesThatNoClientSent) {
    talk_.received(1).push_back('\xf0');
    EXPECT_THAT(
        talk_.violations(), ElementsAre(StartsWith("R2: client 1 got a byte that no client")));
}

TEST_F(TranscriptTest, FindsBytesFromBeforeAJoin) {
    const std::string before = talk_.received(listener_).substr(800);
    const std::size_t late = talk_.join(std::nullopt);
    for (std::size_t from = 0; from < 3; ++from)
        talk_.publish(from, 40);
    talk_.received(late).insert(0, before);
    EXPECT_THAT(talk_.violations(), Each(StartsWith("R4: client 4")));
    EXPECT_FALSE(talk_.violations().empty());
}

TEST_F(TranscriptTest, FindsAMissingBeginningAfterAJoin) {
    const std::size_t late = talk_.join(std::nullopt);
    talk_.publish(0, 100);
    talk_.received(late).erase(0, 30);
    EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R2/R4/R7: what client 4")));
}

TEST_F(TranscriptTest, FindsBytesLostBeforeEndOfFile) {
    talk_.leave(2, Ending::half_closed);
    talk_.received(2).resize(talk_.received(2).size() - 20);
    EXPECT_THAT(talk_.violations(), ElementsAre(StartsWith("R5/R7: client 2")));
}

TEST_F(TranscriptTest, FindsAMissingLastByteOfAClientThatLeft) {
    talk_.leave(2, Ending::half_closed);
    for (const std::size_t receiver : {std::size_t{0}, std::size_t{1}, listener_})
        talk_.received(receiver).pop_back();
    talk_.publish(0, 40);
    EXPECT_THAT(talk_.violations(), SizeIs(3)) << "no client has it, which makes no difference";
}

// Two receivers that saw a and b in different orders: a cycle over two.
TEST(TranscriptOrderTest, FindsTwoReadersThatDisagree) {
    Conversation talk;
    const std::size_t a = talk.join(0);
    const std::size_t b = talk.join(1);
    const std::size_t left = talk.join(std::nullopt);
    const std::size_t right = talk.join(std::nullopt);
    talk.publish(a, 20);
    talk.publish(b, 20);
    EXPECT_THAT(talk.violations(), IsEmpty());
    std::string& received = talk.received(right);
    received = received.substr(20) + received.substr(0, 20);
    EXPECT_THAT(talk.violations(), ElementsAre(StartsWith("R3: ")));
    EXPECT_THAT(talk.received(left), testing::Ne(received));
}

// The merge must stay fast for receivers with very many small runs.
TEST(TranscriptOrderTest, AcceptsManyRuns) {
    Conversation talk;
    for (unsigned sender = 0; sender < senders_max; ++sender)
        talk.join(sender);
    std::mt19937 random(1);
    for (int i = 0; i < 50000; ++i)
        talk.publish(random() % senders_max, 1 + random() % 3);
    EXPECT_THAT(talk.violations(), IsEmpty());
}

} // namespace
} // namespace chatserv::test
