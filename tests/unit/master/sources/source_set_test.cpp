// Which sources the options ask for, what a greeting stands for, and how long a source is left
// alone.
#include "master/sources/source_set.h"

#include "master/ledger/layout.h"
#include "master/sources/retry_pause.h"
#include "tests/unit/master/config/options_test.h"

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SourceSet, StandardInputAndOutputAreOneSource) {
    const auto set = [](const Words& words) { return texts_of(sources_of(options_of(words))); };
    EXPECT_THAT(set({}), IsEmpty());
    EXPECT_THAT(set({"--stdin"}), ElementsAre("stdin"));
    EXPECT_THAT(set({"--stdout"}), ElementsAre("listen:stdin"));
    EXPECT_THAT(set({"--stdin", "--stdout"}), ElementsAre("talk:stdin"));
    EXPECT_THAT(
        set({"--source", "stdin,file:/x", "--stdout"}), ElementsAre("talk:stdin", "file:/x"));
    EXPECT_THAT(set({"--source", "file:/x,stdin", "--stdin"}), ElementsAre("file:/x", "stdin"));
}

TEST(SourceSet, HasStandardInputOnceAndABoundedLength) {
    EXPECT_THROW((void)sources_of(options_of({"--source", "stdin,talk:stdin"})), Failure);
    EXPECT_THROW((void)sources_of(options_of({"--source", "tcp:a:7,tcp:a:7"})), Failure);
    EXPECT_EQ(sources_of(options_of({"--source", "tcp:a:7,talk:tcp:a:7"})).size(), 2U);
    std::string many = "file:/0";
    for (uint32_t i = 1; i < sources_max; ++i)
        many += ",file:/" + std::to_string(i);
    EXPECT_EQ(sources_of(options_of({"--source", many})).size(), sources_max);
    EXPECT_THROW((void)sources_of(options_of({"--source", many, "--stdin"})), Failure);
}

// What the server sent would come back to it, and be sent again.
TEST(SourceSet, HasNoSourceThatHearsAnother) {
    for (const char* const texts : {"udp:239.192.0.1:7,listen:udp:239.192.0.1:7",
             "listen:udp:192.0.2.255:7,udp:0.0.0.0:7", "udp:[::]:7,talk:udp:a.example:7"})
        EXPECT_THROW((void)sources_of(options_of({"--source", texts})), Failure) << texts;
    for (const char* const texts :
        {"udp:0.0.0.0:7,listen:udp:192.0.2.255:8", "udp:192.0.2.1:7,listen:udp:192.0.2.255:7",
            "udp:0.0.0.0:7,listen:tcp:192.0.2.1:7", "listen:udp:a:7,listen:udp:b:7"})
        EXPECT_EQ(sources_of(options_of({"--source", texts})).size(), 2U) << texts;
}

TEST(SourceSet, OnlyStandardOutputOutlivesItsInput) {
    const auto goes_on = [](const Words& words) {
        const Options options = options_of(words);
        return goes_on_at_end(options, sources_of(options).front());
    };
    EXPECT_TRUE(goes_on({"--stdin", "--stdout"}));
    EXPECT_FALSE(goes_on({"--stdin"}));
    EXPECT_FALSE(goes_on({"--stdin", "--stdout", "--stdin-end=stop"}));
    EXPECT_FALSE(goes_on({"--source", "talk:tcp:a:1"}));
}

TEST(SourceSet, AGreetingHasFourEscapes) {
    EXPECT_EQ(unescaped("a\\nb\\r\\t\\\\n"), "a\nb\r\t\\n");
    EXPECT_EQ(unescaped("\\x\\"), "\\x\\");
    EXPECT_EQ(unescaped(""), "");
}

TEST(RetryPause, GrowsUpToItsLimitAndNeverMeetsIt) {
    using Milliseconds = RetryPause::Milliseconds;
    RetryPause pause;
    EXPECT_EQ(pause.next(Milliseconds(0), 0), Milliseconds(750));
    EXPECT_EQ(pause.next(Milliseconds(0), 1), Milliseconds(2000));
    EXPECT_EQ(pause.next(Milliseconds(9999), 0.5), Milliseconds(3500));
    for (int i = 0; i < 20; ++i)
        EXPECT_LE(pause.next(Milliseconds(0), 0.999), RetryPause::longest);
    EXPECT_EQ(pause.next(Milliseconds(0), 0), Milliseconds(45'000));
}

TEST(RetryPause, BeginsAnewAfterAConnectionThatHasLasted) {
    using Milliseconds = RetryPause::Milliseconds;
    RetryPause pause;
    for (int i = 0; i < 20; ++i)
        (void)pause.next(Milliseconds(0), 0);
    EXPECT_EQ(pause.next(RetryPause::lasting, 1), Milliseconds(1000));
    EXPECT_EQ(pause.next(Milliseconds(0), 1), Milliseconds(2000));
}

} // namespace
} // namespace chatserv
