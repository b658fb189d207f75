// Names: what a first line stands for, and what is stored of it.
#include "shared/segment/names.h"
#include "tests/unit/ids.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

TEST(Names, ArePrintableTextOfALimitedLength) {
    EXPECT_EQ(name_from("Ada"), "Ada");
    EXPECT_EQ(name_from("  Ada Lovelace "), "Ada Lovelace");
    EXPECT_EQ(name_from("J\xc3\xb6rg"), "J\xc3\xb6rg");
    EXPECT_EQ(name_from("\x1b[31mred\tone\xff"), "?[31mred?one?");
    EXPECT_EQ(name_from(""), "");
    EXPECT_EQ(name_from("   "), "");
    EXPECT_EQ(name_from(std::string(100, 'x')), std::string(name_bytes_max, 'x'));
    EXPECT_EQ(name_from(std::string(name_bytes_max - 1, 'x') + "\xc3\xb6rg"),
        std::string(name_bytes_max - 1, 'x'))
        << "no character is cut";
    EXPECT_EQ(name_from(std::string(name_bytes_max - 1, 'x') + " y"),
        std::string(name_bytes_max - 1, 'x'));
}

TEST(Names, AreOfOneClientAndNotOfTheNextInItsSlot) {
    const Segment segment = Segment::create({.users = 2,
        .workers = 1,
        .log_bytes = log_bytes_min,
        .framing = {.framing = Framing::line, .prefix = Prefix::name},
        .settings = {.stall_limit_ms = 1000}});
    const Names names(segment);
    EXPECT_EQ(names.line_bytes(client_id(1)), 0U);
    names.store(client_id(1), "Ada", 5);
    EXPECT_EQ(names.line_bytes(client_id(1)), 5U);
    UserSlot slot{};
    slot.bytes_read = 4;
    EXPECT_FALSE(names.in_force(client_id(1), slot)) << "its line is not read yet";
    slot.bytes_read = 5;
    EXPECT_EQ(names.in_force(client_id(1), slot), "Ada");
    EXPECT_FALSE(names.in_force(client_id(0), slot));
    EXPECT_FALSE(names.in_force(client_id(1, 2), slot));
    EXPECT_EQ(names.line_bytes(client_id(0)), 0U);
    EXPECT_EQ(names.line_bytes(client_id(1, 2)), 0U);
    names.store(client_id(1), "Ada", 5); // a successor, which found the line unread
    EXPECT_EQ(names.in_force(client_id(1), slot), "Ada");
    segment.names()[1].name_bytes = 5000; // no worker of ours wrote this
    EXPECT_EQ(names.in_force(client_id(1), slot)->size(), name_bytes_max);
}

TEST(Names, TakeNoMemoryIfNobodyHasOne) {
    const Segment segment = Segment::create({.users = 2,
        .workers = 1,
        .log_bytes = log_bytes_min,
        .framing = {.framing = Framing::line, .prefix = Prefix::address},
        .settings = {.stall_limit_ms = 1000}});
    EXPECT_TRUE(segment.names().empty());
    EXPECT_FALSE(Names(segment).in_force(client_id(1), UserSlot{}));
    EXPECT_EQ(segment.header().names_offset, segment.header().log_control_offset);
}

} // namespace
} // namespace chatserv
