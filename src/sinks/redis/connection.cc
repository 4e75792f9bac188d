#include "sinks/redis/connection.h"

#include <algorithm>
#include <utility>

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>

#include "os/socket_wait.h"

namespace penstock::sinks {
namespace {

using std::chrono::milliseconds;

// How long a raised flag may go unnoticed.
constexpr milliseconds kLook{50};
// Answers to scripts are small; a deeper nesting is none of ours.
constexpr int kDepthMax = 8;

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }

  void operator()(redisSSLContext* context) const { redisFreeSSLContext(context); }

  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

using ContextPtr = std::unique_ptr<redisContext, Free>;
using TlsPtr = std::unique_ptr<redisSSLContext, Free>;
using ReplyPtr = std::unique_ptr<redisReply, Free>;

const char* text_or_null(const std::optional<std::string>& text) {
  return text.has_value() ? text->c_str() : nullptr;
}

RedisReply converted(const redisReply& reply, int depth) {
  RedisReply to;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
    case REDIS_REPLY_BOOL:
      to.kind = RedisReply::Kind::kInteger;
      to.integer = reply.integer;
      break;
    case REDIS_REPLY_NIL:
      break;
    case REDIS_REPLY_ARRAY:
    case REDIS_REPLY_MAP:
    case REDIS_REPLY_SET:
      to.kind = RedisReply::Kind::kArray;
      for (std::size_t i = 0; depth < kDepthMax && i < reply.elements; ++i) {
        to.elements.push_back(converted(*reply.element[i], depth + 1));
      }
      break;
    default:
      to.kind =
          reply.type == REDIS_REPLY_ERROR ? RedisReply::Kind::kError : RedisReply::Kind::kText;
      to.text.assign(reply.str == nullptr ? "" : reply.str, reply.len);
  }
  return to;
}

}  // namespace

class RedisConnection::Impl {
 public:
  Impl(const RedisAddress& address, const Options& options, const os::Clock& clock,
       const Flag& interrupted)
      : address_(address), options_(options), clock_(clock), interrupted_(interrupted) {}

  Status connect() {
    begin(options_.connect_timeout);
    redisOptions options{};
    REDIS_OPTIONS_SET_TCP(&options, address_.host.c_str(), address_.port);
    options.options = REDIS_OPT_NONBLOCK | REDIS_OPT_PREFER_IP_UNSPEC | REDIS_OPT_SET_SOCK_CLOEXEC;
    context_.reset(redisConnectWithOptions(&options));
    if (context_ == nullptr || context_->err != 0) {
      return failed();
    }
    redisEnableKeepAlive(context_.get());
    if (options_.tls.has_value()) {
      PENSTOCK_TRY(start_tls(*options_.tls));
    }
    PENSTOCK_TRY(introduce());
    is_introduced_ = true;
    return {};
  }

  Result<RedisReply> execute(std::span<const std::string> command) {
    begin(options_.request_timeout);
    return execute_in_time(command);
  }

  Status send(std::string_view encoded) {
    return redisAppendFormattedCommand(context_.get(), encoded.data(), encoded.size()) == REDIS_OK
               ? Status()
               : failed();
  }

  Status flush() {
    int done = 0;
    return redisBufferWrite(context_.get(), &done) == REDIS_OK ? Status() : failed();
  }

  Result<RedisReply> receive() {
    begin(options_.request_timeout);
    return receive_in_time();
  }

 private:
  void begin(milliseconds timeout) { deadline_ = clock_.now() + timeout; }

  // Certificates are always verified, and so is the name: TLS against strangers' eyes alone would
  // not be worth its name.
  Status start_tls(const Tls& tls) {
    redisSSLOptions options{};
    options.cacert_filename = text_or_null(tls.ca_file);
    options.cert_filename = text_or_null(tls.certificate_file);
    options.private_key_filename = text_or_null(tls.key_file);
    options.server_name = address_.host.c_str();
    options.verify_name = address_.host.c_str();
    options.verify_mode = REDIS_SSL_VERIFY_PEER;
    redisSSLContextError error = REDIS_SSL_CTX_NONE;
    tls_.reset(redisCreateSSLContextWithOptions(&options, &error));
    if (tls_ == nullptr) {
      return Error(ErrorCode::kRetry, described(redisSSLContextGetError(error)));
    }
    return redisInitiateSSLWithContext(context_.get(), tls_.get()) == REDIS_OK ? Status()
                                                                               : failed();
  }

  Status introduce() {
    std::vector<std::string> login;
    if (options_.protocol == 3) {
      login = {"HELLO", "3"};
    }
    if (options_.password.has_value()) {
      login.emplace_back("AUTH");
      if (options_.protocol == 3 || options_.user.has_value()) {
        login.push_back(options_.user.value_or("default"));
      }
      login.push_back(*options_.password);
    }
    if (!login.empty()) {
      PENSTOCK_TRY(expect_no_error(login));
    }
    if (options_.database != 0) {
      PENSTOCK_TRY(expect_no_error({"SELECT", std::to_string(options_.database)}));
    }
    // For CLIENT LIST alone, so it may be forbidden.
    const std::vector<std::string> name = {"CLIENT", "SETNAME", options_.client_name};
    PENSTOCK_TRY(execute_in_time(name));
    return {};
  }

  Status expect_no_error(const std::vector<std::string>& command) {
    PENSTOCK_TRY_ASSIGN(const RedisReply reply, execute_in_time(command));
    return reply.is_error() ? Error(ErrorCode::kRetry, described(reply.text)) : Status();
  }

  Result<RedisReply> execute_in_time(std::span<const std::string> command) {
    std::string encoded;
    append_count(encoded, command.size());
    for (const std::string& word : command) {
      append_word(encoded, word);
    }
    PENSTOCK_TRY(send(encoded));
    return receive_in_time();
  }

  Result<RedisReply> receive_in_time() {
    while (true) {
      void* found = nullptr;
      if (redisGetReplyFromReader(context_.get(), &found) != REDIS_OK) {
        return failed().error();
      }
      const ReplyPtr reply(static_cast<redisReply*>(found));
      if (reply != nullptr && !redisIsPushReply(reply.get())) {
        return converted(*reply, 0);
      }
      if (reply == nullptr) {
        PENSTOCK_TRY(exchange());
      }
    }
  }

  // Sends and takes what is possible; waits if nothing came. Reading comes first because TLS may
  // hold bytes that the socket does not have any more.
  Status exchange() {
    int done = 0;
    const std::size_t had = context_->reader->len;
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK ||
        redisBufferRead(context_.get()) != REDIS_OK) {
      return failed();
    }
    if (context_->reader->len != had) {
      return {};
    }
    return wait(done == 1 ? os::SocketReady::kForReading : os::SocketReady::kForEither);
  }

  Status wait(os::SocketReady wanted) {
    if (interrupted_.raised()) {
      return Error(ErrorCode::kRetry, described("interrupted"));
    }
    const os::TimePoint now = clock_.now();
    if (now >= deadline_) {
      return Error(ErrorCode::kRetry, described("the server does not answer in time"));
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - now) + milliseconds(1);
    os::wait_for_socket(static_cast<int>(context_->fd), wanted, std::min(left, kLook));
    return {};
  }

  [[nodiscard]] std::string described(const std::string& what) const {
    return "Redis " + to_string(address_) + ": " + what;
  }

  [[nodiscard]] Status failed() const {
    std::string what = context_ == nullptr ? "out of memory" : context_->errstr;
    if (options_.tls.has_value() && !is_introduced_) {  // hiredis does not say more
      what += " (is it TLS that is spoken there, and the certificate trusted and of this host?)";
    }
    return Error(ErrorCode::kRetry, described(what));
  }

  const RedisAddress address_;
  const Options options_;
  const os::Clock& clock_;
  const Flag& interrupted_;
  TlsPtr tls_;
  ContextPtr context_;
  os::TimePoint deadline_;
  bool is_introduced_ = false;
};

RedisConnection::RedisConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RedisConnection::~RedisConnection() = default;

Result<std::unique_ptr<RedisConnection>> RedisConnection::connect(const RedisAddress& address,
                                                                  const Options& options,
                                                                  const os::Clock& clock,
                                                                  const Flag& interrupted) {
  auto impl = std::make_unique<Impl>(address, options, clock, interrupted);
  PENSTOCK_TRY(impl->connect());
  return std::unique_ptr<RedisConnection>(new RedisConnection(std::move(impl)));
}

Result<RedisReply> RedisConnection::execute(std::span<const std::string> command) {
  return impl_->execute(command);
}

Status RedisConnection::send(std::string_view encoded) {
  return impl_->send(encoded);
}

Status RedisConnection::flush() {
  return impl_->flush();
}

Result<RedisReply> RedisConnection::receive() {
  return impl_->receive();
}

void append_count(std::string& encoded, std::size_t count) {
  encoded += '*' + std::to_string(count) + "\r\n";
}

void append_word(std::string& encoded, std::string_view word) {
  encoded += '$' + std::to_string(word.size()) + "\r\n";
  encoded += word;
  encoded += "\r\n";
}

}  // namespace penstock::sinks
