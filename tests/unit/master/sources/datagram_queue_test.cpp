// How what the relay says is cut into datagrams.
#include "master/sources/program/datagram_queue.h"

#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// All that can go out now.
std::vector<std::string> datagrams_of(DatagramQueue& queue) {
    std::vector<std::string> datagrams;
    for (; !queue.front().empty(); queue.pop())
        datagrams.emplace_back(queue.front());
    return datagrams;
}

std::string line_of(size_t bytes) {
    return std::string(bytes - 1, 'x') + "\n";
}

TEST(DatagramQueue, OfWholeLinesHasOneInEach) {
    DatagramQueue queue(Framing::line);
    queue.add("$GPGLL\r\n!AIVDM\n\nbegin", false);
    EXPECT_THAT(datagrams_of(queue), ElementsAre("$GPGLL\r\n", "!AIVDM\n", "\n"));
    queue.add("ning", false);
    EXPECT_THAT(datagrams_of(queue), IsEmpty());
    queue.add(" end\n", false);
    EXPECT_THAT(datagrams_of(queue), ElementsAre("beginning end\n"));
}

TEST(DatagramQueue, CutsALineOnlyIfNoDatagramHoldsIt) {
    for (const Framing framing : {Framing::none, Framing::line}) {
        DatagramQueue queue(framing);
        const std::string fits = line_of(datagram_bytes_max);
        const std::string longer = line_of(datagram_bytes_max + 3);
        queue.add(fits, true);
        queue.add(longer, true);
        EXPECT_THAT(
            datagrams_of(queue), ElementsAre(fits, longer.substr(0, datagram_bytes_max), "xx\n"));
    }
}

TEST(DatagramQueue, WithoutFramingHasAsManyLinesAsFit) {
    DatagramQueue queue(Framing::none);
    const std::string half = line_of(datagram_bytes_max / 2);
    queue.add("short\n" + half + half + "rest", false);
    EXPECT_THAT(datagrams_of(queue), ElementsAre("short\n" + half, half, "rest"));
}

// A read of the relay may end in a line.
TEST(DatagramQueue, WithoutFramingHoldsBytesBackOnlyWhileMoreIsThere) {
    DatagramQueue queue(Framing::none);
    queue.add("one\ntw", true);
    EXPECT_THAT(datagrams_of(queue), ElementsAre("one\n"));
    queue.add("o\nthree", false);
    EXPECT_THAT(datagrams_of(queue), ElementsAre("two\n", "three"));
}

TEST(DatagramQueue, SendsTheRestAtTheEnd) {
    DatagramQueue queue(Framing::line);
    queue.add("no end", false);
    EXPECT_THAT(datagrams_of(queue), IsEmpty());
    queue.end();
    EXPECT_THAT(datagrams_of(queue), ElementsAre("no end"));
}

TEST(DatagramQueue, DropsTheOldestAboveItsBound) {
    DatagramQueue queue(Framing::line);
    const std::string line = line_of(1024);
    for (size_t i = 0; i < datagram_queue_bytes_max / line.size(); ++i)
        queue.add(line, false);
    EXPECT_EQ(queue.drop_excess(), 0U);
    queue.add("new\n" + line + "beginning", false);
    EXPECT_EQ(queue.drop_excess(), 2U);
    const auto kept = datagrams_of(queue);
    ASSERT_EQ(kept.size(), datagram_queue_bytes_max / line.size());
    EXPECT_EQ(kept[kept.size() - 2], "new\n");
    EXPECT_EQ(kept.back(), line);
}

} // namespace
} // namespace chatserv
