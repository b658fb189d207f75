// --source: the meaning of each form, and the values that have none.
#include "master/config/source_address.h"

#include "shared/system/failure.h"
#include "tests/unit/master/config/options_test.h"

#include <sysexits.h>

namespace chatserv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SourceAddress parsed(const std::string& text) {
    return SourceAddress::parse({{"--source"}, text});
}

TEST(SourceAddress, PrintsAsItWasParsed) {
    for (const char* const text : {"tcp:127.0.0.1:30003", "tcp:[2001:db8::7]:1",
             "tcp:[fe80::1%eth0]:9999", "tcp:feed.example:65535", "talk:tcp:talk:1",
             "listen:unix:/run/a socket", "unix:relative", "file:/var/log/a:b,c",
             "serial:/dev/ttyUSB0,115200", "talk:serial:/dev/a,b,300", "stdin", "udp:0.0.0.0:10110",
             "udp:[::]:1", "udp:239.192.0.1:10110", "udp:[ff12::1%eth0]:10110",
             "listen:udp:255.255.255.255:2000", "talk:udp:a.b:9"})
        EXPECT_EQ(parsed(text).text(), text);
    EXPECT_EQ(parsed("serial:/dev/ttyS0").text(), "serial:/dev/ttyS0,9600");
    EXPECT_EQ(parsed("speak:stdin").text(), "stdin");
}

TEST(SourceAddress, SpeaksUnlessAnotherRoleIsGiven) {
    EXPECT_EQ(parsed("tcp:a:1").role, Role::speak);
    EXPECT_EQ(parsed("talk:tcp:a:1").role, Role::talk);
    EXPECT_EQ(parsed("listen:tcp:a:1").role, Role::listen);
    EXPECT_TRUE(parsed("tcp:a:1").is_heard());
    EXPECT_FALSE(parsed("tcp:a:1").hears());
    EXPECT_FALSE(parsed("listen:tcp:a:1").is_heard());
    EXPECT_TRUE(parsed("listen:tcp:a:1").hears());
}

TEST(SourceAddress, SilenceMeansNothingOfUdpAndFiles) {
    for (const char* const text : {"tcp:a:1", "talk:tcp:a:1", "unix:/a", "serial:/a"})
        EXPECT_TRUE(parsed(text).can_fall_silent()) << text;
    for (const char* const text : {"udp:a:1", "talk:udp:a:1", "file:/a", "stdin", "listen:tcp:a:1"})
        EXPECT_FALSE(parsed(text).can_fall_silent()) << text;
}

TEST(SourceAddress, IsNamedWithoutItsRole) {
    EXPECT_EQ(parsed("talk:tcp:a:1").name(), "tcp:a:1");
    EXPECT_EQ(parsed("stdin").name(), "stdin");
    EXPECT_EQ(parsed("listen:stdin").name(), "stdout");
    EXPECT_EQ(parsed("talk:stdin").name(), "stdin and stdout");
}

TEST(SourceAddress, RefusesEverythingElse) {
    for (const char* const text : {"", "tcp", "tcp:", "tcp:a", "tcp:a:", "tcp:a:0", "tcp:a:65536",
             "tcp::1", "tcp:-a:1", "tcp:a b:1", "tcp:2001:db8::7:1", "tcp:[a]:1", "tcp:[]:1",
             "unix:", "file:", "serial:", "serial:,9600", "serial:/dev/x,", "serial:/dev/x,9601",
             "stdin:", "stdin:x", "udp:", "udp:a", "udp:a:0", "udp:1", "udp::1", "udp:::1:9",
             "udp:a:65536", "talk:udp:", "talk:", "talk", "talk:talk:tcp:a:1", "talk:file:/x",
             "listen:file:/x", "9999"})
        EXPECT_THROW((void)parsed(text), Failure) << text;
    const std::string long_path(200, 'x');
    EXPECT_THROW((void)parsed("unix:" + long_path), Failure);
}

class SourceOptions : public OptionsUnitTest {};

TEST_F(SourceOptions, CanBeSeveralInOneValue) {
    EXPECT_THAT(texts_of(options_of({"--source", "tcp:a:1, serial:/dev/ttyS0,115200,file:/x",
                                        "--source=talk:unix:/y"})
                             .sources),
        ElementsAre("tcp:a:1", "serial:/dev/ttyS0,115200", "file:/x", "talk:unix:/y"));
    EXPECT_THAT(texts_of(options_of_file("source = [\"serial:/dev/a b,300\", 'stdin']\n").sources),
        ElementsAre("serial:/dev/a b,300", "stdin"));
    expect_refusal(refusal_of({"--source", "tcp:a:1,115200"}), EX_USAGE, {"115200", "tcp:HOST"});
    expect_refusal(refusal_of({"--source", "serial:/x,1"}), EX_USAGE, {"speeds", "115200"});
}

TEST_F(SourceOptions, AreReadAgainAsTheyArePrinted) {
    const Options options =
        options_of({"--source=serial:/dev/ttyS0,300,tcp:a:1", "--stdin", "--stdout=yes",
            "--stdin-end", "stop", "--source-greeting", "a\\n\"b\\\\", "--source-silence", "2.5"});
    const Options again = options_from("a test", describe(options));
    EXPECT_THAT(texts_of(again.sources), ElementsAre("serial:/dev/ttyS0,300", "tcp:a:1"));
    EXPECT_TRUE(again.standard_input && again.standard_output);
    EXPECT_EQ(again.at_end_of_stdin, AtEndOfStdin::stop);
    EXPECT_EQ(again.source_greeting, options.source_greeting);
    EXPECT_EQ(again.source_silence, std::chrono::milliseconds(2500));
}

TEST_F(SourceOptions, StandardInputNeedsNoValueOnTheCommandLine) {
    EXPECT_FALSE(options_of({}).standard_input);
    EXPECT_TRUE(options_of({"--stdin", "--users", "3"}).standard_input);
    EXPECT_FALSE(options_of({"--stdin=no"}).standard_input);
    EXPECT_TRUE(options_of_file("stdout = yes\n").standard_output);
    expect_refusal(refusal_of({"--stdin=maybe"}), EX_USAGE, {"--stdin", "yes or no"});
    expect_refusal(refusal_of({"--stdin", "yes"}), EX_USAGE, {"\"yes\""});
}

} // namespace
} // namespace chatserv
