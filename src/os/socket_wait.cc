#include "os/socket_wait.h"

#include <algorithm>
#include <limits>

#include <poll.h>

namespace penstock::os {

void wait_for_socket(int socket, SocketReady wanted, std::chrono::milliseconds timeout) {
  pollfd waiting{socket, 0, 0};
  if (wanted != SocketReady::kForWriting) {
    waiting.events |= POLLIN;
  }
  if (wanted != SocketReady::kForReading) {
    waiting.events |= POLLOUT;
  }
  constexpr std::chrono::milliseconds::rep kMax = std::numeric_limits<int>::max();
  // Whatever it answers, the caller asks its library next; a signal is a wait that was short.
  static_cast<void>(::poll(
      &waiting, 1,
      static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(timeout.count(), 0, kMax))));
}

}  // namespace penstock::os
