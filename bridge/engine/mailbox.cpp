#include "bridge/engine/mailbox.h"

#include <array>
#include <unistd.h>
#include <utility>

namespace chatserv {

Mailbox::Mailbox() : pipe_(make_pipe()) {}

Mailbox::Round Mailbox::round() const {
    const std::lock_guard lock(mutex_);
    return round_;
}

Mailbox::Round Mailbox::restart() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    held_bytes_ = 0;
    room_.notify_all();
    change_link(LinkState::connecting, "");
    return ++round_;
}

void Mailbox::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    room_.notify_all();
}

bool Mailbox::put(Round round, Delivery delivery) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return ended_ || round != round_ || held_bytes_ < held_bytes_max; });
    if (ended_ || round != round_)
        return false;
    held_bytes_ += delivery.message.size();
    held_.push_back(std::move(delivery));
    ring_locked();
    return true;
}

std::optional<Delivery> Mailbox::take() {
    const std::lock_guard lock(mutex_);
    if (held_.empty())
        return std::nullopt;
    Delivery delivery = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= delivery.message.size();
    room_.notify_all();
    return delivery;
}

void Mailbox::set_link(Round round, LinkState state, const std::string& trouble) {
    const std::lock_guard lock(mutex_);
    if (round == round_)
        change_link(state, trouble);
}

void Mailbox::change_link(LinkState state, const std::string& trouble) {
    if (link_.state == state && link_.trouble == trouble)
        return;
    if (link_.state != state)
        link_.since = std::chrono::steady_clock::now();
    link_.state = state;
    link_.trouble = trouble;
    ring_locked();
}

Link Mailbox::link() const {
    const std::lock_guard lock(mutex_);
    return link_;
}

void Mailbox::warn(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (!warned_.insert(text).second)
        return;
    warnings_.push_back(text);
    ring_locked();
}

std::optional<std::string> Mailbox::take_warning() {
    const std::lock_guard lock(mutex_);
    if (warnings_.empty())
        return std::nullopt;
    std::string text = std::move(warnings_.front());
    warnings_.pop_front();
    return text;
}

void Mailbox::ring() {
    const std::lock_guard lock(mutex_);
    ring_locked();
}

void Mailbox::ring_locked() {
    if (rung_)
        return;
    rung_ = true;
    // The pipe is empty, so it has room.
    (void)!write(pipe_.second.get(), "!", 1);
}

void Mailbox::look() {
    const std::lock_guard lock(mutex_);
    if (!rung_ || !held_.empty())
        return;
    std::array<char, 8> bytes{};
    (void)!read(pipe_.first.get(), bytes.data(), bytes.size());
    rung_ = false;
}

} // namespace chatserv
