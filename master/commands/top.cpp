#include "master/commands/top.h"

#include "master/commands/asking.h"
#include "master/commands/command_options.h"
#include "master/commands/readings.h"
#include "master/commands/status_screen.h"
#include "master/commands/terminal.h"
#include "master/commands/top_view.h"
#include "shared/system/wall_clock.h"

#include <algorithm>
#include <chrono>
#include <fmt/core.h>
#include <sysexits.h>
#include <utility>

namespace chatserv {

namespace {

using Clock = std::chrono::steady_clock;

const char* const help =
    "usage: chatserv top [--interval SECONDS] [--pid PID | --control PATH]\n"
    "\n"
    "Shows a running chatserv and its users in this terminal, until q is pressed. The users\n"
    "that are furthest behind come first; the line at the bottom names the keys that sort\n"
    "them otherwise. The arrow keys select a user, and k kicks it, after a question.\n"
    "\n"
    "  --interval SECONDS\n"
    "                   Look again so often, 0.1 to 60 [1]\n";

// The master may die and be followed by another one: then the same is shown over another
// connection.
class Top {
public:
    explicit Top(ControlClient server) : server_(std::move(server)) {}

    void run(std::chrono::milliseconds interval) {
        for (bool goes_on = true; goes_on;) {
            look();
            goes_on = take_keys(Clock::now() + interval);
        }
    }

private:
    void look() {
        try {
            nlohmann::ordered_json status = read_status(server_);
            std::vector<UserReading> users = read_users(server_);
            if (!status_.empty())
                set_rates(status, status_);
            set_rates(users, users_);
            view_.show(status_head(server_, status, unix_milliseconds()), users);
            status_ = std::move(status);
            users_ = std::move(users);
        } catch (const ConnectionClosed&) {
            connect_again();
        }
    }

    // Until that instant. False if the user wants to quit.
    bool take_keys(Clock::time_point end) {
        for (;;) {
            terminal_.draw(view_.screen(terminal_.rows(), terminal_.columns()));
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0)
                return true;
            const std::optional<Key> key = terminal_.key(left);
            if (!key)
                continue;
            const TopView::Verdict verdict = view_.press(*key);
            if (verdict.quit)
                return false;
            if (verdict.kick)
                kick(*verdict.kick);
        }
    }

    // That very user, though another one may have its slot by now: so a master that follows can be
    // asked again.
    void kick(const UserReading& user) {
        for (;;) {
            try {
                (void)ask(
                    server_, fmt::format("kick {} {}", user.slot, user.generation), "kicking");
                return view_.say(fmt::format("user {} from {} is kicked", user.slot, user.address));
            } catch (const ConnectionClosed&) {
                connect_again();
            } catch (const Failure& refused) {
                return view_.say(refused.what());
            }
        }
    }

    void connect_again() {
        server_ = connect_anew(server_.path());
        view_.say("the master died; another one goes on");
    }

    ControlClient server_;
    Terminal terminal_{};
    TopView view_{};
    nlohmann::ordered_json status_{};
    std::vector<UserReading> users_{};
};

} // namespace

int run_top(int argc, const char* const* argv) {
    const CommandOptions command_line({"top", {interval_flag()}}, help, argc, argv);
    if (command_line.done())
        return EX_OK;
    const auto interval = std::max(command_line.interval(), std::chrono::milliseconds(100));
    Terminal::require();
    Top(choose_server(command_line.server()).client).run(interval);
    return EX_OK;
}

} // namespace chatserv
