// The segment's words, compiled once with the library's atomics and once with the compiler's.
#include "shared/segment/atomic_word.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <thread>

namespace chatserv {
namespace {

static_assert(SharedWord<uint64_t> && SharedWord<uint32_t> && SharedWord<int32_t>);
static_assert(!SharedWord<double> && !SharedWord<void*>);

template <typename Word>
class AtomicWord : public testing::Test {};

using Words = testing::Types<uint64_t, uint32_t, int32_t>;
TYPED_TEST_SUITE(AtomicWord, Words);

TYPED_TEST(AtomicWord, IsLoadedStoredAndSwapped) {
    TypeParam word = 1;
    EXPECT_EQ(load_acquire(word), TypeParam{1});
    store_release(word, 2);
    EXPECT_EQ(word, TypeParam{2});
    EXPECT_EQ(exchange(word, 3), TypeParam{2});
    EXPECT_FALSE(replace_if(word, 2, 4));
    EXPECT_EQ(word, TypeParam{3});
    EXPECT_TRUE(replace_if(word, 3, 4));
    EXPECT_EQ(word, TypeParam{4});
    full_fence();
}

// No bit is lost when two threads write at the same time.
TYPED_TEST(AtomicWord, IsWholeUnderTwoWriters) {
    constexpr TypeParam times = 100'000;
    TypeParam word = 0;
    const auto count = [&word] {
        for (TypeParam done = 0; done < times;) {
            const TypeParam before = load_acquire(word);
            if (replace_if(word, before, before + 1))
                ++done;
        }
    };
    std::thread other(count);
    count();
    other.join();
    EXPECT_EQ(load_acquire(word), 2 * times);
}

} // namespace
} // namespace chatserv
