// The segment: which memory a worker refuses to attach to.
#include "shared/segment/atomic_word.h"
#include "shared/segment/relay_settings.h"
#include "shared/segment/segment.h"

#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace chatserv {
namespace {

constexpr SegmentConfig config{
    .users = 10, .workers = 2, .log_bytes = log_bytes_min, .settings = {.stall_limit_ms = 5000}};

UniqueFd copy_of(const Segment& segment) {
    return UniqueFd(::fcntl(segment.fd(), F_DUPFD_CLOEXEC, 3));
}

// The header as every process maps it; a Segment keeps a copy of its own.
SegmentHeader& shared_header(const Segment& segment) {
    return *reinterpret_cast<SegmentHeader*>(
        reinterpret_cast<char*>(segment.worker_table().data()) -
        segment.header().worker_table_offset);
}

std::string refusal_of(const Segment& segment) {
    try {
        Segment::attach(copy_of(segment));
    } catch (const std::runtime_error& refusal) {
        return refusal.what();
    }
    return "attached";
}

TEST(Segment, IsTheSameMemoryInEveryProcess) {
    const Segment made = Segment::create(config);
    const Segment attached = Segment::attach(copy_of(made));
    EXPECT_EQ(attached.fd(), -1) << "and has nothing to cut it off with";
    EXPECT_EQ(attached.header().users, 10U);
    EXPECT_EQ(attached.user_table().size(), 10U);
    EXPECT_EQ(attached.worker_table().size(), 2U);
    EXPECT_EQ(attached.ring().size(), log_bytes_min);
    store_release(made.log_control().room_wanted, 4711);
    EXPECT_EQ(load_acquire(attached.log_control().room_wanted), 4711U);
    made.staging_bytes(EntryId{1}).back() = 'z';
    EXPECT_EQ(attached.staging_bytes(EntryId{1}).back(), 'z');
}

// For a process that is to see how the server is, and not what users say.
TEST(Segment, HasTablesThatCanBeMappedWithoutTheLog) {
    const Segment made = Segment::create(config);
    const Segment tables = Segment::attach_tables(open_to_read(made.fd()));
    EXPECT_EQ(tables.fd(), -1);
    EXPECT_EQ(tables.bytes().size(), made.header().index_offset);
    EXPECT_LT(tables.bytes().size(), made.header().ring_offset);
    store_release(made.log_control().room_wanted, 4711);
    EXPECT_EQ(load_acquire(tables.log_control().room_wanted), 4711U);
    shared_header(made).layout_version += 1;
    EXPECT_THROW((void)Segment::attach_tables(open_to_read(made.fd())), std::runtime_error);
}

TEST(Segment, IsRejectedWithAnotherMagicNumber) {
    const Segment segment = Segment::create(config);
    shared_header(segment).magic ^= 1;
    EXPECT_NE(refusal_of(segment).find("not chatserv's"), std::string::npos);
}

TEST(Segment, IsRejectedWithAnotherLayoutVersion) {
    const Segment segment = Segment::create(config);
    shared_header(segment).layout_version += 1;
    EXPECT_NE(refusal_of(segment).find("one build"), std::string::npos);
}

// Only fields on which no other field of the header depends may differ: a number of users or of
// processes that takes up as many pages.
TEST(Segment, IsRejectedWithAnyFlippedBitOfItsHeader) {
    const Segment segment = Segment::create(config);
    auto* const bytes = reinterpret_cast<unsigned char*>(&shared_header(segment));
    for (size_t bit = 0; bit < sizeof(SegmentHeader) * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
        const size_t word = bit / 32;
        const bool free_choice = word == offsetof(SegmentHeader, processes) / 4 ||
                                 word == offsetof(SegmentHeader, users) / 4;
        if (!free_choice) {
            EXPECT_NE(refusal_of(segment), "attached") << "bit " << bit;
        }
        bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    }
}

// The maximum of each limit; every value up to it is valid.
TEST(Segment, IsRejectedWithALimitOutOfRange) {
    SegmentConfig limited = config;
    limited.settings.max_rate_bytes = max_rate_bytes_max;
    limited.settings.idle_timeout_ms = idle_timeout_ms_max;
    const Segment segment = Segment::create(limited);
    const Segment attached = Segment::attach(copy_of(segment));
    EXPECT_EQ(attached.first_settings().max_rate_bytes, max_rate_bytes_max);
    EXPECT_EQ(attached.first_settings().idle_timeout_ms, idle_timeout_ms_max);
    for (uint32_t RelaySettings::*limit :
        {&RelaySettings::max_rate_bytes, &RelaySettings::idle_timeout_ms, &RelaySettings::log_level,
            &RelaySettings::log_as_json}) {
        RelaySettings wrong = limited.settings;
        wrong.*limit = std::max(wrong.*limit + 1, 5U);
        put_in_force(segment.settings(), wrong);
        EXPECT_NE(refusal_of(segment), "attached");
        put_in_force(segment.settings(), limited.settings);
        EXPECT_EQ(refusal_of(segment), "attached");
    }
}

TEST(Segment, IsRejectedWhenTooSmall) {
    const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    EXPECT_THROW(
        Segment::attach(UniqueFd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3))), std::runtime_error);
}

} // namespace
} // namespace chatserv
