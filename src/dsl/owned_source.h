// OwnedSource keeps the record that is being processed, for steps that go on with it later.
//
// Lifetime  view() is valid as long as the object is.
#pragma once

#include <string>

#include "core/bytes.h"
#include "dsl/error_sink.h"
#include "topology/record_span.h"

namespace penstock::dsl {

class OwnedSource {
 public:
  explicit OwnedSource(const SourceRecord& record);

  OwnedSource(const OwnedSource&) = delete;
  OwnedSource& operator=(const OwnedSource&) = delete;

  [[nodiscard]] SourceRecord view() const { return {is_record_ ? &span_ : nullptr, 0}; }

 private:
  bool is_record_ = false;
  std::string topic_;
  Bytes key_;
  Bytes value_;
  Bytes header_bytes_;
  Offset offset_;
  Timestamp timestamp_;
  ByteView key_view_;
  ByteView value_view_;
  topology::RecordHeaders headers_{};
  topology::RecordSpan span_{};
};

}  // namespace penstock::dsl
