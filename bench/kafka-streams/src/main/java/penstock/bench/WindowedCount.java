package penstock.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Counts events per key in windows of ten seconds and keeps the latest time of sending, exactly once: what
 * tools/bench-kafka has Penstock do as well. Everything that is not said here is Kafka Streams' default.
 *
 * <p>Arguments: bootstrap servers, application id, input topic, output topic, threads, "memory" or "rocksdb", folder
 * for state.
 */
public final class WindowedCount {
  private static final JsonFactory JSON = new JsonFactory();
  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final Duration GRACE = Duration.ofMinutes(1);

  /** Count and latest time of sending, in 16 bytes. */
  private static byte[] add(byte[] aggregate, byte[] event) {
    ByteBuffer old = ByteBuffer.wrap(aggregate);
    return ByteBuffer.allocate(16)
        .putLong(old.getLong(0) + 1)
        .putLong(Math.max(old.getLong(8), sentAt(event)))
        .array();
  }

  private static long sentAt(byte[] event) {
    try (JsonParser parser = JSON.createParser(event)) {
      while (parser.nextToken() != null) {
        if (parser.currentToken() == JsonToken.FIELD_NAME && parser.currentName().equals("sent")) {
          parser.nextToken();
          return parser.getLongValue();
        }
      }
      return 0;
    } catch (IOException broken) {
      return 0;
    }
  }

  private static byte[] toJson(String user, long windowStart, byte[] aggregate) {
    ByteBuffer values = ByteBuffer.wrap(aggregate);
    return ("{\"key\":[\"" + user + "\"],\"window_start\":" + windowStart + ",\"count\":" + values.getLong(0)
            + ",\"max\":{\"/sent\":" + values.getLong(8) + "}}")
        .getBytes(StandardCharsets.UTF_8);
  }

  public static void main(String[] arguments) throws InterruptedException {
    Properties properties = new Properties();
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[4]);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, arguments[6]);
    properties.put("auto.offset.reset", "earliest");

    Serde<String> text = Serdes.String();
    Serde<byte[]> bytes = Serdes.ByteArray();
    var store =
        arguments[5].equals("memory")
            ? Stores.inMemoryWindowStore("counts", WINDOW.plus(GRACE), WINDOW, false)
            : Stores.persistentWindowStore("counts", WINDOW.plus(GRACE), WINDOW, false);
    Materialized<String, byte[], WindowStore<Bytes, byte[]>> materialized = Materialized.as(store);
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(arguments[2], Consumed.with(text, bytes))
        .groupByKey(Grouped.with(text, bytes))
        .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE))
        .aggregate(
            () -> new byte[16],
            (user, event, aggregate) -> add(aggregate, event),
            materialized.withKeySerde(text).withValueSerde(bytes))
        .toStream()
        .map((key, value) -> KeyValue.pair(
            key.key(), toJson(key.key(), key.window().start(), value)))
        .to(arguments[3], Produced.with(text, bytes));

    KafkaStreams streams = new KafkaStreams(builder.build(properties), properties);
    streams.setStateListener((now, before) -> System.out.println("state " + now));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
    Thread.sleep(Long.MAX_VALUE);
  }

  private WindowedCount() {}
}
