#include "wal/segment_reader.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "core/buffer.h"
#include "core/units.h"
#include "record/record_batch.h"

namespace penstock::wal {
namespace {

constexpr std::size_t kOpenFilesMax = 4;
// Reading a gap costs less than another system call.
constexpr std::uint64_t kGapMax = 32 * kKiB;
constexpr std::uint64_t kStretchMax = kMiB;

struct ReadMemory final : RefCounted {
  explicit ReadMemory(std::size_t size) { bytes.resize(size); }

  Buffer bytes;
};

std::uint64_t end_of(const WantedBatch& batch) {
  return std::uint64_t{batch.entry.position} + batch.entry.size;
}

}  // namespace

Status check_batch(const WantedBatch& wanted) {
  const IndexEntry& entry = wanted.entry;
  const auto view =
      RecordBatchView::parse({wanted.bytes, entry.size}, RecordBatchView::Verify::kChecksum);
  std::string reason;
  if (!view) {
    reason = view.error().message();
  } else if (view->size_bytes() != entry.size || view->base_offset() != entry.base ||
             view->last_offset() != entry.last()) {
    reason = "its size or offsets have changed";
  } else {
    return {};
  }
  return Error(ErrorCode::kCorrupt,
               wanted.segment->path + " is damaged at position " + std::to_string(entry.position) +
                   ", offsets " + to_string(entry.base) + " to " + to_string(entry.last()) +
                   " of partition " + to_string(wanted.from.partition) + " of topic number " +
                   to_string(wanted.from.topic) + ": " + reason);
}

Result<const os::File*> SegmentReader::file_of(const Ref<Segment>& segment) {
  const auto found = std::find_if(open_.begin(), open_.end(), [&](const OpenFile& open) {
    return open.segment.get() == segment.get();
  });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return static_cast<const os::File*>(open_.back().file.get());
  }
  PENSTOCK_TRY_ASSIGN(std::unique_ptr<os::File> file, files_.open(segment->path, {}));
  if (open_.size() == kOpenFilesMax) {
    open_.erase(open_.begin());
  }
  open_.push_back({segment, std::move(file)});
  return static_cast<const os::File*>(open_.back().file.get());
}

Status SegmentReader::read_stretch(std::span<WantedBatch*> stretch) {
  const WantedBatch& first = *stretch.front();
  const std::uint64_t begin = first.entry.position;
  std::uint64_t end = 0;
  for (const WantedBatch* batch : stretch) {
    end = std::max(end, end_of(*batch));
  }
  PENSTOCK_TRY_ASSIGN(const os::File* file, file_of(first.segment));
  auto memory = make_ref<ReadMemory>(static_cast<std::size_t>(end - begin));
  PENSTOCK_TRY_ASSIGN(const std::size_t read,
                      file->read_at(begin, {memory->bytes.data(), memory->bytes.size()}));
  // What the file no longer has cannot pass the check.
  std::fill(memory->bytes.begin() + read, memory->bytes.end(), std::byte{0});
  for (WantedBatch* batch : stretch) {
    batch->memory = memory;
    batch->bytes = memory->bytes.data() + (batch->entry.position - begin);
    PENSTOCK_TRY(check_batch(*batch));
  }
  return {};
}

Status SegmentReader::read(std::vector<WantedBatch>& batches) {
  std::vector<WantedBatch*> missing;
  for (WantedBatch& batch : batches) {
    if (!batch.memory) {
      missing.push_back(&batch);
    }
  }
  std::sort(missing.begin(), missing.end(), [](const WantedBatch* a, const WantedBatch* b) {
    return std::pair(a->segment->number, a->entry.position) <
           std::pair(b->segment->number, b->entry.position);
  });
  for (auto begin = missing.begin(); begin != missing.end();) {
    auto end = begin + 1;
    while (end != missing.end() && (*end)->segment.get() == (*begin)->segment.get() &&
           (*end)->entry.position <= end_of(**(end - 1)) + kGapMax &&
           end_of(**end) - (*begin)->entry.position <= kStretchMax) {
      ++end;
    }
    PENSTOCK_TRY(read_stretch({begin, end}));
    begin = end;
  }
  return {};
}

}  // namespace penstock::wal
