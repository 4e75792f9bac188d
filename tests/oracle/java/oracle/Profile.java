package oracle;

import java.util.ArrayList;
import java.util.List;

/** What inputs of a topology look like: the numbers behind the random choices, and the topics. */
final class Profile {
    /** A topic that is written to; `weight` of all weights is its share of the events. */
    record Input(String topic, int keys, int nullKeys, int tombstones, int weight) {}

    final List<Input> inputs = new ArrayList<>();
    int events = 40;
    int step = 200;       // mean ms between two events
    int late = 25;        // percent of the records that are late
    int lateBy = 1200;    // by up to so many ms
    int jump = 4;         // percent of the records before which time jumps
    int jumpBy = 5000;    // by up to so many ms
    int letters = 3;      // of which values begin with one
    int clock = 0;        // percent of the events that advance the wall clock instead
    int clockBy = 1500;   // by up to so many ms
    boolean headers = false;

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
            "profile events=%d step=%d late=%d late_by=%d jump=%d jump_by=%d letters=%d clock=%d clock_by=%d headers=%d",
            events, step, late, lateBy, jump, jumpBy, letters, clock, clockBy, headers ? 1 : 0));
        for (Input in : inputs) {
            lines.add(String.format("input %s keys=%d null_keys=%d tombstones=%d weight=%d", in.topic, in.keys,
                in.nullKeys, in.tombstones, in.weight));
        }
        return lines;
    }
}
