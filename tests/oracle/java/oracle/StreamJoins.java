package oracle;

import static oracle.Format.TEXT;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.letter;
import static oracle.Kit.ms;
import static oracle.Kit.pair;
import static oracle.Kit.stream;

import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.StreamJoined;

/** Streams joined with streams, in windows. */
final class StreamJoins {
    private StreamJoins() {}

    static void addTo(Catalog catalog) {
        JoinWindows noGrace = JoinWindows.ofTimeDifferenceWithNoGrace(ms(500));
        JoinWindows withGrace = JoinWindows.ofTimeDifferenceAndGrace(ms(500), ms(700));
        // Only right records that are older by 200 to 800 ms.
        JoinWindows before = withGrace.before(ms(800)).after(ms(-200));
        JoinWindows after = withGrace.before(ms(0)).after(ms(600));
        two(catalog, "stream_join_inner").build(b -> stream(b, "left")
            .join(stream(b, "right"), Kit::pair, noGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_inner_grace").build(b -> stream(b, "left")
            .join(stream(b, "right"), Kit::pair, withGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_inner_key").build(b -> stream(b, "left")
            .join(stream(b, "right"), (k, l, r) -> k + ":" + pair(l, r), withGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_left").build(b -> stream(b, "left")
            .leftJoin(stream(b, "right"), Kit::pair, noGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_left_grace").build(b -> stream(b, "left")
            .leftJoin(stream(b, "right"), Kit::pair, withGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_outer").build(b -> stream(b, "left")
            .outerJoin(stream(b, "right"), Kit::pair, noGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_outer_grace").build(b -> stream(b, "left")
            .outerJoin(stream(b, "right"), Kit::pair, withGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_before").build(b -> stream(b, "left")
            .join(stream(b, "right"), Kit::pair, before, joined()).to("out", WRITE));
        two(catalog, "stream_join_left_before").build(b -> stream(b, "left")
            .leftJoin(stream(b, "right"), Kit::pair, before, joined()).to("out", WRITE));
        two(catalog, "stream_join_outer_after").build(b -> stream(b, "left")
            .outerJoin(stream(b, "right"), Kit::pair, after, joined()).to("out", WRITE));
        two(catalog, "stream_join_repartitioned").build(b -> stream(b, "left").selectKey((k, v) -> letter(v))
            .join(stream(b, "right"), Kit::pair, withGrace, joined()).to("out", WRITE));
        two(catalog, "stream_join_outer_headers").with(p -> p.headers = true).build(b -> stream(b, "left")
            .outerJoin(stream(b, "right"), Kit::pair, withGrace, joined()).to("out", WRITE));
        // Kafka Streams looks for records without a partner at most once a second of wall clock.
        two(catalog, "stream_join_outer_interval").emitInterval(1000).with(p -> p.clock = 20)
            .build(b -> stream(b, "left").outerJoin(stream(b, "right"), Kit::pair, noGrace, joined()).to("out", WRITE));
        catalog.add("stream_join_self").input("in").output(TEXT, TEXT).build(b -> {
            var in = stream(b, "in");
            in.join(in, Kit::pair, withGrace, joined()).to("out", WRITE);
        });
        catalog.add("stream_join_three").input("left", 2, 0, 0, 1).input("right", 2, 0, 0, 1).input("third", 2, 0, 0, 1)
            .with(p -> p.step = 100).output(TEXT, TEXT)
            .build(b -> stream(b, "left").join(stream(b, "right"), Kit::pair, withGrace, joined())
                .leftJoin(stream(b, "third"), Kit::pair, withGrace,
                    StreamJoined.with(STRING, STRING, STRING).withStoreName("second"))
                .to("out", WRITE));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("left", 3, 4, 6, 1).input("right", 3, 4, 6, 1).output(TEXT, TEXT);
    }

    private static StreamJoined<String, String, String> joined() {
        return StreamJoined.with(STRING, STRING, STRING).withStoreName("pairs");
    }
}
