#include "tests/soak/client_history.h"

#include <algorithm>
#include <array>
#include <utility>

namespace chatserv::test {

namespace {

bool has(const std::string& line, const char* text) {
    return line.find(text) != std::string::npos;
}

// The name in `chatserv stats` of a reason in the log.
std::string name_of(const std::string& words) {
    static const std::array<std::pair<const char*, const char*>, 7> names{{
        {"end of file", "end_of_file"},
        {"connection reset", "reset"},
        {"connection timed out", "timed_out"},
        {"stalled", "stalled"},
        {"too slow", "fell_behind"},
        {"server stopped", "server_stopped"},
        {"in doubt", "in_doubt"},
    }};
    for (const auto& [begin, name] : names)
        if (words.rfind(begin, 0) == 0)
            return name;
    return "error";
}

} // namespace

std::shared_ptr<const Stay> ClientHistory::expect(const std::string& address) {
    const auto stay = std::make_shared<Stay>();
    stay->may_be_in_doubt = address.starts_with("unix:");
    return expected_[address] = stay;
}

std::shared_ptr<const Stay> ClientHistory::source(const std::string& name) const {
    const auto found = sources_.find(name);
    return found == sources_.end() ? nullptr : found->second;
}

void ClientHistory::read() {
    const std::vector<std::string>& lines = server_.log();
    while (lines_read_ < lines.size())
        read(lines[lines_read_++]);
}

std::uint64_t ClientHistory::left() const {
    std::uint64_t all = 0;
    for (const auto& [reason, count] : left_)
        all += count;
    return all;
}

// Looks for the kind of a line before parsing it, as regular expressions are slow and lines are
// many.
void ClientHistory::read(const std::string& line) {
    if (has(line, " joined from ")) {
        if (const auto joined = parse_joined(line)) {
            const std::shared_ptr<Stay> stay = take(joined->address);
            stay->verdict = Stay::Verdict::joined;
            stay->slot = joined->slot;
            ++joined_;
            if (const auto source = connected_sources_.extract(joined->slot))
                source_joined(source.mapped(), stay);
            if (present_.contains(joined->slot))
                alarms_.push_back("the slot is taken: " + line);
            present_[joined->slot] = {stay, starts_};
        }
    } else if (has(line, " left: ")) {
        if (const auto gone = parse_left(line))
            left(gone->slot, gone->reason);
    } else if (has(line, " is connected: user ")) {
        if (const auto connected = parse_source_connected(line))
            connected_sources_[connected->slot] = connected->source; // it joins next
    } else if (has(line, " turned away")) {
        if (const auto address = parse_turned_away(line)) {
            take(*address)->verdict = Stay::Verdict::turned_away;
            ++turned_away_;
        }
    } else if (has(line, " started (pid ")) {
        if (const auto started = parse_worker_started(line))
            worker_started(static_cast<std::size_t>(started->worker), started->pid);
    } else if (has(line, " is not connected: ") || has(line, " error ") ||
               has(line, "cannot accept") || has(line, "in doubt") ||
               has(line, "of the log were dropped")) {
        alarms_.push_back(line);
    }
}

void ClientHistory::worker_started(std::size_t worker, pid_t pid) {
    workers_.resize(std::max(workers_.size(), worker));
    workers_[worker - 1] = pid;
    ++starts_;
}

std::shared_ptr<Stay> ClientHistory::take(const std::string& address) {
    const auto found = expected_.extract(address);
    if (found)
        return found.mapped();
    ++strangers_;
    return std::make_shared<Stay>();
}

// It was a stranger when it joined.
void ClientHistory::source_joined(const std::string& name, const std::shared_ptr<Stay>& stay) {
    --strangers_;
    if (!sources_.emplace(name, stay).second)
        alarms_.push_back("a source was connected twice: " + name);
}

void ClientHistory::left(unsigned slot, const std::string& words) {
    const std::string reason = name_of(words);
    ++left_[reason];
    const auto found = present_.extract(slot);
    if (!found) {
        alarms_.push_back("no client was in slot " + std::to_string(slot) + " who left: " + words);
        return;
    }
    const Presence& presence = found.mapped();
    presence.stay->reason = reason;
    presence.stay->worker_died = starts_ != presence.starts; // clients move between workers
    const bool may_be_in_doubt = presence.stay->may_be_in_doubt && presence.stay->worker_died;
    if (reason == "error" || reason == "timed_out" || (reason == "in_doubt" && !may_be_in_doubt))
        alarms_.push_back("user " + std::to_string(slot) + " left: " + words);
}

} // namespace chatserv::test
