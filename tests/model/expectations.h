// What the tests of the model expect of a world. Each prints how much was searched.
#pragma once

#include "tests/model/joined/world.h"
#include "tests/model/world.h"

#include <string>

namespace chatserv::model {

// All schedules are searched, and none goes wrong.
void expect_no_violation(const Setting& setting);
void expect_no_violation_in_room(const JoinedSetting& setting);
// A schedule goes wrong, and what is said of it holds `what`.
void expect_violation(World& world, const std::string& what);
void expect_violation(JoinedWorld& world, const std::string& what);

} // namespace chatserv::model
