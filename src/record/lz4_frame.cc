#include "record/lz4_frame.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <lz4.h>
#include <lz4frame.h>

#include "core/check.h"

namespace penstock {
namespace {

// The frame format: magic, flags, block size, size of the contents (by flag), a check byte; blocks
// with their size in front; an end mark. See lz4_Frame_format.md of the LZ4 project.
constexpr std::uint32_t kMagic = 0x184d2204;
constexpr std::uint8_t kVersionMask = 0xc0;
constexpr std::uint8_t kVersion1 = 0x40;
constexpr std::uint8_t kBlocksAreIndependent = 0x20;
constexpr std::uint8_t kHasBlockChecksums = 0x10;
constexpr std::uint8_t kHasContentsSize = 0x08;
constexpr std::uint8_t kHasContentsChecksum = 0x04;
constexpr std::uint8_t kHasDictionary = 0x01;
constexpr std::uint32_t kBlockIsPlain = 0x8000'0000;
constexpr std::size_t kChecksumSize = 4;

// A block of LZ4 cannot hold more than this for each of its bytes.
constexpr std::size_t kRatioMax = 255;

Error malformed(const std::string& what) {
  return {ErrorCode::kInvalid, "malformed LZ4 frame: " + what};
}

LZ4F_preferences_t preferences() {
  LZ4F_preferences_t wanted{};
  wanted.frameInfo.blockSizeID = LZ4F_max4MB;  // at most: the smallest that takes all is used
  wanted.frameInfo.blockMode = LZ4F_blockIndependent;
  wanted.frameInfo.contentSize = 1;  // that is: write it
  return wanted;
}

// Reads a frame from its beginning to its end.
class FrameReader {
 public:
  FrameReader(ByteView frame, std::size_t contents_max, Buffer& contents)
      : left_(frame),
        contents_max_(std::min(contents_max, frame.size() * kRatioMax)),
        contents_(contents) {
    contents_.clear();
  }

  [[nodiscard]] Status read() {
    PENSTOCK_TRY(read_header());
    for (bool more = true; more;) {
      PENSTOCK_TRY_ASSIGN(more, read_block());
    }
    PENSTOCK_TRY(skip(has(kHasContentsChecksum) ? kChecksumSize : 0));
    if (!left_.empty()) {
      return malformed(std::to_string(left_.size()) + " bytes behind its end");
    }
    if (contents_size_ && *contents_size_ != contents_.size()) {
      return malformed("it holds " + std::to_string(contents_.size()) + " bytes and says " +
                       std::to_string(*contents_size_));
    }
    return {};
  }

 private:
  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags_ & flag) != 0; }

  template <typename T>
  [[nodiscard]] Result<T> take() {
    if (left_.size() < sizeof(T)) {
      return malformed("cut short");
    }
    const T value = load_le<T>(left_.data());
    left_ = left_.subspan(sizeof(T));
    return value;
  }

  [[nodiscard]] Status skip(std::size_t size) {
    if (left_.size() < size) {
      return malformed("cut short");
    }
    left_ = left_.subspan(size);
    return {};
  }

  [[nodiscard]] Status read_header() {
    PENSTOCK_TRY_ASSIGN(const std::uint32_t magic, take<std::uint32_t>());
    PENSTOCK_TRY_ASSIGN(flags_, take<std::uint8_t>());
    PENSTOCK_TRY_ASSIGN(const std::uint8_t block_size, take<std::uint8_t>());
    if (magic != kMagic || (flags_ & kVersionMask) != kVersion1 || has(kHasDictionary)) {
      return malformed("not of version 1, or it needs a dictionary");
    }
    const unsigned block_size_id = (block_size >> 4) & 7;
    if (block_size_id < 4) {
      return malformed("block size " + std::to_string(block_size_id));
    }
    block_max_ = std::size_t{1} << (8 + 2 * block_size_id);
    if (has(kHasContentsSize)) {
      PENSTOCK_TRY_ASSIGN(contents_size_, take<std::uint64_t>());
      if (*contents_size_ > contents_max_) {
        return malformed("it says that it holds " + std::to_string(*contents_size_) + " bytes");
      }
      contents_.reserve(static_cast<std::size_t>(*contents_size_));
    }
    return skip(1);  // the check byte
  }

  // False at the end mark.
  [[nodiscard]] Result<bool> read_block() {
    PENSTOCK_TRY_ASSIGN(const std::uint32_t word, take<std::uint32_t>());
    if (word == 0) {
      return false;
    }
    const std::size_t size = word & ~kBlockIsPlain;
    if (size > block_max_ || size > left_.size()) {
      return malformed("a block of " + std::to_string(size) + " bytes");
    }
    PENSTOCK_TRY(unpack(left_.first(size), (word & kBlockIsPlain) != 0));
    PENSTOCK_TRY(skip(size + (has(kHasBlockChecksums) ? kChecksumSize : 0)));
    return true;
  }

  [[nodiscard]] Status unpack(ByteView block, bool is_plain) {
    const std::size_t before = contents_.size();
    const std::size_t expected = static_cast<std::size_t>(contents_size_.value_or(contents_max_));
    const std::size_t room = std::min(
        {block_max_, expected - before, is_plain ? block.size() : block.size() * kRatioMax});
    contents_.resize(before + room);
    std::byte* const to = contents_.data() + before;
    if (is_plain) {
      if (room < block.size()) {
        return malformed("more contents than it says or may hold");
      }
      std::ranges::copy(block, to);
      return {};
    }
    // Blocks may refer to what the ones before them held.
    const std::size_t known = has(kBlocksAreIndependent) ? 0 : before;
    const int written = LZ4_decompress_safe_usingDict(
        reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(to),
        static_cast<int>(block.size()), static_cast<int>(room),
        reinterpret_cast<const char*>(to - known), static_cast<int>(known));
    if (written < 0) {
      return malformed("a block cannot be unpacked");
    }
    contents_.resize(before + static_cast<std::size_t>(written));
    return {};
  }

  ByteView left_;
  const std::size_t contents_max_;
  Buffer& contents_;
  std::uint8_t flags_ = 0;
  std::size_t block_max_ = 0;
  std::optional<std::uint64_t> contents_size_;
};

}  // namespace

std::size_t lz4_frame_size_max(std::size_t contents_size) {
  const LZ4F_preferences_t wanted = preferences();
  return LZ4F_compressFrameBound(contents_size, &wanted);
}

std::size_t write_lz4_frame(ByteView contents, std::byte* to) {
  const LZ4F_preferences_t wanted = preferences();
  const std::size_t room = LZ4F_compressFrameBound(contents.size(), &wanted);
  const std::size_t size = LZ4F_compressFrame(to, room, contents.data(), contents.size(), &wanted);
  PENSTOCK_CHECK(LZ4F_isError(size) == 0);
  return size;
}

Status read_lz4_frame(ByteView frame, std::size_t contents_max, Buffer& contents) {
  return FrameReader(frame, contents_max, contents).read();
}

}  // namespace penstock
