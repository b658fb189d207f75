#include "tests/crash/doors_torture.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace chatserv::test {

namespace {

constexpr std::uint64_t stream_bytes_per_strike = 10'000; // of each stream
constexpr std::size_t visitors_at_once = 2;
// How often the reader has to come back and find that nothing is gone.
constexpr std::uint64_t seams_min = 3;

std::vector<std::string> server_options(
    const DoorsTortureOptions& options, std::mt19937_64& random) {
    const auto pick = [&](std::initializer_list<const char*> all) {
        return std::string(all.begin()[random() % all.size()]);
    };
    return {"--workers", pick({"1", "2", "2", "4"}), "--spares", pick({"0", "1", "4"}),
        "--log-size", options.lines ? pick({"1M", "4M"}) : pick({"256K", "1M", "4M"}), "--replay",
        options.lines ? pick({"20", "500"}) : pick({"1K", "20K", "50"}), "--users", "1000",
        "--stall-limit", "600", "--hang-limit", "0.3"};
}

} // namespace

DoorsTorture::DoorsTorture(Loop& loop, std::uint64_t seed, const DoorsTortureOptions& options) :
    loop_(loop), random_(seed), options_(options), code_(seed),
    doors_(loop, server_options(options, random_), options.lines), control_(loop, doors_.control()),
    any_(random_, true, Descriptors::shared) {
    if (options.any_process && !doors_.server().process().adopt_orphans())
        throw std::runtime_error("the orphans of a dead keeper can not be adopted");
}

std::uint64_t DoorsTorture::gone() const {
    return reader_ == nullptr ? 0 : reader_->former().size();
}

std::vector<std::string> DoorsTorture::run() {
    all_come();
    while (struck() < options_.strikes || resumed_ < gone() + seams_min) {
        observe();
        if (someone_was_cut())
            return violations();
        everyone_speaks((struck() + 1) * stream_bytes_per_strike);
        visitors_come_and_go();
        reader_comes_back();
        if (struck() < options_.strikes && random_() % 4 == 0 && !someone_waits_long())
            strike();
        loop_.turn(std::chrono::milliseconds(random_() % 2));
    }
    send_stream_ends();
    if (someone_was_cut())
        return violations();
    std::vector<std::string> found = check_books();
    const std::vector<std::string> noticed = violations();
    found.insert(found.end(), noticed.begin(), noticed.end());
    if (const int status = doors_.server().stop(); status != 0)
        found.push_back("the server ended with status " + std::to_string(status));
    if (!doors_.server().process().group_is_gone())
        found.emplace_back("the server has left processes behind");
    if (!doors_.nothing_is_left())
        found.emplace_back("the server has left a file behind");
    return found;
}

void DoorsTorture::all_come() {
    admit("talker 1", Door::talk, doors_.connect(Door::talk), true);
    admit("talker 2", Door::talk, doors_.connect(Door::talk, true), true);
    admit("speaker", Door::speak, doors_.connect(Door::speak), true);
    admit("TCP source", Door::talk, doors_.accept_from_tcp(), true);
    admit("UNIX source", Door::speak, doors_.accept_from_unix(), true);
    file_ = &admit("file", Door::speak, nullptr, true);
    Member& listener = admit("listener", Door::listen, doors_.connect(Door::listen), true);
    listener.speak(code_, 1000); // nobody may get this
    listener.client()->half_close();
    reader_ = &admit("reader", Door::resume, doors_.connect(Door::resume));
    reader_->client()->send(reader_->next_request());
    for (int i = 0; i < 3; ++i)
        local_user_comes();
    const auto all_are_there = [&] {
        observe();
        return std::ranges::all_of(members_, [](const Member& member) {
            return member.joined() || !member.client() || member.client()->address() == "unix" ||
                   member.name().ends_with("source");
        });
    };
    loop_.wait_until(all_are_there, "all members to join");
}

Member& DoorsTorture::admit(
    const std::string& name, Door door, std::unique_ptr<Client> client, bool speaks) {
    if (client)
        joined_.erase(client->address()); // of an earlier client, whose port this one has
    ++connections_;
    const bool has_stream = speaks && streams_ < senders_max;
    return members_.emplace_back(name, door, std::move(client),
        has_stream ? std::optional(streams_++) : std::nullopt, options_.lines);
}

// The first few have a stream, later ones listen.
void DoorsTorture::local_user_comes() {
    admit("user " + std::to_string(connections_) + " of the UNIX socket", Door::local,
        doors_.connect(Door::local), true);
}

void DoorsTorture::visitors_come_and_go() {
    std::size_t present = 0;
    for (Member& member : members_) {
        if (member.name() != "visitor" || member.gone())
            continue;
        ++present;
        if (!member.joined() || random_() % 32 != 0)
            continue;
        member.note_gone();
        random_() % 2 == 0 ? member.client()->reset() : member.client()->close();
    }
    if (present >= visitors_at_once || random_() % 16 != 0)
        return;
    ++visits_;
    const Door door = random_() % 2 == 0 ? Door::talk : Door::listen;
    admit("visitor", door, doors_.connect(door, random_() % 4 == 0));
}

// Its bytes up to here are counted by observe(), and no more are read.
void DoorsTorture::reader_comes_back() {
    if (reader_->answer().empty() || random_() % 16 != 0)
        return;
    ++connections_;
    ++resumed_;
    random_() % 2 == 0 ? reader_->client()->reset() : reader_->client()->close();
    reader_->come_back(doors_.connect(Door::resume));
}

void DoorsTorture::speak_to(Member& member, const std::string& text) const {
    if (!member.client())
        doors_.append_to_file(text);
}

void DoorsTorture::everyone_speaks(std::uint64_t stream_bytes_max) {
    for (Member& member : members_) {
        const bool may = member.is_ready_to_speak() && member.door() != Door::listen;
        if (may && member.queued_bytes() < stream_bytes_max)
            speak_to(member, member.speak(code_, std::uint64_t{1} << random_() % 15));
    }
    Member& slow = members_[random_() % members_.size()];
    if (slow.client() && !slow.gone())
        slow.client()->is_paused() ? slow.client()->resume() : slow.client()->pause();
}

// A master that is killed with the file's process may have it begin at another place: the
// guarantees say so. One or two of them, since each try is made after a longer pause. None with
// whole lines: the line that the file's client has begun gets an end then, within a byte of the
// stream.
void DoorsTorture::strike() {
    if (options_.any_process)
        return any_.strike(doors_.server().process().pid());
    if (!options_.lines && files_followed_again_ < 2 && random_() % 32 == 0)
        kill_process_of_file();
    striker_.strike(workers_, random_() % 40 == 0 ? Strike::stop : Strike::kill, 10, random_);
}

void DoorsTorture::kill_process_of_file() {
    const pid_t victim = doors_.process_of_file();
    if (victim == 0)
        return;
    ::kill(victim, SIGKILL);
    ++files_followed_again_;
    ++connections_;
}

void DoorsTorture::observe_log() {
    Server& server = doors_.server();
    for (; log_lines_seen_ < server.log().size(); ++log_lines_seen_) {
        const std::string& line = server.log()[log_lines_seen_];
        if (const auto started = parse_worker_started(line)) {
            const auto entry = static_cast<std::size_t>(started->worker);
            workers_.resize(std::max(workers_.size(), entry));
            workers_[entry - 1] = started->pid;
        } else if (const auto joined = parse_joined(line)) {
            joined_.insert(joined->address);
        }
    }
    if (options_.any_process)
        server.process().reap_orphans();
}

void DoorsTorture::observe() {
    observe_log();
    PerSender sent{};
    for (const Member& member : members_)
        if (member.session().sender) // or a little more: who joins now is due all behind it
            sent[*member.session().sender] = member.queued_bytes();
    int locals_cut = 0;
    for (Member& member : members_) {
        member.observe(sent);
        // A reader that resumes is due what comes behind its answer, which may be much later.
        if (member.client() && member.door() != Door::resume &&
            joined_.contains(member.client()->address()))
            member.note_joined(sent);
        if (member.door() == Door::local && member.ended() && !member.gone()) {
            member.note_gone();
            ++in_doubt_;
            ++locals_cut;
        }
    }
    for (; locals_cut > 0; --locals_cut)
        local_user_comes();
}

bool DoorsTorture::someone_was_cut() const {
    return std::ranges::any_of(members_, [](const Member& member) {
        return (member.ended() && !member.gone()) || member.is_overdue(patience / 2);
    });
}

bool DoorsTorture::someone_waits_long() const {
    return std::ranges::any_of(members_,
        [](const Member& member) { return !member.gone() && member.is_overdue(patience / 30); });
}

// A user of the UNIX socket may still be found to be in doubt here. For the one that comes then,
// all send their ends once more.
void DoorsTorture::send_stream_ends() {
    for (Member& member : members_)
        if (member.client())
            member.client()->resume();
    observe();
    std::size_t last_ones = 0; // the members to whom the ends were sent
    const auto all_have_everything = [&] {
        observe();
        const bool all_settled = std::ranges::all_of(members_, &Member::is_settled);
        if (all_settled && std::exchange(last_ones, members_.size()) != members_.size())
            for (Member& member : members_)
                if (!member.gone() && member.session().sender && member.door() != Door::listen)
                    speak_to(member, member.speak_last(code_));
        if (last_ones != members_.size())
            return someone_was_cut();
        return someone_was_cut() || std::ranges::all_of(members_, [this](const Member& member) {
            return member.gone() || has_everything(member);
        });
    };
    try {
        loop_.wait_until(all_have_everything, "all members to have everything");
    } catch (const std::runtime_error& failure) {
        throw std::runtime_error(failure.what() + what_is_missing());
    }
}

std::string DoorsTorture::what_is_missing() const {
    std::string text;
    for (const Member& member : members_) {
        if (member.gone())
            continue;
        if (!member.is_settled())
            text += "; " + member.name() + " has not joined";
        for (const Member& writer : members_)
            if (!has_everything_of(member, writer))
                text += "; " + member.name() + " has no end of " + writer.name();
    }
    return text;
}

bool DoorsTorture::has_everything(const Member& member) const {
    return std::ranges::all_of(
        members_, [&](const Member& writer) { return has_everything_of(member, writer); });
}

bool DoorsTorture::has_everything_of(const Member& member, const Member& writer) const {
    const auto sender = writer.session().sender;
    return !member.session().hears || !sender || !writer.session().heard || writer.gone() ||
           &writer == &member ||
           member.tally().has_stream_end(code_, *sender, writer.queued_bytes());
}

} // namespace chatserv::test
