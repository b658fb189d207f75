#include "bridge/order/doubt.h"

#include <algorithm>

namespace chatserv {

Doubt::Step Doubt::look(const Witnesses& witnesses, Time now) {
    if (witnesses.judgement() != Witnesses::Judgement::doubted) {
        asking_.reset();
        return Step::none;
    }
    if (asking_ && now >= asking_->until) {
        if (!witnesses.has_majority())
            return Step::lost;
        // Hosts that have left say nothing any more. Those that differ are asked again, so that
        // they are believed when they have the majority.
        asking_.reset();
    }
    if (!asking_)
        asking_ = Asking{.until = now + time_to_answer, .again = now};
    if (now < asking_->again)
        return Step::none;
    asking_->again = now + asked_every;
    return Step::ask;
}

std::optional<Doubt::Time> Doubt::due() const {
    if (!asking_)
        return std::nullopt;
    return std::min(asking_->again, asking_->until);
}

} // namespace chatserv
