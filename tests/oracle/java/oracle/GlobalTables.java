package oracle;

import static oracle.Format.TEXT;
import static oracle.Kit.READ;
import static oracle.Kit.WRITE;
import static oracle.Kit.letter;
import static oracle.Kit.stream;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.GlobalKTable;

/** Streams that look up a table that every task has whole. */
final class GlobalTables {
    private GlobalTables() {}

    static void addTo(Catalog catalog) {
        two(catalog, "global_table_inner").build(b -> stream(b, "in")
            .join(global(b), (k, v) -> letter(v), Kit::pair).to("out", WRITE));
        two(catalog, "global_table_left").build(b -> stream(b, "in")
            .leftJoin(global(b), (k, v) -> letter(v), Kit::pair).to("out", WRITE));
        two(catalog, "global_table_by_key").build(b -> stream(b, "in")
            .leftJoin(global(b), (k, v) -> k, Kit::pair).to("out", WRITE));
        two(catalog, "global_table_inner_key").build(b -> stream(b, "in")
            .join(global(b), (k, v) -> letter(v), (k, l, r) -> k + ":" + Kit.pair(l, r)).to("out", WRITE));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("in").table("table").output(TEXT, TEXT).store("global", TABLE, TEXT);
    }

    private static GlobalKTable<String, String> global(StreamsBuilder builder) {
        return builder.globalTable("table", READ, text("global"));
    }
}
