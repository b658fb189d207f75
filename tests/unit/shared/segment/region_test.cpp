// The segment: which memory a worker refuses to attach to.
#include "shared/segment/atomic_word.h"
#include "shared/segment/region.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace chatserv {
namespace {

constexpr RegionConfig config{
    .users = 10, .workers = 2, .log_bytes = log_bytes_min, .stall_limit_ms = 5000};

UniqueFd copy_of(const Region& region) {
    return UniqueFd(::fcntl(region.fd(), F_DUPFD_CLOEXEC, 3));
}

// The header as every process maps it; a Region keeps a copy of its own.
SegmentHeader& shared_header(const Region& region) {
    return *reinterpret_cast<SegmentHeader*>(reinterpret_cast<char*>(region.worker_table().data()) -
                                             region.header().worker_table_offset);
}

std::string refusal_of(const Region& region) {
    try {
        Region::attach(copy_of(region));
    } catch (const std::runtime_error& refusal) {
        return refusal.what();
    }
    return "attached";
}

TEST(Region, IsTheSameMemoryInEveryProcess) {
    const Region made = Region::create(config);
    const Region attached = Region::attach(copy_of(made));
    EXPECT_EQ(attached.fd(), -1) << "and has nothing to cut it off with";
    EXPECT_EQ(attached.header().users, 10U);
    EXPECT_EQ(attached.user_table().size(), 10U);
    EXPECT_EQ(attached.worker_table().size(), 2U);
    EXPECT_EQ(attached.ring().size(), log_bytes_min);
    store_release(made.log_control().room_wanted, 4711);
    EXPECT_EQ(load_acquire(attached.log_control().room_wanted), 4711U);
    made.staging_bytes(1).back() = 'z';
    EXPECT_EQ(attached.staging_bytes(1).back(), 'z');
}

TEST(Region, IsRejectedWithAnotherMagicNumber) {
    const Region region = Region::create(config);
    shared_header(region).magic ^= 1;
    EXPECT_NE(refusal_of(region).find("not chatserv's"), std::string::npos);
}

TEST(Region, IsRejectedWithAnotherLayoutVersion) {
    const Region region = Region::create(config);
    shared_header(region).layout_version += 1;
    EXPECT_NE(refusal_of(region).find("one build"), std::string::npos);
}

// Only fields on which no other field of the header depends may differ: the limits, and a number of
// users that takes up as many pages.
TEST(Region, IsRejectedWithAnyFlippedBitOfItsHeader) {
    const Region region = Region::create(config);
    auto* const bytes = reinterpret_cast<unsigned char*>(&shared_header(region));
    for (size_t bit = 0; bit < sizeof(SegmentHeader) * 8; ++bit) {
        bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
        const size_t word = bit / 32;
        const bool free_choice = word == offsetof(SegmentHeader, stall_limit_ms) / 4 ||
                                 word == offsetof(SegmentHeader, hang_limit_ms) / 4 ||
                                 word == offsetof(SegmentHeader, min_drain_bytes) / 4 ||
                                 word == offsetof(SegmentHeader, slow_policy) / 4 ||
                                 word == offsetof(SegmentHeader, max_rate_bytes) / 4 ||
                                 word == offsetof(SegmentHeader, idle_timeout_ms) / 4 ||
                                 word == offsetof(SegmentHeader, processes) / 4 ||
                                 word == offsetof(SegmentHeader, users) / 4;
        if (!free_choice) {
            EXPECT_NE(refusal_of(region), "attached") << "bit " << bit;
        }
        bytes[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    }
}

// The maximum of each limit; every value up to it is valid.
TEST(Region, IsRejectedWithALimitOutOfRange) {
    RegionConfig limited = config;
    limited.max_rate_bytes = max_rate_bytes_max;
    limited.idle_timeout_ms = idle_timeout_ms_max;
    const Region region = Region::create(limited);
    const Region attached = Region::attach(copy_of(region));
    EXPECT_EQ(attached.header().max_rate_bytes, max_rate_bytes_max);
    EXPECT_EQ(attached.header().idle_timeout_ms, idle_timeout_ms_max);
    shared_header(region).max_rate_bytes += 1;
    EXPECT_NE(refusal_of(region), "attached");
    shared_header(region).max_rate_bytes -= 1;
    EXPECT_EQ(refusal_of(region), "attached");
    shared_header(region).idle_timeout_ms += 1;
    EXPECT_NE(refusal_of(region), "attached");
}

TEST(Region, IsRejectedWhenTooSmall) {
    const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    EXPECT_THROW(
        Region::attach(UniqueFd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3))), std::runtime_error);
}

} // namespace
} // namespace chatserv
