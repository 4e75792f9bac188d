package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.letter;
import static oracle.Kit.number;
import static oracle.Kit.stream;
import static oracle.Kit.table;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;

/** Tables joined with tables of the same key. */
final class TableJoins {
    private TableJoins() {}

    static void addTo(Catalog catalog) {
        two(catalog, "table_join_inner").build(b -> table(b, "left").join(table(b, "right"), Kit::pair).toStream()
            .to("out", WRITE));
        two(catalog, "table_join_left").build(b -> table(b, "left").leftJoin(table(b, "right"), Kit::pair).toStream()
            .to("out", WRITE));
        two(catalog, "table_join_outer").build(b -> table(b, "left").outerJoin(table(b, "right"), Kit::pair).toStream()
            .to("out", WRITE));
        two(catalog, "table_join_inner_materialized").store("joined", TABLE, TEXT).build(TableJoins::inner);
        two(catalog, "table_join_inner_cached").store("joined", TABLE, TEXT).cached().build(TableJoins::inner);
        two(catalog, "table_join_left_materialized").store("joined", TABLE, TEXT).build(TableJoins::left);
        two(catalog, "table_join_left_cached").store("joined", TABLE, TEXT).cached().build(TableJoins::left);
        two(catalog, "table_join_outer_materialized").store("joined", TABLE, TEXT).build(TableJoins::outer);
        two(catalog, "table_join_outer_cached").store("joined", TABLE, TEXT).cached().build(TableJoins::outer);
        two(catalog, "table_join_filtered").build(b -> table(b, "left").filter((k, v) -> Kit.numberOf(v) > 40)
            .outerJoin(table(b, "right").mapValues(v -> letter(v)), Kit::pair).toStream().to("out", WRITE));
        two(catalog, "table_join_then_filter").build(b -> table(b, "left").leftJoin(table(b, "right"), Kit::pair)
            .filter((k, v) -> v.length() > 6).toStream().to("out", WRITE));
        two(catalog, "table_join_headers").with(p -> p.headers = true).build(TableJoins::outer);
        catalog.add("table_join_three").table("left").table("right").table("third").output(TEXT, TEXT)
            .build(b -> table(b, "left").join(table(b, "right"), Kit::pair).leftJoin(table(b, "third"), Kit::pair)
                .toStream().to("out", WRITE));
        catalog.add("table_join_of_counts").input("left").input("right").output(TEXT, TEXT)
            .build(b -> stream(b, "left").groupByKey(GROUP).count(number("lefts"))
                .outerJoin(stream(b, "right").groupByKey(GROUP).count(number("rights")),
                    (l, r) -> Kit.pair(l, r), text("both"))
                .toStream().to("out", WRITE));
        catalog.add("table_join_grouped").table("left").table("right").output(TEXT, NUMBER)
            .build(b -> table(b, "left").join(table(b, "right"), Kit::pair)
                .groupBy((k, v) -> KeyValue.pair(letter(v), v), GROUP).count(number("counts")).toStream()
                .to("out", WRITE_LONG));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).table("left").table("right").output(TEXT, TEXT);
    }

    private static void inner(StreamsBuilder builder) {
        table(builder, "left").join(table(builder, "right"), Kit::pair, text("joined")).toStream().to("out", WRITE);
    }

    private static void left(StreamsBuilder builder) {
        table(builder, "left").leftJoin(table(builder, "right"), Kit::pair, text("joined")).toStream()
            .to("out", WRITE);
    }

    private static void outer(StreamsBuilder builder) {
        table(builder, "left").outerJoin(table(builder, "right"), Kit::pair, text("joined")).toStream()
            .to("out", WRITE);
    }
}
