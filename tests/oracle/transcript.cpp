#include "tests/oracle/transcript.h"

#include "tests/oracle/stream_window.h"

#include <algorithm>

namespace chatserv::test {

namespace {

// The checks build on each other: what each receiver has of each sender is found first, compared
// with what it was due, and then merged into one order.
class Check {
public:
    explicit Check(const Transcript& transcript) : transcript_(transcript) {
        for (const Session& session : transcript.sessions)
            index_sender(session);
    }

    std::vector<std::string> violations();

private:
    void index_sender(const Session& session);
    void check_silence(const Session& speaker);
    [[nodiscard]] bool all_bytes_are_due(const Session& receiver);
    void find_windows(const Session& receiver);
    [[nodiscard]] std::optional<Window> window_of(
        const Session& receiver, const Session& sender, const std::string& part);
    void find_totals();
    void check_beginning(std::size_t receiver, unsigned sender);
    void check_end(std::size_t receiver, unsigned sender);
    // How far the sender's stream was known to be published, from a snapshot of delivered counts.
    [[nodiscard]] std::uint64_t published(
        const std::vector<PerSender>& delivered, unsigned sender) const;
    void check_order();

    const Transcript& transcript_;
    std::array<const Session*, senders_max> senders_{};
    std::array<std::string, senders_max> streams_; // all that each sent
    std::vector<Section> sections_;                // by session
    PerSender totals_{};
    std::vector<std::string> violations_;
};

void Check::index_sender(const Session& session) {
    if (!session.sender || !session.heard)
        return;
    senders_.at(*session.sender) = &session;
    streams_.at(*session.sender) = transcript_.code.bytes(*session.sender, 0, session.sent);
}

std::vector<std::string> Check::violations() {
    for (const Session& receiver : transcript_.sessions) {
        sections_.push_back({receiver.name, receiver.sender, {}, {},
            receiver.ending == Ending::half_closed && receiver.hears});
        if (!receiver.hears)
            check_silence(receiver);
        else if (all_bytes_are_due(receiver))
            find_windows(receiver);
    }
    find_totals();
    for (std::size_t receiver = 0; receiver < sections_.size(); ++receiver) {
        for (unsigned sender = 0; sender < senders_max; ++sender) {
            if (sections_[receiver].windows[sender]) {
                check_beginning(receiver, sender);
                check_end(receiver, sender);
            }
        }
    }
    // Damaged streams have no order to speak of.
    if (violations_.empty())
        check_order();
    return violations_;
}

void Check::check_silence(const Session& speaker) {
    if (!speaker.received.empty())
        violations_.push_back("R2: " + speaker.name + " only speaks, and got " +
                              std::to_string(speaker.received.size()) + " bytes");
}

bool Check::all_bytes_are_due(const Session& receiver) {
    for (std::size_t i = 0; i < receiver.received.size(); ++i) {
        const unsigned sender = sender_of(receiver.received[i]);
        if (receiver.sender == sender) {
            violations_.push_back("R2: " + receiver.name + " got back its own byte, at " +
                                  std::to_string(i) + " of what it received");
            return false;
        }
        if (senders_[sender] == nullptr) {
            violations_.push_back("R2: " + receiver.name + " got a byte that no client sent, at " +
                                  std::to_string(i) + " of what it received");
            return false;
        }
    }
    return true;
}

void Check::find_windows(const Session& receiver) {
    Section& section = sections_.back();
    std::array<std::string, senders_max> parts;
    for (const char byte : receiver.received)
        parts[sender_of(byte)].push_back(byte);
    for (const Session* sender : senders_) {
        if (sender != nullptr && sender != &receiver)
            section.windows[*sender->sender] = window_of(receiver, *sender, parts[*sender->sender]);
    }
    section.runs = runs_of(receiver.received, section.windows);
}

std::optional<Window> Check::window_of(
    const Session& receiver, const Session& sender, const std::string& part) {
    const unsigned id = *sender.sender;
    const bool end_is_due = receiver.ending == Ending::stayed && sender.ending != Ending::cut;
    const FoundWindow found =
        find_window({streams_[id], part, receiver.sent_when_joined[id], end_is_due});
    if (!found.flaw.empty()) {
        violations_.push_back("R2/R4/R7: what " + receiver.name + " has of sender " +
                              std::to_string(id) + ": " + found.flaw);
    }
    return found.window;
}

void Check::find_totals() {
    for (const Session* sender : senders_) {
        if (sender != nullptr && sender->ending != Ending::cut)
            totals_[*sender->sender] = sender->sent;
    }
    for (const Section& section : sections_) {
        for (unsigned sender = 0; sender < senders_max; ++sender) {
            if (section.windows[sender])
                totals_[sender] = std::max(totals_[sender], section.windows[sender]->end);
        }
    }
}

std::uint64_t Check::published(const std::vector<PerSender>& delivered, unsigned sender) const {
    std::uint64_t most = 0;
    for (std::size_t witness = 0; witness < delivered.size(); ++witness) {
        const auto& window = sections_[witness].windows[sender];
        if (window && delivered[witness][sender] > 0)
            most = std::max(most, window->first + delivered[witness][sender]);
    }
    return most;
}

void Check::check_beginning(std::size_t receiver, unsigned sender) {
    const Session& session = transcript_.sessions[receiver];
    const Window& window = *sections_[receiver].windows[sender];
    const std::uint64_t earliest = published(session.delivered_before, sender);
    if (window.first < earliest && window.first < window.end) {
        violations_.push_back("R4: " + session.name + " got byte " + std::to_string(window.first) +
                              " of sender " + std::to_string(sender) + ", but the bytes before " +
                              std::to_string(earliest) + " were published before it came");
    }
}

void Check::check_end(std::size_t receiver, unsigned sender) {
    const Session& session = transcript_.sessions[receiver];
    const Window& window = *sections_[receiver].windows[sender];
    std::uint64_t due = 0;
    if (session.ending == Ending::stayed)
        due = totals_[sender];
    else if (session.ending == Ending::half_closed)
        due = published(session.delivered_before_eof, sender);
    if (window.end < due) {
        violations_.push_back("R5/R7: " + session.name + " got the bytes of sender " +
                              std::to_string(sender) + " up to " + std::to_string(window.end) +
                              " only, and was due those up to " + std::to_string(due));
    }
}

void Check::check_order() {
    if (const auto disagreement = find_disagreement(sections_, totals_))
        violations_.push_back("R3: " + *disagreement);
}

} // namespace

std::vector<std::string> violations_in(const Transcript& transcript) {
    return Check(transcript).violations();
}

} // namespace chatserv::test
