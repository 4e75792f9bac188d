// The typed handles of the DSL, by name.
#pragma once

namespace penstock::dsl {

template <typename K, typename V>
class Stream;

template <typename K, typename V>
class Table;

template <typename K, typename V>
class GlobalTable;

template <typename K, typename V>
class GroupedStream;

template <typename K, typename V>
class GroupedTable;

template <typename K, typename VOut>
class CogroupedStream;

class StreamBuilder;

}  // namespace penstock::dsl
