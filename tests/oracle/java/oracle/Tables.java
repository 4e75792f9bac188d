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
import static oracle.Kit.pair;
import static oracle.Kit.stream;
import static oracle.Kit.table;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;

/** Tables of one topic: their steps, and tables grouped anew, where a change takes back the old value. */
final class Tables {
    private Tables() {}

    static void addTo(Catalog catalog) {
        catalog.add("table_source").table("in").output(TEXT, TEXT).store("in", TABLE, TEXT)
            .build(b -> table(b, "in").toStream().to("out", WRITE));
        catalog.add("table_source_cached").table("in").output(TEXT, TEXT).store("in", TABLE, TEXT).cached()
            .build(b -> table(b, "in").toStream().to("out", WRITE));
        catalog.add("table_filter").table("in").output(TEXT, TEXT)
            .build(b -> table(b, "in").filter((k, v) -> numberOf(v) % 2 == 0).toStream().to("out", WRITE));
        catalog.add("table_filter_materialized").table("in").output(TEXT, TEXT).store("even", TABLE, TEXT)
            .build(b -> table(b, "in").filter((k, v) -> numberOf(v) % 2 == 0, text("even")).toStream()
                .to("out", WRITE));
        catalog.add("table_filter_not_cached").table("in").output(TEXT, TEXT).store("odd", TABLE, TEXT).cached()
            .build(b -> table(b, "in").filterNot((k, v) -> numberOf(v) % 2 == 0, text("odd")).toStream()
                .to("out", WRITE));
        catalog.add("table_map_values").table("in").output(TEXT, NUMBER)
            .build(b -> table(b, "in").mapValues(v -> numberOf(v)).toStream().to("out", WRITE_LONG));
        catalog.add("table_map_values_materialized").table("in").output(TEXT, TEXT).store("pairs", TABLE, TEXT)
            .build(b -> table(b, "in").mapValues((k, v) -> pair(k, v), text("pairs")).toStream().to("out", WRITE));
        catalog.add("table_to_stream_new_key").table("in").output(TEXT, TEXT)
            .build(b -> table(b, "in").toStream((k, v) -> letter(v)).to("out", WRITE));
        catalog.add("table_of_stream").table("in").output(TEXT, TEXT).store("latest", TABLE, TEXT)
            .build(b -> stream(b, "in").mapValues(v -> v == null ? null : pair(v, "t")).toTable(text("latest"))
                .toStream().to("out", WRITE));
        catalog.add("table_group_count").table("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER)
            .build(Tables::count);
        catalog.add("table_group_count_cached").table("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER).cached()
            .build(Tables::count);
        catalog.add("table_group_reduce").table("in").output(TEXT, TEXT).store("reduced", TABLE, TEXT)
            .build(b -> table(b, "in").groupBy((k, v) -> KeyValue.pair(letter(v), v), GROUP)
                .reduce((old, v) -> old + "+" + v, (old, v) -> old + "-" + v, text("reduced")).toStream()
                .to("out", WRITE));
        catalog.add("table_group_aggregate").table("in").output(TEXT, NUMBER).store("sums", TABLE, NUMBER)
            .build(Tables::sum);
        catalog.add("table_group_aggregate_cached").table("in").output(TEXT, NUMBER).store("sums", TABLE, NUMBER).cached()
            .build(Tables::sum);
        catalog.add("table_group_headers").table("in").with(p -> p.headers = true).output(TEXT, NUMBER)
            .build(Tables::sum);
        catalog.add("table_group_filtered").table("in").output(TEXT, NUMBER).store("sums", TABLE, NUMBER)
            .build(b -> table(b, "in").filter((k, v) -> numberOf(v) > 30)
                .groupBy((k, v) -> KeyValue.pair("all", numberOf(v)), Grouped.with(STRING, LONG))
                .aggregate(() -> 0L, (k, v, sum) -> sum + v, (k, v, sum) -> sum - v, number("sums")).toStream()
                .to("out", WRITE_LONG));
        catalog.add("table_of_aggregate_group").input("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER)
            .store("keys", TABLE, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).count(number("counts"))
                .groupBy((k, v) -> KeyValue.pair(Long.toString(v % 3), k), GROUP)
                .count(number("keys")).toStream().to("out", WRITE_LONG));
    }

    private static void count(StreamsBuilder builder) {
        table(builder, "in").groupBy((k, v) -> KeyValue.pair(letter(v), v), GROUP).count(number("counts"))
            .toStream().to("out", WRITE_LONG);
    }

    private static void sum(StreamsBuilder builder) {
        table(builder, "in").groupBy((k, v) -> KeyValue.pair(letter(v), numberOf(v)), Grouped.with(STRING, LONG))
            .aggregate(() -> 0L, (k, v, sum) -> sum + v, (k, v, sum) -> sum - v, number("sums"))
            .toStream().to("out", WRITE_LONG);
    }
}
