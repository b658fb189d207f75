// For test programs of which many files ask the server for its statistics. See product.h.
#pragma once

#include "tests/precompiled/tests.h"

#include <nlohmann/json.hpp>
