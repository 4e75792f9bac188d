// The threads of os/, for tests of rooms that have no door to it.
#pragma once

#include "os/thread.h"

namespace penstock::testing {

using os::StopToken;
using os::Thread;

}  // namespace penstock::testing
