// What the metrics process answers to a request, whatever the request is.
#include "master/metrics/server/web_desk.h"

#include "tests/unit/master/metrics/small_view.h"

#include <gmock/gmock.h>
#include <random>

namespace chatserv {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class WebDeskTest : public testing::Test {
protected:
    std::string get(const std::string& path) { return desk_.answer("GET " + path + " HTTP/1.1"); }

    SmallView server_;
    WebDesk desk_{server_.view};
};

TEST_F(WebDeskTest, SaysWhetherTheServerIsReady) {
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503"));
    server_.serve();
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200"));
    server_.ledger.keeper().keeper = 5;
    server_.ledger.keeper().master = 6;
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503")) << "the next master has not begun";
    server_.ledger.keeper().serving = 6;
    EXPECT_THAT(get("/readyz"), EndsWith("\r\n\r\nready\n"));
    server_.ledger.standing().phase = serving_phase + 1;
    EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503")) << "it stops";
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(WebDeskTest, EveryAnswerEndsTheConnectionAndLetsNothingIn) {
    for (const char* const path :
        {"/", "/metrics", "/status.js", "/status.css", "/icon.svg", "/x"}) {
        const std::string answer = get(path);
        EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << path;
        EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'self';")) << path;
        EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n")) << path;
    }
}

TEST_F(WebDeskTest, AnswersGetAndHeadAlone) {
    EXPECT_THAT(desk_.answer("HEAD /metrics HTTP/1.1"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(desk_.answer("HEAD /metrics HTTP/1.1"), EndsWith("\r\n\r\n"));
    for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PRI", "TRACE"}) {
        const std::string answer = desk_.answer(std::string(method) + " /metrics HTTP/1.1");
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 405")) << method;
        EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n")) << method;
    }
}

TEST_F(WebDeskTest, AnswersNonsense) {
    for (const std::string& line : {std::string(), std::string("GET"), std::string("GET /"),
             std::string("GET / HTTP/3.7"), std::string(request_line_bytes_max + 1, 'x'),
             "GET /" + std::string(request_line_bytes_max - 20, '(') + " HTTP/1.1",
             std::string("GET /\0 HTTP/1.1", 15), std::string("GET /%0d%0aX:%20y HTTP/1.1"),
             std::string("GET /metrics?%%%=&&=; HTTP/1.1")})
        EXPECT_THAT(desk_.answer(line), StartsWith("HTTP/1.1 ")) << line;
    EXPECT_THAT(get("/%0d%0aX:%20y"), Not(HasSubstr("X: y")));
}

TEST_F(WebDeskTest, AnswersRandomBytes) {
    std::mt19937 random(17);
    for (int round = 0; round < 2000; ++round) {
        std::string line = round % 2 == 0 ? "GET /" : "";
        const size_t size = random() % 200;
        for (size_t i = 0; i < size; ++i)
            line += static_cast<char>(random());
        EXPECT_THAT(desk_.answer(line), StartsWith("HTTP/1.1 "));
    }
}

} // namespace
} // namespace chatserv
