#include "sinks/sqlite/tables.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "sinks/sqlite/result_code.h"
#include "testing/sim_clock.h"

namespace penstock::sinks {
namespace {

using config::ColumnType;

class SqliteTables : public ::testing::Test {
 protected:
  SqliteTables() {
    auto opened = SqliteConnection::open({.file = ":memory:"}, clock_, interrupted_);
    EXPECT_TRUE(opened) << opened.error().message();
    connection_ = *std::move(opened);
  }

  std::string wrong(const std::string& create) {
    EXPECT_TRUE(connection_->execute(create));
    const Status checked = ensure_table(*connection_, table_);
    return checked ? "" : checked.error().message();
  }

  Status insert(std::int64_t id, std::string_view name) {
    auto statement = connection_->prepare(insert_statement(table_));
    EXPECT_TRUE(statement) << statement.error().message();
    statement->bind(1, id);
    statement->bind(2, name);
    return statement->run();
  }

  std::string value(const std::string& sql) {
    auto statement = connection_->prepare(sql);
    EXPECT_TRUE(statement) << statement.error().message();
    EXPECT_TRUE(*statement->step());
    return statement->text(0);
  }

  testing::SimClock clock_;
  Flag interrupted_;
  std::unique_ptr<SqliteConnection> connection_;
  SinkTable table_{.name = "t",
                   .mode = WriteMode::kAppend,
                   .key = {},
                   .columns = {{"/id", "id", ColumnType::kBigint, true},
                               {"/name", "name", ColumnType::kText, false}}};
};

TEST_F(SqliteTables, AreMadeStrict) {
  ASSERT_TRUE(ensure_table(*connection_, table_));
  ASSERT_TRUE(ensure_table(*connection_, table_));

  EXPECT_EQ(value("SELECT sql FROM sqlite_schema WHERE name = 't'"),
            R"(CREATE TABLE "t" ("id" INTEGER NOT NULL, "name" TEXT) STRICT)");
}

TEST_F(SqliteTables, AreComparedWithWhatIsDeclared) {
  EXPECT_EQ(wrong("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(9), at TEXT)"), "");
  EXPECT_EQ(wrong("DROP TABLE t; CREATE TABLE t (id BIGINT, name)"), "");
  EXPECT_EQ(wrong("DROP TABLE t; CREATE TABLE t (id BIGINT)"),
            "table t, column name: is declared, but not there");
  EXPECT_EQ(wrong("DROP TABLE t; CREATE TABLE t (id REAL, name TEXT)"),
            "table t, column id: is declared as bigint, but is REAL");
  EXPECT_EQ(wrong("DROP TABLE t; CREATE TABLE t (id INT, name TEXT, x TEXT NOT NULL)"),
            "table t, column x: must not be null and has no default, but is not declared");
  EXPECT_EQ(wrong("DROP TABLE t; CREATE TABLE t (id INT, name TEXT NOT NULL)"),
            "table t, column name: must not be null; it has to be declared \"not null\"");
}

TEST_F(SqliteTables, KeepTheNewestOfEachKey) {
  table_.mode = WriteMode::kUpsert;
  table_.key = {"id"};
  ASSERT_TRUE(ensure_table(*connection_, table_));

  ASSERT_TRUE(insert(1, "a"));
  ASSERT_TRUE(insert(2, "b"));
  ASSERT_TRUE(insert(1, "c"));

  EXPECT_EQ(value("SELECT group_concat(id || name) FROM (SELECT * FROM t ORDER BY id)"), "1c,2b");
}

// Also where the table itself says that a conflict is nothing.
TEST_F(SqliteTables, SayThatTheyRefuseAnEvent) {
  ASSERT_TRUE(connection_->execute(
      "CREATE TABLE t (id INTEGER UNIQUE ON CONFLICT IGNORE, name TEXT CHECK (name <> 'x'))"));
  ASSERT_TRUE(insert(1, "a"));

  const Status twice = insert(1, "b");
  const Status forbidden = insert(2, "x");

  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(twice.error().message(), "SQLite: UNIQUE constraint failed: t.id (2067)");
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(forbidden.error().code(), ErrorCode::kInvalid);
}

TEST(SqliteAffinity, IsReadAsSqliteDoes) {
  EXPECT_EQ(affinity_of("bigint"), SqliteAffinity::kInteger);
  EXPECT_EQ(affinity_of("VARCHAR(3)"), SqliteAffinity::kText);
  EXPECT_EQ(affinity_of("double precision"), SqliteAffinity::kReal);
  EXPECT_EQ(affinity_of("DECIMAL(10,5)"), SqliteAffinity::kNumeric);
  EXPECT_EQ(affinity_of("blob"), SqliteAffinity::kNone);
  EXPECT_EQ(affinity_of(""), SqliteAffinity::kNone);
}

TEST(SqliteResult, TellsRefusalsFromWhatMayPass) {
  EXPECT_EQ(code_of_sqlite_result(SQLITE_CONSTRAINT_CHECK), ErrorCode::kInvalid);
  EXPECT_EQ(code_of_sqlite_result(SQLITE_CONSTRAINT_TRIGGER), ErrorCode::kInvalid);
  EXPECT_EQ(code_of_sqlite_result(SQLITE_MISMATCH), ErrorCode::kInvalid);
  EXPECT_EQ(code_of_sqlite_result(SQLITE_TOOBIG), ErrorCode::kInvalid);
  for (const int code :
       {SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_CANTOPEN,
        SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_READONLY, SQLITE_ERROR, SQLITE_INTERRUPT}) {
    EXPECT_EQ(code_of_sqlite_result(code), ErrorCode::kRetry) << code;
  }
}

}  // namespace
}  // namespace penstock::sinks
