#include "schema/json_extractor.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/padded_buffer.h"
#include "core/units.h"
#include "schema/json_walker.h"
#include "schema/structural_index.h"

namespace penstock {

namespace {

constexpr std::size_t kWindowBytes = 64 * kKiB;

}  // namespace

class JsonExtractor::Impl {
 public:
  Impl(const ExtractPlan& plan, const Options& options) : plan_(plan), walker_(options.depth_max) {
    walker_.set_plan(plan);
  }

  void clear() {
    text_.clear();
    begins_.clear();
  }

  // A newline between documents is where strings end, whatever is wrong with them.
  void add(ByteView document) {
    begins_.push_back(text_.size());
    const std::span<std::byte> room = text_.prepare(document.size() + 1);
    if (!document.empty()) {
      std::memcpy(room.data(), document.data(), document.size());
    }
    room[document.size()] = std::byte{'\n'};
    text_.commit(document.size() + 1);
  }

  void run();

  [[nodiscard]] std::size_t size() const { return begins_.size(); }

  [[nodiscard]] bool ok(std::size_t index) const { return ok_[index] != 0; }

  [[nodiscard]] std::span<const JsonValue> values(std::size_t index) const {
    return {values_.data() + index * plan_.size(), plan_.size()};
  }

 private:
  [[nodiscard]] std::size_t end_of(std::size_t index) const {
    return (index + 1 < begins_.size() ? begins_[index + 1] : text_.size()) - 1;
  }

  std::size_t run_window(std::size_t first);
  void run_alone(std::size_t index);
  void settle(std::size_t index, bool ok);

  const ExtractPlan& plan_;
  JsonWalker walker_;
  StructuralIndex index_;
  PaddedBuffer text_;
  std::vector<std::size_t> begins_;
  std::vector<JsonValue> values_;
  std::vector<std::uint8_t> ok_;
};

void JsonExtractor::Impl::run() {
  values_.resize(begins_.size() * plan_.size());
  ok_.resize(begins_.size());
  for (std::size_t index = 0; index < begins_.size();) {
    index = run_window(index);
  }
}

// Extracts from the documents that one index covers, from `first` on; returns the next one.
std::size_t JsonExtractor::Impl::run_window(std::size_t first) {
  std::size_t last = first + 1;
  while (last < begins_.size() && end_of(last) - begins_[first] < kWindowBytes) {
    ++last;
  }
  const std::size_t begin = begins_[first];
  const std::string_view text = text_.text().substr(begin, end_of(last - 1) + 1 - begin);
  if (index_.index(text) == StructuralIndex::Text::kDamaged) {
    for (std::size_t i = first; i < last; ++i) {
      run_alone(i);
    }
    return last;
  }
  JsonWalker::Cursor cursor{text.data(), text.data() + text.size(), index_.begin(), index_.end(),
                            text.data()};
  for (std::size_t i = first; i < last; ++i) {
    const char* const document_end = text_.text().data() + end_of(i);
    const bool any = !cursor.at_end() && cursor.at() < document_end;
    const bool ok = any &&
                    walker_.walk<JsonCheck::kNeeded>(cursor, values_.data() + i * plan_.size()) ==
                        JsonWalker::Outcome::kComplete &&
                    walker_.value_end() <= document_end &&
                    (cursor.at_end() || cursor.at() > document_end);
    settle(i, ok);
    if (!ok) {
      cursor.next = std::lower_bound(index_.begin(), index_.end(),
                                     static_cast<std::uint32_t>(document_end - text.data()));
      cursor.next_escape = cursor.base;
    }
  }
  return last;
}

void JsonExtractor::Impl::run_alone(std::size_t index) {
  const std::string_view text = text_.text().substr(begins_[index], end_of(index) - begins_[index]);
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  bool ok = begin < text.size();
  if (ok) {
    const std::string_view value = text.substr(begin);
    ok = index_.index_value(value) != StructuralIndex::Stop::kControlCharacter;
    const char* const end = value.data() + *index_.end();
    JsonWalker::Cursor cursor{value.data(), end, index_.begin(), index_.end(), value.data()};
    ok = ok &&
         walker_.walk<JsonCheck::kNeeded>(cursor, values_.data() + index * plan_.size()) ==
             JsonWalker::Outcome::kComplete &&
         text.find_first_not_of(" \t\r\n",
                                static_cast<std::size_t>(walker_.value_end() - text.data())) ==
             std::string_view::npos;
  }
  settle(index, ok);
}

void JsonExtractor::Impl::settle(std::size_t index, bool ok) {
  ok_[index] = ok ? 1 : 0;
  if (!ok) {
    std::fill_n(values_.data() + index * plan_.size(), plan_.size(), JsonValue());
  }
}

JsonExtractor::JsonExtractor(const ExtractPlan& plan, const Options& options)
    : impl_(std::make_unique<Impl>(plan, options)) {}

JsonExtractor::~JsonExtractor() = default;

void JsonExtractor::clear() {
  impl_->clear();
}

void JsonExtractor::add(ByteView document) {
  impl_->add(document);
}

void JsonExtractor::run() {
  impl_->run();
}

std::size_t JsonExtractor::size() const {
  return impl_->size();
}

bool JsonExtractor::ok(std::size_t index) const {
  return impl_->ok(index);
}

std::span<const JsonValue> JsonExtractor::values(std::size_t index) const {
  return impl_->values(index);
}

}  // namespace penstock
