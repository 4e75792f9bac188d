#include "os/socket_wait.h"

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

namespace penstock::os {
namespace {

using namespace std::chrono_literals;

// A pipe will do: poll(2) makes no difference.
class SocketWaitTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(ends_.data()), 0); }

  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  std::array<int, 2> ends_{};
};

// Each would run into the test's time limit if it waited for what is there already.
TEST_F(SocketWaitTest, ReturnsWhenThereIsSomethingToRead) {
  ASSERT_EQ(::write(ends_[1], "x", 1), 1);
  wait_for_socket(ends_[0], SocketReady::kForReading, 1h);
  wait_for_socket(ends_[0], SocketReady::kForEither, 1h);
}

TEST_F(SocketWaitTest, ReturnsWhenThereIsRoomToWrite) {
  wait_for_socket(ends_[1], SocketReady::kForWriting, 1h);
  wait_for_socket(ends_[1], SocketReady::kForEither, 1h);
}

TEST_F(SocketWaitTest, ReturnsWhenTimeIsUp) {
  wait_for_socket(ends_[0], SocketReady::kForReading, 1ms);
}

}  // namespace
}  // namespace penstock::os
