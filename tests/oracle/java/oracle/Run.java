package oracle;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.test.TestRecord;

/** Plays one input through a topology and writes down what comes out, event by event. */
final class Run {
    static final long WALL_CLOCK_START = 1_000_000;

    private final Program program;
    private final Path folder;
    final List<String> inputs = new ArrayList<>();
    final List<String> outputs = new ArrayList<>();
    final List<String> stores = new ArrayList<>();
    final List<String> all = new ArrayList<>();
    long dropped;

    Run(Program program, int seed, Path folder) {
        this.program = program;
        this.folder = folder;
        try (TopologyTestDriver driver = new TopologyTestDriver(program.topology(), settings(),
                Instant.ofEpochMilli(WALL_CLOCK_START))) {
            int number = 0;
            for (Event event : Event.generate(program.name, program.profile, seed)) {
                add(inputs, number + " " + event.line());
                play(driver, event);
                for (Program.Output output : program.outputs) {
                    read(driver, output, number);
                }
                number++;
            }
            for (Program.Store store : program.stores) {
                for (String line : StoreDump.lines(driver, store, program.profile)) {
                    add(stores, "store " + store.name() + " " + line);
                }
            }
            dropped = droppedRecords(driver);
            all.add("dropped " + dropped);
        }
    }

    private void add(List<String> list, String line) {
        list.add(line);
        all.add(line);
    }

    private static void play(TopologyTestDriver driver, Event event) {
        if (event.topic() == null) {
            driver.advanceWallClockTime(Duration.ofMillis(event.timestamp()));
            return;
        }
        TestRecord<String, String> record =
            new TestRecord<>(event.key(), event.value(), Instant.ofEpochMilli(event.timestamp()));
        if (event.header() != null) {
            record.headers().add("n", event.header().getBytes());
        }
        driver.createInputTopic(event.topic(), new StringSerializer(), new StringSerializer()).pipeInput(record);
    }

    private void read(TopologyTestDriver driver, Program.Output output, int number) {
        if (!driver.producedTopicNames().contains(output.topic())) {
            return;
        }
        var topic = driver.createOutputTopic(output.topic(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        for (TestRecord<byte[], byte[]> record : compacted(output.topic(), topic.readRecordsToList())) {
            add(outputs, number + " " + output.topic() + " " + output.key().show(record.key()) + " "
                + output.value().show(record.value()) + " @" + record.timestamp() + headers(record));
        }
    }

    /** Of a changelog the last record of each key: ours writes one per key and commit. */
    private static List<TestRecord<byte[], byte[]>> compacted(String topic, List<TestRecord<byte[], byte[]>> records) {
        if (!topic.endsWith("-changelog")) {
            return records;
        }
        List<TestRecord<byte[], byte[]>> last = new ArrayList<>();
        for (TestRecord<byte[], byte[]> record : records) {
            last.removeIf(other -> Arrays.equals(other.key(), record.key()));
            last.add(record);
        }
        return last;
    }

    private String headers(TestRecord<byte[], byte[]> record) {
        if (!program.profile.headers) {
            return "";
        }
        StringBuilder text = new StringBuilder(" {");
        for (Header header : record.headers()) {
            text.append(text.length() > 2 ? "," : "").append(header.key()).append('=')
                .append(Format.TEXT.show(header.value()));
        }
        return text.append('}').toString();
    }

    private static long droppedRecords(TopologyTestDriver driver) {
        return driver.metrics().entrySet().stream()
            .filter(entry -> entry.getKey().name().equals("dropped-records-total"))
            .mapToLong(entry -> Math.round((Double) entry.getValue().metricValue()))
            .sum();
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG,
            BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, program.cached ? 10L << 20 : 0L);
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX,
            program.emitInterval);
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION,
            program.emitInterval);
        return settings;
    }
}
