#include "master/commands/kick.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "master/control/user_choice.h"

#include <cstdint>
#include <fmt/core.h>
#include <optional>
#include <set>
#include <string>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

const char* const help =
    "usage: chatserv kick USER [--pid PID | --control PATH]\n"
    "\n"
    "Disconnects users of a running chatserv, waits until they are gone, and prints how many\n"
    "there were. A user that reads gets what the server holds for it at that moment, and a\n"
    "line that says why it is disconnected; everything that the server has read from it is\n"
    "relayed. A user that does not read is disconnected at once.\n"
    "\n"
    "  USER             A slot, as `chatserv users` lists it, or an address: with a port one\n"
    "                   connection, without a port all that come from there\n";

constexpr const char* allowed =
    "a slot as `chatserv users` lists it, or an address with or without a port";

// The users that are meant, and those of them that are still to go. When a master dies, the next
// one is asked for the same again. A slot may have another user by then, so a user that is named by
// its slot is asked for by slot and generation.
class KickRun {
public:
    KickRun(ControlClient server, std::string request, const UserChoice& choice) :
        server_(std::move(server)), request_(std::move(request)), choice_(choice) {}

    // Returns how many users were disconnected.
    uint64_t run() {
        for (;;) {
            try {
                kick_all();
                return gone_;
            } catch (const ConnectionClosed&) {
                server_ = connect_anew(server_.path());
                asked_for_life_ = false;
            }
        }
    }

private:
    using User = std::pair<uint32_t, uint32_t>; // slot and generation

    // Begins wherever the death of the former master has interrupted it.
    void kick_all() {
        (void)ask(server_, "events", "watching");
        if (choice_.slot && !all_named_)
            look_up();
        for (const User& user : std::set(to_go_))
            kick(user);
        wait_for_all();
        while (!all_named_) {
            kick_those_meant();
            wait_for_all();
        }
    }

    void look_up() {
        const auto said = ask(server_, fmt::format("users {}", *choice_.slot), "users");
        for (const auto& user : said.value("users", nlohmann::ordered_json::array()))
            if (const User found = named_in(user);
                found.first == *choice_.slot &&
                choice_.generation.value_or(found.second) == found.second)
                to_go_.insert(found);
        all_named_ = true;
        require_any();
    }

    // One that has left by itself meanwhile is gone as well.
    void kick(const User& user) {
        if (!answer_to(fmt::format("kick {} {}", user.first, user.second)))
            gone_ += to_go_.erase(user);
    }

    // As many as one answer names.
    void kick_those_meant() {
        const auto said = answer_to(request_);
        all_named_ = !said || said->value("all", true);
        if (said)
            for (const auto& user : said->value("users", nlohmann::ordered_json::array()))
                to_go_.insert(named_in(user));
        require_any();
    }

    void require_any() const {
        if (gone_ == 0 && to_go_.empty())
            throw Failure(EX_UNAVAILABLE,
                fmt::format("the server at {} refuses: there is no such user", server_.path()));
    }

    // Nothing if there is no such user.
    std::optional<nlohmann::ordered_json> answer_to(const std::string& request) {
        server_.ask(request);
        for (;;) {
            const auto message =
                server_.wait_for_any({"kicking", "refused", "left"}, ControlClient::patience);
            if (!message)
                server_.give_up();
            if (message->event == "refused")
                return std::nullopt;
            auto said = parsed(server_, *message);
            if (message->event == "kicking")
                return said;
            note_left(said);
        }
    }

    // As long as the server shows that it is alive: it is asked for its counters now and then.
    void wait_for_all() {
        while (!to_go_.empty()) {
            const auto message = server_.wait_for_any({"left", "stats"}, ControlClient::patience);
            if (!message && std::exchange(asked_for_life_, true))
                server_.give_up();
            if (!message) {
                server_.ask("stats");
                continue;
            }
            asked_for_life_ = false;
            if (message->event == "left")
                note_left(parsed(server_, *message));
        }
    }

    static User named_in(const nlohmann::ordered_json& user) {
        return {user.value("slot", 0U), user.value("generation", 0U)};
    }
    void note_left(const nlohmann::ordered_json& said) { gone_ += to_go_.erase(named_in(said)); }

    ControlClient server_;
    std::string request_; // names those meant by address
    UserChoice choice_;
    std::set<User> to_go_;
    bool all_named_ = false; // all that are meant were in to_go_, at one time or another
    uint64_t gone_ = 0;
    bool asked_for_life_ = false;
};

} // namespace

int run_kick(int argc, const char* const* argv) {
    const CommandOptions command_line(
        {.command = "kick", .flags = {}, .operand = "USER"}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const std::string& user = command_line.operand(allowed);
    const auto choice = UserChoice::parse(user);
    if (!choice)
        throw Failure(EX_USAGE,
            fmt::format("kick \"{}\": must be {} (see chatserv kick --help)", user, allowed));
    const uint64_t gone =
        KickRun(choose_server(command_line.server()).client, "kick " + user, *choice).run();
    print(fmt::format("{} user{} disconnected\n", gone, gone == 1 ? "" : "s"));
    return EX_OK;
}

} // namespace chatserv
