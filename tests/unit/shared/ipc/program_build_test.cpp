// The build of a program, as text.
#include "shared/ipc/program_build.h"

#include "shared/segment/layout.h"
#include "shared/system/version.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

TEST(ProgramBuildTest, IsReadAsItIsWritten) {
    const ProgramBuild build{.layout = 7, .version = "1.2.3-test"};
    EXPECT_EQ(text_of(build), "7 1.2.3-test\n");
    EXPECT_EQ(build_in(text_of(build)), build);
}

TEST(ProgramBuildTest, OfThisProgramHasItsLayoutAndVersion) {
    EXPECT_EQ(own_build().layout, layout_version);
    EXPECT_EQ(own_build().version, program_version());
}

TEST(ProgramBuildTest, NothingElseIsTakenForOne) {
    for (const std::string text : {"", "\n", "7\n", "7 \n", " 1.2.3\n", "seven 1.2.3\n",
             "-7 1.2.3\n", "7 1.2.3", "7 1.\t2\n", "99999999999 1.2.3\n", "7 1.2.3\n8 1.2.3\n"})
        EXPECT_FALSE(build_in(text).has_value()) << text;
}

} // namespace
} // namespace chatserv
