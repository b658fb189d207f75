// --listen resume:ADDRESS: a reader says from which byte of the log on it wants to be sent, is told
// where it begins, and gets it without a gap or a repeat, or is told what is gone.
#include "tests/harness/seed.h"
#include "tests/integration/server_test.h"

#include <csignal>
#include <random>
#include <sstream>

namespace chatserv::test {
namespace {

constexpr std::uint64_t small_log_bytes = 65'536;
constexpr std::size_t talking = 0;
constexpr std::size_t resuming = 1;

// A reader that counts, as one of its users does: it reads its answer, and knows where it is.
class Reader {
public:
    Reader(Loop& loop, const Endpoint& server, const std::string& request) : client(loop, server) {
        client.send(request);
    }

    // Waits for the answer.
    void begin() {
        client.wait_for("\n");
        std::istringstream answer(client.received().substr(0, answer_bytes()));
        answer >> word >> std::ws;
        std::getline(answer, life, ':');
        answer >> from;
    }
    [[nodiscard]] std::string bytes() const { return client.received().substr(answer_bytes()); }
    [[nodiscard]] std::uint64_t next_offset() const { return from + bytes().size(); }
    [[nodiscard]] std::string resume_line() const {
        return "resume " + life + ":" + std::to_string(next_offset()) + "\n";
    }

    Client client;
    std::string word{};
    std::string life{};
    std::uint64_t from = 0;

private:
    [[nodiscard]] std::size_t answer_bytes() const { return client.received().find('\n') + 1; }
};

class ResumeTest : public ServerTest {
protected:
    void open(const std::vector<std::string>& options = {}) {
        start_on({"127.0.0.1:0", "resume:127.0.0.1:0"}, options);
        talker_ = join(talking);
        listener_ = join(talking);
    }

    void say(const std::string& text) {
        said_ += text;
        talker_->send(text);
        listener_->wait_for_bytes(said_.size());
    }

    std::unique_ptr<Reader> read_from(const std::string& request) {
        auto reader = std::make_unique<Reader>(loop_, server_->endpoint(resuming), request);
        reader->begin();
        return reader;
    }

    // The reader has all that was said since the byte at which it began.
    void expect_all(Reader& reader) {
        reader.client.wait_for_bytes(
            reader.client.received().find('\n') + 1 + said_.size() - reader.from);
        EXPECT_EQ(reader.bytes(), said_.substr(reader.from));
    }

    std::unique_ptr<Client> talker_;
    std::unique_ptr<Client> listener_;
    std::string said_; // the whole log, from its first byte on
};

TEST_F(ResumeTest, AReaderComesBackAndMissesNothing) {
    open();
    say("one\n");
    const auto first = read_from("resume\n");
    EXPECT_EQ(first->word, "from");
    EXPECT_EQ(first->from, 4U);
    say("two\n");
    expect_all(*first);
    const std::string request = first->resume_line();
    first->client.reset();
    server_->wait_for_line(" left: connection reset");
    say("three\n");
    say("four\n");
    const auto second = read_from(request);
    EXPECT_EQ(second->word, "from");
    EXPECT_EQ(second->life, first->life);
    EXPECT_EQ(second->from, 8U);
    say("five\n");
    expect_all(*second);
    EXPECT_EQ(second->bytes(), "three\nfour\nfive\n");
}

TEST_F(ResumeTest, EachRequestHasItsAnswer) {
    open({"--users", "20"});
    say("0123456789");
    struct Case {
        std::string request;
        std::string word;
        std::uint64_t from;
    };
    const std::string life = read_from("resume\n")->life;
    for (const Case& each : std::vector<Case>{{"\n", "from", 10}, {"resume now\r\n", "from", 10},
             {"resume oldest\n", "from", 0}, {"resume 3\n", "from", 3}, {"resume 10\n", "from", 10},
             {"resume " + life + ":7\nand something that nobody reads\n", "from", 7},
             {"resume 11\n", "gone", 0}, {"resume 0000000000000000:7\n", "gone", 0}}) {
        const auto reader = read_from(each.request);
        EXPECT_EQ(reader->word, each.word) << each.request;
        EXPECT_EQ(reader->from, each.from) << each.request;
        EXPECT_EQ(reader->life, life);
        expect_all(*reader);
    }
}

TEST_F(ResumeTest, AReaderIsToldWhatIsGone) {
    open({"--log-size", "64K"});
    const std::string request = read_from("resume\n")->resume_line();
    say(numbered_lines(200'000));
    const auto reader = read_from(request);
    EXPECT_EQ(reader->word, "gone");
    EXPECT_EQ(reader->from, said_.size() - small_log_bytes / 2);
    say("last\n");
    expect_all(*reader);
}

TEST_F(ResumeTest, ALogOfAnotherLifeIsNotTakenForTheSame) {
    open();
    say("something that is longer than what is said next\n");
    const auto before = read_from("resume oldest\n");
    EXPECT_EQ(server_->stop(), 0);
    server_.reset();
    said_.clear();
    open();
    say("hello\n");
    const auto reader = read_from("resume " + before->life + ":3\n");
    EXPECT_EQ(reader->word, "gone");
    EXPECT_NE(reader->life, before->life);
    EXPECT_EQ(reader->from, 0U);
    expect_all(*reader);
}

TEST_F(ResumeTest, AWrongFirstLineEndsTheReaderAlone) {
    open();
    const auto witness = read_from("resume\n");
    for (const std::string& wrong : {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("resume yesterday\n"), std::string(100'000, 'x')}) {
        Client client(loop_, server_->endpoint(resuming));
        client.send(wrong);
        client.wait_for_end();
        EXPECT_EQ(client.received(), "the first line must be: resume, and from where!\n");
    }
    server_->wait_for_line(" left: bad request", 3);
    say("hello\n");
    expect_all(*witness);
}

// A client without a word is served from now on: one that says nothing for a while, and at once one
// whose input ends.
TEST_F(ResumeTest, AClientThatSaysNothingListens) {
    open();
    say("before\n");
    Reader silent(loop_, server_->endpoint(resuming), "");
    Reader half(loop_, server_->endpoint(resuming), "resume 0"); // and no end of line
    Reader closed(loop_, server_->endpoint(resuming), "");
    closed.client.half_close();
    for (Reader* const reader : {&closed, &silent, &half}) {
        reader->begin();
        EXPECT_EQ(reader->word, "from");
        EXPECT_EQ(reader->from, 7U);
    }
    say("after\n");
    for (Reader* const reader : {&closed, &silent, &half})
        expect_all(*reader);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(ResumeTest, AFirstLineCanComeInPieces) {
    open();
    say("0123456789");
    Reader reader(loop_, server_->endpoint(resuming), "");
    for (const char letter : std::string("resume 4\n")) {
        const std::uint64_t sent = reader.client.sent_bytes();
        reader.client.send(std::string(1, letter));
        loop_.wait_until([&] { return reader.client.sent_bytes() > sent; }, "a byte is sent");
        say(".");
    }
    reader.begin();
    EXPECT_EQ(reader.from, 4U);
    expect_all(reader);
}

TEST_F(ResumeTest, WhatAReaderSaysIsNotRelayed) {
    open();
    const auto reader = read_from("resume\n");
    reader->client.send("can you hear me?\n");
    say("no\n");
    expect_all(*reader);
    EXPECT_EQ(listener_->received(), said_);
    EXPECT_EQ(talker_->received(), "");
}

// A client that has said nothing yet holds up nobody.
TEST_F(ResumeTest, WhoHasNotAskedHoldsNothingUp) {
    open({"--log-size", "64K", "--slow-policy", "disconnect"});
    const Client silent(loop_, server_->endpoint(resuming));
    server_->wait_for_join(silent.address());
    say(numbered_lines(300'000));
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// Readers come and go, the log runs over, workers and masters die. Each reader goes on where it
// was, and what all its lives have received is one stretch of the log, unless it was told of a gap.
TEST_F(ResumeTest, ReadersMissNothingWhateverDies) {
    std::mt19937 random(static_cast<unsigned>(base_seed()));
    open(
        {"--log-size", "256K", "--users", "50", "--workers", "3", "--spares", "3", no_stall_limit});
    listener_->half_close();
    listener_->wait_for_end();
    unsigned line = 0;
    const auto talk = [&] {
        if (!talker_->is_sent())
            return;
        std::string text;
        const std::size_t bytes = 1 + random() % 6000;
        while (text.size() < bytes)
            text += std::to_string(line++) + "\n";
        said_ += text;
        talker_->send(text);
    };
    std::vector<std::string> requests(8, "resume oldest\n");
    std::size_t resumed = 0;
    for (unsigned round = 0; round < 12; ++round) {
        std::vector<std::unique_ptr<Reader>> readers;
        for (const std::string& request : requests)
            readers.push_back(
                std::make_unique<Reader>(loop_, server_->endpoint(resuming), request));
        if (round % 2 == 1) {
            const std::vector<pid_t> workers = server_->worker_pids();
            ::kill(workers[random() % workers.size()], SIGKILL);
        }
        if (round % 4 == 2)
            kill_master_if_there();
        for (std::size_t turn = random() % 40; turn > 0; --turn) {
            talk();
            loop_.turn(std::chrono::milliseconds(1));
        }
        for (std::size_t i = 0; i < readers.size(); ++i) {
            Reader& reader = *readers[i];
            reader.begin();
            EXPECT_EQ(reader.bytes(), said_.substr(reader.from, reader.bytes().size()));
            if (round > 0 && reader.word == "from") {
                ++resumed;
                EXPECT_EQ("resume " + reader.life + ":" + std::to_string(reader.from) + "\n",
                    requests[i]);
            }
            requests[i] = reader.resume_line();
            reader.client.close();
        }
    }
    EXPECT_GT(resumed, 0U);
    EXPECT_GT(server_->count(" taken over by pid "), 0U);
}

} // namespace
} // namespace chatserv::test
