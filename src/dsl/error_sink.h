// ErrorSink asks the handlers what to do with an error, and writes dead letters.
//
// Threads   one: that of the task.
// Lifetime  the handlers, the context and the output outlive it.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "dsl/errors.h"
#include "topology/processor.h"

namespace penstock::dsl {

enum class ErrorKind : std::uint8_t { kDeserialization, kProcessing, kProduction };

// The record that is being processed, as it was read.
struct SourceRecord {
  const topology::RecordSpan* records = nullptr;  // none: a punctuation
  std::size_t index = 0;
};

class ErrorSink {
 public:
  // `dead_letters` is null if no topic was named.
  ErrorSink(topology::ProcessorContext& context, const ErrorHandlers& handlers,
            topology::Output* dead_letters)
      : context_(context), handlers_(handlers), dead_letters_(dead_letters) {}

  [[nodiscard]] std::size_t record_bytes_max() const { return handlers_.record_bytes_max; }

  // Ok: the record is dealt with. kAbortTxn: the same records are to be processed again. Else what
  // the task stops with.
  [[nodiscard]] Status handle(ErrorKind kind, std::string_view step, const SourceRecord& record,
                              const Error& error);

 private:
  [[nodiscard]] ErrorContext context_of(std::string_view step, const SourceRecord& record) const;
  [[nodiscard]] const ErrorHandler& handler_for(ErrorKind kind) const;
  [[nodiscard]] Status write_dead_letter(const ErrorContext& at, const SourceRecord& record,
                                         const Error& error);

  topology::ProcessorContext& context_;
  const ErrorHandlers& handlers_;
  topology::Output* const dead_letters_;
};

}  // namespace penstock::dsl
