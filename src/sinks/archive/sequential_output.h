// SequentialOutput writes a file from its beginning to its end, past the page cache where it can.
//
// An archive file is written once and not read soon; in the page cache it would displace what is
// read, and growing that cache costs more than writing. So whole aligned blocks go to the disk
// directly; where the file system refuses that, through the cache.
//
// Threads   one.
// Lifetime  `files` outlives it. Destroyed before finish(), the file is left as it is.
// Errors    as os::File.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "os/file_system.h"

namespace penstock::sinks {

class SequentialOutput {
 public:
  // Creates the file, or empties it.
  [[nodiscard]] static Result<std::unique_ptr<SequentialOutput>> create(os::FileSystem& files,
                                                                        const std::string& path);

  SequentialOutput(const SequentialOutput&) = delete;
  SequentialOutput& operator=(const SequentialOutput&) = delete;
  ~SequentialOutput() = default;

  [[nodiscard]] Status write(ByteView bytes);
  // Writes the rest, cuts the file to its size and makes it durable.
  [[nodiscard]] Status finish();

  // Bytes given to write() so far.
  [[nodiscard]] std::uint64_t size() const { return written_ + used_; }

 private:
  struct AlignedDelete {
    void operator()(std::byte* memory) const;
  };

  explicit SequentialOutput(std::unique_ptr<os::File> file);

  [[nodiscard]] Status write_buffer(std::size_t size);

  std::unique_ptr<os::File> file_;
  std::unique_ptr<std::byte, AlignedDelete> buffer_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace penstock::sinks
