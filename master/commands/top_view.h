// What `chatserv top` shows, and what follows from each key. It knows no terminal: the screen is
// lines of text, and what the server is to be asked is a verdict.
#pragma once

#include "master/commands/readings.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chatserv {

// A key, as far as `top` knows it.
struct Key {
    enum class Kind { character, up, down, page_up, page_down, resize };
    Kind kind;
    char character = 0; // of Kind::character
};

class TopView {
public:
    // What the server has said. `head`: lines about the server as a whole, each with its newline.
    // The user that was selected stays selected while it is there.
    void show(std::string head, std::vector<UserReading> users);
    // A line for the bottom of the screen, until the next key.
    void say(std::string message) { message_ = std::move(message); }

    struct Verdict {
        bool quit = false;
        std::optional<UserReading> kick{}; // this user is to be kicked
    };
    [[nodiscard]] Verdict press(const Key& key);

    struct Screen {
        std::vector<std::string> lines{}; // as many as there are rows, none longer than a row
        size_t heading = 0;               // the line with the names of the columns
        std::optional<size_t> selected{}; // the line of the selected user
    };
    // `rows` and `columns`: of the terminal.
    [[nodiscard]] Screen screen(size_t rows, size_t columns);

private:
    enum class Order { slot, address, since, in, out, backlog, in_rate, out_rate };

    void sort();
    [[nodiscard]] bool goes_before(const UserReading& one, const UserReading& other) const;
    void move(ptrdiff_t by);
    [[nodiscard]] Verdict press(char character);
    [[nodiscard]] std::string bottom() const;

    std::string head_;
    std::vector<UserReading> users_; // in the order of the screen
    Order order_ = Order::backlog;
    bool reversed_ = false;
    size_t selected_ = 0;                     // index in users_
    size_t first_ = 0;                        // of the users, the one at the top of the screen
    size_t page_rows_ = 1;                    // how many users the last screen had
    std::optional<UserReading> to_confirm_{}; // whether to kick this user is asked
    std::string message_;
};

} // namespace chatserv
