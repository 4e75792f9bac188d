// The seeded random numbers of os/, for tests of rooms that have no door to it.
#pragma once

#include "os/random.h"

namespace penstock::testing {

using os::SeededRandom;

}  // namespace penstock::testing
