"""Real Apache Kafka on this machine, for tests and for trying things: see tools/kafka-cluster."""
