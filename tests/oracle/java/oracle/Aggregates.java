package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.LONG;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.letter;
import static oracle.Kit.number;
import static oracle.Kit.numberOf;
import static oracle.Kit.stream;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Produced;

/** Streams grouped by key, without windows. */
final class Aggregates {
    private Aggregates() {}

    static void addTo(Catalog catalog) {
        catalog.add("aggregate_count").input("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER)
            .build(Aggregates::count);
        catalog.add("aggregate_count_cached").input("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER).cached()
            .build(Aggregates::count);
        catalog.add("aggregate_reduce").input("in").output(TEXT, TEXT).store("reduced", TABLE, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).reduce(Kit::reduce, text("reduced")).toStream()
                .to("out", WRITE));
        // A reducer that answers null takes the key away.
        catalog.add("aggregate_reduce_to_null").input("in").output(TEXT, TEXT).store("reduced", TABLE, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .reduce((old, v) -> numberOf(v) < 40 ? null : Kit.reduce(old, v), text("reduced")).toStream()
                .to("out", WRITE));
        catalog.add("aggregate_aggregate").input("in").output(TEXT, NUMBER).store("sums", TABLE, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).aggregate(() -> 1000L, Kit::sum, number("sums")).toStream()
                .to("out", WRITE_LONG));
        catalog.add("aggregate_aggregate_to_null_cached").input("in").output(TEXT, TEXT).store("texts", TABLE, TEXT).cached()
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .aggregate(() -> "", (k, v, old) -> old.length() > 8 ? null : Kit.append(k, v, old), text("texts"))
                .toStream().to("out", WRITE));
        catalog.add("aggregate_group_by").input("in").output(TEXT, NUMBER).store("sums", TABLE, NUMBER)
            .build(b -> stream(b, "in").groupBy((k, v) -> letter(v), GROUP)
                .aggregate(() -> 0L, Kit::sum, number("sums")).toStream().to("out", WRITE_LONG));
        catalog.add("aggregate_group_by_number").input("in").output(NUMBER, TEXT).store("texts", TABLE, NUMBER, TEXT)
            .build(b -> stream(b, "in").groupBy((k, v) -> numberOf(v) % 5 - 2, Grouped.with(LONG, STRING))
                .reduce(Kit::reduce, org.apache.kafka.streams.kstream.Materialized
                    .<Long, String, org.apache.kafka.streams.state.KeyValueStore<
                        org.apache.kafka.common.utils.Bytes, byte[]>>as("texts")
                    .withKeySerde(LONG).withValueSerde(STRING))
                .toStream().to("out", Produced.with(LONG, STRING)));
        catalog.add("aggregate_two_levels").input("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER)
            .store("changes", TABLE, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).count(number("counts")).toStream()
                .groupBy((k, v) -> v % 2 == 0 ? "even" : "odd", Grouped.with(STRING, LONG))
                .count(number("changes")).toStream().to("out", WRITE_LONG));
        catalog.add("aggregate_headers").input("in").with(p -> p.headers = true).output(TEXT, NUMBER)
            .store("counts", TABLE, NUMBER).build(Aggregates::count);
        catalog.add("aggregate_headers_cached").input("in").with(p -> p.headers = true).output(TEXT, NUMBER)
            .store("counts", TABLE, NUMBER).cached().build(Aggregates::count);
    }

    private static void count(StreamsBuilder builder) {
        stream(builder, "in").groupByKey(GROUP).count(number("counts")).toStream().to("out", WRITE_LONG);
    }
}
