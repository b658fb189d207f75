// Prometheus's text format: every metric has its help and its type, and no sample is there twice.
#include "master/metrics/server/exposition.h"

#include <gmock/gmock.h>
#include <regex>
#include <set>
#include <sstream>

namespace chatserv {
namespace {

using testing::HasSubstr;
using testing::Not;

Figures figures() {
    Figures figures{.started_at_ms = 1'700'000'000'123,
        .is_ready = true,
        .users_max = 10,
        .users = 3,
        .accepted = 9,
        .refusals = {{"table_full", 2}},
        .departures = {{"end_of_file", 5}, {"reset", 1}},
        .received_bytes = 1000,
        .sent_bytes = 18'446'744'073'709'551'615U,
        .log_bytes = 4096,
        .log_held_bytes = 1024,
        .workers = {
            {.number = 1, .pid = 77, .users = 3, .awake_ns = 2'500'000'000}, {.number = 2}}};
    figures.workers[1].takeovers = 4;
    figures.workers[1].takeovers_ns = 2'000'000;
    figures.workers[1].taken_over_at_ms = 1'700'000'001'500;
    figures.masters_replaced = 6;
    figures.dropped_datagrams = 12;
    figures.sources = {{.name = "tcp:a:7",
                           .connected = true,
                           .connections = 4,
                           .received_bytes = 100,
                           .sent_bytes = 20},
        {.name = "udp:0.0.0.0:7", .dropped_datagrams = 12}};
    return figures;
}

TEST(ExpositionTest, SaysEveryFigureInItsUnit) {
    const std::string text = exposition_of(figures());
    for (const char* const line : {
             "\nchatserv_start_time_seconds 1700000000.123\n",
             "\nchatserv_ready 1\n",
             "\nchatserv_users 3\n",
             "\nchatserv_refusals_total{reason=\"table_full\"} 2\n",
             "\nchatserv_departures_total{reason=\"reset\"} 1\n",
             "\nchatserv_sent_bytes_total 18446744073709551615\n",
             "\nchatserv_dropped_datagrams_total 12\n",
             "\nchatserv_source_connected{source=\"tcp:a:7\"} 1\n",
             "\nchatserv_source_connected{source=\"udp:0.0.0.0:7\"} 0\n",
             "\nchatserv_source_connections_total{source=\"tcp:a:7\"} 4\n",
             "\nchatserv_source_received_bytes_total{source=\"tcp:a:7\"} 100\n",
             "\nchatserv_source_sent_bytes_total{source=\"tcp:a:7\"} 20\n",
             "\nchatserv_source_dropped_datagrams_total{source=\"udp:0.0.0.0:7\"} 12\n",
             "\nchatserv_log_fill_ratio 0.25\n",
             "\nchatserv_workers_serving 1\n",
             "\nchatserv_worker_up{worker=\"2\"} 0\n",
             "\nchatserv_worker_awake_seconds_total{worker=\"1\",pid=\"77\"} 2.5\n",
             "\nchatserv_takeovers_total{process=\"worker\"} 4\n",
             "\nchatserv_takeovers_total{process=\"master\"} 6\n",
             "\nchatserv_takeover_duration_seconds_sum{worker=\"2\"} 0.002\n",
             "\nchatserv_takeover_duration_seconds_count{worker=\"2\"} 4\n",
             "\nchatserv_last_takeover_timestamp_seconds{worker=\"2\"} 1700000001.5\n",
         })
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(ExpositionTest, EscapesWhatAPathMayHave) {
    Figures odd = figures();
    odd.sources = {{.name = R"(file:/a "b\c")"}};
    EXPECT_THAT(
        exposition_of(odd), HasSubstr(R"(chatserv_source_connected{source="file:/a \"b\\c\""} 0)"));
}

TEST(ExpositionTest, LeavesOutWhatIsNotKnown) {
    Figures unknown = figures();
    unknown.sent_bytes.reset();
    EXPECT_THAT(exposition_of(unknown), Not(HasSubstr("\nchatserv_sent_bytes_total ")));
}

TEST(ExpositionTest, EveryMetricHasHelpAndTypeAndEverySampleAMetric) {
    std::istringstream lines(exposition_of(figures()));
    const std::regex sample(R"(([a-z_]+)(\{([a-z]+="[^"\\]*",?)+\})? [0-9.]+)");
    std::set<std::string> seen;
    std::string metric;
    std::string type;
    for (std::string line; std::getline(lines, line);) {
        std::smatch parts;
        if (line.starts_with("# HELP ")) {
            metric = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(metric.starts_with("chatserv_")) << line;
            EXPECT_TRUE(line.ends_with(".")) << line;
            continue;
        }
        if (line.starts_with("# TYPE ")) {
            EXPECT_TRUE(line.starts_with("# TYPE " + metric + " ")) << line;
            type = line.substr(line.rfind(' ') + 1);
            EXPECT_EQ(metric.ends_with("_total"), type == "counter") << line;
            continue;
        }
        ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
        EXPECT_TRUE(parts[1] == metric || (type == "summary" && (parts[1] == metric + "_sum" ||
                                                                    parts[1] == metric + "_count")))
            << line;
        EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
    EXPECT_GT(seen.size(), 30U);
}

TEST(ExpositionTest, TellsOfARoomOfSeveralHostsWhereOneIsJoined) {
    EXPECT_THAT(exposition_of(figures()), Not(HasSubstr("\nchatserv_room_other_hosts ")));
    Figures joined = figures();
    joined.room = RoomStanding{.link = LinkState::delivering,
        .since_ms = 1'700'000'000'500,
        .others = 2,
        .messages = 70,
        .repeated = 3,
        .published_again = 4,
        .waiting_bytes = 500};
    joined.bridge_deaths = 6;
    const std::string text = exposition_of(joined);
    for (const char* const line :
        {"\nchatserv_room_delivering 1\n", "\nchatserv_room_link_since_seconds 1700000000.5\n",
            "\nchatserv_room_other_hosts 2\n", "\nchatserv_room_waiting_bytes 500\n",
            "\nchatserv_room_messages_total 70\n", "\nchatserv_room_repeated_total 3\n",
            "\nchatserv_room_published_again_total 4\n", "\nchatserv_bridge_deaths_total 6\n"})
        EXPECT_THAT(text, HasSubstr(line));
    joined.room->link = LinkState::waiting;
    EXPECT_THAT(exposition_of(joined), HasSubstr("\nchatserv_room_delivering 0\n"));
}

} // namespace
} // namespace chatserv
