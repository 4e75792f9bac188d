// The real disk: thin over system calls, which are repeated where the system asks for it.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/file_system.h"

namespace penstock::os {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

ErrorCode code_of(int system_error) {
  switch (system_error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
    case EWOULDBLOCK:
      return ErrorCode::kBusy;
    case EEXIST:
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case ENOTEMPTY:
    case EXDEV:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kFatal;
  }
}

std::string reason_of(int system_error) {
  return std::generic_category().message(system_error);
}

// "cannot <what> <path>: <the system's reason>". Call before anything can change errno.
Error system_failure(std::string_view what, const std::string& path) {
  const int system_error = errno;
  return {code_of(system_error),
          "cannot " + std::string(what) + " " + path + ": " + reason_of(system_error)};
}

// Repeats a system call that a signal interrupted.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}

  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }

  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int number() const { return number_; }

  [[nodiscard]] bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  return Descriptor(
      uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); }));
}

int flags_of(OpenOptions options) {
  int flags = 0;
  switch (options.mode) {
    case OpenMode::kRead:
      flags = O_RDONLY;
      break;
    case OpenMode::kReadWrite:
      flags = O_RDWR;
      break;
    case OpenMode::kCreate:
      flags = O_RDWR | O_CREAT;
      break;
    case OpenMode::kCreateNew:
      flags = O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  return flags | (options.direct ? O_DIRECT : 0) | (options.sync_write ? O_DSYNC : 0);
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path, bool direct)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), direct_(direct) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t count = uninterrupted([&] {
        return ::pread(descriptor_.number(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (count < 0) {
        return system_failure("read", path_);
      }
      done += static_cast<std::size_t>(count);
      // Direct I/O stops in the middle of a block only at the end of the file; going on from there
      // would be refused.
      if (count == 0 || (direct_ && done % kDirectAlignment != 0)) {
        break;
      }
    }
    return done;
  }

  Status write_at(std::uint64_t offset, ByteView bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = uninterrupted([&] {
        return ::pwrite(descriptor_.number(), bytes.data() + done, bytes.size() - done,
                        static_cast<off_t>(offset + done));
      });
      if (count < 0) {
        return system_failure("write", path_);
      }
      auto progress = static_cast<std::size_t>(count);
      if (direct_ && done + progress < bytes.size()) {
        progress -= progress % kDirectAlignment;  // write the rest of a torn block again
      }
      if (progress == 0) {
        return Error(ErrorCode::kFatal, "cannot write " + path_ + ": the write made no progress");
      }
      done += progress;
    }
    return {};
  }

  Status sync() override {
    if (uninterrupted([&] { return ::fdatasync(descriptor_.number()); }) != 0) {
      // Whatever the reason: the system may have dropped the pages, there is nothing to retry.
      return Error(ErrorCode::kFatal, "cannot sync " + path_ + ": " + reason_of(errno));
    }
    return {};
  }

  Status preallocate(std::uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    if (uninterrupted([&] { return ::fallocate(descriptor_.number(), 0, 0, length); }) == 0) {
      return {};
    }
    if (errno != EOPNOTSUPP) {
      return system_failure("preallocate", path_);
    }
    // This file system cannot; the C library then writes to every block. It returns the error.
    errno = ::posix_fallocate(descriptor_.number(), 0, length);
    return errno == 0 ? Status() : system_failure("preallocate", path_);
  }

  Status truncate(std::uint64_t size) override {
    if (uninterrupted(
            [&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size)); }) != 0) {
      return system_failure("truncate", path_);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info {};

    if (::fstat(descriptor_.number(), &info) != 0) {
      return system_failure("look at", path_);
    }
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
  bool direct_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // closing it gives the lock back
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override {
    Descriptor descriptor = open_descriptor(path, flags_of(options));
    if (!descriptor.valid()) {
      return system_failure("open", path);
    }
    return std::unique_ptr<File>(
        std::make_unique<PosixFile>(std::move(descriptor), path, options.direct));
  }

  Status create_directories(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
      return sync_directory(parent_path(path));
    }
    if (errno == ENOENT) {
      const std::string parent = parent_path(path);
      if (parent == path) {
        return system_failure("create directory", path);
      }
      PENSTOCK_TRY(create_directories(parent));
      if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
        return sync_directory(parent);
      }
    }
    if (errno != EEXIST) {
      return system_failure("create directory", path);
    }

    struct stat info {};

    if (::stat(path.c_str(), &info) != 0) {
      return system_failure("look at", path);
    }
    if (!S_ISDIR(info.st_mode)) {
      return Error(ErrorCode::kInvalid,
                   "cannot create directory " + path + ": there is a file of that name");
    }
    return {};
  }

  Status sync_directory(const std::string& path) override {
    const Descriptor descriptor = open_descriptor(path, O_RDONLY | O_DIRECTORY);
    if (!descriptor.valid()) {
      return system_failure("open directory", path);
    }
    if (uninterrupted([&] { return ::fsync(descriptor.number()); }) != 0) {
      return Error(ErrorCode::kFatal, "cannot sync directory " + path + ": " + reason_of(errno));
    }
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) {
      return system_failure("list", path);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        names.emplace_back(name);
      }
      errno = 0;
    }
    const int failure = errno;
    ::closedir(directory);
    if (failure != 0) {
      errno = failure;
      return system_failure("list", path);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return system_failure("rename " + from + " to", to);
    }
    return {};
  }

  Status remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0) {
      return system_failure("remove", path);
    }
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info {};

    if (::stat(path.c_str(), &info) == 0) {
      return true;
    }
    if (code_of(errno) == ErrorCode::kNotFound) {
      return false;
    }
    return system_failure("look at", path);
  }

  Result<std::uint64_t> free_space(const std::string& path) override {
    struct statvfs info {};

    if (uninterrupted([&] { return ::statvfs(path.c_str(), &info); }) != 0) {
      return system_failure("look at the file system of", path);
    }
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }

  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override {
    Descriptor descriptor = open_descriptor(path, O_RDWR | O_CREAT);
    if (!descriptor.valid()) {
      return system_failure("open lock file", path);
    }
    if (uninterrupted([&] { return ::flock(descriptor.number(), LOCK_EX | LOCK_NB); }) == 0) {
      return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(descriptor)));
    }
    if (errno == EWOULDBLOCK) {
      return Error(ErrorCode::kBusy, path + " is locked: another process is using it");
    }
    return system_failure("lock", path);
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace penstock::os
