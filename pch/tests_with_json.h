// For test programs of which many files ask the server for its statistics. See product.h.
#pragma once

#include "pch/tests.h"

#include <nlohmann/json.hpp>
