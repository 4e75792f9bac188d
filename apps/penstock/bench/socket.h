// Socket, Address and Poller: just enough of the system's TCP sockets and epoll for a load
// generator that spends its time in send() and recv() and nowhere else.
//
// Threads   one object belongs to one thread.
// Errors    kInvalid  the host name cannot be resolved
//           kRetry    no connection, or the connection is lost
//           kFatal    the system refuses what should always work
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/result.h"

namespace penstock::bench {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

[[nodiscard]] Result<Address> resolve(const std::string& host, std::uint16_t port);

// A port of 127.0.0.1 that nobody listens on at this moment.
[[nodiscard]] Result<std::uint16_t> free_loopback_port();

// An owned file descriptor.
class Descriptor {
 public:
  Descriptor() = default;

  explicit Descriptor(int fd) : fd_(fd) {}

  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// A connected TCP socket that never blocks.
class Socket {
 public:
  Socket() = default;

  // Blocks until connected. The send buffer is asked to hold `send_buffer_bytes` at once.
  [[nodiscard]] static Result<Socket> connect(const Address& address,
                                              std::size_t send_buffer_bytes);

  // How many bytes the system took; 0: none now, wait until writable.
  [[nodiscard]] Result<std::size_t> send(std::string_view bytes);

  // What has come; absent: nothing now. An end of the stream is kRetry.
  [[nodiscard]] Result<std::optional<std::size_t>> receive(std::span<char> into);

  [[nodiscard]] int fd() const { return descriptor_.get(); }

 private:
  explicit Socket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Descriptor descriptor_;
};

// Which sockets have something to do.
class Poller {
 public:
  enum class Interest { kReadable, kReadableAndWritable };

  [[nodiscard]] static Result<Poller> open();

  // `token` comes back with the socket's events. A closed socket leaves by itself.
  void add(const Socket& socket, void* token);
  void change(const Socket& socket, void* token, Interest interest);

  // The sockets that are ready, until the next call; none when the time is up.
  [[nodiscard]] Result<std::span<const epoll_event>> wait(std::chrono::nanoseconds timeout);

 private:
  static constexpr std::size_t kEventsMax = 256;

  explicit Poller(Descriptor descriptor);

  Descriptor descriptor_;
  std::unique_ptr<epoll_event[]> events_;
};

}  // namespace penstock::bench
