#include "penstock/bench/server_process.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"

namespace penstock::bench {

namespace {

constexpr std::chrono::milliseconds kStopMax{20'000};

// Runs in the child between fork and exec: nothing but system calls.
[[noreturn]] void become(const char* program, char* const* arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);    // no server is left behind if we are killed
  dup2(STDERR_FILENO, STDOUT_FILENO);  // our standard output is the report's
  execv(program, arguments);
  _exit(127);
}

// The `index`-th word of `text`, from 0.
std::string_view word(std::string_view text, std::size_t index) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view first = text.substr(0, text.find(' '));
    if (index-- == 0) {
      return first;
    }
    text.remove_prefix(first.size());
  }
}

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t value = 0;
  static_cast<void>(std::from_chars(text.data(), text.data() + text.size(), value));
  return value;
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const Options& options,
                                                            os::FileSystem& files) {
  const std::string config = os::join_path(options.directory, "penstock.toml");
  PENSTOCK_TRY(os::write_file_atomically(files, config, as_bytes(options.config)));
  std::vector<std::string> words = {
      options.program, "up",
      "--config",      config,
      "--data-dir",    os::join_path(options.directory, "data"),
      "--listen",      options.host + ":" + std::to_string(options.port)};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& argument : words) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);

  const pid_t pid = fork();
  if (pid < 0) {
    return Error(ErrorCode::kFatal, std::string("no process for the server: ") + strerror(errno));
  }
  if (pid == 0) {
    become(options.program.c_str(), arguments.data());
  }
  Descriptor descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return std::unique_ptr<ServerProcess>(new ServerProcess(files, pid, std::move(descriptor)));
}

ServerProcess::ServerProcess(os::FileSystem& files, pid_t pid, Descriptor pid_descriptor)
    : files_(files), pid_(pid), pid_descriptor_(std::move(pid_descriptor)) {}

ServerProcess::~ServerProcess() {
  if (ended_) {
    return;
  }
  kill(pid_, SIGTERM);
  if (!wait(kStopMax)) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

bool ServerProcess::wait(std::chrono::milliseconds timeout) {
  pollfd watched{.fd = pid_descriptor_.get(), .events = POLLIN, .revents = 0};
  if (!ended_ && poll(&watched, 1, static_cast<int>(timeout.count())) > 0) {
    ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
  }
  return ended_;
}

Result<std::string> ServerProcess::read_proc(const std::string& name) const {
  // These files have no size to ask for: one read gives all there is.
  std::array<std::byte, 8192> contents;
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file,
                      files_.open("/proc/" + std::to_string(pid_) + "/" + name, {}));
  PENSTOCK_TRY_ASSIGN(const std::size_t size, file->read_at(0, contents));
  return std::string(as_text(ByteView(contents).first(size)));
}

Result<std::chrono::nanoseconds> ServerProcess::cpu_time() const {
  PENSTOCK_TRY_ASSIGN(const std::string stat, read_proc("stat"));
  // Behind the program's name in parentheses; man 5 proc: fields 14 and 15, the name is field 2.
  const std::string_view fields = std::string_view(stat).substr(stat.rfind(')') + 1);
  const std::uint64_t ticks = parse_number(word(fields, 11)) + parse_number(word(fields, 12));
  const auto ticks_per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return std::chrono::nanoseconds(ticks * (1'000'000'000 / ticks_per_second));
}

Result<std::uint64_t> ServerProcess::rss_bytes_max() const {
  PENSTOCK_TRY_ASSIGN(const std::string status, read_proc("status"));
  const std::size_t at = status.find("VmHWM:");
  if (at == std::string::npos) {
    return Error(ErrorCode::kFatal, "the system does not say how much memory the server has");
  }
  std::string_view line = std::string_view(status).substr(at + 6);
  line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
  return parse_number(line) * 1024;
}

}  // namespace penstock::bench
