// The ledger: empty when it is made, found again through its descriptor, and refused where another
// program made it.
#include "master/ledger/ledger.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace chatserv {
namespace {

constexpr LedgerConfig config{.users = 3, .workers = 2, .processes = 4};

UniqueFd duplicate(const Ledger& ledger) {
    return UniqueFd(::dup(ledger.fd()));
}

std::string why_refused(const Ledger& ledger) {
    try {
        (void)Ledger::attach(duplicate(ledger));
    } catch (const std::runtime_error& refusal) {
        return refusal.what();
    }
    return "";
}

// As a program of another version would have left it.
void overwrite(const Ledger& ledger, size_t offset, uint32_t word) {
    ASSERT_EQ(::pwrite(ledger.fd(), &word, sizeof word, static_cast<off_t>(offset)), sizeof word);
}

template <typename Words>
std::span<std::byte> bytes_of(Words& words) {
    return std::as_writable_bytes(std::span(&words, 1));
}

TEST(Ledger, NotesNothingWhenItIsMade) {
    const Ledger ledger = Ledger::create(config);
    EXPECT_EQ(ledger.clients().size(), 3U);
    EXPECT_EQ(ledger.entries().size(), 2U);
    EXPECT_EQ(ledger.seats().size(), 4U);
    EXPECT_EQ(ledger.redo().kind, static_cast<uint32_t>(RedoKind::none));
    for (const ClientRecord& client : ledger.clients())
        EXPECT_EQ(number_of(client.socket), -1);
    for (const NewcomerRecord& newcomer : ledger.newcomers())
        EXPECT_EQ(number_of(newcomer.socket), -1);
    for (const LingeringRecord& lingering : ledger.lingering())
        EXPECT_EQ(number_of(lingering.socket), -1);
    EXPECT_TRUE(std::ranges::all_of(ledger.counters(), [](uint64_t count) { return count == 0; }));
}

// By a descriptor that can only read, a mapping cannot become one that can write.
TEST(Ledger, CanBeMappedToBeReadAlone) {
    const Ledger ledger = Ledger::create(config);
    ledger.counters()[3] = 17;
    UniqueFd to_read = open_to_read(ledger.fd());
    const bool is_read_only = (::fcntl(to_read.get(), F_GETFL) & O_ACCMODE) == O_RDONLY;
    const Ledger view = Ledger::attach(std::move(to_read), MappingAccess::read_only);
    EXPECT_EQ(view.counters()[3], 17U);
    ledger.counters()[3] = 18;
    EXPECT_EQ(view.counters()[3], 18U);
    if (!is_read_only)
        GTEST_SKIP() << "this system opens no descriptor once more";
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = reinterpret_cast<uintptr_t>(&view.counters()[3]) / page * page;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    EXPECT_EQ(::mprotect(reinterpret_cast<void*>(address), page, PROT_READ | PROT_WRITE), -1);
}

TEST(Ledger, IsTheSameThroughItsDescriptor) {
    const Ledger first = Ledger::create(config);
    first.clients()[2].socket = noted(17);
    first.keeper().generation = 5;
    const Ledger second = Ledger::attach(duplicate(first));
    EXPECT_EQ(number_of(second.clients()[2].socket), 17);
    EXPECT_EQ(second.keeper().generation, 5U);
    second.seats()[3].pid = 99;
    EXPECT_EQ(first.seats()[3].pid, 99);
}

TEST(Ledger, HasAreasThatDoNotOverlap) {
    const Ledger ledger = Ledger::create(config);
    const std::array areas{bytes_of(ledger.keeper()), bytes_of(ledger.standing()),
        std::as_writable_bytes(ledger.counters()), bytes_of(ledger.redo()),
        std::as_writable_bytes(ledger.newcomers()), std::as_writable_bytes(ledger.lingering()),
        std::as_writable_bytes(ledger.holdings()), std::as_writable_bytes(ledger.entries()),
        std::as_writable_bytes(ledger.seats()), std::as_writable_bytes(ledger.clients())};
    for (size_t area = 0; area < areas.size(); ++area)
        std::ranges::fill(areas[area], std::byte(area + 1));
    for (size_t area = 0; area < areas.size(); ++area)
        EXPECT_TRUE(std::ranges::all_of(areas[area], [area](std::byte at) {
            return at == std::byte(area + 1);
        })) << area;
    EXPECT_NO_THROW((void)Ledger::attach(duplicate(ledger))) << "the header is whole";
}

TEST(Ledger, IsRefusedWhereAnotherProgramMadeIt) {
    const Ledger ledger = Ledger::create(config);
    overwrite(ledger, offsetof(LedgerHeader, ledger_version), ledger_version + 1);
    EXPECT_EQ(why_refused(ledger), "the ledger has version " + std::to_string(ledger_version + 1) +
                                       ", this program's is " + std::to_string(ledger_version));
    overwrite(ledger, offsetof(LedgerHeader, ledger_version), ledger_version);
    EXPECT_EQ(why_refused(ledger), "");
    overwrite(ledger, offsetof(LedgerHeader, users), config.users + 100);
    EXPECT_EQ(why_refused(ledger), "the ledger's header is damaged");
    overwrite(ledger, offsetof(LedgerHeader, magic), 0);
    EXPECT_EQ(why_refused(ledger), "the ledger is not chatserv's");
}

TEST(Ledger, IsRefusedWhereItsFileIsTooSmall) {
    FILE* const file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    EXPECT_THROW((void)Ledger::attach(UniqueFd(::dup(::fileno(file)))), std::runtime_error);
    std::fclose(file);
}

} // namespace
} // namespace chatserv
