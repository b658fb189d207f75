// For test programs of which many files ask the server for its statistics. See product.h.
#include "tests/precompiled/tests.h"

#include <nlohmann/json.hpp>
