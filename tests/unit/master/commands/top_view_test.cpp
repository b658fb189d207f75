// What `chatserv top` shows, and what its keys do.
#include "master/commands/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv {
namespace {

using testing::StartsWith;

class TopViewTest : public testing::Test {
protected:
    static UserReading user(uint32_t slot, uint64_t backlog, uint64_t in, uint32_t generation = 1) {
        return {.slot = slot,
            .generation = generation,
            .address = "192.0.2." + std::to_string(slot) + ":5",
            .bytes_in = in,
            .backlog = backlog};
    }
    void show(std::vector<UserReading> users) { view_.show("the server\nits log\n", users); }
    TopView::Verdict press(char character) {
        return view_.press({.kind = Key::Kind::character, .character = character});
    }
    void press(Key::Kind kind) { (void)view_.press({.kind = kind}); }

    // The slots on the screen, from the top.
    std::vector<std::string> slots(size_t rows = 24) {
        std::vector<std::string> slots;
        const TopView::Screen screen = view_.screen(rows, 200);
        for (size_t i = screen.heading + 1; i + 1 < screen.lines.size(); ++i)
            if (!screen.lines[i].empty())
                slots.push_back(screen.lines[i].substr(5, 1));
        return slots;
    }
    std::string selected(size_t rows = 24) {
        const TopView::Screen screen = view_.screen(rows, 200);
        return screen.selected ? screen.lines.at(*screen.selected).substr(5, 1) : "none";
    }
    std::string bottom() { return view_.screen(24, 200).lines.back(); }

    using Slots = std::vector<std::string>;
    TopView view_;
};

TEST_F(TopViewTest, ShowsTheServerAndTheUsersFurthestBehindFirst) {
    show({user(0, 5, 1), user(1, 9, 2), user(2, 5, 3)});
    const TopView::Screen screen = view_.screen(24, 200);
    ASSERT_EQ(screen.lines.size(), 24U);
    EXPECT_EQ(screen.lines[0], "the server");
    EXPECT_EQ(screen.lines[1], "its log");
    EXPECT_EQ(screen.heading, 3U);
    EXPECT_THAT(screen.lines[3], StartsWith("  slot  address"));
    EXPECT_THAT(screen.lines[4], StartsWith("     1  192.0.2.1:5"));
    EXPECT_EQ(slots(), (Slots{"1", "0", "2"}));
    EXPECT_THAT(bottom(), StartsWith("q quit, k kick; "));
}

TEST_F(TopViewTest, KeysSort) {
    show({user(0, 5, 1), user(1, 9, 2), user(2, 5, 3)});
    (void)press('i');
    EXPECT_EQ(slots(), (Slots{"2", "1", "0"}));
    (void)press('r');
    EXPECT_EQ(slots(), (Slots{"0", "1", "2"}));
    (void)press('a');
    EXPECT_EQ(slots(), (Slots{"0", "1", "2"}));
    (void)press('b');
    EXPECT_EQ(slots(), (Slots{"1", "0", "2"}));
    (void)press('s');
    show({user(0, 5, 1), user(1, 9, 2), user(2, 9, 3)});
    EXPECT_EQ(slots(), (Slots{"0", "1", "2"})) << "the order stays";
}

TEST_F(TopViewTest, TheSelectedUserStaysSelected) {
    show({user(0, 1, 0), user(1, 2, 0), user(2, 3, 0)});
    EXPECT_EQ(selected(), "2");
    press(Key::Kind::down);
    EXPECT_EQ(selected(), "1");
    show({user(0, 9, 0), user(1, 2, 0), user(2, 3, 0)});
    EXPECT_EQ(selected(), "1");
    press(Key::Kind::down);
    press(Key::Kind::down);
    EXPECT_EQ(selected(), "1") << "it is the last one";
    show({user(0, 9, 0)});
    EXPECT_EQ(selected(), "0");
    show({});
    EXPECT_EQ(selected(), "none");
}

TEST_F(TopViewTest, ScrollsToTheSelectedUser) {
    std::vector<UserReading> users;
    for (uint32_t slot = 0; slot < 9; ++slot)
        users.push_back(user(slot, 0, 0));
    show(users);
    constexpr size_t rows = 8; // of which three are users'
    EXPECT_EQ(slots(rows), (Slots{"0", "1", "2"}));
    press(Key::Kind::page_down);
    EXPECT_EQ(slots(rows), (Slots{"1", "2", "3"}));
    EXPECT_EQ(selected(rows), "3");
    press(Key::Kind::up);
    EXPECT_EQ(slots(rows), (Slots{"1", "2", "3"}));
    press(Key::Kind::page_up);
    EXPECT_EQ(slots(rows), (Slots{"0", "1", "2"}));
}

TEST_F(TopViewTest, KicksAfterAQuestion) {
    show({user(3, 0, 0, 17)});
    EXPECT_FALSE(press('k').kick);
    EXPECT_EQ(bottom(), "kick user 3 from 192.0.2.3:5? y: yes, any other key: no");
    EXPECT_FALSE(press('n').kick);
    EXPECT_FALSE(press('y').kick) << "nothing was asked";
    (void)press('k');
    show({user(3, 0, 0, 18)}); // another user by now
    const auto kick = press('y').kick;
    ASSERT_TRUE(kick);
    EXPECT_EQ(kick->slot, 3U);
    EXPECT_EQ(kick->generation, 17U) << "the user that was asked about";
    show({});
    EXPECT_FALSE(press('k').kick);
    EXPECT_FALSE(press('y').kick);
}

TEST_F(TopViewTest, AnyOtherKeyThanYesIsNo) {
    show({user(3, 0, 0)});
    (void)press('k');
    EXPECT_FALSE(press('q').quit);
    EXPECT_TRUE(press('q').quit);
}

TEST_F(TopViewTest, AMessageStaysUntilTheNextKey) {
    view_.say("something happened");
    show({});
    EXPECT_EQ(bottom(), "something happened");
    press(Key::Kind::down);
    EXPECT_THAT(bottom(), StartsWith("q quit, k kick; "));
}

TEST_F(TopViewTest, CutsNoCharacterOfANameAtTheEdge) {
    UserReading named = user(0, 0, 0);
    named.name = "J\xc3\xb6rg";
    show({named});
    const TopView::Screen whole = view_.screen(24, 200);
    const std::string row = whole.lines.at(whole.heading + 1);
    const size_t within = row.find("\xc3\xb6") + 1;
    EXPECT_EQ(view_.screen(24, within).lines.at(whole.heading + 1), row.substr(0, within - 1));
}

TEST_F(TopViewTest, FitsIntoTheSmallestTerminal) {
    show({user(0, 0, 0), user(1, 0, 0)});
    for (size_t rows = 0; rows < 10; ++rows)
        for (const size_t columns : {0U, 1U, 10U}) {
            const TopView::Screen screen = view_.screen(rows, columns);
            EXPECT_EQ(screen.lines.size(), rows);
            for (const std::string& line : screen.lines)
                EXPECT_LE(line.size(), columns);
        }
}

TEST_F(TopViewTest, SaysWhichUsersAreSources) {
    show({user(0, 5, 1), user(1, 5, 1)});
    EXPECT_THAT(view_.screen(24, 200).lines[3], testing::Not(testing::HasSubstr("source")));
    std::vector<UserReading> users{user(0, 5, 1), user(1, 5, 1)};
    users[1].source = "tcp:feed.example:30003";
    show(users);
    const TopView::Screen screen = view_.screen(24, 200);
    EXPECT_THAT(screen.lines[3], testing::HasSubstr("role    source                  since"));
    EXPECT_THAT(screen.lines[4], testing::HasSubstr("talk                            1970"));
    EXPECT_THAT(screen.lines[5], testing::HasSubstr("talk    tcp:feed.example:30003  1970"));
}

} // namespace
} // namespace chatserv
