#include "penstock/bench/socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "core/check.h"

namespace penstock::bench {

namespace {

constexpr std::size_t kSendBufferMax = 1'073'741'824;  // fits an int; the system gives less

Error system_error(ErrorCode code, const std::string& what) {
  return {code, what + ": " + std::strerror(errno)};
}

}  // namespace

Result<Address> resolve(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (failure != 0) {
    return Error(ErrorCode::kInvalid,
                 "the host " + host + " cannot be resolved: " + gai_strerror(failure));
  }
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

Result<std::uint16_t> free_loopback_port() {
  const Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (probe.get() < 0 || bind(probe.get(), generic, size) != 0 ||
      getsockname(probe.get(), generic, &size) != 0) {
    return system_error(ErrorCode::kFatal, "no free port");
  }
  return ntohs(address.sin_port);
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<Socket> Socket::connect(const Address& address, std::size_t send_buffer_bytes) {
  Socket socket(Descriptor(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (socket.fd() < 0) {
    return system_error(ErrorCode::kFatal, "no socket for a connection");
  }
  const int no_delay = 1;
  const int buffer = static_cast<int>(std::min<std::size_t>(send_buffer_bytes, kSendBufferMax));
  // Without them the connection is slower, not wrong.
  static_cast<void>(setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay)));
  static_cast<void>(setsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)));
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
      0) {
    return system_error(ErrorCode::kRetry, "no connection to the server");
  }
  if (fcntl(socket.fd(), F_SETFL, O_NONBLOCK) != 0) {
    return system_error(ErrorCode::kFatal, "the socket stays blocking");
  }
  return socket;
}

Result<std::size_t> Socket::send(std::string_view bytes) {
  const ssize_t count = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    return static_cast<std::size_t>(count);
  }
  if (errno == EAGAIN || errno == EINTR) {
    return std::size_t{0};
  }
  return system_error(ErrorCode::kRetry, "the connection broke while sending");
}

Result<std::optional<std::size_t>> Socket::receive(std::span<char> into) {
  const ssize_t count = ::recv(fd(), into.data(), into.size(), 0);
  if (count > 0) {
    return std::optional(static_cast<std::size_t>(count));
  }
  if (count == 0) {
    return Error(ErrorCode::kRetry, "the server closed the connection");
  }
  if (errno == EAGAIN || errno == EINTR) {
    return std::optional<std::size_t>();
  }
  return system_error(ErrorCode::kRetry, "the connection broke while receiving");
}

Result<Poller> Poller::open() {
  Descriptor descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (descriptor.get() < 0) {
    return system_error(ErrorCode::kFatal, "no epoll");
  }
  return Poller(std::move(descriptor));
}

Poller::Poller(Descriptor descriptor)
    : descriptor_(std::move(descriptor)), events_(std::make_unique<epoll_event[]>(kEventsMax)) {}

void Poller::add(const Socket& socket, void* token) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = token;
  PENSTOCK_CHECK(epoll_ctl(descriptor_.get(), EPOLL_CTL_ADD, socket.fd(), &event) == 0);
}

void Poller::change(const Socket& socket, void* token, Interest interest) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (interest == Interest::kReadableAndWritable) {
    event.events |= EPOLLOUT;
  }
  event.data.ptr = token;
  PENSTOCK_CHECK(epoll_ctl(descriptor_.get(), EPOLL_CTL_MOD, socket.fd(), &event) == 0);
}

Result<std::span<const epoll_event>> Poller::wait(std::chrono::nanoseconds timeout) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  const timespec limit{.tv_sec = timeout.count() / kNsPerSecond,
                       .tv_nsec = timeout.count() % kNsPerSecond};
  const int count = epoll_pwait2(descriptor_.get(), events_.get(), kEventsMax, &limit, nullptr);
  if (count < 0 && errno != EINTR) {
    return system_error(ErrorCode::kFatal, "waiting for sockets");
  }
  return std::span<const epoll_event>(events_.get(), static_cast<std::size_t>(std::max(count, 0)));
}

}  // namespace penstock::bench
