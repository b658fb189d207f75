#include "master/clients/listener_store.h"

#include "master/clients/handed_listeners.h"

#include <algorithm>

namespace chatserv {

ListenerStore::ListenerStore(const std::vector<std::string>& kept) {
    for (const std::string& name : kept)
        kept_.push_back({.fd = -1, .name = name});
}

// Without a word about names, since this is asked in each turn.
bool ListenerStore::is_up_to_date(const std::vector<Listener>& listeners) const {
    size_t place = 0;
    for (const Listener& listener : listeners) {
        if (listener.address().is_unix())
            continue;
        if (place == kept_.size() || kept_[place].fd != listener.fd())
            return false;
        ++place;
    }
    return place == kept_.size();
}

// The list is made anew, in the order of the listeners. A name that is in it already is kept under
// that name, whatever the number of its descriptor was.
void ListenerStore::look(const std::vector<Listener>& listeners, ServiceManager& manager) {
    if (!manager.exists() || is_up_to_date(listeners))
        return;
    std::vector<Kept> now;
    for (const Listener& listener : listeners) {
        if (listener.address().is_unix()) // its file goes when the server ends
            continue;
        Kept kept{.fd = listener.fd(), .name = name_in_store(listener)};
        const bool is_known = std::ranges::find(kept_, kept.name, &Kept::name) != kept_.end();
        if (is_known || manager.keep(kept.fd, kept.name))
            now.push_back(std::move(kept));
    }
    for (Kept& former : kept_) {
        const bool is_needed = std::ranges::find(now, former.name, &Kept::name) != now.end();
        if (!is_needed && !manager.forget(former.name))
            now.push_back({.fd = -1, .name = std::move(former.name)});
    }
    kept_ = std::move(now);
}

} // namespace chatserv
