// MW17: a master that died while it read a proxy's header.
#include "master/clients/header_reading.h"

#include "master/ledger/noted_address.h"
#include "shared/system/errors.h"
#include "shared/system/fd.h"
#include "shared/system/kernel_account.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

const std::string header = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 9999\r\n";

struct Pair {
    UniqueFd proxy;
    UniqueFd server;
};

Pair tcp_pair() {
    const UniqueFd listening(::socket(AF_INET, SOCK_STREAM, 0));
    Address address = Address::loopback(AF_INET, 0);
    EXPECT_EQ(::bind(listening.get(), address.data(), address.size()), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    address = Address::of_socket(listening.get());
    Pair pair{.proxy = UniqueFd(::socket(AF_INET, SOCK_STREAM, 0)), .server = {}};
    EXPECT_EQ(::connect(pair.proxy.get(), address.data(), address.size()), 0);
    pair.server = UniqueFd(::accept(listening.get(), nullptr, nullptr));
    return pair;
}

Pair unix_pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return {.proxy = UniqueFd(fds[0]), .server = UniqueFd(fds[1])};
}

class HeaderReadingTest : public testing::Test {
protected:
    // The proxy has sent its header, and the first bytes of the client.
    void begin(Pair pair) {
        pair_ = std::move(pair);
        set_nonblocking(pair_.server.get());
        record_ = {.socket = noted(pair_.server.get()), .proxied = 1};
        const std::string sent = header + "hello";
        ASSERT_EQ(::write(pair_.proxy.get(), sent.data(), sent.size()),
            static_cast<ssize_t>(sent.size()));
        char byte = 0;
        while (::recv(pair_.server.get(), &byte, 1, MSG_PEEK) != 1)
            continue;
    }
    // What a master has noted that died when it had read so many bytes of the header.
    void die_after(size_t bytes_read) {
        const auto base = byte_counts(pair_.server.get());
        record_.header = static_cast<uint8_t>(HeaderState::taking);
        record_.header_bytes = static_cast<uint32_t>(header.size());
        record_.accounted = base ? 1 : 0;
        record_.consumed_base = base ? base->consumed : 0;
        record_.announced = noted(client_);
        (void)read(bytes_read);
    }
    [[nodiscard]] std::string read(size_t bytes) const {
        std::string text(bytes, '\0');
        const ssize_t got = ::read(pair_.server.get(), text.data(), bytes);
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }

    const Address client_ = *Address::parse("192.0.2.7:4711");
    Pair pair_;
    NewcomerRecord record_{};
};

TEST_F(HeaderReadingTest, LeavesWhatTheClientHasSent) {
    for (const bool by_path : {false, true}) {
        begin(by_path ? unix_pair() : tcp_pair());
        EXPECT_EQ(settle_header(record_), InheritedHeader::expected);
        ASSERT_TRUE(take_header(record_, header.size(), client_, true));
        EXPECT_EQ(read(99), "hello");
        EXPECT_EQ(settle_header(record_), InheritedHeader::taken);
        EXPECT_EQ(address_of(record_.announced).text(), "192.0.2.7:4711");
    }
}

TEST_F(HeaderReadingTest, FailsWhereTheBytesAreNotThere) {
    begin(tcp_pair());
    EXPECT_FALSE(take_header(record_, 4000, client_, true));
}

TEST_F(HeaderReadingTest, ASuccessorReadsTheRestByTheKernelsAccount) {
    for (size_t bytes = 0; bytes <= header.size(); ++bytes) {
        begin(tcp_pair());
        if (!byte_counts(pair_.server.get()))
            GTEST_SKIP() << "this system keeps no account of connections";
        die_after(bytes);
        EXPECT_EQ(settle_header(record_), InheritedHeader::taken) << bytes;
        EXPECT_EQ(read(99), "hello") << bytes;
        EXPECT_EQ(settle_header(record_), InheritedHeader::taken) << "a second successor";
    }
}

TEST_F(HeaderReadingTest, WithoutAnAccountTheConnectionIsInDoubt) {
    begin(unix_pair());
    die_after(header.size());
    EXPECT_EQ(settle_header(record_), InheritedHeader::in_doubt);
    begin(tcp_pair());
    die_after(0);
    record_.accounted = 0;
    EXPECT_EQ(settle_header(record_), InheritedHeader::in_doubt);
    EXPECT_EQ(read(header.size()), header) << "nothing is read of it";
}

// The kernel cannot have counted more than the header: somebody else has read.
TEST_F(HeaderReadingTest, AnAccountThatIsNonsenseIsADoubt) {
    begin(tcp_pair());
    die_after(header.size() + 1);
    EXPECT_EQ(settle_header(record_), InheritedHeader::in_doubt);
}

} // namespace
} // namespace chatserv
