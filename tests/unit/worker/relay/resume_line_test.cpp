// The first line of a client that resumes, and its answer.
#include "worker/relay/resume_line.h"

#include <gtest/gtest.h>
#include <string>

namespace chatserv {
namespace {

using From = ResumeRequest::From;
using State = FirstLine::State;

constexpr uint64_t life = 0x0123456789abcdef;

TEST(ResumeLine, SaysFromWhereTheClientResumes) {
    struct Line {
        const char* text;
        ResumeRequest request;
    };
    for (const Line& line : {
             Line{"\n", {}},
             Line{"\r\n", {}},
             Line{"resume\n", {}},
             Line{"resume now\r\n", {}},
             Line{"resume oldest\n", {.from = From::oldest}},
             Line{"resume 0\n", {.from = From::offset}},
             Line{"resume 18446744073709551615\n", {.from = From::offset, .offset = ~0ULL}},
             Line{"resume 0123456789abcdef:77\r\n",
                 {.from = From::offset, .offset = 77, .life = life}},
             Line{"resume 0123456789ABCDEF:77\nand more\n",
                 {.from = From::offset, .offset = 77, .life = life}},
         }) {
        const FirstLine first = parse_first_line(line.text);
        EXPECT_EQ(first.state, State::whole) << line.text;
        EXPECT_EQ(first.request, line.request) << line.text;
    }
}

TEST(ResumeLine, AnythingElseIsWrong) {
    for (const char* const text :
        {"GET / HTTP/1.1\r\n", "hello\n", "resume \n", "resume  5\n", "resume5\n", "resume -1\n",
            "resume +1\n", "resume 1.5\n", "resume 18446744073709551616\n", "resume later\n",
            "resume :5\n", "resume 0123456789abcde:5\n", "resume 0123456789abcdef0:5\n",
            "resume 0123456789abcdeg:5\n", "resume 0123456789abcdef:\n",
            "resume 0x23456789abcdef0:5\n", "resume 5 \n", "Resume\n", " resume\n", "\r\r\n"})
        EXPECT_EQ(parse_first_line(text).state, State::wrong) << text;
    EXPECT_EQ(parse_first_line(std::string_view("resume 5\0\n", 10)).state, State::wrong);
}

TEST(ResumeLine, HasAnEndAndABound) {
    EXPECT_EQ(parse_first_line("").state, State::incomplete);
    EXPECT_EQ(parse_first_line("resume 5").state, State::incomplete);
    EXPECT_EQ(
        parse_first_line(std::string(resume_line_bytes_max - 1, 'x')).state, State::incomplete);
    EXPECT_EQ(parse_first_line(std::string(resume_line_bytes_max, 'x')).state, State::wrong);
    EXPECT_EQ(parse_first_line(std::string(resume_line_bytes_max, 'x') + "\n").state, State::wrong);
}

TEST(AnswerLine, NamesTheLogAndTheNextByte) {
    EXPECT_EQ(AnswerLine(Answer::from, life, 77).text(), "from 0123456789abcdef:77\n");
    EXPECT_EQ(
        AnswerLine(Answer::gone, 5, ~0ULL).text(), "gone 0000000000000005:18446744073709551615\n");
    EXPECT_EQ(AnswerLine(Answer::none, life, 77).text(), "");
}

TEST(AnswerLine, CanBeSentInPieces) {
    const AnswerLine line(Answer::from, life, 77);
    std::string sent;
    while (!line.rest(sent.size()).empty())
        sent += line.rest(sent.size()).substr(0, 7);
    EXPECT_EQ(sent, line.text());
    EXPECT_EQ(line.rest(~0ULL), "");
}

// A client can say what it was told.
TEST(AnswerLine, IsARequestButForItsFirstWord) {
    const AnswerLine line(Answer::from, life, 77);
    const FirstLine first = parse_first_line("resume" + std::string(line.text().substr(4)));
    EXPECT_EQ(first.state, State::whole);
    EXPECT_EQ(first.request, (ResumeRequest{.from = From::offset, .offset = 77, .life = life}));
}

} // namespace
} // namespace chatserv
