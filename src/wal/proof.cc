#include "wal/proof.h"

#include <array>

#include "core/crc32c.h"
#include "wal/codec.h"

namespace penstock::wal {
namespace {

constexpr std::uint64_t kProofMagic = 0x667250'6b74736e50;  // "PnstkPrf"
constexpr std::size_t kSlots = 2;
constexpr std::size_t kCrcAt = 8;
constexpr std::size_t kCheckedFrom = 12;
constexpr std::size_t kProofSize = 36;

std::optional<Proof> decode(ByteView slot) {
  if (slot.size() < kProofSize || load_le<std::uint64_t>(slot.data()) != kProofMagic ||
      load_le<std::uint32_t>(slot.data() + kCrcAt) !=
          crc32c(slot.first(kProofSize).subspan(kCheckedFrom))) {
    return std::nullopt;
  }
  ByteReader reader(slot.subspan(kCheckedFrom));
  Proof proof;
  proof.sequence = reader.get<std::uint64_t>();
  proof.segment = SegmentNumber(reader.get<std::uint64_t>());
  proof.end_position = reader.get<std::uint64_t>();
  return proof;
}

struct Slots {
  std::array<std::optional<Proof>, kSlots> proofs;

  [[nodiscard]] std::size_t newest_index() const {
    std::size_t newest = 0;
    for (std::size_t i = 1; i < kSlots; ++i) {
      if (proofs[i] && (!proofs[newest] || proofs[i]->sequence > proofs[newest]->sequence)) {
        newest = i;
      }
    }
    return newest;
  }

  [[nodiscard]] std::optional<Proof> newest() const { return proofs[newest_index()]; }
};

Result<Slots> read_slots(os::FileSystem& files, const std::string& directory) {
  Slots slots;
  const auto contents = os::read_file(files, os::join_path(directory, std::string(kProofFileName)));
  if (!contents) {
    return contents.error().code() == ErrorCode::kNotFound ? Result<Slots>(slots)
                                                           : contents.error();
  }
  for (std::size_t i = 0; i < kSlots && i * kBlockSize < contents->size(); ++i) {
    slots.proofs[i] = decode(ByteView(*contents).subspan(i * kBlockSize));
  }
  return slots;
}

}  // namespace

Result<ProofFile> ProofFile::open(os::FileSystem& files, const std::string& directory) {
  const std::string path = os::join_path(directory, std::string(kProofFileName));
  {
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file,
                        files.open(path, {.mode = os::OpenMode::kCreate}));
    PENSTOCK_TRY(file->preallocate(kSlots * kBlockSize));
    PENSTOCK_TRY(file->sync());
  }
  PENSTOCK_TRY(files.sync_directory(directory));
  PENSTOCK_TRY_ASSIGN(const Slots slots, read_slots(files, directory));
  PENSTOCK_TRY_ASSIGN(AppendFile file, AppendFile::open(files, path));
  return ProofFile(std::move(file), (slots.newest_index() + 1) % kSlots);
}

Status ProofFile::write(const Proof& proof) {
  std::byte* at = block_->bytes().data();
  store_le(at, kProofMagic);
  store_le(at + kCheckedFrom, proof.sequence);
  store_le(at + kCheckedFrom + 8, proof.segment.value());
  store_le(at + kCheckedFrom + 16, proof.end_position);
  store_le(at + kCrcAt, crc32c(ByteView(at, kProofSize).subspan(kCheckedFrom)));
  const std::size_t slot = next_slot_;
  next_slot_ = (next_slot_ + 1) % kSlots;
  return file_.write(slot * kBlockSize, block_->bytes());
}

Result<std::optional<Proof>> read_proof(os::FileSystem& files, const std::string& directory) {
  PENSTOCK_TRY_ASSIGN(const Slots slots, read_slots(files, directory));
  return slots.newest();
}

}  // namespace penstock::wal
