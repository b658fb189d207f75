// --framing line: whole lines, however TCP has cut them, and what they begin and end with.
#include "tests/harness/seed.h"
#include "tests/integration/server_test.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <sstream>
#include <sys/socket.h>

namespace chatserv::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

class FramingTest : public ServerTest {
protected:
    void start_with_lines(std::vector<std::string> options = {}) {
        options.insert(options.begin(), {"--framing", "line", no_stall_limit});
        start(options);
    }
    // All that was sent so far has been read: a line of another user comes after it.
    void wait_for_others(Client& other, Client& reader) {
        const std::string line = "marker " + std::to_string(++markers_) + "\n";
        other.send(line);
        reader.wait_for(line);
    }

    int markers_ = 0;
};

TEST_F(FramingTest, AnUnfinishedLineWaitsForItsEnd) {
    start_with_lines();
    const auto slow = join();
    const auto quick = join();
    const auto reader = join();
    slow->send("half ");
    quick->send("whole\n");
    reader->wait_for("whole\n");
    slow->send("and ");
    quick->send("another\n");
    reader->wait_for("another\n");
    slow->send("half\nand more");
    reader->wait_for("half\n");
    EXPECT_EQ(reader->received(), "whole\nanother\nhalf and half\n");
    slow->wait_for("another\n");
    EXPECT_EQ(slow->received(), "whole\nanother\n");
    slow->send("\n");
    reader->wait_for("and more\n");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(FramingTest, TheRestOfAUserThatLeavesGetsAnEnd) {
    start_with_lines();
    const auto reader = join();
    const auto other = join();
    const auto leaves = join();
    leaves->send("first\nno end");
    leaves->half_close();
    leaves->wait_for_end();
    EXPECT_EQ(leaves->end_error(), 0);
    other->send("next\n");
    reader->wait_for("next\n");
    EXPECT_EQ(reader->received(), "first\nno end\nnext\n");
    server_->wait_for_line(" left: end of file");
}

TEST_F(FramingTest, AUserThatIsResetDoesNotTakeItsUnfinishedLineAlong) {
    start_with_lines();
    const auto reader = join();
    const auto other = join();
    const auto reset = join();
    reset->send("no end");
    loop_.wait_until([&] { return reset->is_sent(); }, "the bytes to be sent");
    wait_for_others(*other, *reader);
    reset->reset();
    server_->wait_for_line(" left: connection reset");
    wait_for_others(*other, *reader);
    EXPECT_EQ(reader->received(), "marker 1\nno end\nmarker 2\n");
}

TEST_F(FramingTest, ALongLineIsCutAndItsSenderIsNamedOnce) {
    start_with_lines({"--line-max", "100", "--workers", "1"});
    const auto sender = join();
    const auto reader = join();
    const std::string long_line(250, 'x');
    sender->send(long_line + "\n" + long_line + "\n" + std::string(100, 'y') + "\r\n");
    const std::string cut =
        std::string(100, 'x') + "\n" + std::string(100, 'x') + "\n" + std::string(50, 'x') + "\n";
    reader->wait_for_bytes(2 * cut.size() + 102);
    EXPECT_EQ(reader->received(), cut + cut + std::string(100, 'y') + "\r\n");
    EXPECT_EQ(server_->count("user 0 sent a line that is longer than --line-max"), 1U);
}

TEST_F(FramingTest, LinesEndWithANewlineAloneIfAskedFor) {
    start_with_lines({"--line-end", "lf"});
    const auto sender = join();
    const auto reader = join();
    sender->send("one\r");
    sender->send("\ntwo\nthr\ree\r\n");
    reader->wait_for("thr\ree\n");
    EXPECT_EQ(reader->received(), "one\ntwo\nthr\ree\n");
}

TEST_F(FramingTest, EachLineBeginsWithTheAddressOfItsSender) {
    start_with_lines({"--prefix", "address"});
    const auto sender = join();
    const auto reader = join();
    sender->send("one\ntwo\n");
    const std::string prefix = sender->address() + ": ";
    reader->wait_for(prefix + "two\n");
    EXPECT_EQ(reader->received(), prefix + "one\n" + prefix + "two\n");
    EXPECT_EQ(sender->received(), "");
}

TEST_F(FramingTest, EachLineBeginsWithTheNameThatItsSenderGave) {
    start_with_lines({"--prefix", "name"});
    const auto ada = join();
    const auto reader = join();
    const auto nameless = join();
    ada->send("Ada\r\nhello\n");
    reader->wait_for("Ada: hello\n");
    nameless->send("\nI have no name\n");
    reader->wait_for("name\n");
    const auto only_named = join();
    only_named->send("a name and no more");
    only_named->half_close();
    only_named->wait_for_end();
    ada->send("and again\n");
    reader->wait_for("again\n");
    EXPECT_EQ(reader->received(),
        "Ada: hello\n" + nameless->address() + ": I have no name\nAda: and again\n");
}

TEST_F(FramingTest, ALineThatIsLongerThanTheRateIsReadWhole) {
    start_with_lines({"--max-rate", "4K", "--line-max", "8000"});
    const auto sender = join();
    const auto reader = join();
    const std::string line(7999, 'x');
    sender->send(line + "\nnext\n");
    reader->wait_for("next\n");
    EXPECT_EQ(reader->received(), line + "\nnext\n");
}

TEST_F(FramingTest, AUserThatDoesNotEndItsLineIsIdle) {
    start_with_lines({"--idle-timeout", "2"});
    const auto sender = join();
    const auto reader = join();
    sender->send("never ended");
    sender->wait_for("idle for too long!\n");
    reader->wait_for("idle for too long!\n");
    EXPECT_EQ(reader->received(), "idle for too long!\n");
}

TEST_F(FramingTest, AnUnfinishedLineOutlivesItsWorker) {
    placement_ = "load";
    start_with_lines({"--workers", "2", "--prefix", "name"});
    const auto sender = join();
    const auto reader = join();
    sender->send("Ada\nhello\nhalf ");
    reader->wait_for("hello\n");
    for (int deaths = 1; deaths <= 3; ++deaths) {
        ::kill(server_->worker_pids().front(), SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid ", static_cast<std::size_t>(deaths));
    }
    sender->send("and half\n");
    reader->wait_for("and half\n");
    EXPECT_EQ(reader->received(), "Ada: hello\nAda: half and half\n");
}

// A socket whose bytes leave one by one.
class ByteSender {
public:
    explicit ByteSender(const Endpoint& server) : fd_(::socket(server.family(), SOCK_STREAM, 0)) {
        EXPECT_EQ(::connect(fd_.get(), server.address(), server.length()), 0);
        const int on = 1;
        EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    }
    void send(std::string_view bytes, int flags = 0) const {
        ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), flags),
            static_cast<ssize_t>(bytes.size()));
    }
    void send_one_by_one(std::string_view bytes) const {
        for (size_t at = 0; at < bytes.size(); ++at)
            send(bytes.substr(at, 1));
    }

private:
    UniqueFd fd_;
};

// A line waits in its user's socket, so the socket must have room for the longest one.
TEST_F(FramingTest, ALineOfTheGreatestLengthMayComeByteByByte) {
    start_with_lines({"--line-max", "32K", "--workers", "1"});
    const auto reader = join();
    const ByteSender sender(server_->endpoint());
    const std::string line = std::string(32'768, 'x') + "\n";
    sender.send_one_by_one(line);
    sender.send("next\n");
    reader->wait_for("next\n");
    EXPECT_EQ(reader->received(), line + "next\n");
}

// recv(2) stops in front of urgent data, so those who wait for more would wait for ever.
TEST_F(FramingTest, UrgentDataEndsALineAndHoldsNothingUp) {
    start_with_lines({"--workers", "1"});
    const auto reader = join();
    const ByteSender sender(server_->endpoint());
    sender.send("whole\nhalf");
    sender.send("!", MSG_OOB);
    sender.send(" and half\n");
    reader->wait_for("and half\n");
    EXPECT_EQ(reader->received(), "whole\nhalf\n! and half\n");
}

// Lines of a known form: of which sender, which number, and a length that the number decides.
std::string line_of(unsigned sender, unsigned number) {
    const std::uint64_t mix = mixed(sender * 1'000'000ULL + number);
    const std::size_t length = mix % 40 == 0 ? mix / 64 % 3000 : mix / 64 % 60;
    return std::to_string(sender) + ":" + std::to_string(number) + ":" +
           std::string(length, static_cast<char>('a' + mix % 26)) + "\n";
}

// Each line is whole, and each sender's lines are complete and in their order.
void expect_lines(const std::string& received, const std::map<unsigned, unsigned>& sent) {
    std::map<unsigned, unsigned> next;
    for (const std::string& line : lines_of(received)) {
        unsigned sender = 0;
        std::istringstream(line) >> sender;
        ASSERT_EQ(line + "\n", line_of(sender, next[sender])) << "sender " << sender;
        ++next[sender];
    }
    for (const auto& [sender, lines] : sent)
        EXPECT_EQ(next[sender], lines) << "sender " << sender;
}

class RandomCutsTest : public FramingTest, public testing::WithParamInterface<unsigned> {};

TEST_P(RandomCutsTest, LinesOfManyUsersNeverMix) {
    constexpr unsigned senders = 6;
    constexpr unsigned lines_each = 400;
    std::mt19937_64 random(base_seed() + GetParam());
    start_with_lines({"--workers", std::to_string(GetParam()), "--log-size", "64K"});
    auto speakers = join_many(senders);
    const auto reader = join();
    const auto sleeper = join_paused(); // holds the senders up when the log is full
    std::vector<std::string> waiting(senders);
    std::map<unsigned, unsigned> sent;
    std::size_t bytes = 0;
    for (unsigned sender = 0; sender < senders; ++sender) {
        sent[sender] = lines_each;
        for (unsigned number = 0; number < lines_each; ++number)
            waiting[sender] += line_of(sender, number);
        bytes += waiting[sender].size();
    }
    const std::size_t bytes_of_first = waiting[0].size();
    const auto anything_waits = [&] {
        return std::ranges::any_of(waiting, [](const auto& text) { return !text.empty(); });
    };
    while (anything_waits()) {
        const auto sender = random() % senders;
        const std::size_t piece = 1 + random() % (random() % 8 == 0 ? 4000 : 30);
        speakers[sender]->send(waiting[sender].substr(0, piece));
        waiting[sender].erase(0, piece);
        if (random() % 4 == 0)
            loop_.turn(std::chrono::milliseconds(0));
        if (random() % 500 == 0) {
            if (sleeper->is_paused())
                sleeper->resume();
            else
                sleeper->pause();
        }
    }
    sleeper->resume();
    reader->wait_for_bytes(bytes);
    sleeper->wait_for_bytes(bytes);
    expect_lines(reader->received(), sent);
    EXPECT_EQ(reader->received(), sleeper->received());
    sent.erase(0);
    speakers[0]->wait_for_bytes(bytes - bytes_of_first);
    expect_lines(speakers[0]->received(), sent);
    EXPECT_EQ(server_->stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Workers, RandomCutsTest, testing::Values(1U, 2U, 4U),
    [](const auto& tested) { return std::to_string(tested.param); });

} // namespace
} // namespace chatserv::test
