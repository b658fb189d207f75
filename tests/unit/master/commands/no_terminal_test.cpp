// `chatserv top` in a build without ncurses: the line that says so.
#include "master/commands/terminal.h"
#include "shared/system/failure.h"

#include <gtest/gtest.h>
#include <string>
#include <sysexits.h>

namespace chatserv {
namespace {

TEST(NoTerminal, SaysWhatIsMissingAndWhatToUseInstead) {
    try {
        Terminal::require();
        FAIL() << "there can be no terminal";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.exit_status(), EX_UNAVAILABLE);
        EXPECT_EQ(std::string(failure.what()),
            "this chatserv was built without ncurses, so it has no `top`: `chatserv status` and "
            "`chatserv users` show the same");
    }
    EXPECT_THROW(Terminal(), Failure);
}

} // namespace
} // namespace chatserv
