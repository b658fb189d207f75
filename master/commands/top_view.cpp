#include "master/commands/top_view.h"

#include "master/commands/users_table.h"
#include "shared/system/printable_text.h"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>
#include <sstream>
#include <tuple>

namespace chatserv {

namespace {

// What is needed most comes first: a narrow terminal cuts the line off.
constexpr const char* keys = "q quit, k kick; sort: s slot, a address, t since, i in, o out, b "
                             "backlog, n in now, m out now; "
                             "r reverse";

bool is_same(const UserReading& one, const UserReading& other) {
    return one.slot == other.slot && one.generation == other.generation;
}

} // namespace

void TopView::show(std::string head, std::vector<UserReading> users) {
    const std::optional<UserReading> selected =
        selected_ < users_.size() ? std::optional(users_[selected_]) : std::nullopt;
    head_ = std::move(head);
    users_ = std::move(users);
    sort();
    selected_ = std::min(selected_, users_.empty() ? 0 : users_.size() - 1);
    if (!selected)
        return;
    const auto found = std::find_if(users_.begin(), users_.end(),
        [&](const UserReading& user) { return is_same(user, *selected); });
    if (found != users_.end())
        selected_ = static_cast<size_t>(found - users_.begin());
}

void TopView::sort() {
    std::stable_sort(
        users_.begin(), users_.end(), [this](const UserReading& one, const UserReading& other) {
            return reversed_ ? goes_before(other, one) : goes_before(one, other);
        });
}

// Names upwards, amounts downwards: those that matter come first. The slot decides between equals.
bool TopView::goes_before(const UserReading& one, const UserReading& other) const {
    const auto by = [&](const auto& first, const auto& second) {
        return std::tie(first, one.slot) < std::tie(second, other.slot);
    };
    switch (order_) {
    case Order::slot:
        return one.slot < other.slot;
    case Order::address:
        return by(one.address, other.address);
    case Order::since:
        return by(one.since_ms, other.since_ms);
    case Order::in:
        return by(other.bytes_in, one.bytes_in);
    case Order::out:
        return by(other.bytes_out, one.bytes_out);
    case Order::backlog:
        return by(other.backlog, one.backlog);
    case Order::in_rate:
        return by(other.in_rate, one.in_rate);
    case Order::out_rate:
        return by(other.out_rate, one.out_rate);
    }
    return false;
}

void TopView::move(ptrdiff_t by) {
    const auto last = static_cast<ptrdiff_t>(users_.size()) - 1;
    const ptrdiff_t wanted = static_cast<ptrdiff_t>(selected_) + by;
    selected_ = static_cast<size_t>(std::clamp<ptrdiff_t>(wanted, 0, std::max<ptrdiff_t>(last, 0)));
}

TopView::Verdict TopView::press(const Key& key) {
    message_.clear();
    if (const auto user = std::exchange(to_confirm_, std::nullopt))
        return key.kind == Key::Kind::character && key.character == 'y' ? Verdict{.kick = user}
                                                                        : Verdict{};
    const auto page = static_cast<ptrdiff_t>(page_rows_);
    switch (key.kind) {
    case Key::Kind::up:
        move(-1);
        break;
    case Key::Kind::down:
        move(1);
        break;
    case Key::Kind::page_up:
        move(-page);
        break;
    case Key::Kind::page_down:
        move(page);
        break;
    case Key::Kind::resize:
        break;
    case Key::Kind::character:
        return press(key.character);
    }
    return {};
}

TopView::Verdict TopView::press(char character) {
    constexpr std::pair<char, Order> orders[] = {{'s', Order::slot}, {'a', Order::address},
        {'t', Order::since}, {'i', Order::in}, {'o', Order::out}, {'b', Order::backlog},
        {'n', Order::in_rate}, {'m', Order::out_rate}};
    const auto* const order = std::find_if(std::begin(orders), std::end(orders),
        [&](const auto& candidate) { return candidate.first == character; });
    if (order != std::end(orders)) {
        order_ = order->second;
        reversed_ = false;
        sort();
    } else if (character == 'r') {
        reversed_ = !reversed_;
        sort();
    } else if (character == 'k' && selected_ < users_.size()) {
        to_confirm_ = users_[selected_];
    }
    return {.quit = character == 'q'};
}

TopView::Screen TopView::screen(size_t rows, size_t columns) {
    Screen screen;
    std::istringstream head(head_);
    for (std::string line; std::getline(head, line);)
        screen.lines.push_back(line);
    screen.lines.emplace_back();
    screen.heading = screen.lines.size();
    const UserWidths widths = widths_for(users_);
    screen.lines.push_back(users_heading(widths));
    const size_t above = screen.lines.size() + 1; // and the line at the bottom
    page_rows_ = rows > above ? rows - above : 1;
    first_ = std::clamp(first_, selected_ + 1 - std::min(selected_ + 1, page_rows_), selected_);
    for (size_t i = first_; i < std::min(users_.size(), first_ + page_rows_); ++i) {
        if (i == selected_)
            screen.selected = screen.lines.size();
        screen.lines.push_back(user_row(users_[i], widths));
    }
    screen.lines.resize(rows > 0 ? rows - 1 : 0);
    if (rows > 0)
        screen.lines.push_back(bottom());
    for (std::string& line : screen.lines)
        line.resize(beginning_of(line, columns).size());
    return screen;
}

std::string TopView::bottom() const {
    if (to_confirm_)
        return fmt::format("kick user {} from {}? y: yes, any other key: no", to_confirm_->slot,
            to_confirm_->address);
    return message_.empty() ? keys : message_;
}

} // namespace chatserv
