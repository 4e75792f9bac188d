// Waiting for a socket that a library owns, for clients whose library does not bring an event loop.
//
// Threads   the calling thread sleeps.
// Source    poll(2)
#pragma once

#include <chrono>

namespace penstock::os {

enum class SocketReady { kForReading, kForWriting, kForEither };

// Returns when it is ready, has failed or was closed, or when time is up.
void wait_for_socket(int socket, SocketReady wanted, std::chrono::milliseconds timeout);

}  // namespace penstock::os
