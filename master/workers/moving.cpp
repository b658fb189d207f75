#include "master/workers/moving.h"

#include "shared/system/panic.h"

namespace chatserv {

void Moving::ask(EntryId from, EntryId to, std::span<const ClientId> clients) {
    if (from == to)
        return;
    Page& page = pages_[index_of(from)];
    for (const ClientId client : clients) {
        if (escrow_.find_served_by(from, client) == nullptr ||
            !moves_.try_emplace(key_of(client), Move{.from = from, .to = to}).second)
            continue;
        page.requests.push_back(client);
        ++page.asked_of;
        ++page.under_way;
        ++pages_[index_of(to)].asked_for;
    }
}

std::optional<EntryId> Moving::wanted_by(EntryId from, ClientId client) const {
    const auto found = moves_.find(key_of(client));
    if (found == moves_.end() || found->second.from != from || found->second.handed_over)
        return std::nullopt;
    return found->second.to;
}

bool Moving::is_on_its_way(EntryId to, ClientId client) const {
    const auto found = moves_.find(key_of(client));
    return found != moves_.end() && found->second.handed_over && found->second.to == to;
}

void Moving::note_handed_over(ClientId client, EntryId to) {
    const auto found = moves_.find(key_of(client));
    invariant(found != moves_.end() && !found->second.handed_over,
        "a client was handed over that nobody had asked for");
    forget_request(found->second);
    found->second.to = to;
    found->second.handed_over = true;
}

void Moving::note_served(EntryId entry, ClientId client) {
    const auto found = moves_.find(key_of(client));
    if (found == moves_.end() || !found->second.handed_over || found->second.to != entry)
        return;
    if (found->second.from != entry)
        ++pages_[index_of(found->second.from)].moved_from;
    forget(found);
}

void Moving::ask_again(EntryId from) {
    std::vector<ClientId>& requests = pages_[index_of(from)].requests;
    requests.clear();
    for (const auto& [key, move] : moves_)
        if (move.from == from && !move.handed_over)
            requests.push_back({.slot = SlotId{key.first}, .generation = key.second});
}

void Moving::forget_asked_of(EntryId from) {
    pages_[index_of(from)].requests.clear();
    for (auto move = moves_.begin(); move != moves_.end();)
        move = move->second.from == from && !move->second.handed_over ? forget(move) : ++move;
}

void Moving::look() {
    for (auto move = moves_.begin(); move != moves_.end();) {
        const ClientId client{.slot = SlotId{move->first.first}, .generation = move->first.second};
        move = escrow_.find(client) == nullptr ? forget(move) : std::next(move);
    }
}

bool Moving::is_moving(ClientId client) const {
    return moves_.contains(key_of(client));
}

Moving::Moves::iterator Moving::forget(Moves::iterator move) {
    if (!move->second.handed_over)
        forget_request(move->second);
    --pages_[index_of(move->second.from)].under_way;
    return moves_.erase(move);
}

void Moving::forget_request(const Move& move) {
    --pages_[index_of(move.from)].asked_of;
    --pages_[index_of(move.to)].asked_for;
}

} // namespace chatserv
