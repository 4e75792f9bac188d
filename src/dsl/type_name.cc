#include "dsl/type_name.h"

#include <cstdlib>

#include <cxxabi.h>

namespace penstock::dsl {

std::string demangled(const char* type) {
  int status = 0;
  char* const name = abi::__cxa_demangle(type, nullptr, nullptr, &status);
  const std::string text = status == 0 ? name : type;
  std::free(name);
  return text;
}

}  // namespace penstock::dsl
