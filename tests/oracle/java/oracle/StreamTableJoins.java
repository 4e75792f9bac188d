package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.LONG;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.letter;
import static oracle.Kit.number;
import static oracle.Kit.numberOf;
import static oracle.Kit.stream;
import static oracle.Kit.table;
import static oracle.Program.StoreKind.TABLE;

import org.apache.kafka.streams.kstream.Joined;

/** Streams that look up a table. */
final class StreamTableJoins {
    private StreamTableJoins() {}

    static void addTo(Catalog catalog) {
        two(catalog, "stream_table_inner")
            .build(b -> stream(b, "in").join(table(b, "table"), Kit::pair, joined()).to("out", WRITE));
        two(catalog, "stream_table_left")
            .build(b -> stream(b, "in").leftJoin(table(b, "table"), Kit::pair, joined()).to("out", WRITE));
        two(catalog, "stream_table_inner_cached").cached()
            .build(b -> stream(b, "in").join(table(b, "table"), Kit::pair, joined()).to("out", WRITE));
        two(catalog, "stream_table_left_key")
            .build(b -> stream(b, "in").leftJoin(table(b, "table"), (k, l, r) -> k + ":" + Kit.pair(l, r), joined())
                .to("out", WRITE));
        two(catalog, "stream_table_repartitioned")
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v)).leftJoin(table(b, "table"), Kit::pair, joined())
                .to("out", WRITE));
        two(catalog, "stream_table_headers").with(p -> p.headers = true)
            .build(b -> stream(b, "in").join(table(b, "table"), Kit::pair, joined()).to("out", WRITE));
        // The table is not stored: it is looked up through its filter.
        two(catalog, "stream_table_filtered")
            .build(b -> stream(b, "in").leftJoin(table(b, "table").filter((k, v) -> numberOf(v) > 40), Kit::pair,
                joined()).to("out", WRITE));
        two(catalog, "stream_table_mapped")
            .build(b -> stream(b, "in").join(table(b, "table").mapValues(v -> numberOf(v) * 2),
                (l, r) -> Kit.pair(l, r), Joined.with(STRING, STRING, LONG)).to("out", WRITE));
        // A stream joined with its own count: the table first.
        catalog.add("stream_table_own_count").input("in").output(TEXT, TEXT).store("counts", TABLE, NUMBER).build(b -> {
            var in = stream(b, "in");
            var counts = in.groupByKey(GROUP).count(number("counts"));
            in.join(counts, (l, r) -> Kit.pair(l, r), Joined.with(STRING, STRING, LONG)).to("out", WRITE);
        });
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("in").table("table").output(TEXT, TEXT).store("table", TABLE, TEXT);
    }

    private static Joined<String, String, String> joined() {
        return Joined.with(STRING, STRING, STRING);
    }
}
