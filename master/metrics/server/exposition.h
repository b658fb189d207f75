// The figures in Prometheus's text format, version 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
// Each metric is one row of a table: its name, its type, its help, and what it is made of. Names
// and units follow Prometheus's conventions: seconds, bytes, ratios; counters end in _total.
// docs/metrics.md lists the rows.
#pragma once

#include "master/metrics/server/figures.h"

#include <string>

namespace chatserv {

inline constexpr const char* exposition_type = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string exposition_of(const Figures& figures);

} // namespace chatserv
