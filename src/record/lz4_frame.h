// LZ4 frames: what stands behind the header of a compressed record batch.
//
// Frames are written as Kafka's clients read them: blocks that do not refer to each other, no
// checksums (the batch has one), the size of the contents in front. Frames of any writer are read;
// their checksums are passed over, since that of the batch covers all of the frame.
//
// Threads   any.
// Errors    kInvalid  the frame is malformed, or holds more than the reader takes
#pragma once

#include <cstddef>

#include "core/buffer.h"
#include "core/bytes.h"
#include "core/result.h"

namespace penstock {

// The most that write_lz4_frame() writes.
[[nodiscard]] std::size_t lz4_frame_size_max(std::size_t contents_size);

// `to` has room for lz4_frame_size_max(). Returns the frame's size.
[[nodiscard]] std::size_t write_lz4_frame(ByteView contents, std::byte* to);

// Replaces `contents` by what is in the frame, which is all of `frame`. What the frame says of its
// size is believed only as far as so many bytes can hold so much.
[[nodiscard]] Status read_lz4_frame(ByteView frame, std::size_t contents_max, Buffer& contents);

}  // namespace penstock
