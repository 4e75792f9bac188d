// ProofFile remembers how far the log was synced, for the moments when no later group says so.
//
// Each group proves that the ones before it were on disk. For the newest one there is no proof
// until the next is written; so when the log is idle, and when it is closed, its number is written
// here. Then damage to it cannot pass for a write that was cut off. It is also written when a
// segment is begun, so that the loss of the newest file is noticed. Two slots, written in turn, so
// that a torn write never destroys the last proof. Losing the file loses proof, never data.
//
// Threads   one.
// Errors    as wal/append_file.h
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "os/file_system.h"
#include "wal/append_file.h"
#include "wal/format.h"

namespace penstock::wal {

struct Proof {
  std::uint64_t sequence = 0;  // this group and all before it were synced
  SegmentNumber segment;       // where it lies
  std::uint64_t end_position = 0;

  friend bool operator==(const Proof&, const Proof&) = default;
};

class ProofFile {
 public:
  // Makes the file if it is absent.
  [[nodiscard]] static Result<ProofFile> open(os::FileSystem& files, const std::string& directory);

  [[nodiscard]] Status write(const Proof& proof);

 private:
  ProofFile(AppendFile file, std::size_t next_slot)
      : file_(std::move(file)),
        block_(std::make_unique<AlignedBlocks>(kBlockSize)),
        next_slot_(next_slot) {}

  AppendFile file_;
  std::unique_ptr<AlignedBlocks> block_;
  std::size_t next_slot_;
};

// The newest sound proof; nothing if there is none.
[[nodiscard]] Result<std::optional<Proof>> read_proof(os::FileSystem& files,
                                                      const std::string& directory);

}  // namespace penstock::wal
