package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.LONG;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.letter;
import static oracle.Kit.numberOf;
import static oracle.Kit.pair;
import static oracle.Kit.stream;

import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;

/** Steps without a store. */
final class Stateless {
    private Stateless() {}

    static void addTo(Catalog catalog) {
        catalog.add("stateless_filter").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").filter((k, v) -> numberOf(v) % 2 == 0).to("out", WRITE));
        catalog.add("stateless_filter_not").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").filterNot((k, v) -> "a".equals(k)).to("out", WRITE));
        catalog.add("stateless_map").input("in").output(TEXT, NUMBER)
            .build(b -> stream(b, "in").map((k, v) -> KeyValue.pair(letter(v), numberOf(v))).to("out", WRITE_LONG));
        catalog.add("stateless_map_values").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").mapValues(v -> "b".equals(letter(v)) ? null : pair(v, "x")).to("out", WRITE));
        catalog.add("stateless_map_values_with_key").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").mapValues((k, v) -> pair(k, v)).to("out", WRITE));
        catalog.add("stateless_flat_map").input("in").output(NUMBER, TEXT)
            .build(b -> stream(b, "in")
                .flatMap((k, v) -> v == null ? List.<KeyValue<Long, String>>of()
                    : List.of(KeyValue.pair(numberOf(v), k), KeyValue.pair(-numberOf(v), v)))
                .to("out", Produced.with(LONG, STRING)));
        catalog.add("stateless_flat_map_values").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in")
                .flatMapValues((k, v) -> v == null ? List.<String>of() : List.of(v, letter(v), pair(k, v)))
                .to("out", WRITE));
        catalog.add("stateless_select_key").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v)).to("out", WRITE));
        catalog.add("stateless_branch").input("in").output("small", TEXT, TEXT).output("even", TEXT, TEXT)
            .output("rest", TEXT, TEXT)
            .build(b -> {
                var branches = stream(b, "in").split(Named.as("by-"))
                    .branch((k, v) -> numberOf(v) < 30, Branched.as("small"))
                    .branch((k, v) -> numberOf(v) % 2 == 0, Branched.as("even"))
                    .defaultBranch(Branched.as("rest"));
                branches.get("by-small").to("small", WRITE);
                branches.get("by-even").to("even", WRITE);
                branches.get("by-rest").to("rest", WRITE);
            });
        catalog.add("stateless_branch_no_default").input("in").output(TEXT, TEXT)
            .build(b -> {
                var branches = stream(b, "in").split(Named.as("by-"))
                    .branch((k, v) -> numberOf(v) < 30, Branched.as("small"))
                    .branch((k, v) -> numberOf(v) < 60, Branched.as("middle"))
                    .noDefaultBranch();
                branches.get("by-small").merge(branches.get("by-middle").mapValues(v -> pair("m", v)))
                    .to("out", WRITE);
            });
        catalog.add("stateless_merge").input("left").input("right").output(TEXT, TEXT)
            .build(b -> stream(b, "left").mapValues(v -> pair("left", v))
                .merge(stream(b, "right").mapValues(v -> pair("right", v))).to("out", WRITE));
        catalog.add("stateless_two_sinks").input("in").output("all", TEXT, TEXT).output("a", TEXT, TEXT)
            .build(b -> {
                var in = stream(b, "in").peek((k, v) -> {});
                in.to("all", WRITE);
                in.filter((k, v) -> "a".equals(k)).to("a", WRITE);
            });
        catalog.add("stateless_chain").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").filter((k, v) -> v != null).mapValues(v -> letter(v) + (numberOf(v) + 1))
                .flatMapValues(v -> List.of(v, v + v)).selectKey((k, v) -> letter(v)).peek((k, v) -> {})
                .filterNot((k, v) -> v.length() > 5).map((k, v) -> KeyValue.pair(k + k, v)).to("out", WRITE));
        catalog.add("stateless_topic_of_record").input("in").output("even", TEXT, TEXT).output("odd", TEXT, TEXT)
            .build(b -> stream(b, "in").to((k, v, context) -> numberOf(v) % 2 == 0 ? "even" : "odd", WRITE));
        catalog.add("stateless_headers").input("in").with(p -> p.headers = true).output(TEXT, TEXT)
            .build(b -> stream(b, "in").flatMapValues(v -> List.of(pair(v, 1), pair(v, 2)))
                .filter((k, v) -> k != null).to("out", WRITE));
    }
}
