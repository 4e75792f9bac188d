package oracle;

import java.util.ArrayList;
import java.util.List;

/** One step of an input: a record for a topic, or (topic null) the wall clock goes on by `timestamp` ms. */
record Event(String topic, String key, String value, long timestamp, String header) {

    String line() {
        if (topic == null) {
            return "> clock +" + timestamp;
        }
        return "> " + topic + " " + Format.orNull(key) + " " + Format.orNull(value) + " @" + timestamp
            + (header == null ? "" : " {n=" + header + "}");
    }

    /** The input number `seed` of a topology. Every draw is made whether it is needed or not. */
    static List<Event> generate(String name, Profile profile, int seed) {
        SplitMix random = new SplitMix(SplitMix.fnv(name + "/" + seed));
        int weights = profile.inputs.stream().mapToInt(Profile.Input::weight).sum();
        List<Event> events = new ArrayList<>();
        long now = 0;
        for (int i = 0; i < profile.events; i++) {
            boolean clock = random.percent(profile.clock);
            long clockBy = 1 + random.below(profile.clockBy);
            Profile.Input input = pick(profile.inputs, random.below(weights));
            long step = random.below(2L * profile.step + 1);
            boolean jump = random.percent(profile.jump);
            long jumpBy = random.below(profile.jumpBy + 1L);
            boolean late = random.percent(profile.late);
            long lateBy = random.below(profile.lateBy + 1L);
            boolean nullKey = random.percent(input.nullKeys());
            String key = letter(random.below(input.keys()));
            boolean tombstone = random.percent(input.tombstones());
            String value = letter(random.below(profile.letters)) + random.below(100);
            if (clock) {
                events.add(new Event(null, null, null, clockBy, null));
                continue;
            }
            now += step + (jump ? jumpBy : 0);
            long timestamp = late ? Math.max(0, now - lateBy) : now;
            events.add(new Event(input.topic(), nullKey ? null : key, tombstone ? null : value, timestamp,
                profile.headers ? Integer.toString(i) : null));
        }
        return events;
    }

    private static String letter(long index) {
        return String.valueOf((char) ('a' + index));
    }

    private static Profile.Input pick(List<Profile.Input> inputs, long draw) {
        for (Profile.Input input : inputs) {
            if (draw < input.weight()) {
                return input;
            }
            draw -= input.weight();
        }
        throw new IllegalStateException("the draw is beyond all weights");
    }
}
