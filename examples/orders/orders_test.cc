#include "orders/orders.h"

#include <gtest/gtest.h>

#include "testdriver/topology_test_driver.h"

namespace orders {
namespace {

using penstock::Timestamp;
using penstock::dsl::Windowed;
using penstock::testdriver::TopologyTestDriver;

TEST(Orders, SalesOfAMinuteComeOnceWhenLateOrdersHadTheirTime) {
  const auto topology = make_topology();
  ASSERT_TRUE(topology.has_value());
  TopologyTestDriver driver(*topology);
  auto customers = driver.create_input_topic<std::string, std::string>("customers");
  auto orders = driver.create_input_topic<std::string, Order>("orders");
  auto sales = driver.create_output_topic<Windowed<std::string>, Sales>("sales");

  customers.pipe_input("anna", "FR", Timestamp(0));
  orders.pipe_input("anna", Order{"tea", 300}, Timestamp(10'000));
  orders.pipe_input("bob", Order{"tea", 500}, Timestamp(61'000));
  orders.pipe_input("anna", Order{"cup", 200}, Timestamp(59'000));  // late, but in time
  EXPECT_TRUE(sales.is_empty());
  orders.pipe_input("anna", Order{"pot", 900}, Timestamp(70'000));
  orders.pipe_input("anna", Order{"jar", 100}, Timestamp(30'000));  // too late

  const auto records = sales.read_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key->key, "FR");
  EXPECT_EQ(records[0].key->window.start, Timestamp(0));
  EXPECT_EQ(records[0].value, (Sales{2, 500}));
  EXPECT_EQ(driver.counts().late, 1U);
}

}  // namespace
}  // namespace orders
