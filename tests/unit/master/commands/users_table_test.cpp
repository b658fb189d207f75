// Users as a table.
#include "master/commands/users_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using testing::StartsWith;

TEST(UsersTableTest, HasNoColumnOfNamesIfNobodyHasOne) {
    const std::vector<UserReading> users{{.slot = 3, .address = "192.0.2.1:5"}};
    const UserWidths widths = widths_for(users);
    EXPECT_THAT(users_heading(widths), StartsWith("  slot  address      role    since"));
    EXPECT_THAT(user_row(users[0], widths), StartsWith("     3  192.0.2.1:5  talk    1970"));
}

TEST(UsersTableTest, ShowsTheNamesThatUsersGave) {
    const std::vector<UserReading> users{{.slot = 3, .address = "192.0.2.1:5", .name = "Ada"},
        {.slot = 4, .address = "192.0.2.1:6"},
        {.slot = 5, .address = "192.0.2.1:7", .name = "Eve"}};
    const UserWidths widths = widths_for(users);
    EXPECT_THAT(users_heading(widths), StartsWith("  slot  address      name  role    since"));
    EXPECT_THAT(user_row(users[0], widths), StartsWith("     3  192.0.2.1:5  Ada   talk    1970"));
    EXPECT_THAT(user_row(users[1], widths), StartsWith("     4  192.0.2.1:6        talk    1970"));
}

// The server sends printable text; another program at that path can send anything.
TEST(UsersTableTest, ANameCannotChangeTheTerminal) {
    const std::vector<UserReading> users{
        {.slot = 3, .address = "192.0.2.1:5", .name = "\x1b[2Jme\nyou"}};
    const UserWidths widths = widths_for(users);
    EXPECT_THAT(
        user_row(users[0], widths), StartsWith("     3  192.0.2.1:5  ?[2Jme?you  talk    1970"));
}

} // namespace
} // namespace chatserv
