#include "sinks/s3/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;

TEST(Xml, FindsElementsByName) {
  const std::string xml =
      "<?xml version=\"1.0\"?>\n<List xmlns=\"x\"><Keys>no</Keys><Key>a</Key><Key/><Key "
      "n=\"1\">b</Key>";

  EXPECT_THAT(xml_elements(xml, "Key"), ElementsAre("a", "", "b"));
  EXPECT_EQ(xml_text(xml, "Key"), "a");
  EXPECT_EQ(xml_text(xml, "Name"), "");
}

TEST(Xml, ResolvesEntities) {
  EXPECT_EQ(xml_text("<K>a&amp;b&lt;&gt;&quot;&apos;&#34;&#x27;&other;&</K>", "K"),
            "a&b<>\"'\"'&other;&");
  EXPECT_EQ(xml_text("<K>" + xml_escape("\"a\"<&>'") + "</K>", "K"), "\"a\"<&>'");
}

TEST(Xml, KnowsTheOutermostElement) {
  EXPECT_EQ(xml_root("<?xml version=\"1.0\"?>\n<!-- x --><Error><Code/></Error>"), "Error");
  EXPECT_EQ(xml_root("<Error/>"), "Error");
  EXPECT_EQ(xml_root("PAR1"), "");
  EXPECT_EQ(xml_root(""), "");
  EXPECT_EQ(xml_root("<"), "");
}

TEST(Xml, TakesWhatIsCutOffAsNothing) {
  const std::string whole = "<R><Key>a&amp;b</Key></R>";
  for (std::size_t size = 0; size < whole.size() - 4; ++size) {
    const std::string cut = whole.substr(0, size);
    EXPECT_THAT(xml_text(cut, "Key"), ::testing::AnyOf("", "a&b")) << cut;
  }
}

}  // namespace
}  // namespace penstock::sinks
