#include "tests/crash/doors.h"

#include "shared/system/errors.h"
#include "tests/harness/process_figures.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>

namespace chatserv::test {

Member::Member(std::string name, Door door, std::unique_ptr<Client> client,
    std::optional<unsigned> sender, bool lines) :
    door_(door),
    client_(std::move(client)), lines_(lines), writer_(sender.value_or(0)) {
    session_.name = std::move(name);
    session_.sender = sender;
    session_.hears = door != Door::speak;
    session_.heard = door != Door::listen && door != Door::resume;
}

std::string Member::speak(const StreamCode& code, std::uint64_t bytes) {
    std::string text = code.bytes(*session_.sender, queued_bytes_, bytes);
    queued_bytes_ += bytes;
    if (lines_)
        text = writer_.text_of(text);
    if (client_)
        client_->send(text);
    return text;
}

std::string Member::speak_last(const StreamCode& code) {
    std::string text = speak(code, stream_end_bytes_min);
    if (!lines_)
        return text;
    const std::string end = writer_.end();
    if (client_)
        client_->send(end);
    return text + end;
}

std::uint64_t Member::sent_bytes() const {
    if (!client_)
        return queued_bytes_;
    return lines_ ? writer_.bytes_in(client_->sent_bytes()) : client_->sent_bytes();
}

bool Member::is_ready_to_speak() const {
    return session_.sender && !gone_ && !ended() && (!client_ || client_->is_sent());
}

void Member::observe(const PerSender& sent) {
    if (!client_ || gone_)
        return;
    if (door_ == Door::resume && answer_.empty())
        take_answer();
    if (door_ != Door::resume || !answer_.empty()) {
        const std::string& received = client_->received();
        heard_.append(received, taken_);
        taken_ = received.size();
    }
    if (begins_within_line_) {
        const std::size_t behind = heard_.find('\n') + 1;
        if (behind == 0)
            return;
        heard_.erase(0, behind);
        from_ += behind;
        begins_within_line_ = false;
    }
    if (lines_)
        line_reader_.take(heard_);
    tally_.take(lines_ ? line_reader_.bytes() : heard_);
    if (taken_ > 0)
        note_joined(sent);
}

void Member::take_answer() {
    const std::string& received = client_->received();
    const std::size_t end = received.find('\n');
    if (end == std::string::npos)
        return;
    std::istringstream line(received.substr(0, end));
    line >> answer_ >> std::ws;
    std::getline(line, life_, ':');
    line >> from_;
    taken_ = end + 1;
    if (answer_ == "gone")
        begin_again();
    heard_before_ = heard_.size();
}

void Member::begin_again() {
    former_.push_back(finished());
    former_.back().ending = Ending::cut;
    session_.sent_when_joined = {};
    heard_.clear();
    line_reader_ = {};
    tally_ = {};
    joined_ = false;
    begins_within_line_ = lines_;
}

Session Member::finished() const {
    Session session = session_;
    session.sent = session_.sender ? sent_bytes() : 0;
    session.received = lines_ ? line_reader_.bytes() : heard_;
    return session;
}

void Member::note_joined(const PerSender& sent) {
    if (!std::exchange(joined_, true))
        session_.sent_when_joined = sent;
}

void Member::note_gone() {
    gone_ = true;
    session_.ending = Ending::cut;
}

bool Member::is_overdue(std::chrono::steady_clock::duration limit) const {
    return client_ && session_.hears && !joined() &&
           std::chrono::steady_clock::now() > invited_ + limit;
}

std::string Member::next_request() const {
    if (answer_.empty())
        return "resume\n";
    return "resume " + life_ + ":" + std::to_string(from_ + heard_.size() - heard_before_) + "\n";
}

void Member::come_back(std::unique_ptr<Client> client) {
    client->send(next_request());
    client_ = std::move(client);
    answer_.clear();
    taken_ = 0;
    invited_ = std::chrono::steady_clock::now();
}

Doors::Doors(Loop& loop, const std::vector<std::string>& options, bool lines) :
    loop_(loop), tcp_peer_(loop), unix_peer_(loop, path("peer")) {
    append_to_file("");
    // Workers remove nothing there, but the server's processes may have another user.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
    ServerOptions all{
        .listen = {"127.0.0.1:0", "listen:127.0.0.1:0", "speak:127.0.0.1:0", "resume:127.0.0.1:0"},
        .more = {"--listen", "unix:" + path("door"), "--source", "talk:" + tcp_peer_.address(),
            "--source", unix_peer_.address(), "--source", "file:" + path("file"), "--control",
            control()}};
    all.more.insert(all.more.end(), options.begin(), options.end());
    if (lines)
        all.more.insert(
            all.more.end(), {"--framing", "line", "--line-max", std::to_string(wire_line_max)});
    server_ = std::make_unique<Server>(loop, all);
    server_->wait_for_line(" is connected: user ", 3);
}

std::unique_ptr<Client> Doors::connect(Door door, bool slow) {
    if (door != Door::local)
        return std::make_unique<Client>(
            loop_, server_->endpoint(static_cast<std::size_t>(door)), slow ? 8192 : 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path("door").copy(address.sun_path, sizeof address.sun_path - 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1)
        throw_errno("connecting to a UNIX socket");
    return std::make_unique<Client>(loop_, std::move(socket), "unix");
}

std::unique_ptr<Client> Doors::accept_from_tcp() {
    return std::make_unique<Client>(loop_, tcp_peer_.accept_fd(), tcp_peer_.address());
}

std::unique_ptr<Client> Doors::accept_from_unix() {
    return std::make_unique<Client>(loop_, unix_peer_.accept_fd(), unix_peer_.address());
}

void Doors::append_to_file(std::string_view text) const {
    std::ofstream(path("file"), std::ios::app) << text;
}

pid_t Doors::process_of_file() {
    for (const ProcessState& process : members_of(server_->process().pid()))
        if (process.state != 'Z' &&
            title_of(process.pid) == "chatserv: source file:" + path("file"))
            return process.pid;
    return 0;
}

bool Doors::nothing_is_left() const {
    const auto files = std::filesystem::directory_iterator(folder_.path());
    return std::all_of(begin(files), end(files), [](const auto& entry) {
        return entry.path().filename() == "file" || entry.path().filename() == "peer";
    });
}

} // namespace chatserv::test
