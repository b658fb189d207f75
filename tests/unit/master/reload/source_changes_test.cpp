// Which sources a reload makes, keeps and lets go, and the numbers that they get.
#include "master/reload/source_changes.h"

#include "shared/system/failure.h"
#include "tests/unit/master/sources/sources_scene.h"

#include <fmt/core.h>
#include <sysexits.h>

namespace chatserv {
namespace {

class SourceChangesTest : public SourcesScene {
protected:
    // The sources that are there, numbered from 1.
    void have(const std::vector<std::string>& addresses) {
        resources_.program.emplace(UniqueFd(), "chatserv-source");
        sources_ = make(addresses);
    }
    // "1 tcp:a:1, 2 tcp:b:1 goes"
    std::string plan(const std::vector<std::string>& addresses) {
        Options wanted;
        for (const std::string& address : addresses)
            wanted.sources.push_back(source(address));
        changes_ = plan_sources(*sources_, wanted);
        std::string text;
        for (const NumberedSource& each : changes_.all)
            text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", each.number,
                each.address.text(), each.is_wanted ? "" : " goes");
        return text;
    }
    void carry_out() {
        sources_->follow(changes_.all);
        resources_.sources = changes_.all;
    }
    int failure_of(const std::vector<std::string>& addresses) {
        try {
            (void)plan(addresses);
        } catch (const Failure& failure) {
            return failure.exit_status();
        }
        return EX_OK;
    }
    static std::vector<std::string> many(const std::string& name, uint32_t count) {
        std::vector<std::string> addresses;
        for (uint32_t i = 1; i <= count; ++i)
            addresses.push_back(fmt::format("tcp:{}:{}", name, i));
        return addresses;
    }

    std::unique_ptr<Sources> sources_{};
    SourceChanges changes_{};
};

TEST_F(SourceChangesTest, TheSameRoleAndAddressIsTheSameSource) {
    have({"tcp:a:1", "talk:tcp:b:1"});
    EXPECT_EQ(plan({"talk:tcp:b:1", "tcp:a:1"}), "1 tcp:a:1, 2 talk:tcp:b:1");
    EXPECT_TRUE(changes_.new_numbers.empty());
    EXPECT_EQ(plan({"tcp:a:1", "tcp:b:1"}), "1 tcp:a:1, 2 talk:tcp:b:1 goes, 3 tcp:b:1");
    EXPECT_EQ(changes_.new_numbers, std::vector<uint32_t>{3});
    EXPECT_EQ(plan({}), "1 tcp:a:1 goes, 2 talk:tcp:b:1 goes");
}

TEST_F(SourceChangesTest, ANumberIsGivenAgainWhenItsSourceIsGone) {
    have({"tcp:a:1", "tcp:b:1"});
    const ClientId client = admit(1);
    sources_->take_over();
    (void)plan({"tcp:b:1"});
    carry_out();
    EXPECT_EQ(plan({"tcp:a:1", "tcp:b:1"}), "1 tcp:a:1 goes, 2 tcp:b:1, 3 tcp:a:1")
        << "the former one has not left yet";
    let_leave(client);
    (void)sources_->look(Sources::Phase::as_is);
    EXPECT_EQ(plan({"tcp:c:1", "tcp:b:1"}), "2 tcp:b:1, 1 tcp:c:1");
}

TEST_F(SourceChangesTest, RefusesWhatCannotBe) {
    have({"tcp:a:1"});
    EXPECT_EQ(failure_of({"tcp:b:1", "tcp:b:1"}), EX_USAGE);
    EXPECT_EQ(failure_of(many("a", sources_max + 1)), EX_USAGE);
    EXPECT_EQ(failure_of(many("a", sources_max)), EX_OK);
    resources_.program.reset();
    EXPECT_EQ(failure_of({"tcp:a:1", "tcp:b:1"}), EX_UNAVAILABLE);
    EXPECT_EQ(failure_of({"tcp:a:1"}), EX_OK);
    EXPECT_EQ(failure_of({}), EX_OK);
}

TEST_F(SourceChangesTest, ThereAreNumbersForTwiceAsManyAsThereCanBe) {
    static_assert(source_numbers_max == 2 * sources_max);
    std::vector<NumberedSource> all;
    for (uint32_t number = 1; number <= source_numbers_max; ++number)
        all.push_back({.number = number,
            .address = source(fmt::format("tcp:a:{}", number)),
            .is_wanted = number > sources_max});
    resources_.program.emplace(UniqueFd(), "chatserv-source");
    resources_.sources = all;
    sources_ = make_in_force();
    EXPECT_EQ(failure_of({"tcp:b:1"}), EX_TEMPFAIL);
    (void)sources_->look(Sources::Phase::as_is); // those that are let go have nothing left
    EXPECT_EQ(failure_of({"tcp:b:1"}), EX_OK);
    EXPECT_EQ(changes_.new_numbers, std::vector<uint32_t>{1});
}

} // namespace
} // namespace chatserv
