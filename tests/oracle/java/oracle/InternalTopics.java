package oracle;

import static oracle.Format.BYTES;
import static oracle.Kit.GROUP;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.letter;
import static oracle.Kit.ms;
import static oracle.Kit.number;
import static oracle.Kit.numberSessions;
import static oracle.Kit.numberWindows;
import static oracle.Kit.stream;
import static oracle.Kit.table;
import static oracle.Kit.text;

import java.time.Duration;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindows;

/** The bytes of repartition and changelog topics. */
final class InternalTopics {
    /** Longer than any input: ours writes tombstones for what has expired, Kafka Streams lets its topic forget it. */
    private static final Duration KEPT = ms(600_000);

    private InternalTopics() {}

    static void addTo(Catalog catalog) {
        catalog.add("bytes_table_changelog").input("in").output("oracle-counts-changelog", BYTES, BYTES)
            .build(b -> stream(b, "in").groupByKey(GROUP).count(number("counts")));
        catalog.add("bytes_window_changelog").input("in").output("oracle-counts-changelog", BYTES, BYTES)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(TimeWindows.ofSizeAndGrace(ms(1000), ms(600)))
                .count(numberWindows("counts").withRetention(KEPT)));
        catalog.add("bytes_session_changelog").input("in").output("oracle-counts-changelog", BYTES, BYTES)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(500), ms(800)))
                .count(numberSessions("counts").withRetention(KEPT)));
        catalog.add("bytes_repartition").input("in").output("oracle-by-letter-repartition", BYTES, BYTES)
            .build(b -> stream(b, "in").groupBy((k, v) -> letter(v), Grouped.with("by-letter", STRING, STRING))
                .count(number("counts")));
        catalog.add("bytes_change_repartition").table("in").output("oracle-by-letter-repartition", BYTES, BYTES)
            .build(b -> table(b, "in").groupBy((k, v) -> KeyValue.pair(letter(v), v),
                Grouped.with("by-letter", STRING, STRING)).count(number("counts")));
        // No tombstones: Kafka Streams numbers them too, and logs them although they change nothing.
        catalog.add("bytes_join_changelogs").input("left", 4, 4, 0, 1).input("right", 4, 4, 0, 1)
            .output("oracle-pairs-this-join-store-changelog", BYTES, BYTES)
            .output("oracle-pairs-other-join-store-changelog", BYTES, BYTES)
            .build(b -> stream(b, "left").join(stream(b, "right"), Kit::pair,
                JoinWindows.ofTimeDifferenceAndGrace(ms(500), KEPT),
                StreamJoined.with(STRING, STRING, STRING).withStoreName("pairs")).to("out", WRITE));
        catalog.add("bytes_outer_join_changelog").input("left").input("right")
            .output("oracle-pairs-outer-shared-join-store-changelog", BYTES, BYTES)
            .build(b -> stream(b, "left").outerJoin(stream(b, "right"), Kit::pair,
                JoinWindows.ofTimeDifferenceAndGrace(ms(500), ms(700)),
                StreamJoined.with(STRING, STRING, STRING).withStoreName("pairs")).to("out", WRITE));
        catalog.add("bytes_foreign_key").input("left", 6, 3, 20, 2).input("right", 3, 3, 20, 1)
            .output("oracle-fk-subscription-registration-topic", BYTES, BYTES)
            .output("oracle-fk-subscription-response-topic", BYTES, BYTES)
            .output("oracle-fk-subscription-store-changelog", BYTES, BYTES)
            .build(b -> table(b, "left").leftJoin(table(b, "right"), Kit::letter, Kit::pair, TableJoined.as("fk"),
                text("joined")).toStream().to("out", WRITE));
    }
}
