#include "wal/scanner.h"

#include <algorithm>
#include <utility>

#include "core/crc32c.h"
#include "core/units.h"

namespace penstock::wal {
namespace {

constexpr std::size_t kWindowBytes = kMiB;

}  // namespace

Result<SegmentScanner> SegmentScanner::open(const os::File& file, const std::string& path) {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t file_size, file.size());
  Bytes block(kBlockSize);
  PENSTOCK_TRY_ASSIGN(const std::size_t read, file.read_at(0, block));
  block.resize(read);
  auto header = decode_segment_header(block);
  if (!header) {
    return header.error().with(path);
  }
  return SegmentScanner(file, std::min(file_size, header->size_bytes), *header);
}

SegmentScanner::SegmentScanner(const os::File& file, std::uint64_t file_size,
                               const SegmentHeader& header)
    : file_(&file),
      file_size_(file_size),
      header_(header),
      seed_(checksum_seed(header.uuid)),
      sequence_(header.first_sequence),
      previous_crc_(header.previous_crc) {}

Result<ByteView> SegmentScanner::view(std::uint64_t position, std::size_t size) {
  size = static_cast<std::size_t>(
      std::min<std::uint64_t>(size, file_size_ - std::min(file_size_, position)));
  if (position < window_begin_ || position + size > window_begin_ + window_.size()) {
    const std::uint64_t wanted = std::max(size, kWindowBytes);
    window_.resize(static_cast<std::size_t>(std::min(wanted, file_size_ - position)));
    window_begin_ = position;
    PENSTOCK_TRY_ASSIGN(const std::size_t read,
                        file_->read_at(position, {window_.data(), window_.size()}));
    window_.resize(read);
    size = std::min(size, read);
  }
  return ByteView(window_).subspan(static_cast<std::size_t>(position - window_begin_), size);
}

std::nullopt_t SegmentScanner::stop(std::string reason) {
  stop_reason_ = std::move(reason);
  return std::nullopt;
}

Result<std::optional<ScannedGroup>> SegmentScanner::group_at(std::uint64_t position) {
  PENSTOCK_TRY_ASSIGN(const ByteView bytes, view(position, kGroupHeaderSize));
  const auto header = decode_group_header(bytes, seed_);
  if (!header) {
    return std::optional<ScannedGroup>(stop("there is no sound group header"));
  }
  if (header->position != position) {
    return std::optional<ScannedGroup>(stop("the group there was written for another place"));
  }
  torn_bytes_ = std::min(header->size_on_disk(), file_size_ - position);
  // Before anything is allocated by a number read: it cannot be longer than the file.
  if (header->size_on_disk() > file_size_ - position) {
    return std::optional<ScannedGroup>(stop("the group there runs past the end of the file"));
  }
  PENSTOCK_TRY_ASSIGN(const ByteView whole,
                      view(position, kGroupHeaderSize + std::size_t{header->payload_size}));
  if (whole.size() != kGroupHeaderSize + std::size_t{header->payload_size} ||
      crc32c(whole.subspan(kGroupHeaderSize), seed_) != header->payload_crc) {
    return std::optional<ScannedGroup>(stop("the checksum of the group's contents does not match"));
  }
  torn_bytes_ = 0;
  return std::optional(ScannedGroup{*header, whole.subspan(kGroupHeaderSize)});
}

Result<std::optional<ScannedGroup>> SegmentScanner::next() {
  if (position_ + kBlockSize > file_size_) {
    return std::optional<ScannedGroup>(stop("the file ends"));
  }
  PENSTOCK_TRY_ASSIGN(std::optional<ScannedGroup> group, group_at(position_));
  if (!group) {
    return group;
  }
  if (group->header.sequence != sequence_) {
    return std::optional<ScannedGroup>(stop("the group there is number " +
                                            std::to_string(group->header.sequence) +
                                            " instead of " + std::to_string(sequence_)));
  }
  if (group->header.previous_crc != previous_crc_) {
    return std::optional<ScannedGroup>(stop("the group there does not follow the one before it"));
  }
  position_ += group->header.size_on_disk();
  ++sequence_;
  previous_crc_ = group->header.crc;
  return group;
}

Result<std::uint64_t> SegmentScanner::synced_behind() {
  std::uint64_t highest = 0;
  for (std::uint64_t at = position_; at + kBlockSize <= file_size_; at += kBlockSize) {
    PENSTOCK_TRY_ASSIGN(const ByteView bytes, view(at, kGroupHeaderSize));
    const auto header = decode_group_header(bytes, seed_);
    if (header && header->position == at) {
      highest = std::max(highest, header->synced_sequence);
    }
  }
  return highest;
}

Result<bool> SegmentScanner::skip_to_next_group() {
  for (std::uint64_t at = position_ + kBlockSize; at + kBlockSize <= file_size_; at += kBlockSize) {
    PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, group_at(at));
    if (group && group->header.sequence >= sequence_) {
      position_ = at;
      sequence_ = group->header.sequence;
      previous_crc_ = group->header.previous_crc;
      return true;
    }
  }
  return false;
}

}  // namespace penstock::wal
