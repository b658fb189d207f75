// The words of a source's process: whole, cut anywhere, and such as no process of the server says.
#include "master/sources/source_word.h"

#include "shared/system/open_descriptors.h"

#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

class SourceWordTest : public testing::Test {
protected:
    void send(const char* bytes, size_t size) const {
        ASSERT_EQ(::write(stream_.second.get(), bytes, size), static_cast<ssize_t>(size));
    }
    [[nodiscard]] auto next() { return words_.next(stream_.first.get()); }
    [[nodiscard]] int say(SourceWord::Kind kind, std::string_view text, int fd = -1) const {
        return say_word(stream_.second.get(), kind, text, fd);
    }

    FdPair stream_ = make_stream_pair();
    SourceWords words_{};
};

TEST_F(SourceWordTest, ComesWithAConnectionOrWithAReason) {
    FdPair pair = make_stream_pair();
    ASSERT_EQ(say(SourceWord::Kind::connected, "", pair.second.get()), 0);
    ASSERT_EQ(say(SourceWord::Kind::failed, "no\x1b"), 0);
    pair.second.reset();
    auto connected = next();
    ASSERT_TRUE(connected);
    EXPECT_EQ(connected->kind, SourceWord::Kind::connected);
    ASSERT_EQ(::write(connected->socket.get(), "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(::read(pair.first.get(), &byte, 1), 1);
    EXPECT_NE(::fcntl(connected->socket.get(), F_GETFD) & FD_CLOEXEC, 0);
    const auto failed = next();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, SourceWord::Kind::failed);
    EXPECT_EQ(failed->text, "no?");
    EXPECT_FALSE(next());
    EXPECT_FALSE(words_.ended());
    stream_.second.reset();
    EXPECT_FALSE(next());
    EXPECT_TRUE(words_.ended());
}

TEST_F(SourceWordTest, IsWholeHoweverItWasCut) {
    SourceWord word{.kind = SourceWord::Kind::over};
    std::memset(word.text, 'x', sizeof word.text); // without its zero byte
    const char* const bytes = reinterpret_cast<const char*>(&word);
    for (size_t i = 0; i < sizeof word; ++i) {
        EXPECT_FALSE(next()) << i;
        send(bytes + i, 1);
    }
    const auto heard = next();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->kind, SourceWord::Kind::over);
    EXPECT_EQ(heard->text, std::string(126, 'x'));
}

TEST_F(SourceWordTest, WhatNoProcessOfTheServerSaysEndsTheStream) {
    for (const auto kind :
        {SourceWord::Kind(0), SourceWord::Kind(6), SourceWord::Kind::connected}) {
        stream_ = make_stream_pair();
        words_ = {};
        ASSERT_EQ(say(kind, "without a connection"), 0);
        EXPECT_FALSE(next());
        EXPECT_TRUE(words_.ended());
    }
}

TEST_F(SourceWordTest, AConnectionThatNobodyAskedForIsClosed) {
    FdPair pair = make_stream_pair();
    ASSERT_EQ(say(SourceWord::Kind::failed, "", pair.second.get()), 0);
    pair.second.reset();
    EXPECT_FALSE(next());
    EXPECT_TRUE(words_.ended());
    words_ = {};
    char byte = 0;
    EXPECT_EQ(::read(pair.first.get(), &byte, 1), 0) << "the last copy is closed";
}

TEST_F(SourceWordTest, NobodyHearsAWordAfterTheEnd) {
    ::signal(SIGPIPE, SIG_IGN);
    stream_.first.reset();
    EXPECT_EQ(say(SourceWord::Kind::failed, "x"), EPIPE);
}

} // namespace
} // namespace chatserv
