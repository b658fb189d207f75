// Striking: what a control client that asks for the death or the stop of a process gets. It is for
// tests and for `chatserv chaos`: what the strike breaks is mended as ever.
#pragma once

#include "master/control/control_request.h"
#include "master/control/control_subjects.h"

#include <string>

namespace chatserv {

// A request of the kinds kill and stop. Returns the answer: `struck` or `refused`.
[[nodiscard]] std::string strike(const ControlSubjects& subjects, const ControlRequest& request);

// The answer to any request that cannot be.
[[nodiscard]] std::string refusal(const std::string& reason);

} // namespace chatserv
