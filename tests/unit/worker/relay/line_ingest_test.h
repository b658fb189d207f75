// The fixture of tests of the ingest of whole lines: one client, and the log.
#pragma once

#include "shared/segment/parts.h"
#include "tests/unit/small_segment.h"
#include "worker/relay/ingest.h"
#include "worker/relay/line_look.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace chatserv {

inline constexpr size_t any_bytes = std::numeric_limits<size_t>::max();

class LineIngestTest : public testing::Test {
protected:
    explicit LineIngestTest(Prefix prefix = Prefix::none) :
        segment_({.framing = Framing::line, .line_bytes_max = 32, .prefix = prefix}) {
        FdPair ends = make_stream_pair();
        peer_ = std::move(ends.first);
        client_.fd = std::move(ends.second);
        UserSlot& slot = *client_.slot;
        slot.ip_version = 4;
        slot.port = 4242;
        const uint8_t address[] = {192, 0, 2, 7};
        std::copy(std::begin(address), std::end(address), slot.address);
        ingest_.introduce(client_);
    }

    void send(const std::string& text) const {
        ASSERT_EQ(
            ::send(peer_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
    Ingest::Read read(size_t bytes_max = any_bytes, bool at_end = false) {
        return ingest_.read(client_, bytes_max, at_end);
    }
    [[nodiscard]] size_t unread() const { return unread_bytes(client_.fd.get()); }

    // Publishes what is staged. Returns everything in the log.
    std::string published() {
        EXPECT_EQ(ingest_.publish([&](const ChunkRecord&, LogRange range) { own_ = range; }),
            Ingest::Publish::published);
        return segment_.text_after(0);
    }

    SmallSegment segment_;
    UniqueFd peer_;
    ClientId id_ = segment_.attach(0);
    Client client_{.id = id_, .fd = UniqueFd(), .slot = &segment_.users[slot_0]};
    Ingest ingest_{segment_.mapping, entry_0};
    LogRange own_{};
};

// The same with a client of a UNIX socket, whose unfinished line waits in the segment.
class UnixLineTest : public LineIngestTest {
protected:
    explicit UnixLineTest(Prefix prefix = Prefix::none) : LineIngestTest(prefix) {
        client_.slot->by_path = 1;
        ingest_.introduce(client_);
    }

    [[nodiscard]] std::string part() const {
        const auto part = Parts(segment_.mapping).of(id_, client_.slot->bytes_read);
        return part ? std::string(part->begin(), part->end()) : "none";
    }
};

} // namespace chatserv
