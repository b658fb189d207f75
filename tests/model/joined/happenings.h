// What can happen to the stream of a joined room of the model, and when.
//
// Nobody but a bridge can tell when something happens to the stream. So it happens while the bridge
// that is at work waits for an event, or when the next one is about to begin; any other instant is
// as good as one of these.
#pragma once

#include "tests/model/joined/setting.h"
#include "tests/model/simulator.h"

namespace chatserv::model {

void add_happenings(Simulator& simulator, const JoinedSetting& setting);

} // namespace chatserv::model
