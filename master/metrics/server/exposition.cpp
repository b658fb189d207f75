#include "master/metrics/server/exposition.h"

#include "shared/system/version.h"

#include <fmt/core.h>
#include <string_view>

namespace chatserv {

namespace {

constexpr double nanoseconds = 1e9;
constexpr double milliseconds = 1e3;

// Writes the samples of one metric.
class Samples {
public:
    Samples(std::string& text, std::string_view name) : text_(text), name_(name) {}

    void whole(uint64_t value, const std::string& labels = "") { add("", labels, value); }
    void real(double value, const std::string& labels = "") { add("", labels, value); }
    // Of a summary without quantiles.
    void summary(double sum, uint64_t count, const std::string& labels) {
        add("_sum", labels, sum);
        add("_count", labels, count);
    }

private:
    template <typename Value>
    void add(std::string_view suffix, const std::string& labels, Value value) {
        text_ += labels.empty() ? fmt::format("{}{} {}\n", name_, suffix, value)
                                : fmt::format("{}{}{{{}}} {}\n", name_, suffix, labels, value);
    }

    std::string& text_;
    std::string_view name_;
};

// A value has no newline; the path of a source may have the other two that are to be escaped.
std::string label(std::string_view name, std::string_view value) {
    std::string escaped;
    for (const char byte : value) {
        if (byte == '\\' || byte == '"')
            escaped += '\\';
        escaped += byte;
    }
    return fmt::format("{}=\"{}\"", name, escaped);
}

std::string worker_label(const WorkerFigures& worker) {
    return label("worker", std::to_string(worker.number));
}

void by_reason(Samples& samples, const std::vector<NamedCount>& counts) {
    for (const NamedCount& count : counts)
        samples.whole(count.value, label("reason", count.name));
}

template <typename Value>
void by_worker(Samples& samples, const Figures& figures, Value value) {
    for (const WorkerFigures& worker : figures.workers)
        samples.whole(value(worker), worker_label(worker));
}

template <typename Value>
void by_source(Samples& samples, const Figures& figures, Value value) {
    for (const SourceFigures& source : figures.sources)
        samples.whole(value(source), label("source", source.name));
}

uint32_t serving(const Figures& figures) {
    uint32_t count = 0;
    for (const WorkerFigures& worker : figures.workers)
        count += worker.pid != 0 ? 1 : 0;
    return count;
}

void takeovers(Samples& samples, const Figures& figures) {
    uint64_t of_workers = 0;
    for (const WorkerFigures& worker : figures.workers)
        of_workers += worker.takeovers;
    samples.whole(of_workers, label("process", "worker"));
    samples.whole(figures.masters_replaced, label("process", "master"));
    samples.whole(figures.keepers_replaced, label("process", "keeper"));
}

void takeover_times(Samples& samples, const Figures& figures) {
    for (const WorkerFigures& worker : figures.workers)
        samples.summary(static_cast<double>(worker.takeovers_ns) / nanoseconds, worker.takeovers,
            worker_label(worker));
}

void last_takeovers(Samples& samples, const Figures& figures) {
    for (const WorkerFigures& worker : figures.workers)
        if (worker.takeovers > 0)
            samples.real(
                static_cast<double>(worker.taken_over_at_ms) / milliseconds, worker_label(worker));
}

// The label of the process is there so that no series ever goes down: each process counts anew.
void awake(Samples& samples, const Figures& figures) {
    for (const WorkerFigures& worker : figures.workers)
        if (worker.pid != 0)
            samples.real(static_cast<double>(worker.awake_ns) / nanoseconds,
                worker_label(worker) + "," + label("pid", std::to_string(worker.pid)));
}

void sent(Samples& samples, const Figures& figures) {
    if (figures.sent_bytes)
        samples.whole(*figures.sent_bytes);
}

void by_role(Samples& samples, const Figures& figures) {
    for (const Role role : all_roles)
        samples.whole(figures.users_with_role[static_cast<size_t>(role)],
            label("role", std::string(name_of(role))));
}

template <uint64_t RoomStanding::*member>
void of_room(Samples& samples, const Figures& figures) {
    if (figures.room)
        samples.whole((*figures.room).*member);
}

void delivering(Samples& samples, const Figures& figures) {
    if (figures.room)
        samples.whole(figures.room->link == LinkState::delivering ? 1U : 0U);
}

void link_since(Samples& samples, const Figures& figures) {
    if (figures.room)
        samples.real(static_cast<double>(figures.room->since_ms) / milliseconds);
}

void bridge_deaths(Samples& samples, const Figures& figures) {
    if (figures.room)
        samples.whole(figures.bridge_deaths);
}

double log_fill(const Figures& figures) {
    return figures.log_bytes == 0 ? 0
                                  : static_cast<double>(figures.log_held_bytes) /
                                        static_cast<double>(figures.log_bytes);
}

struct Metric {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    void (*write)(Samples& samples, const Figures& figures);
};

constexpr Metric metrics[] = {
    {"chatserv_build_info", "gauge", "The version of chatserv that answers; always 1.",
        [](Samples& to, const Figures&) { to.whole(1, label("version", program_version())); }},
    {"chatserv_start_time_seconds", "gauge",
        "When the server started, in seconds since 1970; the death of a process does not change "
        "it.",
        [](Samples& to, const Figures& of) {
            to.real(static_cast<double>(of.started_at_ms) / milliseconds);
        }},
    {"chatserv_ready", "gauge", "1 if a master and a worker at least serve and no stop has begun.",
        [](Samples& to, const Figures& of) { to.whole(of.is_ready ? 1 : 0); }},
    {"chatserv_users", "gauge", "Users that are connected.",
        [](Samples& to, const Figures& of) { to.whole(of.users); }},
    {"chatserv_role_users", "gauge", "Users that are connected, by what they may do.", by_role},
    {"chatserv_users_max", "gauge", "Users that can be connected at the same time (--users).",
        [](Samples& to, const Figures& of) { to.whole(of.users_max); }},
    {"chatserv_accepted_total", "counter", "Users that were let in.",
        [](Samples& to, const Figures& of) { to.whole(of.accepted); }},
    {"chatserv_refusals_total", "counter", "Connections that were turned away, by reason.",
        [](Samples& to, const Figures& of) { by_reason(to, of.refusals); }},
    {"chatserv_departures_total", "counter", "Users that left, by reason.",
        [](Samples& to, const Figures& of) { by_reason(to, of.departures); }},
    {"chatserv_throttled_total", "counter",
        "How often a user was told for the first time that it sends too fast (--max-rate).",
        [](Samples& to, const Figures& of) { to.whole(of.throttled); }},
    {"chatserv_accept_pauses_total", "counter",
        "How often new connections had to wait because the system had no descriptors or memory.",
        [](Samples& to, const Figures& of) { to.whole(of.accept_pauses); }},
    {"chatserv_moved_total", "counter", "Users that were moved from one living worker to another.",
        [](Samples& to, const Figures& of) { to.whole(of.moved); }},
    {"chatserv_dropped_datagrams_total", "counter",
        "Datagrams of UDP sources that could not be relayed, and those that could not be sent.",
        [](Samples& to, const Figures& of) { to.whole(of.dropped_datagrams); }},
    {"chatserv_source_connected", "gauge", "1 if this source is a user now.",
        [](Samples& to, const Figures& of) {
            by_source(
                to, of, [](const SourceFigures& source) { return source.connected ? 1U : 0U; });
        }},
    {"chatserv_source_connections_total", "counter", "How often this source was connected.",
        [](Samples& to, const Figures& of) {
            by_source(to, of, [](const SourceFigures& source) { return source.connections; });
        }},
    {"chatserv_source_received_bytes_total", "counter", "Bytes that came from this source.",
        [](Samples& to, const Figures& of) {
            by_source(to, of, [](const SourceFigures& source) { return source.received_bytes; });
        }},
    {"chatserv_source_sent_bytes_total", "counter", "Bytes that were sent to this source.",
        [](Samples& to, const Figures& of) {
            by_source(to, of, [](const SourceFigures& source) { return source.sent_bytes; });
        }},
    {"chatserv_source_dropped_datagrams_total", "counter",
        "Datagrams that this source has lost; only UDP sources lose any.",
        [](Samples& to, const Figures& of) {
            by_source(to, of, [](const SourceFigures& source) { return source.dropped_datagrams; });
        }},
    {"chatserv_received_bytes_total", "counter",
        "Bytes of users that were published to the others.",
        [](Samples& to, const Figures& of) { to.whole(of.received_bytes); }},
    {"chatserv_received_chunks_total", "counter", "Reads from users into which these bytes came.",
        [](Samples& to, const Figures& of) { to.whole(of.chunks); }},
    {"chatserv_sent_bytes_total", "counter",
        "Bytes that were written to users. Left out while users leave faster than it can be read.",
        sent},
    {"chatserv_log_size_bytes", "gauge", "How far the slowest user may fall behind (--log-size).",
        [](Samples& to, const Figures& of) { to.whole(of.log_bytes); }},
    {"chatserv_log_held_bytes", "gauge", "Bytes that the slowest user has yet to be sent.",
        [](Samples& to, const Figures& of) { to.whole(of.log_held_bytes); }},
    {"chatserv_log_fill_ratio", "gauge", "The same as a share of the log, from 0 to 1.",
        [](Samples& to, const Figures& of) { to.real(log_fill(of)); }},
    {"chatserv_senders_wait", "gauge", "1 if senders are not read because the log is full.",
        [](Samples& to, const Figures& of) { to.whole(of.senders_wait ? 1 : 0); }},
    {"chatserv_room_delivering", "gauge",
        "1 if the room of several hosts (--room) takes and delivers what is sent.", delivering},
    {"chatserv_room_link_since_seconds", "gauge", "Since when it does so, or does not, since 1970.",
        link_since},
    {"chatserv_room_other_hosts", "gauge", "Hosts in the room beside this one.",
        of_room<&RoomStanding::others>},
    {"chatserv_room_waiting_bytes", "gauge", "Bytes of users that the room has yet to take.",
        of_room<&RoomStanding::waiting_bytes>},
    {"chatserv_room_messages_total", "counter", "Messages of the room that were relayed.",
        of_room<&RoomStanding::messages>},
    {"chatserv_room_repeated_total", "counter", "Messages that had come before, and were dropped.",
        of_room<&RoomStanding::repeated>},
    {"chatserv_room_published_again_total", "counter",
        "How often something was sent to the room again.", of_room<&RoomStanding::published_again>},
    {"chatserv_bridge_deaths_total", "counter",
        "How often the process that is connected to the room was replaced after it died or hung.",
        bridge_deaths},
    {"chatserv_workers", "gauge", "Workers that are to serve (--workers).",
        [](Samples& to, const Figures& of) { to.whole(of.workers.size()); }},
    {"chatserv_workers_serving", "gauge", "Workers that have a process now.",
        [](Samples& to, const Figures& of) { to.whole(serving(of)); }},
    {"chatserv_spares", "gauge", "Spare workers that are ready.",
        [](Samples& to, const Figures& of) { to.whole(of.spares); }},
    {"chatserv_worker_up", "gauge", "1 if a process serves the users of this worker now.",
        [](Samples& to, const Figures& of) {
            by_worker(
                to, of, [](const WorkerFigures& worker) { return worker.pid != 0 ? 1U : 0U; });
        }},
    {"chatserv_worker_users", "gauge", "Users of this worker.",
        [](Samples& to, const Figures& of) {
            by_worker(to, of, [](const WorkerFigures& worker) { return worker.users; });
        }},
    {"chatserv_worker_drained", "gauge", "1 if this worker is drained (`chatserv drain`).",
        [](Samples& to, const Figures& of) {
            by_worker(to, of, [](const WorkerFigures& worker) { return worker.drained ? 1U : 0U; });
        }},
    {"chatserv_worker_awake_seconds_total", "counter",
        "How long this process, which serves the users of this worker now, was not asleep.", awake},
    {"chatserv_takeovers_total", "counter",
        "How often another process took over from one that had died or that an upgrade replaced.",
        takeovers},
    {"chatserv_takeover_duration_seconds", "summary",
        "How long takeovers took, from the death of a worker until its last user was served again.",
        takeover_times},
    {"chatserv_last_takeover_timestamp_seconds", "gauge",
        "When the last takeover of this worker was over, in seconds since 1970.", last_takeovers},
    {"chatserv_upgrades_total", "counter", "Upgrades that were begun (`chatserv upgrade`).",
        [](Samples& to, const Figures& of) { to.whole(of.upgrades); }},
    {"chatserv_metrics_starts_total", "counter",
        "How often the process that serves these metrics was started.",
        [](Samples& to, const Figures& of) { to.whole(of.metrics_starts); }},
};

} // namespace

std::string exposition_of(const Figures& figures) {
    std::string text;
    for (const Metric& metric : metrics) {
        text +=
            fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name, metric.help, metric.type);
        Samples samples(text, metric.name);
        metric.write(samples, figures);
    }
    return text;
}

} // namespace chatserv
