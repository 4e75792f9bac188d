// SegmentScanner reads the groups of one segment file in order, believing nothing it has not
// checked.
//
// Each group must have the right checksums, position and sequence number, and name its
// predecessor's checksum. Where one does not, the scan stops and says why; whether that is the end
// of the log, a torn write or damage is for the caller to decide, with synced_behind().
//
// Invariants
//   I1  A group that next() gives is one that was written by this segment's writer as a whole.
//
// Threads   one.
// Lifetime  `file` outlives it; a group's payload is valid until the next call.
// Errors    as os::File::read_at()
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/buffer.h"
#include "core/result.h"
#include "os/file_system.h"
#include "wal/format.h"

namespace penstock::wal {

struct ScannedGroup {
  GroupHeader header;
  ByteView payload;

  // Of the first byte of the payload, in the segment.
  [[nodiscard]] std::uint64_t payload_position() const {
    return header.position + kGroupHeaderSize;
  }
};

class SegmentScanner {
 public:
  // Reads the header block. kCorrupt and kInvalid as decode_segment_header(), with the path.
  [[nodiscard]] static Result<SegmentScanner> open(const os::File& file, const std::string& path);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }

  // The next group, or nothing where the bytes are not one: see stop_reason().
  [[nodiscard]] Result<std::optional<ScannedGroup>> next();

  // Where the next group would begin, and what it would have to be.
  [[nodiscard]] std::uint64_t position() const { return position_; }

  [[nodiscard]] std::uint64_t expected_sequence() const { return sequence_; }

  [[nodiscard]] std::uint32_t previous_crc() const { return previous_crc_; }

  [[nodiscard]] const std::string& stop_reason() const { return stop_reason_; }

  // The size of a group that was begun at position() and is not whole; 0 if there is no sign of
  // one.
  [[nodiscard]] std::uint64_t torn_bytes() const { return torn_bytes_; }

  // The highest synced sequence that any sound group header behind position() claims; 0 if none. If
  // it is expected_sequence() or more, then what is missing here had been on disk: damage.
  [[nodiscard]] Result<std::uint64_t> synced_behind();

  // Moves to the next sound group behind position(), after damage that is accepted. False: none.
  [[nodiscard]] Result<bool> skip_to_next_group();

 private:
  SegmentScanner(const os::File& file, std::uint64_t file_size, const SegmentHeader& header);

  // `size` bytes at `position`, or fewer at the end of the file.
  [[nodiscard]] Result<ByteView> view(std::uint64_t position, std::size_t size);
  [[nodiscard]] std::nullopt_t stop(std::string reason);
  [[nodiscard]] Result<std::optional<ScannedGroup>> group_at(std::uint64_t position);

  const os::File* file_;
  std::uint64_t file_size_;
  SegmentHeader header_;
  std::uint32_t seed_;
  std::uint64_t position_ = kBlockSize;
  std::uint64_t sequence_;
  std::uint32_t previous_crc_;
  std::string stop_reason_;
  std::uint64_t torn_bytes_ = 0;
  Buffer window_;
  std::uint64_t window_begin_ = 0;
};

}  // namespace penstock::wal
